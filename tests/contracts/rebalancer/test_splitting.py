"""Parts of a batch may together lose no more than the whole, wherever prices have gone since the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from tests.contracts.rebalancer.test_hostile_month import WORST
from tests.helpers.bench import KINDS, SELLS, Bench
from tests.helpers.filling import UNSHRUNK, least_pays, trade
from tests.helpers.fund import PERIOD_END
from tests.helpers.settling import surplus_of

START = 1620000000  # 2021-05-03 00:00 UTC
ROUNDING = 10**4
"""USD x 10^18: the last component bought is worth 1,002 of them a wei, and each sell is rounded up."""


@pytest.fixture(scope="module")
def binding(trading: Bench) -> Bench:
    """The bench in a month in which the budget binds wherever a batch would lose more than about 7 % of its value."""
    chain = trading.chain
    chain.send(trading.rebalancer.close(), trading.keeper, at=PERIOD_END + 1)
    chain.send(trading.rebalancer.setLimits(WORST.as_tuple(), 0), trading.owner, at=PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    trading.start(START)
    return trading


def taken(bench: Bench, parts: Sequence[Mapping[int, int]]) -> int:
    """USD (18 decimals) that a filler gains which trades these parts one after the other at the least allowed."""
    snapshot = bench.chain.cheats.snapshot()
    gain = 0
    try:
        for k, sells in enumerate(parts):
            at = START + 60 * (k + 1)
            result = trade(bench, sells, least_pays(bench.fund(at), at, sells), at)
            gain += result.valueOut - result.valueIn
    finally:
        bench.chain.cheats.revert(snapshot)
    return gain


def shares_of(sells: Mapping[int, int], percent: Sequence[int]) -> dict[int, int]:
    return {i: amount * part // 100 for (i, amount), part in zip(sells.items(), percent, strict=True)}


def test_the_whole_may_lose_its_part_of_the_budget(binding: Bench) -> None:
    """Half of the surplus, half of the budget, though the sells are worth a fifth less than at start."""
    binding.post_prices([kind.price * (80 if i in SELLS else 100) // 100 for i, kind in enumerate(KINDS)])
    fund = binding.fund(START + 60)
    half = {i: surplus_of(fund, i) // 2 for i in SELLS}
    nav = fund.opening.nav * fund.shares // WAD
    assert abs(taken(binding, [half]) - WORST.loss_budget // 2 * nav // WAD) < nav // 10**9


def test_parts_lose_no_more_than_the_whole(binding: Bench) -> None:
    percent = st.integers(1, 99)

    @settings(max_examples=12, deadline=None, phases=UNSHRUNK)
    @given(
        now=st.tuples(st.integers(50, 120), st.integers(50, 120)),
        whole=st.tuples(st.integers(10, 60), st.integers(10, 60)),
        first=st.tuples(percent, percent),
        second=st.tuples(percent, percent),
    )
    @example(now=(80, 80), whole=(60, 60), first=(50, 50), second=(50, 50))
    @example(now=(80, 80), whole=(60, 60), first=(99, 1), second=(1, 99))
    @example(now=(60, 110), whole=(60, 60), first=(1, 99), second=(50, 50))
    @example(now=(120, 50), whole=(30, 60), first=(10, 10), second=(99, 1))
    def check(now: tuple[int, int], whole: tuple[int, int], first: tuple[int, int], second: tuple[int, int]) -> None:
        snapshot = binding.chain.cheats.snapshot()
        try:
            percents = dict(zip(SELLS, now, strict=True))
            binding.post_prices([kind.price * percents.get(i, 100) // 100 for i, kind in enumerate(KINDS)])
            fund = binding.fund(START + 60)
            sells = shares_of({i: surplus_of(fund, i) for i in SELLS}, whole)
            one = shares_of(sells, first)
            rest = {i: sells[i] - one[i] for i in SELLS}
            two = shares_of(rest, second)
            three = {i: rest[i] - two[i] for i in SELLS}
            assert taken(binding, [one, two, three]) <= taken(binding, [sells]) + ROUNDING
        finally:
            binding.chain.cheats.revert(snapshot)

    check()


def test_what_was_given_to_the_sell_side_has_no_part_of_the_budget(binding: Bench) -> None:
    """More is sold than was surplus at start: the batch may lose the budget and no more."""
    binding.post_prices([kind.price * (80 if i in SELLS else 100) // 100 for i, kind in enumerate(KINDS)])
    fund = binding.fund(START + 60)
    nav = fund.opening.nav * fund.shares // WAD
    binding.give(SELLS[0], binding.index, surplus_of(fund, SELLS[0]) // 4)
    everything = {i: surplus_of(binding.fund(START + 60), i) for i in SELLS}
    assert everything[SELLS[0]] > surplus_of(fund, SELLS[0])
    assert 0 <= WORST.loss_budget * nav // WAD - taken(binding, [everything]) < nav // 10**9
