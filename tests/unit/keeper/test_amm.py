"""Pool arithmetic and splits."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keeper.amm import Reserves, after_swap, amount_in, amount_out, best_in, best_out, split_in, split_out

WEI = st.integers(10**12, 10**27)
POOL = st.builds(Reserves, WEI, WEI)


def exact_out(pool: Reserves, amount: int) -> Fraction:
    """The constant product with 0.3 % taken from what goes in, without rounding."""
    kept = Fraction(amount) * 997 / 1000
    return pool.reserve_out - Fraction(pool.reserve_in) * pool.reserve_out / (pool.reserve_in + kept)


@given(POOL, st.integers(0, 10**27))
def test_amount_out_is_the_constant_product_rounded_down(pool: Reserves, amount: int) -> None:
    found = amount_out(pool, amount)
    assert found <= exact_out(pool, amount) < found + 1


@given(POOL, st.data())
def test_amount_in_is_the_least_that_is_enough(pool: Reserves, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(1, pool.reserve_out - 1))
    paid = amount_in(pool, wanted)
    assert amount_out(pool, paid) >= wanted
    assert amount_out(pool, paid - 1) < wanted


def test_known_swap() -> None:
    # 1000 in at 1:1 with a million on both sides: 997 * 1e6 / (1e6 * 1000 + 997 * 1000) * 1000 = 996.006...
    assert amount_out(Reserves(10**6, 10**6), 1000) == 996
    assert amount_in(Reserves(10**6, 10**6), 996) == 1000
    assert after_swap(Reserves(10**6, 10**6), 1000) == Reserves(1_001_000, 999_004)


@pytest.mark.parametrize(("reserve_in", "reserve_out"), [(0, 1), (1, 0), (-1, 1)])
def test_empty_pools_are_refused(reserve_in: int, reserve_out: int) -> None:
    with pytest.raises(ValueError, match="expected both above 0"):
        Reserves(reserve_in, reserve_out)


def test_amounts_out_of_range_are_refused() -> None:
    pool = Reserves(10**6, 10**6)
    with pytest.raises(ValueError, match="expected 0 or more"):
        amount_out(pool, -1)
    with pytest.raises(ValueError, match="expected 0 to 999999"):
        amount_in(pool, 10**6)
    with pytest.raises(ValueError, match="more than the pools hold"):
        split_out([pool, pool], 2 * 10**6)
    with pytest.raises(ValueError, match="no pools"):
        split_in([], 1)


def nearby(depths: tuple[int, ...], prices: tuple[int, ...]) -> list[Reserves]:
    """Pools of these depths whose prices differ by hundredths of a percent."""
    return [Reserves(depth, depth * price // 10_000) for depth, price in zip(depths, prices, strict=True)]


NEARBY = st.integers(1, 4).flatmap(
    lambda n: st.builds(
        nearby,
        st.tuples(*[st.integers(10**20, 10**24)] * n),
        st.tuples(*[st.integers(9_500, 10_500)] * n),
    )
)


@given(NEARBY, st.integers(10**15, 10**23))
def test_no_small_move_between_pools_brings_more(pools: list[Reserves], amount: int) -> None:
    parts = split_in(pools, amount)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    best = sum(exact_out(pool, part) for pool, part in zip(pools, parts, strict=True))
    step = amount // 1000
    for give in range(len(pools)):
        for take in range(len(pools)):
            if give == take or parts[give] < step:
                continue
            moved = list(parts)
            moved[give] -= step
            moved[take] += step
            other = sum(exact_out(pool, part) for pool, part in zip(pools, moved, strict=True))
            assert other <= best + 1


@given(NEARBY, st.integers(10**15, 10**19))
def test_no_small_move_between_pools_costs_less(pools: list[Reserves], amount: int) -> None:
    assume(all(pool.reserve_out > 2 * amount for pool in pools))
    parts = split_out(pools, amount)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    best = best_in(pools, amount)
    step = amount // 1000
    for give in range(len(pools)):
        for take in range(len(pools)):
            if give == take or parts[give] < step:
                continue
            moved = list(parts)
            moved[give] -= step
            moved[take] += step
            # each pool rounds up by less than one wei
            assert sum(map(amount_in, pools, moved)) >= best - len(pools)


@given(NEARBY, st.integers(10**17, 10**23))
def test_marginal_prices_meet(pools: list[Reserves], amount: int) -> None:
    parts = split_in(pools, amount)
    rates = []
    for pool, part in zip(pools, parts, strict=True):
        if part > 10**6:
            depth = Fraction(pool.reserve_in) + Fraction(part) * 997 / 1000
            rates.append(Fraction(pool.reserve_in) * pool.reserve_out / depth**2)
    for one, two in pairwise(rates):
        assert abs(one / two - 1) < Fraction(1, 10**9)


def test_a_pool_with_a_bad_price_gets_nothing() -> None:
    good, bad = Reserves(10**24, 10**24), Reserves(10**24, 9 * 10**23)
    assert split_in([bad, good], 10**20) == (0, 10**20)
    assert split_out([bad, good], 10**20) == (0, 10**20)
    # and joins once the good one has come down to it
    parts = split_in([bad, good], 10**24)
    assert parts[0] > 0 and parts[1] > parts[0]


@given(NEARBY, st.integers(10**15, 10**18))
def test_buying_back_what_was_sold_is_consistent(pools: list[Reserves], amount: int) -> None:
    brought = best_out(pools, amount)
    assume(brought > 0)
    paid = best_in(pools, brought)
    # each pool rounds once in each direction; a wei out is worth up to 1.1 wei in here
    assert amount - 3 * len(pools) <= paid <= amount + 3 * len(pools)
