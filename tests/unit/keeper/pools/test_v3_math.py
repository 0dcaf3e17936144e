"""Arithmetic of Uniswap V3 by itself: ticks, and the steps of a swap."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keeper.pools.venues import MILLION
from keeper.pools.venues.v3 import V3Pool
from keeper.pools.venues.v3_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    Q96,
    sqrt_ratio_at_tick,
    step_in,
    step_out,
    tick_at_sqrt_ratio,
)

TICK = st.integers(MIN_TICK, MAX_TICK)
PRICE = st.integers(2**70, 2**130)
LIQUIDITY = st.integers(1, 2**110)
FEE = st.sampled_from([100, 500, 3000, 10_000])
AMOUNT = st.integers(0, 120).flatmap(lambda bits: st.integers(1, 2**bits))


def test_ends_of_all_prices() -> None:
    assert sqrt_ratio_at_tick(MIN_TICK) == MIN_SQRT_RATIO == 4295128739
    assert sqrt_ratio_at_tick(MAX_TICK) == MAX_SQRT_RATIO
    assert sqrt_ratio_at_tick(0) == Q96
    for tick in (MIN_TICK - 1, MAX_TICK + 1):
        with pytest.raises(ValueError, match=f"tick {tick}: expected -887272 to 887272"):
            sqrt_ratio_at_tick(tick)
    for ratio in (MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO):
        with pytest.raises(ValueError, match=f"square root of a price {ratio}: expected"):
            tick_at_sqrt_ratio(ratio)


@given(TICK)
def test_a_tick_is_a_power_of_the_base(tick: int) -> None:
    found = Fraction(sqrt_ratio_at_tick(tick), Q96) ** 2
    # 1.0001^tick by squaring, good to 2^-100 of itself
    exact, power, size = Fraction(1), Fraction(10_001, 10_000), abs(tick)
    while size:
        if size & 1:
            exact = _short(exact * power)
        power, size = _short(power * power), size >> 1
    exact = exact if tick >= 0 else 1 / exact
    # At the ends what the contract carries in 128 bits has shrunk to 64; and the result is rounded to a whole number.
    assert abs(found / exact - 1) < Fraction(1, 2**55) + Fraction(4, sqrt_ratio_at_tick(tick))


def _short(number: Fraction) -> Fraction:
    return Fraction((number.numerator << 256) // number.denominator, 2**256)


@given(TICK)
@example(MIN_TICK)
@example(MAX_TICK - 1)
def test_ticks_and_their_prices_are_inverse(tick: int) -> None:
    ratio = sqrt_ratio_at_tick(tick)
    if tick < MAX_TICK:
        assert tick_at_sqrt_ratio(ratio) == tick
    if tick > MIN_TICK:
        assert tick_at_sqrt_ratio(ratio - 1) == tick - 1


@given(st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1))
def test_a_price_lies_between_its_tick_and_the_next(ratio: int) -> None:
    tick = tick_at_sqrt_ratio(ratio)
    assert sqrt_ratio_at_tick(tick) <= ratio < sqrt_ratio_at_tick(tick + 1)


@given(PRICE, PRICE, LIQUIDITY, AMOUNT, FEE)
# The pool could pay 999 on the way to the target, and the price rounds to the target on the way to 998.
@example(Q96, Q96 - 1, Q96 * 999, 998, 3000)
def test_no_step_pays_or_takes_more_than_was_asked(
    price: int, target: int, liquidity: int, left: int, fee: int
) -> None:
    paid = step_out(price, target, liquidity, left, fee)
    assert 0 <= paid.amount_out <= left
    taken = step_in(price, target, liquidity, left, fee)
    assert 0 <= taken.amount_in + taken.fee <= left or taken.price == target
    assert min(price, target) <= paid.price <= max(price, target)
    assert min(price, target) <= taken.price <= max(price, target)


@given(PRICE, PRICE, LIQUIDITY, AMOUNT, FEE)
def test_a_pool_never_gives_more_than_the_curve(price: int, target: int, liquidity: int, left: int, fee: int) -> None:
    for step in (step_in(price, target, liquidity, left, fee), step_out(price, target, liquidity, left, fee)):
        # (x + in) (y - out) >= L^2 for the virtual reserves x and y
        first, second = Fraction(liquidity * Q96, price), Fraction(liquidity * price, Q96)
        reserve_in, reserve_out = (first, second) if price >= target else (second, first)
        assert (reserve_in + step.amount_in) * (reserve_out - step.amount_out) >= liquidity**2
        assert step.fee * MILLION >= (step.amount_in + step.fee) * fee - MILLION


def pool(**changes: object) -> V3Pool:
    """Of 1:1, with liquidity on 100 tick spacings on each side."""
    given_: dict[str, object] = {
        "address": "0xA", "tokens": ("0x1", "0x2"), "fee": 3000, "tick_spacing": 60, "sqrt_price": Q96, "tick": 0,
        "liquidity": 10**24, "ticks": (-6000, 6000), "nets": (10**24, -(10**24)), "first_word": -1, "last_word": 0,
    }  # fmt: skip
    return V3Pool(**{**given_, **changes})  # type: ignore[arg-type]


def test_what_a_pool_refuses() -> None:
    one = pool()
    with pytest.raises(ValueError, match="pool 0xA: does not trade 0x3"):
        one.amount_out("0x3", 1)
    with pytest.raises(ValueError, match="amount -1: expected 0 or more"):
        one.amount_out("0x1", -1)
    with pytest.raises(ValueError, match=r"limit \d+: expected on the far side of the price"):
        one.swap_in("0x1", 1, Q96 + 1)
    with pytest.raises(ValueError, match="only ticks -15360 to 15300 are known"):
        one.amount_out("0x1", 10**24)
    with pytest.raises(ValueError, match="2 ticks and 1 nets, expected as many"):
        pool(nets=(1,))
    assert one.amount_out("0x1", 0) == one.amount_in("0x1", 0) == 0


def test_a_pool_that_is_known_whole_says_what_it_can_take() -> None:
    whole = pool(first_word=-58, last_word=57)
    everything = sum(segment.most_in or 0 for segment in whole.segments("0x2"))
    with pytest.raises(ValueError, match=r"takes \d+ of 1000000000000000000000000 in"):
        whole.amount_out("0x2", 10**24)
    with pytest.raises(ValueError, match=r"pays \d+ of 1000000000000000000000000 out"):
        whole.amount_in("0x2", 10**24)
    assert whole.amount_in("0x2", whole.amount_out("0x2", everything)) == pytest.approx(everything, rel=1e-12)


def test_segments_of_one_range() -> None:
    for token in ("0x1", "0x2"):
        (segment,) = pool().segments(token)
        assert (segment.reserve_in, segment.reserve_out, segment.fee) == (10**24, 10**24, 3000)
        # L (1.0001^3000 - 1), and the fee on top
        assert segment.most_in == pytest.approx(10**24 * (1.0001**3000 - 1) / 0.997, rel=1e-9)


@pytest.mark.parametrize("price", [(2, 1), (1, 2), (10, 1), (1, 10)])
def test_at_price_leaves_and_enters_ranges(price: tuple[int, int]) -> None:
    one = pool()
    moved = one.at_price(*price)
    assert (moved.liquidity == 0) == (10 in price or price in ((2, 1), (1, 2)))
    assert one.window[0] <= moved.tick <= one.window[1]
    assert moved.at_price(1, 1) == one
