"""`V3Quoter` against the pools themselves: every amount to the wei, and what is no pool takes nobody down."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from keeper.pools.venues.v3 import V3Pool
from lab.localnet.deployments import V3_TICK_SPACINGS
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.v3 import open_pools, read_pool, slot0, swap

SYMBOLS = ("UNI", "KNC")
"""The first's address is below WETH's, the second's above."""
RANGES = ("-4000,4000,800", "-300,200,3000", "600,1800,500")
"""Lower and upper end in ticks from the price, and depth in WETH: liquidity ends on both sides."""
NOTHING = (0, 0, 0)
REACH = 128
"""As the contract's: how far the square root of a price may be taken, in hundredths."""
MAX_GAS = 1_000_000
"""A swap in a pool whose liquidity ends takes no more, whatever the tick spacing."""

Wish = tuple[str, bool, int]
"""Pool, whether token0 goes in, and the amount: in, or below zero out."""


class Desk(NamedTuple):
    chain: Chain
    world: World
    quoter: Contract
    pools: tuple[V3Pool, ...]

    def quotes(self, *wishes: Wish) -> list[tuple[int, ...]]:
        return [tuple(quote) for quote in self.chain.read(self.quoter.quotes(wishes))]

    def result(self, wish: Wish) -> tuple[int, int]:
        """What the pool itself would take and give now."""
        pool = next(pool for pool in self.pools if pool.address == wish[0])
        end = pool.sqrt_price * 100 // REACH if wish[1] else pool.sqrt_price * REACH // 100
        call = swap(self.world, pool, pool.tokens[0 if wish[1] else 1], wish[2], end)
        deltas = self.chain.read(call, sender=self.world.market)
        paid, given = deltas if wish[1] else deltas[::-1]
        return paid, -given


@pytest.fixture(scope="module")
def desk(module_isolation: None, chain: Chain, world: World, month: Month) -> Desk:
    tokens = [world.token(symbol).address for symbol in SYMBOLS]
    lines = [f"{token},,{fee},{row}," for token in tokens for fee in V3_TICK_SPACINGS for row in RANGES]
    opened = open_pools(chain, world, month, lines)
    sender = chain.account("deployer")
    lens = chain.deploy("V3Lens", sender=sender)
    pools = [pool for token in tokens for pool in opened.v3_pools_of(token)]
    found = tuple(read_pool(chain, lens, pool.pool) for pool in pools)
    return Desk(chain, opened, chain.deploy("V3Quoter", sender=sender), found)


def wishes_of(draw: random.Random, pool: V3Pool) -> list[Wish]:
    """Exactly in and exactly out, either way, of any size up to a tenth beyond what there is."""
    found = []
    for forward in (True, False):
        into, out = (pool.tokens[0], pool.tokens[1]) if forward else (pool.tokens[1], pool.tokens[0])
        for token, sign in ((into, 1), (out, -1)):
            most = sum(segment.most_in or 0 for segment in pool.segments(token))
            found += [(pool.address, forward, sign * (most * draw.randint(1, 110) // 100 or 1)) for _ in range(3)]
            found.append((pool.address, forward, sign * draw.randint(1, 1000)))
    return found


def test_quotes_are_what_the_pools_take_and_give(desk: Desk) -> None:
    draw = random.Random("quotes")
    wishes = [wish for pool in desk.pools for wish in wishes_of(draw, pool)]
    quotes = desk.quotes(*wishes)
    partial = 0
    for wish, (paid, received, price) in zip(wishes, quotes, strict=True):
        assert (paid, received) == desk.result(wish)
        assert price == slot0(desk.chain, wish[0])[0]
        partial += abs(wish[2]) != (paid if wish[2] > 0 else received)
    assert len(wishes) == 16 * len(desk.pools)
    assert 0 < partial < len(wishes) // 2, "liquidity that ends is met as well"


def test_gas_stays_within_what_nodes_give(desk: Desk) -> None:
    """Also where somebody asks for all that there is, and more, of pools that keep a tick apart."""
    chain, sender = desk.chain, desk.chain.account("anybody")
    for pool in desk.pools:
        for forward in (True, False):
            for amount in (2**127, -(2**127)):
                receipt = chain.send(desk.quoter.quotes([(pool.address, forward, amount)]), sender)
                assert int(receipt["gasUsed"], 16) < MAX_GAS, (pool.fee, forward, amount)


def test_quotes_leave_the_pools_alone(desk: Desk) -> None:
    """Also where it is sent as a transaction: a swap is met by none before it."""
    before = [slot0(desk.chain, pool.address) for pool in desk.pools]
    wish = (desk.pools[0].address, True, 10**18)
    once = desk.quotes(wish)
    assert desk.quotes(wish, wish, wish) == 3 * once
    desk.chain.send(desk.quoter.quotes([wish, wish]), desk.chain.account("anybody"))
    assert [slot0(desk.chain, pool.address) for pool in desk.pools] == before
    assert desk.quotes(wish) == once


def test_what_is_no_pool_takes_nobody_down(desk: Desk) -> None:
    """An account, a token, a contract that answers everything, a fund's own lens; and a swap of nothing."""
    chain, pool = desk.chain, desk.pools[0].address
    echo = chain.account("answers everything")
    chain.cheats.set_code(echo, bytes.fromhex("60015f526101005ff3"))  # 1, and seven zeros
    others = [chain.account("nobody"), desk.world.weth, desk.world.token("UNI").address, echo, desk.quoter.address]
    wish = (pool, True, 10**18)
    (expected,) = desk.quotes(wish)
    assert expected != NOTHING
    for other in others:
        assert desk.quotes(wish, (other, True, 10**18), wish) == [expected, NOTHING, expected], other
    assert desk.quotes((pool, True, 0), wish) == [NOTHING, expected]
