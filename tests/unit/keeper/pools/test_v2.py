"""Arithmetic of pairs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.pools.venues.v2 import V2Pool

WEI = st.integers(10**12, 10**27)
IN, OUT = "0x" + "11" * 20, "0x" + "22" * 20


def pair(reserve_in: int, reserve_out: int) -> V2Pool:
    return V2Pool("uniswap", "pair", (IN, OUT), (reserve_in, reserve_out))


POOL = st.builds(pair, WEI, WEI)


def exact_out(pool: V2Pool, amount: int) -> Fraction:
    """The constant product with 0.3 % taken from what goes in, without rounding."""
    reserve_in, reserve_out = pool.reserves
    kept = Fraction(amount) * 997 / 1000
    return reserve_out - Fraction(reserve_in) * reserve_out / (reserve_in + kept)


@given(POOL, st.integers(0, 10**27))
def test_amount_out_is_the_constant_product_rounded_down(pool: V2Pool, amount: int) -> None:
    found = pool.amount_out(IN, amount)
    assert found <= exact_out(pool, amount) < found + 1


@given(POOL, st.data())
def test_amount_in_is_the_least_that_is_enough(pool: V2Pool, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(1, pool.reserves[1] - 1))
    paid = pool.amount_in(IN, wanted)
    assert pool.amount_out(IN, paid) >= wanted
    assert pool.amount_out(IN, paid - 1) < wanted


def test_known_swap() -> None:
    # 1000 in at 1:1 with a million on both sides: 997 * 1e6 / (1e6 * 1000 + 997 * 1000) * 1000 = 996.006...
    assert pair(10**6, 10**6).amount_out(IN, 1000) == 996
    assert pair(10**6, 10**6).amount_in(IN, 996) == 1000
    assert pair(10**6, 10**6).amount_in(IN, 0) == 0
    assert pair(10**6, 3 * 10**6).amount_out(OUT, 3000) == 996


@pytest.mark.parametrize(("reserve_in", "reserve_out"), [(0, 1), (1, 0), (-1, 1)])
def test_empty_pools_are_refused(reserve_in: int, reserve_out: int) -> None:
    with pytest.raises(ValueError, match="expected both above 0"):
        pair(reserve_in, reserve_out)


def test_amounts_out_of_range_are_refused() -> None:
    pool = pair(10**6, 10**6)
    with pytest.raises(ValueError, match="expected 0 or more"):
        pool.amount_out(IN, -1)
    with pytest.raises(ValueError, match="expected 0 to 999999"):
        pool.amount_in(IN, 10**6)
