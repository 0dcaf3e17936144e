"""The top of the page: the notes, and what happens next. Pure; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ballast.rule import calendar
from ballast.units import DAY_S
from keeper.look.interventions import Intervention, ended, skipped
from keeper.ops.alerts import Alert, Kind, alerts_of
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.ops.pulse import Pulse
from keeper.page import text
from keeper.plan.planner import Plan
from keeper.sending.journal import Status
from keeper.state import Action, FundState, Phase, Reason

NoteLevel = Literal["ok", "warn", "bad"]

LAST_CALL_S = DAY_S
"""Seconds before its deadline from which a due action is an alarm; in a period shorter than ten days a tenth of the
period."""


@dataclass(frozen=True)
class Note:
    """A problem, or the reason why nothing happens."""

    level: NoteLevel
    text: str


@dataclass(frozen=True)
class Next:
    """The next event: `what`, at chain time `at` (None: unknown), and `why` it waits."""

    what: str
    at: int | None
    why: str = ""


_STANDING = {
    Reason.NOT_SEEDED: "The fund has not been seeded yet",
    Reason.DONE: "{} is done",
    Reason.VETOED: "{} was vetoed",
    Reason.TOO_LATE: "{} was not started in time",
}
_DUE = {
    Action.DETERMINE: "Determination",
    Action.START: "Start of trading",
    Action.CLOSE: "Close of the month",
}
_EXPLAINED = {
    Reason.REFUSED: Note("bad", "Methodology or oracle refuses: look at the feeds"),
    Reason.VETOED: Note("warn", "This month was vetoed; nothing is traded until the next"),
    Reason.TOO_LATE: Note("bad", "This month was missed: it was not started in time"),
}


_LEVELS: dict[Kind, NoteLevel] = {Kind.DUE_NOT_DONE: "bad", Kind.KEEPER_FAILING: "bad"}
"""Levels of alerts; all others are "warn"."""


def standing(state: FundState, told: Iterable[Intervention] = ()) -> str:
    """The month's state as a sentence. `told`: the interventions in it."""
    trading = state.phase is Phase.TRADING
    period = state.month_period if trading else state.period
    month = state.name_of(period)
    if trading:
        late = state.action is Action.CLOSE
        return f"{month} has run out while trading was open" if late else f"Trading {month}"
    if state.reason is Reason.DONE and ended(state, told) is not None:
        return f"{month} was ended as it stood"
    if state.reason is Reason.DONE and skipped(state, told):
        return f"{month} was skipped: the weights were within its band"
    if state.reason in _STANDING:
        return _STANDING[state.reason].format(month)
    determined = state.month_period == state.period and state.phase is not Phase.VOIDED
    return f"The weights of {month} are {'determined' if determined else 'to be determined'}"


def upcoming(state: FundState, plan: Plan | None) -> Next:
    """What the keeper does next, and when."""
    if state.reason is Reason.PAUSED:
        return Next("The pause ends", state.paused_until)
    if state.action in _DUE:
        return Next(_DUE[state.action], state.time, "due now")
    if state.action is Action.TRADE:
        return Next("Next batch", plan.possible_from if plan else None, plan.why if plan else "")
    if state.reason is Reason.NOT_YET:
        return Next("Start of trading", state.next)
    if state.reason in (Reason.DONE, Reason.VETOED, Reason.TOO_LATE):
        return Next("Next determination", state.next)
    return Next("Next look", None)


def notes(fund: FundFacts, error: str | None, facts: Facts, bounds: Bounds) -> list[Note]:
    """All notes on the fund, its alerts included. `error`: why the last look failed."""
    found = []
    if fund.failing:
        found.append(Note("warn", f"The last look failed: {error or 'see the log'}"))
    elif fund.view is None:
        found.append(Note("warn", "The keeper has not looked at this fund yet"))
    if fund.view is not None and fund.pulse is not None:
        found += _of_state(fund.view.state, fund.pulse)
    found += [Note(_LEVELS.get(alert.kind, "warn"), alert.text) for alert in _alerts(fund, facts, bounds)]
    if facts.endpoints and not any(endpoint.healthy for endpoint in facts.endpoints):
        found.append(Note("bad", "No endpoint is usable"))
    own = [e for e in facts.transactions if e.recipient.lower() in {a.lower() for a in fund.book.called}]
    if own and own[-1].status is Status.REVERTED:
        found.append(Note("warn", f"The last transaction ({own[-1].action}) reverted"))
    return [Note(note.level, text.line(note.text.removeprefix(f"{fund.name}: "))) for note in found]


def _of_state(state: FundState, pulse: Pulse) -> list[Note]:
    found = []
    if pulse.error:
        acted = pulse.state != "error"
        found.append(Note("warn", pulse.error) if acted else Note("bad", f"The keeper could not act: {pulse.error}"))
    # `next` is the deadline of the due action; a close has none.
    ends = state.action not in (Action.NONE, Action.CLOSE)
    now = calendar.period(state.period, state.timetable, state.former)
    last_call = min(LAST_CALL_S, (now.end - now.start) // 10)
    if ends and state.next - state.time < last_call:
        left = "a day" if last_call == LAST_CALL_S else f"{last_call // 60} minutes"
        found.append(Note("bad", f"{_DUE.get(state.action, 'Trading')} is open and less than {left} is left for it"))
    if state.reason in _EXPLAINED:
        found.append(_EXPLAINED[state.reason])
    return found


def _alerts(fund: FundFacts, facts: Facts, bounds: Bounds) -> list[Alert]:
    """Current alerts, without those of other funds and without events."""
    alone = replace(facts, balance=None, transactions=(), endpoints=())
    others = set().union(*(alerts_of(replace(alone, funds=(o,)), bounds) for o in facts.funds if o.name != fund.name))
    mine = [alert for alert in alerts_of(facts, bounds) - others if not alert.once]
    return sorted(mine, key=lambda alert: (alert.kind, alert.subject))


def worst(notes: Iterable[Note]) -> NoteLevel:
    """The level of the worst note; "ok" if there is none."""
    levels = {note.level for note in notes}
    return "bad" if "bad" in levels else "warn" if "warn" in levels else "ok"
