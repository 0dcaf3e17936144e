"""veto()."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S
from tests.helpers.bench import NOTICE, PERIOD, Bench, not_due
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
