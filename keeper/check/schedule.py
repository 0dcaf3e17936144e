"""The month's state, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.check.context import Fund
from keeper.check.lines import Line, Says
from keeper.output.tables import when
from keeper.state import Action, FundState, Reason

_WHY = {
    Reason.LOCKED: ("the fund's lock is held", "it should last for one transaction only: run it again"),
    Reason.NOT_SEEDED: ("the fund holds nothing yet", "its deployment is not finished: seed it"),
    Reason.TOO_LATE: (
        "the month was determined, but too little of the period is left to start",
        "nothing: it goes on with the next period; find out why nobody started it",
    ),
    Reason.VETOED: ("the guardian has vetoed this period", "nothing: it goes on with the next period"),
    Reason.REFUSED: (
        "methodology or oracle refuses, so nothing can be called",
        "see the feeds above; if they are sound, `python -m keeper explain` and the owner of the methodology",
    ),
}
_FAILURES = (Reason.NOT_SEEDED, Reason.REFUSED)


def schedule(fund: Fund) -> Iterator[Line]:
    """What is due now, or why nothing is, and when to look again."""
    state = fund.state
    says = Says("schedule", fund.book.fund)
    if state.paused_until > state.time or state.reason is Reason.PAUSED:
        yield says.warning(
            f"paused until {when(state.paused_until)}", "nothing: the guardian paused it; see the brakes above"
        )
        return
    if state.reason not in _WHY:
        yield says.ok(due(state))
        return
    text, remedy = _WHY[state.reason]
    text += f"; next look {when(state.next)}" if state.next else ""
    yield says.failure(text, remedy) if state.reason in _FAILURES else says.warning(text, remedy)


def due(state: FundState) -> str:
    """What is due now, or why nothing is, and when to look again, as text."""
    if state.action is not Action.NONE:
        return f"{state.action.name.lower()} is due now"
    why = state.reason.name.lower().replace("_", " ")
    return f"nothing due ({why})" + (f", next look {when(state.next)}" if state.next else "")
