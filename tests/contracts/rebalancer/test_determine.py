"""determine()."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import DAY_S
from tests.helpers.bench import (
    CONFIRMED,
    FROZEN,
    INCLUDED,
    KINDS,
    LEAVING,
    NEWCOMER,
    NOTICE,
    OUTSIDE,
    PERIOD,
    Bench,
    build,
    constituent,
    not_due,
)
from tests.helpers.chain import Chain
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts


def constituents(bench: Bench) -> list[tuple[Any, ...]]:
    return [
        constituent(token, kind.target, INCLUDED, CONFIRMED, 0, 0)
        for token, kind in zip(bench.tokens, KINDS, strict=True)
    ]


def test_takes_the_constituents_of_the_period(bench: Bench) -> None:
    receipt = bench.determine(NOTICE)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period, month.determinedAt, month.lastStop) == (1, PERIOD, NOTICE, 0)
    (event,) = bench.rebalancer.events(receipt, "Determined")
    assert event.period == PERIOD
    assert [tuple(c) for c in event.constituents] == constituents(bench)
    stored = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [tuple(c) for c in stored] == constituents(bench)


def test_says_all_of_every_candidate(bench: Bench) -> None:
    """Status, flags, price and weight at their largest: in the event and, packed in between, in the view."""
    statuses = (INCLUDED, FROZEN, LEAVING, OUTSIDE, INCLUDED, OUTSIDE)
    most = (255, 2**100 - 1, 2**64 - 1, 2**88 - 1, 1)
    bases = (2**88 - 1, 0, 0, 0, 1, 7)
    told = [
        constituent(token, basis, status, *(most if i % 2 == 0 else (1 << i, 3 * i, 5 * i, 7 * i)))
        for i, (token, basis, status) in enumerate(zip(bench.tokens, bases, statuses, strict=True))
    ]
    bench.chain.send(bench.methodology.post(told), bench.keeper)
    assert [tuple(c) for c in bench.chain.read(bench.rebalancer.previewDetermine(), at=NOTICE)] == told
    (event,) = bench.rebalancer.events(bench.determine(NOTICE), "Determined")
    assert [tuple(c) for c in event.constituents] == told
    assert [tuple(c) for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))] == told


def test_anyone_may_call(bench: Bench, stranger: str) -> None:
    bench.chain.send(bench.rebalancer.determine(), stranger, at=NOTICE)
    assert bench.chain.read(bench.rebalancer.month()).phase == 1


def test_once_in_a_period(bench: Bench) -> None:
    bench.determine(NOTICE)
    call = bench.rebalancer.determine()
    for time, reason in ((NOTICE + 1, "NotYet"), (EXECUTION, "Due"), (PERIOD_END, "TooLate")):
        assert_reverts(bench.chain, call, "NotDue", *not_due("Determine", reason), at=time)
    bench.start()
    assert_reverts(bench.chain, call, "NotDue", *not_due("Determine", "Due"), at=EXECUTION + 1)


def test_a_missed_month_is_not_caught_up(bench: Bench) -> None:
    bench.determine(NOTICE)
    bench.determine(PERIOD_END + 1)
    assert bench.chain.read(bench.rebalancer.month()).period == PERIOD + 1
    later = 1630454400  # 2021-09-01
    bench.determine(later)
    assert bench.chain.read(bench.rebalancer.month()).period == 2021 * 12 + 8


def test_may_come_late_and_then_start_waits_for_the_notice(bench: Bench) -> None:
    bench.determine(EXECUTION + DAY_S)
    assert bench.due(EXECUTION + DAY_S) == ("None", "NotYet", EXECUTION + 3 * DAY_S)
    start = bench.rebalancer.start()
    assert_reverts(bench.chain, start, "NotDue", *not_due("Start", "NotYet"), at=EXECUTION + 3 * DAY_S - 1)
    bench.start(EXECUTION + 3 * DAY_S)


def test_nothing_is_due_before_the_seed(chain: Chain) -> None:
    bench = build(chain, seeded=False)
    assert bench.due(NOTICE) == ("None", "NotSeeded", 0)
    assert_reverts(chain, bench.rebalancer.determine(), "NotDue", *not_due("Determine", "NotSeeded"), at=NOTICE)


@pytest.mark.parametrize("unfit", ["none", "descending", "duplicate", "no basis", "too many", "zero address"])
def test_unfit_constituents_are_refused(bench: Bench, unfit: str) -> None:
    good = constituents(bench)
    token, basis = good[1][:2]
    lists = {
        "none": [],
        "descending": [good[1], good[0]],
        "duplicate": [good[0], good[1], constituent(token, basis + 1)],
        "no basis": [good[0], constituent(token, 0)],
        "too many": [constituent(f"0x{i + 1:040x}", 1) for i in range(101)],
        "zero address": [constituent("0x" + "00" * 20, 1), good[0]],
    }
    bench.chain.send(bench.methodology.post(lists[unfit]), bench.keeper)
    for call in (bench.rebalancer.determine(), bench.rebalancer.previewDetermine()):
        assert_reverts(bench.chain, call, "UnfitConstituents", at=NOTICE, of=bench.opener)
    assert bench.due(NOTICE)[:2] == ("None", "Refused")


def test_as_many_candidates_as_there_may_be(bench: Bench) -> None:
    """All of them strangers to the fund, whose own components come on top."""
    many = [constituent(f"0x{i + 1:040x}", 1) for i in range(100)]
    bench.chain.send(bench.methodology.post(many), bench.keeper)
    bench.determine(NOTICE)
    assert len(bench.chain.read(bench.lens.constituents(bench.rebalancer))) == 100 + len(KINDS) - 1


def test_components_that_are_no_candidates_are_told(bench: Bench) -> None:
    """As Outside, with the price at which their dust will be measured, in the order of addresses; absurd ones have
    none."""
    held = [i for i in range(len(KINDS)) if i != NEWCOMER]
    prices = [kind.price for kind in KINDS]
    prices[0] = 2**100
    bench.post_prices(prices)
    bench.post_targets({1: 7})
    (event,) = bench.rebalancer.events(bench.determine(NOTICE), "Determined")
    others = {i: constituent(bench.tokens[i], 0, OUTSIDE, 0, prices[i] % 2**100) for i in held}
    wanted = {**others, 1: constituent(bench.tokens[1], 7, INCLUDED, CONFIRMED)}
    assert [tuple(c) for c in event.constituents] == [wanted[i] for i in held]


def test_a_component_that_is_a_candidate_is_told_once(bench: Bench) -> None:
    """Whatever was decided of it."""
    posted = [constituent(bench.tokens[i], 1, i % 4) for i in range(len(KINDS))]
    bench.chain.send(bench.methodology.post(posted), bench.keeper)
    assert [tuple(c) for c in bench.chain.read(bench.rebalancer.previewDetermine(), at=NOTICE)] == posted


def test_a_refusing_methodology_is_heard(bench: Bench) -> None:
    bench.chain.send(bench.methodology.refuse(True, False), bench.keeper)
    call = bench.rebalancer.determine()
    assert_reverts(bench.chain, call, "Refusing", at=NOTICE, of=bench.methodology)
    assert bench.due(NOTICE)[:2] == ("None", "Refused")
    bench.chain.send(bench.methodology.refuse(False, False), bench.keeper)
    assert bench.due(NOTICE)[:2] == ("Determine", "Due")


def test_close_and_trade_are_not_due_before_start(bench: Bench) -> None:
    empty: tuple[Any, ...] = ([], [], [], [], 0, bench.filler, b"")
    for action, call in (("Close", bench.rebalancer.close()), ("Trade", bench.rebalancer.trade(empty))):
        assert_reverts(bench.chain, call, "NotDue", *not_due(action, "Due"), at=NOTICE)
    bench.determine()
    for action, call in (("Close", bench.rebalancer.close()), ("Trade", bench.rebalancer.trade(empty))):
        assert_reverts(bench.chain, call, "NotDue", *not_due(action, "NotYet"), at=NOTICE)
        assert_reverts(bench.chain, call, "NotDue", *not_due(action, "Due"), at=EXECUTION)
