"""Alerts of what may be coming, and of what the guardian did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.rule.types import Decision, Flag, Status
from ballast.steering.calls import Decoded
from ballast.steering.operations import Operation
from ballast.units import DAY_S, WAD
from keeper.look.interventions import What
from keeper.look.outlook import Announced, Answer, Outlook, PostedDate
from keeper.ops.alerts import CHANGE_S, SUPPLIES_S, Alert, Kind, alerts_of
from keeper.ops.facts import FundFacts
from keeper.state import Action, Phase, Reason
from tests.unit.keeper.ops.facts import BOUNDS, facts_of, fund_facts
from tests.unit.keeper.simulated import START, Simulated

DELAY = 2 * DAY_S


def seen(april: Simulated, outlook: Outlook | None, **changes: Any) -> FundFacts:
    fund = fund_facts(april, **changes)
    assert fund.view is not None
    return replace(fund, view=replace(fund.view, outlook=outlook))


def told(april: Simulated, outlook: Outlook, **changes: Any) -> dict[Kind, Alert]:
    found = alerts_of(facts_of(seen(april, outlook, **changes)), BOUNDS)
    assert len({alert.kind for alert in found}) == len(found)
    return {alert.kind: alert for alert in found}


def outlook(**changes: Any) -> Outlook:
    return replace(Outlook(1, START), **changes)


@pytest.mark.parametrize(
    ("max_age", "left"),
    # A day's feed with an hour beyond, an hour's with half an hour, and one that counts for ten minutes.
    [(25 * 3_600, 1_800), (5_400, 540), (600, 60), (8 * DAY_S, 8 * DAY_S // 50)],
)
def test_a_feed_close_to_its_limit(april: Simulated, max_age: int, left: int) -> None:
    def ages(rest: int) -> dict[Kind, Alert]:
        answer = Answer(("0x" + "00" * 20, "0x0A"), "0xfeed", START - max_age + rest, max_age)
        return told(april, outlook(answers=(answer,)))

    assert ages(left) == {}
    (alert,) = ages(left - 1).values()
    assert (alert.kind, alert.subject, alert.once) == (Kind.FEED_AGING, "fund 0xfeed", False)
    assert alert.text.startswith("fund: the feed of ETH, 0x0A (0xfeed) last answered at 2021-0")
    # Past its limit it goes on to be told: what is no component has no other alert.
    assert ages(-1)[Kind.FEED_AGING].subject == alert.subject
    silent = Answer(("0x0A",), "0xfeed", 0, max_age)
    assert (
        told(april, outlook(answers=(silent,)))[Kind.FEED_AGING].text
        == "fund: the feed of 0x0A (0xfeed) gives no answer"
    )


def test_supplies_are_told_of_when_a_determination_is_near(april: Simulated) -> None:
    end = april.state.opening.end + 1
    stale = PostedDate("0x0A", START - 30 * DAY_S, end - 1)
    fresh = PostedDate("0x0B", START, end)
    found = outlook(posted=(stale, fresh), min_delay=DELAY)
    near = end - SUPPLIES_S - DELAY
    assert told(april, found, time=near - 1) == {}
    text = told(april, found, time=near)[Kind.SUPPLIES_STALE].text
    assert "the posted supplies of 0x0A will be stale at the next determination, 2021-04-23 00:00:00 UTC" in text
    assert told(april, outlook(posted=(fresh,), min_delay=DELAY), time=near) == {}
    # One that is due now would find what is stale now.
    due = {"phase": Phase.IDLE, "action": Action.DETERMINE}
    assert told(april, found, time=end - 1, **due) == {}
    assert Kind.SUPPLIES_STALE in told(april, found, time=end, **due)


def operation(**changes: Any) -> Announced:
    one = Operation("0x" + "ab" * 32, (), bytes(32), bytes(32), DELAY, 1, START - DAY_S, "0xProposer", "0x01")
    calls = (
        Decoded("0x01", "Rebalancer", "setLimits", "Rebalancer.setLimits: loss_budget 1 % -> 2 %", ("limits looser",)),
        Decoded("0x02", "IndexToken", "setStreamingFee", "IndexToken.setStreamingFee: less", ()),
    )
    return Announced(replace(one, **changes), calls)


def test_an_operation_in_each_of_its_states(april: Simulated) -> None:
    def kinds(now: int, **changes: Any) -> set[Kind]:
        return set(told(april, outlook(time=now, operations=(operation(**changes),))))

    ready = START + DAY_S
    assert kinds(ready - CHANGE_S - 1) == {Kind.OPERATION_SCHEDULED}
    assert kinds(ready - CHANGE_S) == {Kind.OPERATION_SCHEDULED, Kind.CHANGE_COMING}
    assert kinds(ready) == {Kind.OPERATION_SCHEDULED, Kind.OPERATION_READY, Kind.CHANGE_COMING}
    assert kinds(ready, ended=ready, done=True) == {Kind.OPERATION_SCHEDULED, Kind.OPERATION_EXECUTED}
    assert kinds(ready, ended=ready) == {Kind.OPERATION_SCHEDULED, Kind.OPERATION_CANCELLED}
    alert = told(april, outlook(operations=(operation(),)))[Kind.OPERATION_SCHEDULED]
    assert alert.once and alert.text == (
        f"fund: operation 0x{'ab' * 32} is scheduled by 0xProposer, to be executed from 2021-04-02 00:00:00 UTC: "
        "Rebalancer.setLimits: loss_budget 1 % -> 2 %; IndexToken.setStreamingFee: less. WARNING: limits looser"
    )
    # The same calls, scheduled once more after they were cancelled, are news.
    again = told(april, outlook(operations=(operation(scheduled=START),)))[Kind.OPERATION_SCHEDULED]
    assert again != alert
    harmless = Announced(operation().operation, operation().calls[1:])
    assert set(told(april, outlook(time=ready - 1, operations=(harmless,)))) == {Kind.OPERATION_SCHEDULED}


def test_a_determination_is_told_with_its_changes(april: Simulated) -> None:
    token = april.state.holdings[0].token
    row = Decision(token, 1, Status.INCLUDED, Flag.CLAMPED, WAD, WAD // 2)
    waits = {"phase": Phase.DETERMINED, "action": Action.NONE, "reason": Reason.NOT_YET, "next": START + DAY_S}
    alert = told(april, outlook(determined=(row,)), **waits)[Kind.MONTH_DETERMINED]
    assert alert.once and alert.text.startswith("fund: 2021-04 is determined: ")
    assert f"{token} clamped. A veto is possible until somebody starts the month" in alert.text
    other = told(april, outlook(determined=(row,)), **waits, determined_at=START + 1)[Kind.MONTH_DETERMINED]
    assert other != alert, "determined again in the same period"
    assert told(april, outlook(determined=(row,)), phase=Phase.TRADING) == {}


def test_veto_and_pause(april: Simulated) -> None:
    vetoed = fund_facts(april, phase=Phase.VETOED, action=Action.NONE, reason=Reason.VETOED)
    assert vetoed.view is not None
    (alert,) = alerts_of(facts_of(vetoed), BOUNDS)
    assert (alert.kind, alert.once) == (Kind.MONTH_VETOED, True)
    assert alert.text.startswith("fund: 2021-04 is vetoed: nothing is traded until the next determination, 2021-04-")
    intervention = type("Veto", (), {"what": What.VETOED, "by": "0xGuardian"})()
    view = replace(vetoed.view, told=(intervention,))
    (named,) = alerts_of(facts_of(replace(vetoed, view=view)), BOUNDS)
    assert "vetoed by 0xGuardian" in named.text and named == alert
    # The veto of a period that is over is none of this one's.
    old = fund_facts(april, phase=Phase.VETOED, month_period=april.state.period - 1)
    assert alerts_of(facts_of(old), BOUNDS) == set()
    for until, kinds in ((START + 1, {Kind.FUND_PAUSED}), (START, set())):
        assert {a.kind for a in alerts_of(facts_of(fund_facts(april, paused_until=until)), BOUNDS)} == kinds


def test_prices_apart_from_the_pools(april: Simulated) -> None:
    first = april.state.holdings[0]
    pool = april.market.price(first)
    assert abs(pool - first.price) * 100 < first.price

    def apart(price: int) -> set[Kind]:
        holdings = (replace(first, price=price), *april.state.holdings[1:])
        view = replace(seen(april, None, holdings=holdings).view, market=april.market)  # type: ignore[type-var]
        return {a.kind for a in alerts_of(facts_of(replace(fund_facts(april), view=view)), BOUNDS)}

    assert apart(pool * 10 // 11 + 10**6) == set() and apart(pool * 10 // 9 - 10**6) == set()
    assert apart(pool * 10 // 11 - 10**6) == {Kind.PRICE_APART} == apart(pool * 10 // 9 + 10**6)
