"""start()."""

from __future__ import annotations

from dataclasses import replace

from ballast.units import DAY_S, WAD
from tests.helpers.bench import (
    BUYS,
    HELD,
    KINDS,
    NEWCOMER,
    NOTICE,
    PERIOD,
    SELLS,
    SUPPLY,
    TIMETABLE,
    Bench,
    confirmed,
    not_due,
)
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import data_at, kept, targets_of
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, SCALE, SELL, usd


def value(i: int, unit: int) -> int:
    return usd(unit, KINDS[i].price, KINDS[i].decimals)


def test_fixes_the_month(bench: Bench) -> None:
    bench.determine()
    preview = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    receipt = bench.start()
    (event,) = bench.rebalancer.events(receipt, "Started")
    assert (event.period, event.nav) == (PERIOD, preview.nav)
    assert data_at(bench.chain, event.targets) == preview.targets
    assert event.basis == preview.basis == [confirmed(kind.target) for kind in KINDS]

    units = [balance * WAD // SUPPLY for balance in bench.holdings()]
    nav = sum(value(i, unit) for i, unit in enumerate(units))
    surplus = sum(value(i, units[i]) - value(i, KINDS[i].target) for i in SELLS) * WAD // nav
    held = sum(value(i, units[i]) for i in BUYS) * WAD // nav
    goals = sum(value(i, KINDS[i].target) for i in BUYS) * WAD // nav
    plan = preview
    assert (plan.exponent, plan.nav) == (0, nav)
    assert (plan.surplus, plan.held, plan.buyTargets) == (surplus, held, goals)
    sides = [SELL if i in SELLS else BUY if i in BUYS else 0 for i in range(len(KINDS))]
    assert targets_of(plan.targets) == [(side, k.target, kept(k.price)) for side, k in zip(sides, KINDS, strict=True)]

    opening = bench.chain.read(bench.rebalancer.opening())
    assert (opening.nav, opening.buyTargets, opening.exponent, opening.end) == (nav, goals, 0, PERIOD_END)
    assert opening.targets == event.targets
    progress = bench.chain.read(bench.rebalancer.progress())
    assert tuple(progress) == (EXECUTION * SCALE, 0, surplus, held)
    assert bench.chain.read(bench.rebalancer.month()).phase == 3
    assert bench.chain.read(bench.rebalancer.trading()) is True
    assert not bench.rebalancer.events(receipt, "Closed")


def test_lists_the_newcomer_and_keeps_targets_in_the_list_s_order(bench: Bench) -> None:
    assert len(bench.chain.read(bench.index.components())) == len(KINDS) - 1
    receipt = bench.open()
    listed = bench.chain.read(bench.index.components())
    assert [c.token for c in listed] == [token.address for token in bench.tokens]
    assert [c.decimals for c in listed] == [kind.decimals for kind in KINDS]
    assert len(bench.index.events(receipt, "ComponentsSet")) == 1
    for i, holding in enumerate(bench.fund().holdings):
        side = SELL if i in SELLS else BUY if i in BUYS else 0
        assert tuple(holding.target) == (side, KINDS[i].target, kept(KINDS[i].price))
    assert bench.holdings()[NEWCOMER] == 0


def test_an_unchanged_list_is_not_written_again(bench: Bench) -> None:
    bench.post_targets({i: kind.target for i, kind in enumerate(KINDS) if i != NEWCOMER})
    pointer = bench.chain.read(bench.index.componentsPointer())
    bench.open()
    assert bench.chain.read(bench.index.componentsPointer()) == pointer


def test_the_bucket_is_empty_at_first(bench: Bench) -> None:
    bench.open()
    fund = bench.fund(EXECUTION)
    assert (fund.idle, fund.capacity, fund.tolerance) == (0, 0, fund.limits.firstTolerance)


def test_only_from_the_execution_day_to_the_last_moment(bench: Bench, stranger: str) -> None:
    call = bench.rebalancer.start()
    assert_reverts(bench.chain, call, "NotDue", *not_due("Start", "Due"), at=NOTICE)
    bench.determine()
    assert_reverts(bench.chain, call, "NotDue", *not_due("Start", "NotYet"), at=EXECUTION - 1)
    last = PERIOD_END + 1 - 2 * DAY_S
    assert_reverts(bench.chain, call, "NotDue", *not_due("Start", "TooLate"), at=last + 1)
    assert_reverts(
        bench.chain, call, "NotDue", *not_due("Start", "Due"), at=PERIOD_END + 1
    )  # of the next determination
    bench.chain.send(call, stranger, at=last)
    assert_reverts(bench.chain, call, "NotDue", *not_due("Start", "Due"), at=last + 1)


def test_execution_on_a_weekend_waits_for_monday(bench: Bench) -> None:
    """1 May 2021 is a Saturday."""
    bench.determine(PERIOD_END + 1)
    monday = 1620000000  # 2021-05-03 00:00 UTC
    assert bench.due(PERIOD_END + 1) == ("None", "NotYet", monday)
    assert_reverts(bench.chain, bench.rebalancer.start(), "NotDue", *not_due("Start", "NotYet"), at=monday - 1)
    bench.start(monday)


def test_other_execution_days(bench: Bench) -> None:
    for timetable, day in (
        (replace(TIMETABLE, day=1), EXECUTION - DAY_S),
        (replace(TIMETABLE, day=2, fixed_day=11), EXECUTION + 10 * DAY_S),
    ):
        bench.chain.send(bench.rebalancer.setTimetable(timetable.as_tuple()), bench.owner, at=NOTICE)
        if bench.due(NOTICE)[0] == "Determine":
            bench.determine(NOTICE)
        assert bench.due(NOTICE) == ("None", "NotYet", day)
        assert bench.due(day)[:2] == ("Start", "Due")
        assert bench.due(day - 1)[:2] == ("None", "NotYet")


def test_a_month_with_nothing_to_do_closes_at_once(bench: Bench) -> None:
    units = {i: kind.unit for i, kind in enumerate(KINDS) if kind.unit}
    bench.post_targets(units)
    receipt = bench.open()
    (event,) = bench.rebalancer.events(receipt, "Closed")
    assert (event.period, event.deficit, event.spent) == (PERIOD, 0, 0)
    assert bench.chain.read(bench.rebalancer.month()).phase == 0
    assert bench.due(EXECUTION) == ("None", "Done", PERIOD_END + 1)


def test_a_refusing_methodology_is_heard(bench: Bench) -> None:
    bench.determine()
    bench.chain.send(bench.methodology.refuse(False, True), bench.keeper)
    assert_reverts(bench.chain, bench.rebalancer.start(), "Refusing", at=EXECUTION, of=bench.methodology)
    assert bench.due(EXECUTION)[:2] == ("None", "Refused")


def test_no_price_at_all_is_refused(bench: Bench) -> None:
    bench.determine()
    bench.post_prices([0] * len(KINDS))
    assert_reverts(bench.chain, bench.rebalancer.start(), "NothingToWeigh", at=EXECUTION, of=bench.opener)
    assert bench.due(EXECUTION)[:2] == ("None", "Refused")


def test_no_constituent_with_a_price_is_refused(bench: Bench) -> None:
    bench.post_targets({HELD: KINDS[HELD].target})
    bench.determine()
    bench.post_prices([0 if i == HELD else kind.price for i, kind in enumerate(KINDS)])
    assert_reverts(bench.chain, bench.rebalancer.start(), "NothingToWeigh", at=EXECUTION, of=bench.opener)
