"""Alerts for the operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from ballast.steering.operations import OperationState
from ballast.units import DAY_S, ETHER, WAD
from ballast.values import percent, span_text
from keeper.guard.brakes import period_end, veto_end
from keeper.guard.changes import changes, summary
from keeper.look.interventions import What, ended, skipped
from keeper.look.outlook import Announced, Answer, Outlook
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.output.condition import condition
from keeper.output.tables import amount, symbol, when
from keeper.state import Action, FundState, Holding, Phase, Reason
from keeper.view import View


class Kind(StrEnum):
    """Kinds of alerts; docs/operations/watch.md explains each."""

    DUE_NOT_DONE = "due_not_done"
    TRANSACTION_STUCK = "transaction_stuck"
    LOW_BALANCE = "low_balance"
    PRICE_STALE = "price_stale"
    PRICE_APART = "price_apart"
    BUDGET_HALF_USED = "budget_half_used"
    ENDPOINT_ASIDE = "endpoint_aside"
    COMPONENT_SUSPENDED = "component_suspended"
    COMPONENT_WRITTEN_OFF = "component_written_off"
    BALANCE_UNREADABLE = "balance_unreadable"
    MONTH_DONE = "month_done"
    MONTH_ENDED = "month_ended"
    MONTH_DETERMINED = "month_determined"
    MONTH_VETOED = "month_vetoed"
    FUND_PAUSED = "fund_paused"
    FEED_AGING = "feed_aging"
    SUPPLIES_STALE = "supplies_stale"
    OPERATION_SCHEDULED = "operation_scheduled"
    OPERATION_READY = "operation_ready"
    OPERATION_EXECUTED = "operation_executed"
    OPERATION_CANCELLED = "operation_cancelled"
    CHANGE_COMING = "change_coming"
    KEEPER_FAILING = "keeper_failing"
    CANNOT_START = "cannot_start"
    NOT_LISTENING = "not_listening"
    UNFORESEEN_ERROR = "unforeseen_error"


EVENTS = frozenset(
    {
        Kind.MONTH_DONE,
        Kind.MONTH_ENDED,
        Kind.MONTH_DETERMINED,
        Kind.MONTH_VETOED,
        Kind.OPERATION_SCHEDULED,
        Kind.OPERATION_READY,
        Kind.OPERATION_EXECUTED,
        Kind.OPERATION_CANCELLED,
    }
)
"""Events, alerted once; the other kinds are states that last."""


APART = WAD // 10
"""Alert if the oracle's price and the deepest pool's differ by more than this fraction (18 decimals): slippage and a
feed's threshold cannot explain as much."""
SUPPLIES_S = 5 * DAY_S
"""Alert this many seconds plus the timelock's delay before a determination that would find supplies stale."""
CHANGE_S = DAY_S
"""Alert again, this many seconds before an operation may be executed, if it changes limits or prices."""
CHANGES = frozenset({"setLimits", "setFeed", "correctFeed", "setAnchor", "setMethodology"})
"""Functions that change limits or prices."""
AGING_S = 600
"""Alert once a feed answer has less of its life left than this many seconds or a tenth of its life, whichever is
shorter, and in any case than a fiftieth. Normally a daily feed answers an hour before its limit, an hourly one twenty
minutes before."""
UNFORESEEN_S = 600
"""Seconds for which an alert about an unforeseen error stays after the error last occurred."""


@dataclass(frozen=True)
class Alert:
    """A condition that holds now. Kind and subject identify an alert; `text` may change."""

    kind: Kind
    subject: str
    text: str = field(compare=False)

    @property
    def once(self) -> bool:
        """Whether it is an event, alerted once, rather than a state that lasts."""
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
    gas = sum(fund.month_gas(bounds) for fund in facts.funds)
    needed = None if facts.base_fee is None else gas * facts.base_fee
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
        token = symbol(fund.book, holding)
        found |= _of_component(name, token, s, holding) | _of_pool(name, token, fund.view, holding)
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
    return found | _of_guardian(name, fund.view) | _of_outlook(fund, s)


def _of_guardian(name: str, view: View) -> set[Alert]:
    """Alerts about a veto and a pause; an ended month and a suspension have their own alerts."""
    s, found = view.state, set()
    if s.phase is Phase.VETOED and s.month_period == s.period:
        month = s.label_of(s.month_period)
        by = next((f" by {one.by}" for one in view.told if one.what is What.VETOED), "")
        text = f"{name}: {month} is vetoed{by}: nothing is traded until the next determination, {when(period_end(s))}"
        found.add(Alert(Kind.MONTH_VETOED, f"{name} {month}", text))
    if s.time < s.paused_until:
        text = (
            f"{name}: paused by the guardian until {when(s.paused_until)}; determination, start, batches and close "
            f"wait. {span_text(s.pause_left)} of its pauses are left"
        )
        found.add(Alert(Kind.FUND_PAUSED, name, text))
    return found


def _of_outlook(fund: FundFacts, state: FundState) -> set[Alert]:
    """Alerts from the outlook: determination, feeds, supplies and timelock operations."""
    outlook = None if fund.view is None else fund.view.outlook
    if outlook is None:
        return set()
    name, found = fund.name, set()
    if outlook.determined and state.phase is Phase.DETERMINED:
        month = state.label_of(state.month_period)
        changed = summary(changes(outlook.determined, state), fund.book.symbol)
        text = f"{name}: {month} is determined: {changed}. A veto is possible {veto_end(state)}"
        found.add(Alert(Kind.MONTH_DETERMINED, f"{name} {month} {state.determined_at}", text))
    for answer in outlook.answers:
        if answer.until - outlook.time < max(answer.max_age // 50, min(AGING_S, answer.max_age // 10)):
            found.add(_aging(fund, answer))
    stale = _stale(fund, state, outlook)
    return found | stale | {alert for one in outlook.operations for alert in _of_operation(name, one, outlook.time)}


def _aging(fund: FundFacts, answer: Answer) -> Alert:
    tokens = ", ".join(fund.book.symbol(token) if int(token, 16) else "ETH" for token in answer.tokens)
    said = f"last answered at {when(answer.given_at)}" if answer.given_at else "gives no answer"
    text = f"{fund.name}: the feed of {tokens} ({answer.feed}) {said}"
    if answer.given_at:
        text += f"; without another answer there is no price from {when(answer.until)} on"
    return Alert(Kind.FEED_AGING, f"{fund.name} {answer.feed}", text)


def _stale(fund: FundFacts, state: FundState, outlook: Outlook) -> set[Alert]:
    """An alert about supplies that the next determination would find stale, once it is near."""
    due = state.time if state.action is Action.DETERMINE else period_end(state)
    stale = [one for one in outlook.posted if one.until < due]
    if not stale or due - state.time > SUPPLIES_S + outlook.min_delay:
        return set()
    oldest = when(min(one.date for one in stale))
    tokens = ", ".join(fund.book.symbol(one.token) for one in stale)
    text = (
        f"{fund.name}: the posted supplies of {tokens} will be stale at the next determination, {when(due)} (the "
        f"oldest is of {oldest}): post them before that"
    )
    return {Alert(Kind.SUPPLIES_STALE, fund.name, text)}


def _of_operation(name: str, announced: Announced, now: int) -> set[Alert]:
    """Alerts about the state of a timelock operation."""
    one = announced.operation
    subject, what = f"{name} {one.id} {one.scheduled}", f"{name}: operation {one.id}"
    said, ready = announced.words, when(one.ready)
    told = {Kind.OPERATION_SCHEDULED: f"{what} is scheduled by {one.proposer}, to be executed from {ready}: {said}"}
    match one.state(now):
        case OperationState.READY:
            told[Kind.OPERATION_READY] = f"{what} may be executed by anybody now: {said}"
        case OperationState.DONE:
            told[Kind.OPERATION_EXECUTED] = f"{what} is executed: {said}"
        case OperationState.CANCELLED:
            told[Kind.OPERATION_CANCELLED] = f"{what} is cancelled: {said}"
    changing = sorted({call.function for call in announced.calls} & CHANGES)
    if one.open and changing and now >= one.ready - CHANGE_S:
        told[Kind.CHANGE_COMING] = f"{what} changes limits or prices from {ready} on: {said}"
    return {Alert(kind, subject, text) for kind, text in told.items()}


def _of_component(fund: str, token: str, state: FundState, holding: Holding) -> set[Alert]:
    """The alert about a component's state: the first that applies of written off, suspended, no price, unreliable."""
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


def _of_pool(fund: str, token: str, view: View, holding: Holding) -> set[Alert]:
    """An alert if the oracle's price and the deepest pool's are far apart, while the component counts in NAV."""
    pool = view.market.price(holding)
    if not pool or not view.state.counts(holding) or abs(pool - holding.price) * WAD <= holding.price * APART:
        return set()
    apart = percent(abs(pool - holding.price) * WAD // holding.price)
    ours, theirs = amount(holding.price, WAD), amount(pool, WAD)
    text = f"{fund}: the oracle says {ours} USD for {token}, its deepest pool {theirs}: {apart} apart"
    return {Alert(Kind.PRICE_APART, f"{fund} {token}", text)}


def _clock(time: float) -> str:
    """A time of day (from Unix seconds), UTC."""
    return f"{datetime.fromtimestamp(time, UTC):%H:%M} UTC"


def _span(seconds: float) -> str:
    """A duration in s, min or h."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
