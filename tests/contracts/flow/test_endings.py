"""Months that do not go as planned: missed, vetoed, out of time, paused. Each ends in a stated way, and the month after
is an ordinary one."""

from __future__ import annotations

from ballast.units import DAY_S
from tests.contracts.flow.carrying import APRIL, DETERMINED, IDLE, TRADING, VETOED, Carrier
from tests.helpers.bench import not_due
from tests.helpers.filling import FILLER
from tests.helpers.fund import PERIOD_END
from tests.helpers.reverts import assert_reverts


def test_a_month_that_nobody_determined(carrier: Carrier) -> None:
    """It leaves no trace: the next one is determined for itself, once, with nothing to catch up."""
    carrier.to_determination()
    before = carrier.fund.balances()
    carrier.move_to(PERIOD_END - 2)
    assert carrier.due() == ("Determine", "Due")  # possible to the last second, though too late to start
    carrier.move_to(PERIOD_END + 1)
    assert carrier.due() == ("Determine", "Due")
    carrier.determine()
    assert carrier.month().period == APRIL + 1
    call = carrier.fund.rebalancer.determine()
    assert_reverts(carrier.chain, call, "NotDue", *not_due("Determine", "NotYet"), sender=carrier.keeper)
    assert carrier.fund.balances() == before
    carrier.to_start()
    holdings = carrier.start()
    carrier.whole_rest()
    carrier.check_on_target(holdings)


def test_a_month_that_nobody_started(carrier: Carrier) -> None:
    """Within the last two days of the period it is too late to start; then the next determination is due."""
    carrier.to_determination()
    carrier.determine()
    before = carrier.fund.balances()
    last = PERIOD_END + 1 - 2 * DAY_S
    carrier.move_to(last - 10)
    assert carrier.due() == ("Start", "Due")
    start = carrier.fund.rebalancer.start()
    carrier.chain.read(start, sender=carrier.keeper, at=last)
    assert_reverts(carrier.chain, start, "NotDue", *not_due("Start", "TooLate"), sender=carrier.keeper, at=last + 1)
    carrier.move_to(last + 1)
    assert carrier.due() == ("None", "TooLate")
    assert carrier.next() == PERIOD_END + 1
    carrier.to_determination()
    assert carrier.month().phase == DETERMINED  # still April's: it counts for nothing any more
    assert_reverts(carrier.chain, start, "NotDue", *not_due("Start", "Due"), sender=carrier.keeper)
    carrier.determine()
    assert carrier.month().period == APRIL + 1
    assert carrier.fund.balances() == before
    carrier.to_start()
    carrier.start()
    carrier.whole_rest()


def test_vetoed_months(carrier: Carrier) -> None:
    """The guardian lets April pass but not May too; the owner may. June's is the guardian's again, July is an ordinary
    month."""
    fund, chain = carrier.fund, carrier.chain
    veto = fund.rebalancer.veto()
    before = fund.balances()
    for passed, sender in enumerate((fund.guardian, fund.owner)):
        carrier.to_determination()
        carrier.determine()
        if sender == fund.owner:
            assert_reverts(chain, veto, "StoppedBefore", APRIL, sender=fund.guardian)
        receipt = carrier.send(veto, sender)
        (event,) = fund.rebalancer.events(receipt, "Vetoed")
        assert tuple(event) == (APRIL + passed, sender)
        assert carrier.month().phase == VETOED
        assert carrier.due() == ("None", "Vetoed")
        carrier.move_to(carrier.next() - 20 * DAY_S)  # past the execution day: nothing is due
        assert carrier.due() == ("None", "Vetoed")
        start = fund.rebalancer.start()
        assert_reverts(chain, start, "NotDue", *not_due("Start", "Vetoed"), sender=carrier.keeper)
    assert fund.balances() == before

    # After a month without one of its own the guardian has one again: the owner's does not count.
    carrier.to_determination()
    carrier.determine()
    carrier.send(veto, fund.guardian)
    assert carrier.month().phase == VETOED
    holdings = carrier.whole_month()
    assert carrier.month().period == APRIL + 3
    carrier.check_on_target(holdings)


def test_a_month_that_ran_out_of_time(carrier: Carrier) -> None:
    """What was traded stays traded; anyone closes it; the next month carries on from there."""
    fund, chain = carrier.fund, carrier.chain
    carrier.to_trading()
    carrier.trade()
    progress = chain.read(fund.rebalancer.progress())
    opening = chain.read(fund.rebalancer.opening())
    assert (carrier.month().phase, opening.end) == (TRADING, PERIOD_END)
    traded = fund.balances()
    carrier.move_to(PERIOD_END - 2)
    assert carrier.due() == ("Trade", "Due")
    carrier.move_to(PERIOD_END)
    assert carrier.due() == ("Close", "Due")
    empty = fund.rebalancer.trade(([], [], [], [], 0, carrier.filler, b""))
    for action, call in (("Determine", fund.rebalancer.determine()), ("Trade", empty)):
        assert_reverts(chain, call, "NotDue", *not_due(action, "Due"), sender=carrier.keeper)
    receipt = carrier.send(fund.rebalancer.close(), chain.account("stranger"))
    (event,) = fund.rebalancer.events(receipt, "Closed")
    assert tuple(event) == (APRIL, progress.surplus, opening.buyTargets - progress.held, progress.spent)
    assert event.surplus > 10**16  # more than 1 % of NAV was left to sell
    assert carrier.month().phase == IDLE
    assert fund.balances() == traded

    # The next period has begun, so its determination is due at once.
    carrier.determine()
    assert carrier.month().period == APRIL + 1
    carrier.to_start()
    holdings = carrier.start()
    carrier.whole_rest()
    carrier.check_on_target(holdings)


def test_a_pause_in_the_middle(carrier: Carrier) -> None:
    """Nothing moves for three days, the guardian has no second pause within thirty, and the month then goes to its
    end."""
    fund, chain = carrier.fund, carrier.chain
    holdings = carrier.to_trading()
    carrier.trade()
    traded = fund.balances()
    receipt = carrier.send(fund.rebalancer.pauseFor(3 * DAY_S), fund.guardian)
    (event,) = fund.rebalancer.events(receipt, "PausedUntil")
    assert carrier.due() == ("None", "Paused")
    assert carrier.next() == event.until == chain.now() + 3 * DAY_S
    carrier.move_to(event.until - 10)
    sells, pays = carrier.fair(carrier.state())
    trade = fund.rebalancer.trade(([*sells], [*sells.values()], [FILLER] * len(sells), [*pays], 0, carrier.filler, b""))
    assert_reverts(chain, trade, "NotDue", *not_due("Trade", "Paused"), sender=carrier.keeper)
    assert fund.balances() == traded
    carrier.move_to(event.until)
    assert carrier.due() == ("Trade", "Due")
    again = fund.rebalancer.pauseFor(1)
    assert_reverts(chain, again, "PauseOutOfBounds", 1, 0, sender=fund.guardian)
    assert carrier.state().opening.end == PERIOD_END
    carrier.whole_rest()
    carrier.check_on_target(holdings)
    assert carrier.month().period == APRIL


def test_a_pause_over_the_end(carrier: Carrier) -> None:
    """The pause adds no time: when it ends after the period, the month can only be closed."""
    fund, chain = carrier.fund, carrier.chain
    carrier.to_trading()
    carrier.trade()
    carrier.move_to(PERIOD_END - DAY_S)
    carrier.send(fund.rebalancer.pauseFor(3 * DAY_S), fund.guardian)
    carrier.move_to(PERIOD_END + DAY_S)
    close = fund.rebalancer.close()
    assert_reverts(chain, close, "NotDue", *not_due("Close", "Paused"), sender=carrier.keeper)
    carrier.move_to(carrier.next())
    assert carrier.due() == ("Close", "Due")
    carrier.send(close)
    carrier.determine()
    assert carrier.month().period == APRIL + 1


def test_a_month_that_is_ended(carrier: Carrier) -> None:
    """What was traded stays traded, nothing more is, and the next month carries on from there."""
    fund = carrier.fund
    carrier.to_trading()
    carrier.trade()
    traded = fund.balances()
    carrier.send(fund.rebalancer.endMonth(), fund.guardian)
    assert carrier.due() == ("None", "Done")
    carrier.to_determination()
    assert fund.balances() == traded
    carrier.determine()
    assert carrier.month().period == APRIL + 1
    carrier.to_start()
    holdings = carrier.start()
    carrier.whole_rest()
    carrier.check_on_target(holdings)
