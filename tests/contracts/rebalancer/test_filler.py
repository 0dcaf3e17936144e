"""UniswapFiller by itself: anyone may call it, and all it gets goes where it is told."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from eth_utils import keccak

from ballast.abi import call_data
from ballast.units import WAD
from ballast.values import NO_ADDRESS
from lab.localnet.rpc import read, send
from lab.localnet.world import Token, World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.filling import CHAINED, FORWARD, HOME, PAID, POT, hop
from tests.helpers.reverts import assert_panics, assert_reverts, failure

NOBODY = NO_ADDRESS
ONE = 2**64
"""The whole, in the shares of hops."""


class Desk(NamedTuple):
    """The filler, and the account that stands for the fund."""

    chain: Chain
    world: World
    filler: Contract
    fund: str
    caller: str

    def erc20(self, address: str) -> Contract:
        return self.chain.at("ReferenceToken", address)

    def balance(self, token: str, account: str | Contract) -> int:
        held: int = self.chain.read(self.erc20(token).balanceOf(account))
        return held

    def reserves(self, token: Token, pool: int) -> tuple[int, int]:
        """Of the token and of WETH."""
        pair = token.pools[pool].pair
        first, second, _ = read(self.chain.rpc, pair, "getReserves()", ["uint112", "uint112", "uint32"])
        return (first, second) if token.address.lower() < self.world.weth.lower() else (second, first)

    def send_in(self, token: str, amount: int, to: str | None = None) -> None:
        """As `trade` does: the sells arrive before the call, at the filler or where the order says."""
        if token == self.world.weth:
            send(self.chain.rpc, self.caller, token, call_data("deposit()"), gas=100_000, value=amount)
            self.chain.send(self.erc20(token).transfer(to or self.filler, amount), self.caller)
        else:
            self.chain.send(self.erc20(token).mint(to or self.filler, amount), self.caller)

    def check_empty(self, *tokens: Token) -> None:
        """The filler keeps none of these, and no WETH."""
        for address in (*(token.address for token in tokens), self.world.weth):
            assert self.balance(address, self.filler) == 0

    def fill(self, sells: dict[str, int], buys: list[str], data: bytes) -> Any:
        return self.filler.fill(self.fund, list(sells), list(sells.values()), buys, data)


@pytest.fixture
def desk(chain: Chain, world: World) -> Desk:
    caller = chain.account("caller")
    filler = chain.deploy("UniswapFiller", world.weth, sender=caller)
    return Desk(chain, world, filler, chain.account("fund stand-in"), caller)


def swap(amount: int, reserve_in: int, reserve_out: int) -> int:
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def forward(desk: Desk, token: Token) -> int:
    """FORWARD if the token is token0 of its pools against WETH."""
    return FORWARD if token.address.lower() < desk.world.weth.lower() else 0


def sell(desk: Desk, token: Token, pool: int = 0, leg: int = 0, share: int = 0, flags: int = 0) -> bytes:
    """A hop that sells the token for WETH."""
    return hop(token.pools[pool].pair, flags | forward(desk, token), leg, share)


def buy(desk: Desk, token: Token, pool: int = 0, share: int = 0, flags: int = POT | HOME) -> bytes:
    """A hop that buys the token for WETH."""
    return hop(token.pools[pool].pair, flags | FORWARD - forward(desk, token), share=share)


def two_pools(world: World) -> list[Token]:
    return [token for token in world.tokens if len(token.pools) == 2]


@pytest.mark.parametrize("share", [1, ONE // 3, ONE - 1])
def test_splits_a_sell_and_the_buys_over_pools(desk: Desk, share: int) -> None:
    first, second = two_pools(desk.world)[:2]
    amount = 10 ** (first.decimals + 1) + 1
    part = amount * share // ONE
    weth = sum(swap(a, *desk.reserves(first, pool)) for pool, a in enumerate((part, amount - part)) if a)
    paid_in = weth * share // ONE
    bought = 0
    for pool, a in enumerate((paid_in, weth - paid_in)):
        tokens, ether = desk.reserves(second, pool)
        bought += swap(a, ether, tokens) if a else 0
    desk.send_in(first.address, amount)
    hops = [sell(desk, first, share=share), sell(desk, first, 1), buy(desk, second, share=share), buy(desk, second, 1)]
    call = desk.fill({first.address: amount}, [second.address], b"".join(hops))
    before = desk.balance(second.address, desk.fund)
    desk.chain.send(call, desk.caller)
    assert desk.balance(second.address, desk.fund) - before == bought > 0
    desk.check_empty(first, second)


def test_several_legs(desk: Desk) -> None:
    one, two, three = desk.world.tokens[:3]
    amounts = {one.address: 10**one.decimals, two.address: 10**two.decimals}
    weth = 0
    for token in (one, two):
        desk.send_in(token.address, amounts[token.address])
        weth += swap(amounts[token.address], *desk.reserves(token, 0))
    tokens, ether = desk.reserves(three, 0)
    hops = sell(desk, one) + sell(desk, two, leg=1) + buy(desk, three)
    desk.chain.send(desk.fill(amounts, [three.address], hops), desk.caller)
    assert desk.balance(three.address, desk.fund) == swap(weth, ether, tokens)
    desk.check_empty(one, two, three)


@pytest.mark.parametrize("paid", [False, True])
def test_from_pool_to_pool(desk: Desk, paid: bool) -> None:
    """One sell pays one buy; where its pool was paid beforehand nothing at all passes through the filler."""
    one, two = desk.world.tokens[:2]
    amount = 10**one.decimals
    weth = swap(amount, *desk.reserves(one, 0))
    tokens, ether = desk.reserves(two, 0)
    desk.send_in(one.address, amount, to=one.pools[0].pair if paid else None)
    hops = sell(desk, one, flags=PAID if paid else 0) + buy(desk, two, flags=CHAINED | HOME)
    receipt = desk.chain.send(desk.fill({one.address: amount}, [two.address], hops), desk.caller)
    assert desk.balance(two.address, desk.fund) == swap(weth, ether, tokens)
    filler = desk.filler.address.lower()[2:]
    touched = sum(filler in topic for log in receipt["logs"] for topic in log["topics"][1:2] if is_transfer(log))
    assert touched == (0 if paid else 1)
    desk.check_empty(one, two)


def is_transfer(log: dict[str, Any]) -> bool:
    return str(log["topics"][0]) == "0x" + keccak(text="Transfer(address,address,uint256)").hex()


def test_an_amount_of_zero_is_no_swap(desk: Desk) -> None:
    """Nothing was left to sell of the second: the rest of the batch goes on."""
    one, two, three = desk.world.tokens[:3]
    amounts = {one.address: 10**one.decimals, two.address: 0}
    desk.send_in(one.address, amounts[one.address])
    weth = swap(amounts[one.address], *desk.reserves(one, 0))
    tokens, ether = desk.reserves(three, 0)
    hops = sell(desk, one) + sell(desk, two, leg=1, flags=PAID) + buy(desk, three)
    desk.chain.send(desk.fill(amounts, [three.address], hops), desk.caller)
    assert desk.balance(three.address, desk.fund) == swap(weth, ether, tokens)


def test_wrapped_ether_itself_is_sold_and_bought(desk: Desk) -> None:
    """Sold it is in the pot as it comes; bought it goes to the fund as it is."""
    token, weth = desk.world.tokens[0], desk.world.weth
    desk.send_in(weth, WAD)
    tokens, ether = desk.reserves(token, 0)
    hops = buy(desk, token, share=ONE // 4) + hop(NOBODY, POT | HOME)
    desk.chain.send(desk.fill({weth: WAD}, [token.address, weth], hops), desk.caller)
    assert desk.balance(token.address, desk.fund) == swap(WAD // 4, ether, tokens)
    assert desk.balance(weth, desk.fund) == WAD - WAD // 4
    assert desk.balance(weth, desk.filler) == 0


def test_unknown_legs_and_kinds(desk: Desk) -> None:
    token = desk.world.tokens[0]
    desk.send_in(token.address, 10**18)
    pair = token.pools[0].pair
    for leg in (1, 255):
        call = desk.fill({token.address: 10**18}, [token.address], hop(pair, 0, leg))
        assert_reverts(desk.chain, call, "UnknownLeg", leg, sender=desk.caller)
    for kind in (9, 255):
        call = desk.fill({token.address: 10**18}, [token.address], hop(pair, 0, kind=kind))
        assert_reverts(desk.chain, call, "UnknownKind", kind, sender=desk.caller)


def test_data_of_half_a_word_is_refused(desk: Desk) -> None:
    token = desk.world.tokens[0]
    for data in (b"\x01", sell(desk, token)[:-1], sell(desk, token) + b"\x00"):
        call = desk.fill({token.address: 0}, [token.address], data)
        assert_reverts(desk.chain, call, "UnfitData", len(data), sender=desk.caller)


def test_shares_above_the_whole_are_refused(desk: Desk) -> None:
    """Two shares of more than half take more than there is."""
    token = two_pools(desk.world)[0]
    desk.send_in(token.address, 10**18)
    more = ONE // 2 + ONE // 1000
    hops = sell(desk, token, share=more) + sell(desk, token, 1, share=more)
    call = desk.fill({token.address: 10**18}, [token.address], hops)
    assert_panics(desk.chain, call, 0x11, sender=desk.caller)


def test_a_pool_s_own_error_is_passed_on(desk: Desk) -> None:
    """A pool that nobody paid gives nothing; a pool without code answers nothing."""
    token = desk.world.tokens[0]
    desk.send_in(token.address, 10**18)
    unpaid = sell(desk, token, flags=PAID)
    answer = failure(desk.chain, desk.fill({token.address: 10**18}, [token.address], unpaid), sender=desk.caller)
    assert b"UniswapV2" in answer
    nobody = hop("0x" + "99" * 20, 0)
    answer = failure(desk.chain, desk.fill({token.address: 10**18}, [token.address], nobody), sender=desk.caller)
    assert answer == b""


def test_names_its_wrapped_ether(desk: Desk) -> None:
    assert desk.chain.read(desk.filler.WETH()) == desk.world.weth
