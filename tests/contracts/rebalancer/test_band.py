"""The band: a start that finds the fund near its targets ends the period as skipped, unless something leaves."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.bench import (
    FROZEN,
    HELD,
    INCLUDED,
    KINDS,
    LEAVING,
    LIMITS,
    NEWCOMER,
    PERIOD,
    SUPPLY,
    Bench,
    constituent,
    not_due,
)
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import usd

T = EXECUTION - 20 * DAY_S
N = len(KINDS)
NEXT_EXECUTION = 1_620_000_000
"""2021-05-03 00:00 UTC, a Monday."""


def difference(bench: Bench, targets: dict[int, int]) -> int:
    """Half the sum of |target - held weight|, 18 decimals, of what is not held as it is."""
    units = [balance * WAD // SUPPLY for balance in bench.holdings()]
    worth = [usd(unit, kind.price, kind.decimals) for unit, kind in zip(units, KINDS, strict=True)]
    goals = {i: usd(unit, KINDS[i].price, KINDS[i].decimals) for i, unit in targets.items()}
    return sum(abs(goal - worth[i]) for i, goal in goals.items()) * WAD // sum(worth) // 2


TARGETS = {i: kind.target for i, kind in enumerate(KINDS)}


def set_band(bench: Bench, band: int, **limits: int) -> None:
    fields = LIMITS.__dict__ | limits
    bench.chain.send(bench.rebalancer.setLimits(tuple(fields.values()), band), bench.owner, at=bench.chain.now())


def seen(bench: Bench) -> tuple[Any, ...]:
    """All that a skipped month must leave as it is."""
    chain, rebalancer = bench.chain, bench.rebalancer
    return (
        chain.read(rebalancer.opening()),
        chain.read(rebalancer.progress()),
        chain.read(bench.index.components()),
        bench.holdings(),
    )


def test_the_difference_is_half_the_sum(bench: Bench) -> None:
    bench.determine()
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    wanted = difference(bench, TARGETS)
    assert 6 * WAD // 100 < wanted < 8 * WAD // 100
    assert abs(plan.difference - wanted) <= N, "but for roundings"
    assert not plan.leaves


def test_below_the_band_the_period_is_skipped(bench: Bench) -> None:
    """The newcomer's target counts in the difference; it is not listed."""
    bench.determine()
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    set_band(bench, plan.difference + 1)
    before = seen(bench)
    receipt = bench.start()
    (event,) = bench.rebalancer.events(receipt, "Skipped")
    assert (event.period, event.difference, event.band) == (PERIOD, plan.difference, plan.difference + 1)
    assert event.basis == plan.basis
    for name in ("Started", "Closed"):
        assert bench.rebalancer.events(receipt, name) == []
    assert seen(bench) == before
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period) == (0, PERIOD)
    assert bench.due(EXECUTION + 1) == ("None", "Done", PERIOD_END + 1)
    assert not bench.chain.read(bench.rebalancer.trading())
    for call in (bench.rebalancer.start(), bench.rebalancer.determine(), bench.rebalancer.close()):
        name = {"start": "Start", "determine": "Determine", "close": "Close"}[call.name]
        assert_reverts(bench.chain, call, "NotDue", *not_due(name, "Done"), at=EXECUTION + 1)
    bench.determine(PERIOD_END + 1)


def test_at_the_band_it_is_traded(bench: Bench) -> None:
    bench.determine()
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    set_band(bench, plan.difference)
    receipt = bench.start()
    assert bench.rebalancer.events(receipt, "Skipped") == []
    assert bench.chain.read(bench.rebalancer.trading())


def test_without_a_band_nothing_is_skipped(bench: Bench) -> None:
    """Not even a month with nothing to do, which ends as it always did."""
    bench.post_targets({i: kind.unit for i, kind in enumerate(KINDS) if kind.unit})
    receipt = bench.open()
    assert bench.rebalancer.events(receipt, "Skipped") == []
    assert len(bench.rebalancer.events(receipt, "Closed")) == 1


def test_a_cut_step_does_not_hide_the_difference(bench: Bench) -> None:
    """A step below the band would else keep the fund from its targets for good."""
    bench.determine()
    wanted = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).difference
    set_band(bench, wanted, max_step=WAD // 1_000)
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert plan.difference == wanted
    assert plan.surplus < wanted // 2
    bench.start()
    assert bench.chain.read(bench.rebalancer.trading())


def near(bench: Bench, changes: dict[int, int], statuses: dict[int, int]) -> None:
    """Targets as held but for `changes`, and a band above what they come to."""
    units = {i: kind.unit for i, kind in enumerate(KINDS) if kind.unit} | changes
    bench.post_targets(dict(sorted(units.items())), statuses)
    set_band(bench, 10 * WAD // 100)


def test_what_leaves_is_sold_however_little_it_is(bench: Bench) -> None:
    """It weighs 1 % of the fund, far below the band."""
    near(bench, {1: KINDS[1].unit * 11 // 10}, {5: LEAVING})
    bench.determine()
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert (plan.leaves, plan.changed) == (True, False)
    receipt = bench.start()
    assert bench.rebalancer.events(receipt, "Skipped") == []
    assert bench.chain.read(bench.rebalancer.trading())


def test_what_goes_off_the_list_is_dropped(bench: Bench) -> None:
    """Nothing of it is left to sell: it is written off."""
    near(bench, {}, {})
    bench.chain.send(bench.rebalancer.suspend(bench.tokens[5]), bench.owner)
    bench.chain.send(bench.rebalancer.writeOff(bench.tokens[5]), bench.owner)
    bench.determine()
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert (plan.leaves, plan.changed) == (True, True)
    receipt = bench.start()
    assert bench.rebalancer.events(receipt, "Skipped") == []
    listed = [component.token for component in bench.chain.read(bench.index.components())]
    assert bench.tokens[5].address not in listed


@pytest.mark.parametrize("how", ["frozen", "suspended"])
def test_what_is_held_as_it_is_does_not_leave(bench: Bench, how: str) -> None:
    near(bench, {}, {5: FROZEN} if how == "frozen" else {})
    if how == "suspended":
        bench.chain.send(bench.rebalancer.suspend(bench.tokens[5]), bench.owner)
    bench.determine()
    receipt = bench.start()
    assert len(bench.rebalancer.events(receipt, "Skipped")) == 1


@pytest.mark.parametrize("comes", [True, False])
def test_a_newcomer_s_target_counts(bench: Bench, comes: bool) -> None:
    """Without it the same fund is skipped: what is sold for it alone is below the band."""
    sold = {0: KINDS[0].target}
    newcomer = {NEWCOMER: KINDS[NEWCOMER].target}
    band = (difference(bench, sold) + difference(bench, sold | newcomer)) // 2
    near(bench, sold | (newcomer if comes else {}), {})
    set_band(bench, band)
    bench.determine()
    receipt = bench.start()
    assert len(bench.rebalancer.events(receipt, "Skipped")) == (not comes)
    assert bench.chain.read(bench.rebalancer.trading()) is comes
    listed = [component.token for component in bench.chain.read(bench.index.components())]
    assert (bench.tokens[NEWCOMER].address in listed) is comes


def test_a_skipped_period_confirms_what_it_read(bench: Bench) -> None:
    """Supplies and members go on as after any start: the next determination begins with them."""
    set_band(bench, 10 * WAD // 100)
    bench.determine()
    words = [INCLUDED << 96 | 128 << 88 | kind.target + i for i, kind in enumerate(KINDS)]
    bench.chain.send(bench.methodology.answer(words, []), bench.keeper, at=bench.chain.now())
    receipt = bench.start()
    assert len(bench.rebalancer.events(receipt, "Skipped")) == 1
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [(row.basis, row.status) for row in rows] == [(k.target + i, INCLUDED) for i, k in enumerate(KINDS)]

    bench.chain.send(bench.methodology.answer([], []), bench.keeper, at=bench.chain.now())
    bench.chain.send(bench.methodology.carry(True), bench.keeper, at=bench.chain.now())
    bench.determine(PERIOD_END + 1)
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [row.confirmed for row in rows] == [kind.target + i for i, kind in enumerate(KINDS)]


def test_what_was_frozen_since_is_remembered(bench: Bench) -> None:
    set_band(bench, 10 * WAD // 100)
    rows = [constituent(token, kind.target) for token, kind in zip(bench.tokens, KINDS, strict=True)]
    bench.chain.send(bench.methodology.post(rows), bench.keeper, at=bench.chain.now())
    bench.determine()
    words = [(FROZEN if i == HELD else INCLUDED) << 96 | kind.target for i, kind in enumerate(KINDS)]
    bench.chain.send(bench.methodology.answer(words, []), bench.keeper, at=bench.chain.now())
    bench.start()
    found = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [row.status for row in found] == [FROZEN if i == HELD else INCLUDED for i in range(N)]


def test_the_next_month_trades_what_has_drifted(bench: Bench) -> None:
    """Periods in turn: skipped, then the targets move beyond the band."""
    near(bench, {}, {})
    bench.determine()
    assert len(bench.rebalancer.events(bench.start(), "Skipped")) == 1
    set_band(bench, WAD // 100)
    bench.post_targets(TARGETS)
    bench.determine(PERIOD_END + 1)
    receipt = bench.start(NEXT_EXECUTION)
    (event,) = bench.rebalancer.events(receipt, "Started")
    assert event.period == PERIOD + 1
    assert bench.chain.read(bench.rebalancer.trading())


def test_a_skipped_period_can_be_vetoed_before_and_not_after(bench: Bench) -> None:
    near(bench, {}, {})
    bench.determine()
    bench.start()
    for call, error in ((bench.rebalancer.veto(), "NothingToVeto"), (bench.rebalancer.endMonth(), "NothingToEnd")):
        assert_reverts(bench.chain, call, error, sender=bench.guardian, at=EXECUTION + 1)
