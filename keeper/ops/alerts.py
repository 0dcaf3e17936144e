"""Alerts for the operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from ballast.units import ETHER
from keeper.look.interventions import ended, skipped
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.output.condition import condition
from keeper.output.tables import amount, percent, symbol
from keeper.state import FundState, Holding, Phase, Reason


class Kind(StrEnum):
    """Each is explained in docs/operations/watch.md."""

    DUE_NOT_DONE = "due_not_done"
    TRANSACTION_STUCK = "transaction_stuck"
    LOW_BALANCE = "low_balance"
    PRICE_STALE = "price_stale"
    BUDGET_HALF_USED = "budget_half_used"
    ENDPOINT_ASIDE = "endpoint_aside"
    COMPONENT_SUSPENDED = "component_suspended"
    COMPONENT_WRITTEN_OFF = "component_written_off"
    BALANCE_UNREADABLE = "balance_unreadable"
    MONTH_DONE = "month_done"
    MONTH_ENDED = "month_ended"
    KEEPER_FAILING = "keeper_failing"
    CANNOT_START = "cannot_start"
    NOT_LISTENING = "not_listening"
    UNFORESEEN_ERROR = "unforeseen_error"


EVENTS = frozenset({Kind.MONTH_DONE, Kind.MONTH_ENDED})
"""Told once: events, where the others are states that last."""


UNFORESEEN_S = 600
"""Seconds for which an error that nobody foresaw is told of after it was last seen."""


@dataclass(frozen=True)
class Alert:
    """A condition that holds now. Kind and subject identify an alert; `text` may change."""

    kind: Kind
    subject: str
    text: str = field(compare=False)

    @property
    def once(self) -> bool:
        """Whether it is an event, told once, rather than a state that lasts."""
        return self.kind in EVENTS


def alerts_of(facts: Facts, bounds: Bounds) -> set[Alert]:
    """All alerts that hold."""
    found = {alert for fund in facts.funds for alert in _of_fund(fund, facts, bounds)}
    for nonce, since in facts.open_since.items():
        age = int(facts.time) - since
        if age >= bounds.open_s:
            last = [entry for entry in facts.transactions if entry.nonce == nonce][-1]
            found.add(
                Alert(
                    Kind.TRANSACTION_STUCK,
                    f"nonce {nonce}",
                    f"{last.action} (nonce {nonce}) has been open for {_span(age)}, last as {last.hash}",
                )
            )
    needed = None if facts.base_fee is None else bounds.month_gas * len(facts.funds) * facts.base_fee
    if facts.balance is not None and needed is not None and facts.balance < needed:
        found.add(
            Alert(
                Kind.LOW_BALANCE,
                "account",
                f"the account has {amount(facts.balance, ETHER)} ETH; a month may take {amount(needed, ETHER)} ETH "
                "at the current price",
            )
        )
    for endpoint in facts.endpoints:
        if not endpoint.healthy:
            found.add(Alert(Kind.ENDPOINT_ASIDE, endpoint.name, f"{endpoint.name} is put aside: {endpoint.reason}"))
    return found | of_keeper(facts, bounds)


def of_keeper(facts: Facts, bounds: Bounds) -> set[Alert]:
    """Alerts about the process itself."""
    found = set()
    for trouble in facts.lasting(bounds):
        since = f"since {_clock(trouble.since)}"
        if trouble.kind == "http":
            text = f"nobody can reach health, metrics and page {since}: {trouble.text}"
            found.add(Alert(Kind.NOT_LISTENING, "server", text))
        else:
            what = "the keeper has ended: only you can mend it" if trouble.final else f"the keeper cannot start {since}"
            found.add(Alert(Kind.CANNOT_START, "keeper", f"{what}: {trouble.text}"))
    for defect in facts.defects:
        if facts.time - defect.last < UNFORESEEN_S:
            text = (
                f"{defect.where}: {defect.error} in {defect.place}, {defect.count} times since {_clock(defect.first)}; "
                "it is tried again. The log has the trace"
            )
            found.add(Alert(Kind.UNFORESEEN_ERROR, f"{defect.where} {defect.error} {defect.place}", text))
    return found


def _of_fund(fund: FundFacts, facts: Facts, bounds: Bounds) -> set[Alert]:
    name, found = fund.name, set()
    if fund.silent_s >= bounds.silent_s and not facts.stopping:
        why = fund.error or "see the log"
        text = f"{name} could not be looked at for {_span(fund.silent_s)}: {why}"
        found.add(Alert(Kind.KEEPER_FAILING, name, text))
    if fund.view is None:
        return found
    s = fund.view.state
    month = s.label_of(s.month_period)
    if fund.overdue_s >= bounds.overdue_s:
        action = s.action.name.lower()
        late = f"{name}: {action} is due and not done for {_span(fund.overdue_s)}"
        found.add(Alert(Kind.DUE_NOT_DONE, f"{name} {action}", late))
    for holding in s.holdings:
        found |= _of_component(name, symbol(fund.book, holding), s, holding)
    if s.phase is Phase.TRADING and s.progress.spent * 2 >= s.limits.loss_budget > 0:
        used = s.progress.spent * 100 // s.limits.loss_budget
        found.add(
            Alert(
                Kind.BUDGET_HALF_USED, f"{name} {month}", f"{name}: {used} % of the loss budget of {month} is used up"
            )
        )
    if s.phase is Phase.IDLE and s.reason is Reason.DONE:
        end = ended(s, fund.view.told)
        if skipped(s, fund.view.told):
            found.add(Alert(Kind.MONTH_DONE, f"{name} {month}", f"{name}: {month} was skipped, within its band"))
        elif end is None:
            found.add(Alert(Kind.MONTH_DONE, f"{name} {month}", f"{name}: {month} is done"))
        else:
            left = percent(s.progress.surplus)
            text = f"{name}: {month} was ended as it stood by {end.by}, with {left} of NAV left to sell"
            found.add(Alert(Kind.MONTH_ENDED, f"{name} {month}", text))
    return found


def _of_component(fund: str, token: str, state: FundState, holding: Holding) -> set[Alert]:
    """Alerts about a component's state. If it is suspended or written off, that one alert replaces all others."""
    subject, why = f"{fund} {token}", condition(state, holding)
    if holding.written_off:
        gone = f"{fund}: {token} is written off; the next start takes it off the list"
        return {Alert(Kind.COMPONENT_WRITTEN_OFF, subject, gone)}
    if state.suspended(holding):
        text = f"{fund}: {token} is {why}: not traded, out of NAV, and nobody can mint"
        return {Alert(Kind.COMPONENT_SUSPENDED, subject, text)}
    if state.counts(holding):
        return set()
    if holding.sound and not holding.price:
        return {Alert(Kind.PRICE_STALE, subject, f"{fund}: the oracle has no price for {token}")}
    text = f"{fund}: {token} cannot be relied on ({why}): not traded, out of NAV"
    return {Alert(Kind.BALANCE_UNREADABLE, subject, text)}


def _clock(time: float) -> str:
    """A time of day as text."""
    return f"{datetime.fromtimestamp(time, UTC):%H:%M} UTC"


def _span(seconds: float) -> str:
    """A duration as text."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
