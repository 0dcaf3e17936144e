"""Which alerts hold for given facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ballast.units import GWEI, WAD
from ballast.values import percent
from keeper.look.interventions import Intervention, What
from keeper.ops.alerts import Alert, Kind, alerts_of
from keeper.ops.facts import Facts, overdue, possible
from keeper.plan import month_gas
from keeper.plan.standby import Since, thing_of
from keeper.sending.journal import Status
from keeper.state import Action, Phase, Reason
from tests.unit.keeper.ops.facts import BOUNDS, NOW, entry, facts_of, fund_facts
from tests.unit.keeper.simulated import Simulated


def kinds(facts: Facts) -> set[Kind]:
    return {alert.kind for alert in alerts_of(facts, BOUNDS)}


def only(facts: Facts) -> Alert:
    (alert,) = alerts_of(facts, BOUNDS)
    return alert


@dataclass(frozen=True)
class Node:
    name: str
    healthy: bool
    reason: str


def test_nothing_wrong_is_nothing_to_tell(april: Simulated) -> None:
    assert kinds(facts_of(fund_facts(april))) == set()
    assert kinds(facts_of(replace(fund_facts(april), view=None, pulse=None), balance=None)) == set()


def test_due_and_not_done(april: Simulated) -> None:
    assert kinds(facts_of(fund_facts(april, overdue_s=BOUNDS.overdue_s - 1))) == set()
    alert = only(facts_of(fund_facts(april, overdue_s=BOUNDS.overdue_s)))
    assert (alert.kind, alert.subject) == (Kind.DUE_NOT_DONE, "fund trade")
    assert alert.text == "fund: trade is due and not done for 60 min"


def test_a_stuck_transaction_counts_from_its_first_signing(april: Simulated) -> None:
    fund = fund_facts(april)
    old = NOW - BOUNDS.open_s
    # Replaced a moment ago, but open since long.
    open_ = (entry(7, Status.SUBMITTED, signed_at=old), entry(7, Status.SENT, signed_at=NOW - 5))
    alert = only(facts_of(fund, transactions=open_))
    assert (alert.kind, alert.subject) == (Kind.TRANSACTION_STUCK, "nonce 7")
    assert open_[1].hash in alert.text
    assert kinds(facts_of(fund, transactions=(replace(open_[0], signed_at=old + 1),))) == set()
    for status in (Status.MINED, Status.CONFIRMED, Status.REVERTED, Status.REPLACED, Status.CANCELLED):
        assert kinds(facts_of(fund, transactions=(entry(7, status, signed_at=old),))) == set()


def test_low_balance_is_less_than_a_month_of_all_funds(april: Simulated) -> None:
    fund = fund_facts(april)
    month = 60_000_000 * 20 * GWEI
    assert kinds(facts_of(fund, balance=month)) == set()
    assert only(facts_of(fund, balance=month - 1)).kind is Kind.LOW_BALANCE
    assert only(facts_of(fund, fund, balance=2 * month - 1)).text == (
        "the account has 2.3999 ETH; a month may take 2.4000 ETH at the current price"
    )


def test_without_a_setting_a_months_gas_follows_from_the_fund(april: Simulated) -> None:
    fund = fund_facts(april)
    bounds = replace(BOUNDS, month_gas=None)
    assert fund.view is not None
    state = fund.view.state
    gas = month_gas.expected(
        len(state.holdings),
        state.total_value,
        state.limits.batch_cap,
        april.market.eth_price,
        20 * GWEI,
        bounds.most_batches,
    ).gas
    assert fund.month_gas(bounds) == gas > 0
    assert fund.month_gas(BOUNDS) == 60_000_000
    assert {alert.kind for alert in alerts_of(facts_of(fund, balance=gas * 20 * GWEI), bounds)} == set()
    assert {alert.kind for alert in alerts_of(facts_of(fund, balance=gas * 20 * GWEI - 1), bounds)} == {
        Kind.LOW_BALANCE
    }
    assert fund_facts(april, view=None).month_gas(bounds) == 0


def test_a_component_without_a_price(april: Simulated) -> None:
    holdings = april.state.holdings
    stale = (replace(holdings[0], price=0), *holdings[1:])
    alert = only(facts_of(fund_facts(april, holdings=stale)))
    assert (alert.kind, alert.subject) == (Kind.PRICE_STALE, f"fund {holdings[0].token}")


def test_the_state_of_a_component_is_one_alert(april: Simulated) -> None:
    first, *others = april.state.holdings
    now = april.state.time

    def told(**changes: object) -> Alert:
        return only(facts_of(fund_facts(april, holdings=(replace(first, **changes), *others))))  # type: ignore[arg-type]

    alert = told(suspended_until=now + 1, price=0, sound=False, balance=0)
    assert (alert.kind, alert.subject) == (Kind.COMPONENT_SUSPENDED, f"fund {first.token}")
    assert alert.text == (
        f"fund: {first.token} is suspended until 2021-04-01 00:00 UTC, balance not readable: not traded, out of NAV, "
        "and nobody can mint"
    )
    assert "until the owner ends it" in told(suspended_until=2**40 - 1).text
    # Written off is final, whatever was said of a suspension; one that is over says nothing.
    assert told(suspended_until=now + 1, written_off=True).kind is Kind.COMPONENT_WRITTEN_OFF
    over = (replace(first, suspended_until=now), *others)
    assert kinds(facts_of(fund_facts(april, holdings=over))) == set()
    unread = told(sound=False, balance=0, price=0)
    assert unread.kind is Kind.BALANCE_UNREADABLE and "balance not readable" in unread.text
    absurd = told(balance=2**159)
    assert absurd.kind is Kind.BALANCE_UNREADABLE and "above all measure" in absurd.text


def test_half_the_loss_budget(april: Simulated) -> None:
    budget = april.state.limits.loss_budget
    for spent, expected in ((budget // 2 - 1, set()), (-(-budget // 2), {Kind.BUDGET_HALF_USED})):
        progress = replace(april.state.progress, spent=spent)
        assert kinds(facts_of(fund_facts(april, progress=progress))) == expected
    # What is left over from a month that has ended is no news.
    ended = fund_facts(april, progress=replace(april.state.progress, spent=budget), phase=Phase.IDLE)
    assert kinds(facts_of(ended)) == set()
    without = replace(april.state.limits, loss_budget=0)
    assert kinds(facts_of(fund_facts(april, limits=without))) == set()


def test_an_endpoint_put_aside(april: Simulated) -> None:
    nodes = (Node("one.example", True, ""), Node("two.example", False, "12 blocks behind"))
    alert = only(facts_of(fund_facts(april), endpoints=nodes))
    assert (alert.kind, alert.subject) == (Kind.ENDPOINT_ASIDE, "two.example")
    assert "12 blocks behind" in alert.text


def test_the_month_is_done_only_when_it_is(april: Simulated) -> None:
    done = fund_facts(april, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE)
    alert = only(facts_of(done))
    assert (alert.kind, alert.subject, alert.once) == (Kind.MONTH_DONE, "fund 2021-04", True)
    for reason in (Reason.NOT_SEEDED, Reason.TOO_LATE):
        assert kinds(facts_of(fund_facts(april, phase=Phase.IDLE, action=Action.NONE, reason=reason))) == set()


def test_a_month_that_somebody_ended_is_told_as_such(april: Simulated) -> None:
    end = Intervention(What.ENDED, 7, NOW, april.state.month_period, by="0xGuardian")
    done = fund_facts(april, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE)
    assert done.view is not None
    alert = only(facts_of(replace(done, view=replace(done.view, told=(end,)))))
    assert (alert.kind, alert.subject, alert.once) == (Kind.MONTH_ENDED, "fund 2021-04", True)
    left = percent(april.state.progress.surplus)
    assert alert.text == f"fund: 2021-04 was ended as it stood by 0xGuardian, with {left} of NAV left to sell"
    # Another month's end is not this one's.
    other = replace(end, period=april.state.month_period - 1)
    assert only(facts_of(replace(done, view=replace(done.view, told=(other,))))).kind is Kind.MONTH_DONE


def test_a_keeper_that_cannot_look(april: Simulated) -> None:
    blind = replace(fund_facts(april), silent_s=float(BOUNDS.silent_s))
    assert only(facts_of(blind)).kind is Kind.KEEPER_FAILING
    assert only(facts_of(replace(blind, view=None, pulse=None))).kind is Kind.KEEPER_FAILING
    assert kinds(facts_of(blind, stopping=True)) == set()


def test_fees_and_open_transactions() -> None:
    paid = entry(1, Status.CONFIRMED, gas_used=100, gas_price=7)
    reverted = entry(2, Status.REVERTED, gas_used=10, gas_price=3)
    facts = facts_of(transactions=(paid, reverted, entry(3, Status.PENDING)))
    assert facts.fees_paid == 730
    assert facts.open_since == {3: NOW - 100}


@pytest.mark.parametrize(
    ("action", "possible_from", "expected"),
    [(Action.NONE, None, False), (Action.DETERMINE, None, True), (Action.TRADE, None, False)],
)
def test_possible(april: Simulated, action: Action, possible_from: int | None, expected: bool) -> None:
    assert possible(replace(april.state, action=action), possible_from) is expected


def test_overdue_counts_what_could_have_been_done(april: Simulated) -> None:
    state = replace(april.state, time=april.state.time + WAD)
    seen = Since(thing_of(state), 1, state.time - 500)
    able = Since(thing_of(state), 1, state.time - 200)
    assert possible(state, state.time) and not possible(state, state.time + 1)
    assert overdue(state, state.time, seen, able) == 200
    assert overdue(state, state.time + 60, seen, None) == 0  # a moment that is known
    assert overdue(state, None, seen, None) == 500  # none is known
    assert overdue(replace(state, action=Action.NONE), None, seen, able) == 0
