"""endMonth(): guardian and owner end an open month as it stands."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S
from tests.helpers.bench import BUYS, LIMITS, NOTICE, PERIOD, Bench, not_due
from tests.helpers.filling import batch, order, sells_worth, step, trade
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import goal_of

T = EXECUTION + 1800
NEXT = PERIOD_END + 1
NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
AFTER_NEXT = 1621900800  # 2021-05-25: the period June 2021 begins
IDLE = 0


def end(bench: Bench, account: str, at: int) -> None:
    """Ends the month; the events say who did and what was left."""
    progress, opening = bench.chain.read(bench.rebalancer.progress()), bench.chain.read(bench.rebalancer.opening())
    period = bench.chain.read(bench.rebalancer.month()).period
    receipt = bench.chain.send(bench.rebalancer.endMonth(), account, at=at)
    assert bench.rebalancer.events(receipt, "MonthEnded") == [(period, account)]
    left = (period, progress.surplus, opening.buyTargets - progress.held, progress.spent)
    assert bench.rebalancer.events(receipt, "Closed") == [left]
    assert bench.chain.read(bench.rebalancer.month()).phase == IDLE


@pytest.mark.parametrize("role", ["guardian", "owner"])
def test_what_was_traded_stays_traded(bench: Bench, role: str) -> None:
    """The rest of the period passes, and the next month is an ordinary one."""
    bench.open()
    sells, pays = batch(bench, T)
    trade(bench, sells, pays, T)
    held = bench.holdings()
    end(bench, getattr(bench, role), T + 1)
    assert bench.holdings() == held
    assert bench.chain.read(bench.rebalancer.month()).lastStop == (PERIOD if role == "guardian" else 0)
    for at in (T + 1, PERIOD_END):
        assert bench.due(at) == ("None", "Done", NEXT)
    call = bench.rebalancer.trade(order(bench, sells, pays))
    assert_reverts(bench.chain, call, "NotDue", *not_due("Trade", "Done"), sender=bench.keeper, at=T + 1)
    bench.determine(NEXT)
    bench.start(NEXT_EXECUTION)
    assert bench.chain.read(bench.rebalancer.trading()) is True


def test_limits_and_feeds_can_be_changed_at_once(bench: Bench) -> None:
    """What is shut in an open month opens with its end."""
    bench.open()
    limits = bench.rebalancer.setLimits(bench.chain.read(bench.rebalancer.limits()), 0)
    assert_reverts(bench.chain, limits, "TradingOpen", sender=bench.owner, at=T)
    end(bench, bench.guardian, T)
    bench.chain.read(limits, sender=bench.owner, at=T)
    bench.chain.read(bench.rebalancer.setMethodology(bench.methodology), sender=bench.owner, at=T)


def test_while_paused(bench: Bench) -> None:
    """When the pause is over there is nothing left to trade."""
    bench.open()
    bench.chain.send(bench.rebalancer.pauseFor(3 * DAY_S), bench.guardian, at=T)
    end(bench, bench.guardian, T + 1)
    assert bench.due(T + 2) == ("None", "Paused", T + 3 * DAY_S)
    assert bench.due(T + 3 * DAY_S)[1] == "Done"


def test_of_a_period_that_is_over(bench: Bench) -> None:
    """Also one that nobody has closed yet: it counts for the period it belongs to."""
    bench.open()
    end(bench, bench.guardian, NEXT + DAY_S)
    assert bench.chain.read(bench.rebalancer.month()).lastStop == PERIOD
    bench.determine(NEXT + DAY_S)


def test_a_month_that_somebody_holds_open_with_a_gift(bench: Bench) -> None:
    """Whoever gives the buys what they lack leaves nothing that a batch could be paid with: surplus stays, and no batch
    passes until the period is over. The guardian ends it."""
    bench.open()
    at = T
    for _ in range(3):
        sells, pays = batch(bench, at)
        trade(bench, sells, pays, at)
        at += 1800
    fund = bench.fund(at)
    assert LIMITS.dust < fund.progress.surplus < LIMITS.batch_cap
    for i in BUYS:
        bench.give(i, bench.index, goal_of(fund, i) - fund.holdings[i].balance)
    given = order(bench, sells_worth(fund, fund.progress.surplus), dict.fromkeys(BUYS, 10**20))
    found = assert_reverts(bench.chain, bench.rebalancer.trade(given), "BelowTolerance", sender=bench.keeper, at=at)
    assert found[0] == 0
    assert bench.due(at)[0] == bench.due(PERIOD_END)[0] == "Trade"
    end(bench, bench.guardian, at)


def test_only_guardian_and_owner(bench: Bench, stranger: str) -> None:
    bench.open()
    for account in (stranger, bench.keeper, bench.holder):
        call = bench.rebalancer.endMonth()
        assert_reverts(bench.chain, call, "NotGuardian", account, sender=account, at=T)


def test_needs_an_open_month(bench: Bench) -> None:
    call = bench.rebalancer.endMonth()
    for account in (bench.guardian, bench.owner):
        assert_reverts(bench.chain, call, "NothingToEnd", sender=account, at=NOTICE)
    bench.determine()
    assert_reverts(bench.chain, call, "NothingToEnd", sender=bench.guardian, at=EXECUTION)
    bench.start()
    end(bench, bench.guardian, T)
    for account in (bench.guardian, bench.owner):
        assert_reverts(bench.chain, call, "NothingToEnd", sender=account, at=T + 1)


def test_veto_and_end_share_one_count(bench: Bench) -> None:
    """The guardian has one of both in two periods."""
    bench.open()
    end(bench, bench.guardian, T)
    bench.determine(NEXT)
    veto, ending = bench.rebalancer.veto(), bench.rebalancer.endMonth()
    assert_reverts(bench.chain, veto, "StoppedBefore", PERIOD, sender=bench.guardian, at=NEXT)
    bench.start(NEXT_EXECUTION)
    assert_reverts(bench.chain, ending, "StoppedBefore", PERIOD, sender=bench.guardian, at=NEXT_EXECUTION + 1)
    assert bench.chain.read(bench.rebalancer.trading()) is True
    end(bench, bench.owner, NEXT_EXECUTION + 1)
    bench.determine(AFTER_NEXT)
    bench.chain.send(veto, bench.guardian, at=AFTER_NEXT)


def test_a_veto_shuts_the_next_month_s_end(bench: Bench) -> None:
    bench.determine()
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NOTICE)
    bench.determine(NEXT)
    bench.start(NEXT_EXECUTION)
    call = bench.rebalancer.endMonth()
    assert_reverts(bench.chain, call, "StoppedBefore", PERIOD, sender=bench.guardian, at=NEXT_EXECUTION + 1)


def test_inside_a_batch(bench: Bench) -> None:
    chain, filler = bench.chain, bench.filler
    chain.send(bench.rebalancer.setGuardian(filler), bench.owner)
    bench.open()
    sells, pays = batch(bench, T)
    given = order(bench, sells, pays, steps=[step(bench.rebalancer.endMonth())])
    call = bench.rebalancer.trade(given)
    assert_reverts(chain, call, "Locked", sender=bench.keeper, at=T, of=bench.index)
