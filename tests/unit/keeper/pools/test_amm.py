"""Pool arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.pools.amm import Reserves, after_swap, amount_in, amount_out

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
