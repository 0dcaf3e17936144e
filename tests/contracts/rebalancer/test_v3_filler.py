"""UniswapFiller in pools of Uniswap V3: what the pools take and pay, alone, in chains, and false ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from ballast.units import WAD
from ballast.values import NO_ADDRESS
from keeper.pools.venues.v3 import V3Pool
from lab.localnet.deployments import V3_TICK_SPACINGS
from lab.localnet.month_file import Month
from lab.localnet.rpc import read
from lab.localnet.world import Token, World
from tests.helpers.bench import Bench
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.filling import CHAINED, FORWARD, HOME, PAID, POT, hop, order, sells_worth
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts, failure
from tests.helpers.v3 import open_pools, read_pool

V3 = 1
ONE = 2**64
NOBODY = NO_ADDRESS
POSITIONS = (",,2000", "-200,200,4000", "-600,800,1000")


class Desk(NamedTuple):
    """The filler, and the account that stands for the fund. UNI and KNC have V3 pools, and UNI one with AAVE."""

    chain: Chain
    world: World
    filler: Contract
    lens: Contract
    fund: str
    caller: str

    def token(self, symbol: str) -> Token:
        return self.world.token(symbol)

    def pool(self, one: str, other: str, fee: int = 3000) -> V3Pool:
        tokens = {one, other}
        (found,) = [pool for pool in self.world.v3_pools if set(pool.tokens) == tokens and pool.fee == fee]
        return read_pool(self.chain, self.lens, found.pool)

    def against_weth(self, symbol: str, fee: int = 3000) -> V3Pool:
        return self.pool(self.token(symbol).address, self.world.weth, fee)

    def erc20(self, address: str) -> Contract:
        return self.chain.at("ReferenceToken", address)

    def balance(self, token: str, account: str | Contract | None = None) -> int:
        held: int = self.chain.read(self.erc20(token).balanceOf(self.fund if account is None else account))
        return held

    def send_in(self, token: str, amount: int, to: str | Contract | None = None) -> None:
        target = self.filler if to is None else to
        if token == self.world.weth:
            market = self.chain.impersonate(self.world.market)
            self.chain.send(self.erc20(token).transfer(target, amount), market)
        else:
            self.chain.send(self.erc20(token).mint(target, amount), self.caller)

    def fill(self, sells: dict[str, int], *hops: bytes) -> Any:
        return self.filler.fill(self.fund, list(sells), list(sells.values()), [], b"".join(hops))

    def check_empty(self) -> None:
        for address in (*(token.address for token in self.world.tokens), self.world.weth):
            assert self.balance(address, self.filler) == 0


def v3_hop(pool: V3Pool, token_in: str, flags: int, **more: int) -> bytes:
    return hop(pool.address, flags | (FORWARD if token_in == pool.tokens[0] else 0), kind=V3, **more)


def v2_hop(desk: Desk, token: Token, token_in: str, flags: int, **more: int) -> bytes:
    other = desk.world.weth if token_in == token.address else token.address
    return hop(token.pools[0].pair, flags | (FORWARD if int(token_in, 16) < int(other, 16) else 0), **more)


def v2_out(desk: Desk, token: Token, token_in: str, amount: int) -> int:
    first, second, _ = read(desk.chain.rpc, token.pools[0].pair, "getReserves()", ["uint112", "uint112", "uint32"])
    one, other = (first, second) if int(token.address, 16) < int(desk.world.weth, 16) else (second, first)
    paid, left = (one, other) if token_in == token.address else (other, one)
    return int(amount * 997 * left // (paid * 1000 + amount * 997))


@pytest.fixture(scope="module")
def desk(module_isolation: None, chain: Chain, world: World, month: Month) -> Desk:
    uni, knc, aave = (world.token(symbol).address for symbol in ("UNI", "KNC", "AAVE"))
    pools = [f"{token},,{fee}" for token in (uni, knc) for fee in V3_TICK_SPACINGS]
    lines = [f"{pool},{position}," for pool in (*pools, f"{uni},{aave},3000") for position in POSITIONS]
    opened = open_pools(chain, world, month, lines)
    caller = chain.account("caller")
    filler = chain.deploy("UniswapFiller", world.weth, sender=caller)
    lens = chain.deploy("V3Lens", sender=caller)
    return Desk(chain, opened, filler, lens, chain.account("fund stand-in"), caller)


@pytest.mark.parametrize("fee", V3_TICK_SPACINGS)
@pytest.mark.parametrize("symbol", ["UNI", "KNC"])
def test_sells_and_buys_in_a_pool(desk: Desk, symbol: str, fee: int) -> None:
    """Far enough to cross ticks; what the keeper's quote says arrives."""
    token, weth = desk.token(symbol).address, desk.world.weth
    for paid, received in ((token, weth), (weth, token)):
        pool = desk.against_weth(symbol, fee)
        amount = sum(segment.most_in or 0 for segment in pool.segments(paid)[:2]) + 12_345
        desk.send_in(paid, amount)
        before = desk.balance(received)
        source = POT if paid == weth else 0
        desk.chain.send(desk.fill({paid: amount}, v3_hop(pool, paid, source | HOME)), desk.caller)
        assert desk.balance(received) - before == pool.amount_out(paid, amount) > 0
        desk.check_empty()


def test_splits_over_tiers_and_families(desk: Desk) -> None:
    """A sell over two tiers of V3 and a pair, the pot over a pair and a tier."""
    one, two, weth = desk.token("UNI"), desk.token("KNC"), desk.world.weth
    amount = 10**21
    low, high, end = desk.against_weth("UNI", 500), desk.against_weth("UNI", 3000), desk.against_weth("KNC", 500)
    parts = amount // 4, amount // 2, amount - amount // 4 - amount // 2
    got = low.amount_out(one.address, parts[0]) + high.amount_out(one.address, parts[1])
    got += v2_out(desk, one, one.address, parts[2])
    half = got // 2
    expected = v2_out(desk, two, weth, half) + end.amount_out(weth, got - half)
    desk.send_in(one.address, amount)
    call = desk.fill(
        {one.address: amount},
        v3_hop(low, one.address, 0, share=ONE // 4),
        v3_hop(high, one.address, 0, share=ONE // 2),
        v2_hop(desk, one, one.address, 0),
        v2_hop(desk, two, weth, POT | HOME, share=ONE // 2),
        v3_hop(end, weth, POT | HOME),
    )
    desk.chain.send(call, desk.caller)
    assert desk.balance(two.address) == expected
    desk.check_empty()


def test_chains_of_hops(desk: Desk) -> None:
    """Over WETH in any order of families, paid beforehand or not, and on without WETH where a direct pool is."""
    uni, knc, aave, weth = desk.token("UNI"), desk.token("KNC"), desk.token("AAVE"), desk.world.weth
    amount = 10**20
    uni_weth, knc_weth = desk.against_weth("UNI"), desk.against_weth("KNC")
    direct = desk.pool(uni.address, aave.address)

    def check(received: Token, expected: int, *hops: bytes, to: str | None = None) -> None:
        snapshot = desk.chain.cheats.snapshot()
        desk.send_in(uni.address, amount, to)
        desk.chain.send(desk.fill({uni.address: amount}, *hops), desk.caller)
        assert desk.balance(received.address) == expected > 0
        desk.check_empty()
        desk.chain.cheats.revert(snapshot)

    out = uni_weth.amount_out(uni.address, amount)
    first, last = v3_hop(uni_weth, uni.address, 0), CHAINED | HOME
    check(knc, knc_weth.amount_out(weth, out), first, v3_hop(knc_weth, weth, last))
    check(knc, v2_out(desk, knc, weth, out), first, v2_hop(desk, knc, weth, last))
    pair_out = v2_out(desk, uni, uni.address, amount)
    expected = knc_weth.amount_out(weth, pair_out)
    check(knc, expected, v2_hop(desk, uni, uni.address, 0), v3_hop(knc_weth, weth, last))
    paid = v2_hop(desk, uni, uni.address, PAID)
    check(knc, expected, paid, v3_hop(knc_weth, weth, last), to=uni.pools[0].pair)

    through = direct.amount_out(uni.address, amount)
    check(aave, through, v3_hop(direct, uni.address, HOME))
    # three hops: UNI -> AAVE -> WETH -> KNC
    three = knc_weth.amount_out(weth, v2_out(desk, aave, aave.address, through))
    onwards = v2_hop(desk, aave, aave.address, CHAINED), v3_hop(knc_weth, weth, last)
    check(knc, three, v3_hop(direct, uni.address, 0), *onwards)


def test_nothing_left_to_sell_is_no_swap(desk: Desk) -> None:
    uni = desk.token("UNI").address
    desk.chain.send(desk.fill({uni: 0}, v3_hop(desk.against_weth("UNI"), uni, HOME)), desk.caller)


def test_more_than_a_pool_can_take_is_refused(desk: Desk) -> None:
    """The pool would take a part and leave the rest in the filler, for anybody."""
    uni, weth = desk.token("UNI").address, desk.world.weth
    pool = desk.against_weth("UNI")
    amount = 10**45
    desk.send_in(uni, amount)
    took = assert_reverts(
        desk.chain, desk.fill({uni: amount}, v3_hop(pool, uni, HOME)), "UnfitPayment", sender=desk.caller
    )
    assert 0 < took[0] < amount and took[1] < 0 and pool.tokens == (uni, weth)


def test_nobody_is_paid_without_a_swap(desk: Desk) -> None:
    uni = desk.token("UNI").address
    desk.send_in(uni, WAD)
    pool = desk.against_weth("UNI").address
    for caller in (desk.caller, desk.fund, desk.chain.impersonate(pool)):
        for amounts in ((WAD, -1), (-1, WAD), (0, 0)):
            call = desk.filler.uniswapV3SwapCallback(*amounts, b"")
            assert_reverts(desk.chain, call, "NotThePool", caller, sender=caller)


class Trap(NamedTuple):
    """False pools: `pool` is swapped on."""

    desk: Desk
    pool: Contract
    accomplice: Contract

    def fill(
        self, amount: int, asks: tuple[int, int], times: int, *, through: bool = False, flags: int = FORWARD
    ) -> Any:
        uni, weth = self.desk.token("UNI").address, self.desk.world.weth
        helper = self.accomplice if through else NOBODY
        self.desk.chain.send(self.pool.init(uni, weth, *asks, times, helper), self.desk.caller)
        return self.desk.fill({uni: amount}, hop(self.pool.address, flags, kind=V3))


@pytest.fixture
def trap(desk: Desk) -> Trap:
    """The filler holds twice what the swap is of, and WETH."""
    desk.send_in(desk.token("UNI").address, 2 * WAD)
    desk.send_in(desk.world.weth, WAD)
    pool, accomplice = (desk.chain.deploy("FalsePool", sender=desk.caller) for _ in range(2))
    return Trap(desk, pool, accomplice)


def test_a_false_pool_gets_what_it_is_swapped_with_and_no_more(trap: Trap) -> None:
    desk, uni = trap.desk, trap.desk.token("UNI").address
    desk.chain.send(trap.fill(WAD, (WAD, -1), 1), desk.caller)
    assert desk.balance(uni, trap.pool) == WAD
    assert desk.balance(uni, desk.filler) == WAD
    assert desk.balance(desk.world.weth, desk.filler) == WAD


@pytest.mark.parametrize(
    "asks", [(WAD + 1, -1), (2 * WAD, 0), (WAD - 1, -1), (-1, WAD), (0, WAD), (0, 0), (-WAD, -WAD), (-(2**255), 0)]
)
def test_a_false_pool_that_asks_for_something_else(trap: Trap, asks: tuple[int, int]) -> None:
    call = trap.fill(WAD, asks, 1)
    assert_reverts(trap.desk.chain, call, "UnfitPayment", *asks, sender=trap.desk.caller)


def test_a_false_pool_that_asks_twice(trap: Trap) -> None:
    call = trap.fill(WAD, (WAD, -1), 2)
    assert_reverts(trap.desk.chain, call, "NotThePool", trap.pool.address, sender=trap.desk.caller)


def test_a_false_pool_that_sends_another(trap: Trap) -> None:
    call = trap.fill(WAD, (WAD, -1), 1, through=True)
    assert_reverts(trap.desk.chain, call, "NotThePool", trap.accomplice.address, sender=trap.desk.caller)


def test_a_false_pool_keeps_no_right_after_its_swap(trap: Trap) -> None:
    """It does not ask while it is swapped on, but when the next hop lets it: that is a false pair."""
    desk, uni, weth = trap.desk, trap.desk.token("UNI").address, trap.desk.world.weth
    desk.chain.send(trap.pool.init(uni, weth, 0, 0, 0, NOBODY), desk.caller)
    desk.chain.send(trap.accomplice.init(uni, weth, WAD, 0, 1, trap.pool), desk.caller)
    hops = hop(trap.pool.address, FORWARD, kind=V3, share=ONE // 2), hop(trap.accomplice.address, FORWARD)
    call = desk.fill({uni: 2 * WAD}, *hops)
    assert_reverts(desk.chain, call, "NotThePool", trap.pool.address, sender=desk.caller)


def test_a_pool_without_code_is_no_pool(desk: Desk) -> None:
    uni = desk.token("UNI").address
    desk.send_in(uni, WAD)
    call = desk.fill({uni: WAD}, hop("0x" + "99" * 20, HOME, kind=V3))
    assert failure(desk.chain, call, sender=desk.caller) == b""


def test_a_batch_over_a_false_pool_fails_as_a_whole(trading: Bench) -> None:
    """What the pool took is back with the fund."""
    chain, t = trading.chain, EXECUTION + 1800
    filler = chain.deploy("UniswapFiller", trading.tokens[0], sender=trading.keeper)
    pool = chain.deploy("FalsePool", sender=trading.keeper)
    fund = trading.fund(t)
    sells = sells_worth(fund, fund.capacity)
    (first, amount), *_ = sells.items()
    zero = "0x" + "00" * 20
    chain.send(pool.init(trading.tokens[first], trading.tokens[1], amount, -1, 1, zero), trading.keeper, at=t - 10)
    data = hop(pool.address, FORWARD | HOME, kind=V3)
    given = order(trading, {first: amount}, {1: 0}, filler=filler)
    call = trading.rebalancer.trade((*given[:-1], data))
    least = assert_reverts(chain, call, "BelowTolerance", sender=trading.keeper, at=t)
    assert least[0] == 0 < least[1]
