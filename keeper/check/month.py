"""Checks of the fund's state: its components, the guardian's brakes, the month and what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Says
from keeper.output.condition import condition
from keeper.output.tables import hours, symbol, when
from keeper.state import Action, FundState, Holding, Reason

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


def states(fund: CheckedFund) -> Iterator[Finding]:
    """Components that are suspended, written off or unreliable; the check of feeds covers missing prices."""
    state = fund.state
    told = [(h, condition(state, h)) for h in state.holdings if not state.active(h) or _unfit(state, h)]
    for holding, why in told:
        says = Says("state", symbol(fund.book, holding))
        if holding.written_off:
            yield says.warning(
                f"{why}: mint and redeem leave it out", "nothing: the next start takes it off the list of components"
            )
        elif state.suspended(holding):
            yield says.warning(
                f"{why}: not traded, out of weights and NAV, nobody can mint; redeem pays it",
                "nothing: the keeper goes on with the others; the owner can extend it, end it, or write it off",
            )
        else:
            yield says.warning(
                f"{why}: not traded, out of weights and NAV, nobody can mint; redeem has to skip it",
                "tell the guardian: once it is suspended an open month goes on without what it has left to trade",
            )
    if not told:
        yield Says("state", fund.book.fund).ok(f"{len(state.holdings)} components, none suspended or written off")


def _unfit(state: FundState, holding: Holding) -> bool:
    return not holding.sound or (holding.price > 0 and not state.counts(holding))


def brakes(fund: CheckedFund) -> Iterator[Finding]:
    """The guardian's brakes: those in use, and those left."""
    state = fund.state
    says = Says("brakes", fund.book.fund)
    left = f"the guardian may pause for {hours(state.pause_left)} of any 30 days"
    if state.last_stop and state.last_stop + 1 >= state.period:
        left += f", and may not veto or end a month now: it did in {state.label_of(state.last_stop)}"
    else:
        left += ", and may veto or end a month"
    if state.paused_until > state.time:
        yield says.warning(
            f"paused until {when(state.paused_until)}; {left}",
            "nothing: redeeming goes on; guardian or owner can end the pause, and can end the month while it lasts",
        )
    elif not state.pause_left:
        yield says.warning(
            f"{left}: what it had is used up", "nothing; in an emergency guardian or owner can still end the month"
        )
    else:
        yield says.ok(f"not paused; {left}")


def schedule(fund: CheckedFund) -> Iterator[Finding]:
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
    """Text: what is due now, or why nothing is, and when to look again."""
    if state.action is not Action.NONE:
        return f"{state.action.name.lower()} is due now"
    why = state.reason.name.lower().replace("_", " ")
    return f"nothing due ({why})" + (f", next look {when(state.next)}" if state.next else "")
