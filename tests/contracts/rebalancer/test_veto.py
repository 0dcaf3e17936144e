"""veto()."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.units import DAY_S
from tests.helpers.bench import NOTICE, PERIOD, TIMETABLE, Bench, not_due
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts

NEXT = PERIOD_END + 1
AFTER_NEXT = 1621900800  # 2021-05-25: the period June 2021 begins


def veto(bench: Bench, account: str, at: int) -> None:
    receipt = bench.chain.send(bench.rebalancer.veto(), account, at=at)
    (event,) = bench.rebalancer.events(receipt, "Vetoed")
    assert event.by == account


@pytest.mark.parametrize("role", ["guardian", "owner"])
def test_lets_the_period_pass(bench: Bench, role: str) -> None:
    bench.determine()
    veto(bench, getattr(bench, role), EXECUTION - 1)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.lastStop) == (2, PERIOD if role == "guardian" else 0)
    for at in (EXECUTION, PERIOD_END):
        assert bench.due(at) == ("None", "Vetoed", NEXT)
        assert_reverts(bench.chain, bench.rebalancer.start(), "NotDue", *not_due("Start", "Vetoed"), at=at)
    bench.determine(NEXT)
    assert bench.chain.read(bench.rebalancer.month()).phase == 1


def test_only_guardian_and_owner(bench: Bench, stranger: str) -> None:
    bench.determine()
    for account in (stranger, bench.keeper, bench.holder):
        call = bench.rebalancer.veto()
        assert_reverts(bench.chain, call, "NotGuardian", account, sender=account, at=EXECUTION)


def test_needs_a_determination(bench: Bench) -> None:
    call = bench.rebalancer.veto()
    for account in (bench.guardian, bench.owner):
        assert_reverts(bench.chain, call, "NothingToVeto", sender=account, at=NOTICE)
    bench.determine()
    assert_reverts(bench.chain, call, "NothingToVeto", sender=bench.guardian, at=NEXT)  # another period's
    bench.start()
    assert_reverts(bench.chain, call, "NothingToVeto", sender=bench.owner, at=EXECUTION + 1)


def test_once_is_enough(bench: Bench) -> None:
    bench.determine()
    veto(bench, bench.guardian, NOTICE)
    call = bench.rebalancer.veto()
    assert_reverts(bench.chain, call, "NothingToVeto", sender=bench.guardian, at=NOTICE + 1)


def test_the_guardian_not_twice_running(bench: Bench) -> None:
    bench.determine()
    veto(bench, bench.guardian, NOTICE)
    bench.determine(NEXT)
    call = bench.rebalancer.veto()
    assert_reverts(bench.chain, call, "StoppedBefore", PERIOD, sender=bench.guardian, at=NEXT)
    assert bench.chain.read(bench.rebalancer.month()).phase == 1


def test_the_owner_s_do_not_count(bench: Bench) -> None:
    """The owner may as often as it likes, and what it lets pass takes nothing from the guardian."""
    for period, moment in enumerate((NOTICE, NEXT)):
        bench.determine(moment)
        veto(bench, bench.owner, moment)
        assert bench.chain.read(bench.rebalancer.month()).lastStop == 0, period
    bench.determine(AFTER_NEXT)
    veto(bench, bench.guardian, AFTER_NEXT)
    assert bench.chain.read(bench.rebalancer.month()).lastStop == PERIOD + 2


def test_an_owner_s_veto_keeps_the_guardian_s_count(bench: Bench) -> None:
    """April the guardian's, May the owner's: in June the guardian has one again."""
    for account, moment in ((bench.guardian, NOTICE), (bench.owner, NEXT), (bench.guardian, AFTER_NEXT)):
        bench.determine(moment)
        veto(bench, account, moment)


def test_the_guardian_again_after_a_month_without(bench: Bench) -> None:
    bench.determine()
    veto(bench, bench.guardian, NOTICE)
    bench.determine(NEXT)
    bench.determine(AFTER_NEXT)
    veto(bench, bench.guardian, AFTER_NEXT + DAY_S)
    assert bench.chain.read(bench.rebalancer.month()).lastStop == PERIOD + 2


@pytest.mark.parametrize("length", [3, 7 * DAY_S, 40 * DAY_S], ids=["quarters", "weeks", "40 days"])
def test_a_change_of_cadence_gives_no_second_stop(bench: Bench, length: int) -> None:
    """The guardian vetoes the last month; the first period of the new cadence is the next one, whatever its length."""
    bench.set_limits(loss_budget=10**15)
    bench.determine()
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NOTICE + 1)
    days = {"notice": 2 * DAY_S, "min_notice": DAY_S, "min_trading": DAY_S}
    wish = replace(TIMETABLE, length=length, **({} if length == 3 else days))
    bench.chain.send(bench.rebalancer.setTimetable(wish.as_tuple()), bench.owner, at=NOTICE + 2)
    begins = bench.chain.read(bench.rebalancer.timetable()).begins
    assert begins == PERIOD_END + 1
    bench.determine(begins)
    assert bench.chain.read(bench.rebalancer.month()).period == PERIOD + 1
    assert_reverts(bench.chain, bench.rebalancer.veto(), "StoppedBefore", PERIOD, sender=bench.guardian, at=begins + 1)
    bench.start(bench.due(begins + 1)[2])
    call = bench.rebalancer.endMonth()
    assert_reverts(bench.chain, call, "StoppedBefore", PERIOD, sender=bench.guardian, at=bench.chain.now() + 1)
    end = bench.fund().current.end
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=end)
    bench.determine(end + 1)
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=end + 2)
