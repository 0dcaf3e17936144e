"""Is all well, and what happens next? The answers at the top of the page. Pure; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from keeper.page.timeline import Timeline
from keeper.planner import Plan
from keeper.pulse import Pulse
from keeper.state import WAD, Action, FundState, Phase, Reason
from keeper.view import percent

Level = Literal["ok", "warn", "bad"]

LAST_CALL_S = 86_400
"""What is still due so shortly before its last moment is an alarm."""


@dataclass(frozen=True)
class Patience:
    """After how many seconds something wants looking at, as alerts have it: a fund that is not looked at, what is due
    and not done (chain time), a transaction that is open."""

    silent_s: int
    overdue_s: int
    open_s: int


class Endpoint(Protocol):
    """Health of a node that the keeper uses: `name` without any key, `head` its newest block, `head_age_s` that block's
    age in seconds; None: not known."""

    @property
    def name(self) -> str: ...
    @property
    def healthy(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def head(self) -> int | None: ...
    @property
    def head_age_s(self) -> float | None: ...


@dataclass(frozen=True)
class Note:
    """Something that is not as it should be, or that explains why nothing happens."""

    level: Level
    text: str


@dataclass(frozen=True)
class Next:
    """What happens next: `what`, at chain time `at` (None: not known), and what it waits for."""

    what: str
    at: int | None
    why: str = ""


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
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
    Reason.PAUSED: Note("warn", "The guardian has paused the fund"),
    Reason.VETOED: Note("warn", "This month was vetoed; nothing is traded until the next"),
    Reason.TOO_LATE: Note("bad", "This month was missed: it was not started in time"),
}


def standing(state: FundState) -> str:
    """Where the month stands, in a sentence."""
    trading = state.phase is Phase.TRADING
    period = state.month_period if trading else state.period
    month = f"{_MONTHS[period % 12]} {period // 12}"
    if trading:
        late = state.action is Action.CLOSE
        return f"{month} has run out while trading was open" if late else f"Trading {month}"
    if state.reason in _STANDING:
        return _STANDING[state.reason].format(month)
    determined = state.month_period == state.period
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


def of_fund(state: FundState, pulse: Pulse, line: Timeline, unpriced: Sequence[str], patience: Patience) -> list[Note]:
    """What of the fund itself wants looking at. `unpriced`: symbols of components without a price."""
    found = []
    if pulse.error:
        acted = pulse.state != "error"
        found.append(Note("warn", pulse.error) if acted else Note("bad", f"The keeper could not act: {pulse.error}"))
    if state.action in _DUE:
        since = {Action.DETERMINE: line.opens, Action.START: line.start_from, Action.CLOSE: state.next}[state.action]
        left = None if state.action is Action.CLOSE else state.next - state.time
        found += _late(_DUE[state.action], state.time - since, left, patience)
    if state.action is Action.TRADE and state.next - state.time < LAST_CALL_S:
        found.append(Note("bad", "Trading is still open and the month ends within a day"))
    if state.reason in _EXPLAINED:
        found.append(_EXPLAINED[state.reason])
    if state.phase is Phase.TRADING and 2 * state.progress.spent >= state.limits.loss_budget:
        used = state.progress.spent * WAD // state.limits.loss_budget
        found.append(Note("warn", f"{percent(used, 0)} of the month's loss budget is used"))
    if unpriced:
        found.append(Note("warn", f"No price: {', '.join(unpriced)}"))
    return found


def _late(what: str, since: int, left: int | None, patience: Patience) -> list[Note]:
    if left is not None and left < LAST_CALL_S:
        return [Note("bad", f"{what} is due and less than a day is left for it")]
    if since <= patience.overdue_s:
        return []
    return [Note("warn", f"{what} has been due for more than {patience.overdue_s // 60} minutes")]


def of_endpoints(endpoints: Sequence[Endpoint]) -> list[Note]:
    """What of the nodes wants looking at."""
    aside = [endpoint.name for endpoint in endpoints if not endpoint.healthy]
    if not aside:
        return []
    if len(aside) == len(endpoints):
        return [Note("bad", "No endpoint is usable")]
    return [Note("warn", f"Put aside: {', '.join(aside)}")]


def worst(notes: Iterable[Note]) -> Level:
    """The level of the worst note; ok without any."""
    levels = {note.level for note in notes}
    return "bad" if "bad" in levels else "warn" if "warn" in levels else "ok"
