"""Several pools as one: what a split brings and costs, against the pools' own arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, permutations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from keeper.pools.curve import Curve
from keeper.pools.venues import Pool, Segment
from keeper.pools.venues.v2 import V2Pool
from tests.unit.keeper.stepped import SteppedPool

TOKEN, WETH = "0x" + "11" * 20, "0x" + "22" * 20


def pair(reserve_in: int, reserve_out: int, name: str = "a") -> V2Pool:
    return V2Pool("uniswap", name, (TOKEN, WETH), (reserve_in, reserve_out))


def exact_out(pool: V2Pool, amount: int) -> Fraction:
    """The constant product with 0.3 % taken from what goes in, without rounding."""
    first, second = pool.reserves
    kept = Fraction(amount) * 997 / 1000
    return second - Fraction(first) * second / (first + kept)


def nearby(depths: tuple[int, ...], prices: tuple[int, ...]) -> list[V2Pool]:
    """Pools of these depths whose prices differ by hundredths of a percent."""
    return [
        pair(depth, depth * price // 10_000, str(n))
        for n, (depth, price) in enumerate(zip(depths, prices, strict=True))
    ]


NEARBY = st.integers(1, 4).flatmap(
    lambda n: st.builds(
        nearby,
        st.tuples(*[st.integers(10**20, 10**24)] * n),
        st.tuples(*[st.integers(9_500, 10_500)] * n),
    )
)


def small_moves(parts: Sequence[int], step: int) -> Iterator[list[int]]:
    """The parts with `step` moved from any pool to any other."""
    for give, take in permutations(range(len(parts)), 2):
        if parts[give] >= step:
            moved = list(parts)
            moved[give] -= step
            moved[take] += step
            yield moved


@given(NEARBY, st.integers(10**15, 10**23))
def test_no_small_move_between_pools_brings_more(pools: list[V2Pool], amount: int) -> None:
    parts = Curve(pools, TOKEN).split(amount)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    best = sum(exact_out(pool, part) for pool, part in zip(pools, parts, strict=True))
    for moved in small_moves(parts, amount // 1000):
        other = sum(exact_out(pool, part) for pool, part in zip(pools, moved, strict=True))
        assert other <= best + 1


@given(NEARBY, st.integers(10**15, 10**19))
def test_no_small_move_between_pools_costs_less(pools: list[V2Pool], amount: int) -> None:
    assume(all(pool.reserves[1] > 2 * amount for pool in pools))
    parts = Curve(pools, TOKEN).parts_out(amount)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)

    def cost(wanted: list[int]) -> int:
        return sum(pool.amount_in(TOKEN, part) for pool, part in zip(pools, wanted, strict=True))

    best = cost(list(parts))
    for moved in small_moves(parts, amount // 1000):
        # each pool rounds up by less than one wei
        assert cost(moved) >= best - len(pools)


@given(NEARBY, st.integers(10**17, 10**23))
def test_marginal_prices_meet(pools: list[V2Pool], amount: int) -> None:
    rates = []
    for pool, part in zip(pools, Curve(pools, TOKEN).split(amount), strict=True):
        if part > 10**6:
            depth = Fraction(pool.reserves[0]) + Fraction(part) * 997 / 1000
            rates.append(Fraction(pool.reserves[0]) * pool.reserves[1] / depth**2)
    for one, two in pairwise(rates):
        assert abs(one / two - 1) < Fraction(1, 10**9)


@given(NEARBY, st.integers(10**15, 10**23))
def test_quotes_are_what_the_split_brings(pools: list[V2Pool], amount: int) -> None:
    curve = Curve(pools, TOKEN)
    brings = sum(pool.amount_out(TOKEN, part) for pool, part in zip(pools, curve.split(amount), strict=True))
    # Each pool rounds down by itself, and so does the curve.
    assert brings - 1 <= curve.out(amount) <= brings + len(pools) + 1
    assert curve.out(amount) <= curve.at_start(amount) + 1


@given(NEARBY, st.integers(10**15, 10**19))
def test_quotes_are_what_the_parts_cost(pools: list[V2Pool], amount: int) -> None:
    curve = Curve(pools, TOKEN)
    assume(curve.most_out > 2 * amount)
    costs = sum(pool.amount_in(TOKEN, part) for pool, part in zip(pools, curve.parts_out(amount), strict=True))
    assert curve.into(amount) <= costs <= curve.into(amount) + 2 * len(pools)


def test_one_pool_is_its_own_curve() -> None:
    curve = Curve([pair(10**24, 10**21)], TOKEN)
    assert curve.split(10**20) == (10**20,)
    assert curve.out(10**20) == pair(10**24, 10**21).amount_out(TOKEN, 10**20)
    assert curve.most_in is None and curve.most_out == 10**21


def test_a_pool_with_a_bad_price_gets_nothing() -> None:
    good, bad = pair(10**24, 10**24), pair(10**24, 9 * 10**23, "b")
    assert Curve([bad, good], TOKEN).split(10**20) == (0, 10**20)
    assert Curve([bad, good], TOKEN).parts_out(10**20) == (0, 10**20)
    # and joins once the good one has come down to it
    parts = Curve([bad, good], TOKEN).split(10**24)
    assert parts[0] > 0 and parts[1] > parts[0]


def test_the_lower_fee_goes_first() -> None:
    dear, cheap = pair(10**24, 10**24), SteppedPool((Segment(10**24, 10**24, None, 500),))
    # 0.25 % between the fees is 0.25 % of price: about 1.25e21 into a pool of 1e24 on both sides.
    assert Curve([dear, cheap], TOKEN).split(10**21) == (0, 10**21)
    parts = Curve([dear, cheap], TOKEN).split(10**22)
    assert parts[1] - parts[0] == pytest.approx(125 * 10**19, rel=0.02)


@example(1_768_885_165_764_228_390_203, 1_768_885_165_764_228_390_204)  # a wei of rounding, and one pool is full
@given(st.integers(10**16, 3 * 10**22), st.integers(10**20, 10**24))
def test_stretches_with_an_end_are_filled_in_turn(amount: int, depth: int) -> None:
    """A pool of three stretches, one behind a gap, beside one without an end."""
    assume(amount < depth)
    stepped = SteppedPool(
        (
            Segment(10**22, 10**22, 10**20, 3_000),
            Segment(3 * 10**22, 29 * 10**21, 2 * 10**20, 3_000),
            Segment(5 * 10**21, 45 * 10**20, 10**21, 3_000),
        )
    )
    pools: list[Pool] = [stepped, pair(depth, depth, "b")]
    curve = Curve(pools, TOKEN)
    parts = curve.split(amount)
    assert sum(parts) == amount and parts[0] <= 13 * 10**20
    brings = sum(pool.amount_out(TOKEN, part) for pool, part in zip(pools, parts, strict=True))
    assert abs(curve.out(amount) - brings) <= 4
    step = amount // 1000
    for moved in ((parts[0] - step, parts[1] + step), (parts[0] + step, parts[1] - step)):
        if min(moved) >= 0 and moved[0] <= 13 * 10**20:
            other = sum(pool.amount_out(TOKEN, part) for pool, part in zip(pools, moved, strict=True))
            assert other <= brings + 4
    wanted = brings * 9 // 10
    taken = curve.parts_out(wanted)
    assert sum(taken) == wanted
    costs = sum(pool.amount_in(TOKEN, part) for pool, part in zip(pools, taken, strict=True))
    assert abs(curve.into(wanted) - costs) <= 16
    assert costs < amount


def test_pools_that_end_refuse_more() -> None:
    curve = Curve([SteppedPool((Segment(10**22, 10**22, 10**20, 3_000),))], TOKEN)
    assert curve.most_in == 10**20
    curve.split(10**20)
    with pytest.raises(ValueError, match="more than the pools take"):
        curve.split(10**20 + 1)
    with pytest.raises(ValueError, match="more than the pools hold"):
        curve.parts_out(curve.most_out)
    with pytest.raises(ValueError, match="more than the pools hold"):
        curve.into(curve.most_out)
    with pytest.raises(ValueError, match="no pools"):
        Curve([], TOKEN)


def test_how_much_is_near() -> None:
    # sqrt(1.01) - 1 of the reserve moves the price by 1 %, and the fee goes on top.
    assert Curve([pair(10**24, 10**21)], TOKEN).near(100) == pytest.approx(10**24 * 0.005 / 0.997, rel=1e-4)
