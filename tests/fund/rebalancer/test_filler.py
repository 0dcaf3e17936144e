"""UniswapV2Filler by itself: anyone may call it, and all it gets goes where it is told."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from eth_abi import encode

from localnet.rpc import read
from localnet.world import Token, World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import WAD
from tests.helpers.reverts import assert_panics, assert_reverts

NOBODY = "0x" + "00" * 20


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

    def send_in(self, token: str, amount: int) -> None:
        """As `trade` does: the sells arrive before the call."""
        if token == self.world.weth:
            deposit = {"from": self.caller, "to": token, "value": hex(amount), "gas": hex(10**5)}
            self.chain.rpc.request("eth_sendTransaction", deposit)
            self.chain.send(self.erc20(token).transfer(self.filler, amount), self.caller)
        else:
            self.chain.send(self.erc20(token).mint(self.filler, amount), self.caller)

    def fill(self, sells: dict[str, int], buys: list[str], data: bytes) -> Any:
        return self.filler.fill(self.fund, list(sells), list(sells.values()), buys, data)


@pytest.fixture
def desk(chain: Chain, world: World) -> Desk:
    caller = chain.account("caller")
    filler = chain.deploy("UniswapV2Filler", world.weth, sender=caller)
    return Desk(chain, world, filler, chain.account("fund stand-in"), caller)


def swap(amount: int, reserve_in: int, reserve_out: int) -> int:
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def data(sells: list[tuple[str, int, int]], buys: list[tuple[str, int, int]]) -> bytes:
    return encode(["(address,uint256,uint256)[]"] * 2, [sells, buys])


def two_pools(world: World) -> list[Token]:
    return [token for token in world.tokens if len(token.pools) == 2]


@pytest.mark.parametrize("share", [0, 1, WAD // 3, WAD])
def test_splits_a_sell_and_the_buys_over_pools(desk: Desk, share: int) -> None:
    first, second = two_pools(desk.world)[:2]
    amount = 10 ** (first.decimals + 1) + 1
    part = amount * share // WAD
    weth = sum(swap(a, *desk.reserves(first, pool)) for pool, a in enumerate((part, amount - part)) if a)
    paid_in = weth * share // WAD
    bought = 0
    for pool, a in enumerate((paid_in, weth - paid_in)):
        tokens, ether = desk.reserves(second, pool)
        bought += swap(a, ether, tokens) if a else 0
    desk.send_in(first.address, amount)
    call = desk.fill(
        {first.address: amount},
        [second.address],
        data(
            [(pool.pair, 0, share) for pool in first.pools],
            [(pool.pair, 0, share) for pool in second.pools],
        ),
    )
    before = desk.balance(second.address, desk.fund)
    desk.chain.send(call, desk.caller)
    assert desk.balance(second.address, desk.fund) - before == bought > 0
    for token in (first.address, second.address, desk.world.weth):
        assert desk.balance(token, desk.filler) == 0


def test_several_legs(desk: Desk) -> None:
    one, two, three = desk.world.tokens[:3]
    amounts = {one.address: 10**one.decimals, two.address: 10**two.decimals}
    weth = 0
    for token in (one, two):
        desk.send_in(token.address, amounts[token.address])
        weth += swap(amounts[token.address], *desk.reserves(token, 0))
    tokens, ether = desk.reserves(three, 0)
    hops = data([(one.pools[0].pair, 0, 1), (two.pools[0].pair, 1, 1)], [(three.pools[0].pair, 0, 1)])
    desk.chain.send(desk.fill(amounts, [three.address], hops), desk.caller)
    assert desk.balance(three.address, desk.fund) == swap(weth, ether, tokens)


def test_wrapped_ether_itself_is_sold_and_bought(desk: Desk) -> None:
    token, weth = desk.world.tokens[0], desk.world.weth
    desk.send_in(weth, WAD)
    tokens, ether = desk.reserves(token, 0)
    hops = data([(NOBODY, 0, WAD)], [(token.pools[0].pair, 0, WAD // 4), (NOBODY, 1, 0)])
    desk.chain.send(desk.fill({weth: WAD}, [token.address, weth], hops), desk.caller)
    assert desk.balance(token.address, desk.fund) == swap(WAD // 4, ether, tokens)
    assert desk.balance(weth, desk.fund) == WAD - WAD // 4
    assert desk.balance(weth, desk.filler) == 0


def test_unknown_legs(desk: Desk) -> None:
    token = desk.world.tokens[0]
    desk.send_in(token.address, 10**18)
    pair = token.pools[0].pair
    for hops in (data([(pair, 1, WAD)], []), data([], [(pair, 1, WAD)]), data([(pair, 2**256 - 1, WAD)], [])):
        call = desk.fill({token.address: 10**18}, [token.address], hops)
        leg = 2**256 - 1 if hops == data([(pair, 2**256 - 1, WAD)], []) else 1
        assert_reverts(desk.chain, call, "UnknownLeg", leg, sender=desk.caller)


def test_shares_above_the_whole_are_refused(desk: Desk) -> None:
    token = two_pools(desk.world)[0]
    desk.send_in(token.address, 10**18)
    hops = data([(pool.pair, 0, WAD + 1) for pool in token.pools], [])
    call = desk.fill({token.address: 10**18}, [token.address], hops)
    assert_panics(desk.chain, call, 0x11, sender=desk.caller)


def test_names_its_wrapped_ether(desk: Desk) -> None:
    assert desk.chain.read(desk.filler.WETH()) == desk.world.weth
