"""Quotes of Uniswap V3 pools against the pools themselves: every amount, price and tick to the wei."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from keeper.pools.venues.v3 import UnknownTicksError, V3Pool
from lab.localnet.deployments import V3_TICK_SPACINGS
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.v3 import open_pools, read_pool, slot0, swap

SYMBOLS = ("UNI", "KNC")
"""The first's address is below WETH's, the second's above."""
SWAPS = 80

RANGES = {
    100: [",,300", "-40,60,9000", "-5,3,20000", "200,900,700", "-2500,-700,4000"],
    500: [",,300", "-600,500,6000", "-100,90,9000", "1200,1500,100", "-900,-880,30000"],
    3000: [",,1000", "-3000,3000,5000", "-240,480,7000", "4000,6000,900", "-7000,-5000,300"],
    # Nothing between the ranges: a swap jumps from one to the next.
    10_000: ["-1000,-400,800", "-200,200,3000", "600,1800,500", "2600,3000,900", "-9000,-2000,2000"],
}
"""Lower and upper end in ticks from the price, and depth in WETH, by fee."""


class Desk(NamedTuple):
    chain: Chain
    world: World
    lens: Contract

    def pool(self, symbol: str, fee: int) -> V3Pool:
        token = self.world.token(symbol).address
        (found,) = [pool for pool in self.world.v3_pools_of(token) if pool.fee == fee]
        return read_pool(self.chain, self.lens, found.pool)

    def result(self, pool: V3Pool, token_in: str, amount: int, limit: int | None = None) -> tuple[int, int]:
        """What the pool itself would take and pay now."""
        deltas = self.chain.read(swap(self.world, pool, token_in, amount, limit), sender=self.world.market)
        taken, paid = deltas if token_in == pool.tokens[0] else deltas[::-1]
        return taken, -paid

    def trade(self, pool: V3Pool, token_in: str, amount: int, limit: int | None = None) -> None:
        self.chain.send(swap(self.world, pool, token_in, amount, limit), self.chain.impersonate(self.world.market))


@pytest.fixture(scope="module")
def desk(module_isolation: None, chain: Chain, world: World, month: Month) -> Desk:
    lines = [
        f"{world.token(symbol).address},,{fee},{row},"
        for symbol in SYMBOLS
        for fee, rows in RANGES.items()
        for row in rows
    ]
    opened = open_pools(chain, world, month, lines)
    return Desk(chain, opened, chain.deploy("V3Lens", sender=chain.account("deployer")))


def amount_of(draw: random.Random, pool: V3Pool, token_in: str) -> int:
    """What goes in: a few wei, any size, or as much as takes the price through some of the ranges ahead."""
    segments = pool.segments(token_in)
    ahead = sum(segment.most_in or 0 for segment in segments[: draw.randint(1, len(segments))])
    if draw.random() < 0.4:
        return min(ahead, int(2 ** draw.uniform(0, ahead.bit_length()))) or 1
    return ahead * draw.randint(1, 110) // 100 or 1


def limit_of(draw: random.Random, pool: V3Pool, token_in: str) -> int | None:
    """Mostly none; else up to 5 % from the square root of the price."""
    if draw.random() < 0.7:
        return None
    away = pool.sqrt_price // draw.choice((10**4, 300, 20))
    return pool.sqrt_price + (-away if token_in == pool.tokens[0] else away)


@pytest.mark.parametrize("fee", V3_TICK_SPACINGS)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_swaps_are_equal_to_the_wei(desk: Desk, symbol: str, fee: int) -> None:
    draw = random.Random(f"{symbol} {fee}")
    pool = desk.pool(symbol, fee)
    home = pool.tick
    crossed = limited = beyond = 0
    for _ in range(SWAPS):
        # Back towards the first price more often than not, so that the ranges are met again and again.
        token_in = pool.tokens[(pool.tick < home) == (draw.random() < 0.75)]
        amount, limit = amount_of(draw, pool, token_in), limit_of(draw, pool, token_in)
        signed = amount
        try:
            expected = pool.swap_in(token_in, amount, limit)
            if draw.random() < 0.5:
                signed = -expected.amount_out
                expected = pool.swap_out(token_in, expected.amount_out, limit)
        except UnknownTicksError:
            beyond += 1
            continue
        if signed == 0:
            continue
        assert desk.result(pool, token_in, signed, limit) == (expected.amount_in, expected.amount_out)
        desk.trade(pool, token_in, signed, limit)
        after = pool.after(expected)
        assert slot0(desk.chain, pool.address) == (after.sqrt_price, after.tick)
        crossed += sum(min(pool.tick, after.tick) < tick <= max(pool.tick, after.tick) for tick in pool.ticks)
        limited += limit == after.sqrt_price
        pool = read_pool(desk.chain, desk.lens, pool.address)
        assert (pool.sqrt_price, pool.tick, pool.liquidity) == (after.sqrt_price, after.tick, after.liquidity)
    assert crossed >= 25, "swaps that cross ticks are what this is about"
    assert limited >= 3
    assert beyond < SWAPS // 3


@pytest.mark.parametrize("fee", V3_TICK_SPACINGS)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_amount_in_is_the_least_that_is_enough(desk: Desk, symbol: str, fee: int) -> None:
    draw = random.Random(f"least {symbol} {fee}")
    pool = desk.pool(symbol, fee)
    for token_in in pool.tokens:
        for _ in range(8):
            wanted = pool.amount_out(token_in, amount_of(draw, pool, token_in) * 8 // 10)
            if wanted == 0:
                continue
            paid = pool.amount_in(token_in, wanted)
            assert pool.amount_out(token_in, paid - 1) < wanted <= pool.amount_out(token_in, paid)
            taken, received = desk.result(pool, token_in, paid)
            assert (taken, received) == (paid, pool.amount_out(token_in, paid))


@pytest.mark.parametrize("fee", V3_TICK_SPACINGS)
def test_segments_are_the_pool_up_to_rounding(desk: Desk, fee: int) -> None:
    pool = desk.pool("UNI", fee)
    for token_in in pool.tokens:
        segments = pool.segments(token_in)
        assert len(segments) >= 3
        before = paid = 0
        for segment in segments:
            assert segment.most_in is not None
            for part in (segment.most_in // 3, segment.most_in):
                kept = part * (10**6 - segment.fee)
                out = segment.reserve_out * kept // (segment.reserve_in * 10**6 + kept)
                exact = pool.amount_out(token_in, paid + part)
                assert abs(before + out - exact) <= 10 + exact // 10**12, (token_in, paid, part)
            before, paid = pool.amount_out(token_in, paid + segment.most_in), paid + segment.most_in
        rates = [s.reserve_out / s.reserve_in for s in segments]
        assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("numerator", [90, 99, 101, 125])
def test_at_price_is_where_a_swap_to_that_price_leads(desk: Desk, numerator: int) -> None:
    for fee in V3_TICK_SPACINGS:
        pool = desk.pool("KNC", fee)
        moved = pool.at_price(pool.sqrt_price**2 * numerator, 100 << 192)
        token_in = pool.tokens[0] if numerator < 100 else pool.tokens[1]
        desk.trade(pool, token_in, 2**120, moved.sqrt_price)
        found = read_pool(desk.chain, desk.lens, pool.address)
        assert abs(moved.sqrt_price**2 * 100 / (pool.sqrt_price**2 * numerator) - 1) < 1e-12
        assert (moved.sqrt_price, moved.tick, moved.liquidity) == (found.sqrt_price, found.tick, found.liquidity)


def test_the_window_is_all_that_is_known(desk: Desk) -> None:
    whole = desk.pool("UNI", 3000)
    narrow = read_pool(desk.chain, desk.lens, whole.address, span=100)
    assert len(narrow.ticks) < len(whole.ticks)
    for token_in in whole.tokens:
        within = sum(segment.most_in or 0 for segment in narrow.segments(token_in))
        assert narrow.amount_out(token_in, within) == whole.amount_out(token_in, within)
        with pytest.raises(UnknownTicksError, match=r"only ticks -?\d+ to -?\d+ are known"):
            narrow.amount_out(token_in, within * 101 // 100)


@pytest.mark.parametrize("fee", V3_TICK_SPACINGS)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_window_reaches_as_far_as_was_asked(desk: Desk, symbol: str, fee: int) -> None:
    """Also where the last tick asked for is the first or the last of a word of the bitmap."""
    pool = desk.pool(symbol, fee)
    word = 256 * pool.tick_spacing
    for tick in (pool.tick, pool.tick // word * word - word, pool.tick // word * word + 2 * word):
        for span in (abs(pool.tick - tick) + k for k in (0, 1, pool.tick_spacing)):
            found = read_pool(desk.chain, desk.lens, pool.address, span)
            low, high = found.first_word * word, (found.last_word + 1) * word - 1
            assert low <= pool.tick - span < low + word
            assert high - word < pool.tick + span <= high


def test_lens_shows_nothing_of_what_is_no_pool(desk: Desk) -> None:
    strange = [desk.world.weth, desk.world.tokens[0].pools[0].pair, desk.chain.account("nobody")]
    pool = desk.world.v3_pools[0].pool
    *nothing, found = desk.chain.read(desk.lens.states([*strange, pool], 100))
    assert all(state.sqrtPriceX96 == 0 and not state.ticks for state in nothing)
    assert found.sqrtPriceX96 > 0
