"""Texts about the guardian's brakes: what each stops, what it costs, until when it lasts, and why it is refused. Pure.

The limits are the contracts' (docs/contracts.md, "Brakes"); a simulated call shows which of them applies, and `refusal`
turns its revert into text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ballast.rule import calendar
from ballast.units import DAY_S
from ballast.values import percent, span_text
from keeper.output.condition import UNTIL_ENDED, suspension
from keeper.output.tables import when
from keeper.state import Action, FundState, Phase, Reason, Side

SUSPENSION_S = 7 * DAY_S
"""Duration of a suspension by the guardian, seconds."""
WINDOW_S = 30 * DAY_S
"""Seconds in which a guardian may suspend a token once, and for which a pause counts from the last one's begin."""

OWNER = "the owner can at any time, through the timelock (ape run govern)"


class Brake(StrEnum):
    """The guardian's brakes; the values are the names of the commands."""

    VETO = "veto"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    END_MONTH = "end-month"


FUNCTIONS = {
    Brake.VETO: "veto",
    Brake.PAUSE: "pauseFor",
    Brake.UNPAUSE: "unpause",
    Brake.SUSPEND: "suspend",
    Brake.END_MONTH: "endMonth",
}
"""The rebalancer's function of each brake."""


@dataclass(frozen=True)
class Notice:
    """Texts: what a brake stops, what it costs, and until when it lasts."""

    stops: str
    costs: str
    until: str


def period_end(state: FundState) -> int:
    """Begin of the next period, Unix seconds: after the open month's period, else after the current one."""
    if state.phase is Phase.TRADING:
        return state.opening.end + 1
    return calendar.period(state.period, state.timetable, state.former).end


def veto_end(state: FundState) -> str:
    """Text: until when a determined month can be vetoed."""
    match state.reason:
        case Reason.NOT_YET:
            return f"until somebody starts the month, which anyone may do from {when(state.next)} on"
        case Reason.PAUSED:
            return f"until somebody starts the month, which nobody can before the pause ends at {when(state.next)}"
        case Reason.TOO_LATE:
            return f"until {when(state.next)}, without need: it is too late to start the month"
    return f"until somebody starts the month, which anyone may do now and until {when(state.next)}"


def notice(brake: Brake, state: FundState, *, seconds: int = 0, token: str = "", name: str = "") -> Notice:
    """The effect of a brake in this state. `seconds`: of a pause; `token` and `name`: of the token to suspend."""
    month = state.label_of(state.month_period)
    end = period_end(state)
    match brake:
        case Brake.VETO:
            stops = f"{month} as it was determined: it is not started and nothing is traded; shares are minted and "
            return Notice(f"{stops}redeemed as always", _stop_costs(state), f"the next determination, from {when(end)}")
        case Brake.END_MONTH:
            left, lack = state.progress.surplus, max(0, state.opening.buy_targets - state.progress.held)
            stops = f"the trading of {month} as it stands: what was traded stays traded; {percent(left)} of NAV is not "
            stops += f"sold and {percent(lack)} not bought"
            return Notice(stops, _stop_costs(state), f"the next determination, from {when(end)}")
        case Brake.PAUSE:
            until = state.time + seconds
            stops = "determination, start, batches and close; shares are minted and redeemed, and the other brakes "
            stops += "work, as always"
            return Notice(stops, _pause_costs(state, seconds), f"{when(until)}, or `unpause`{_missed(state, until)}")
        case Brake.UNPAUSE:
            rest = max(0, state.paused_until - state.time)
            stops = f"the pause, which would last until {when(state.paused_until)}"
            return Notice(stops, f"nothing: its last {span_text(rest)} count as not used", "for good")
        case Brake.SUSPEND:
            until = state.time + SUSPENSION_S
            again = when(state.time + WINDOW_S)
            return Notice(
                f"weighing and trading of {name}, and all minting; redeeming pays it as always{_open(state, token)}",
                f"the guardian can suspend {name} again from {again} at the earliest, and cannot end it: {OWNER}",
                when(until),
            )


def refusal(error: str, arguments: Sequence[Any], state: FundState, name: Callable[[str], str]) -> str:
    """Why the rebalancer refuses the guardian a brake, in one line with a remedy. `error` and `arguments`: those of the
    revert; `name`: a token's symbol."""
    match error, *arguments:
        case ["NothingToVeto" | "NothingToEnd"]:
            text = _nothing_to_veto(state) if error == "NothingToVeto" else _nothing_to_end(state)
        case ["StoppedBefore", period]:
            again = f"may stop one of two periods: {state.label_of(period + 2)} at the earliest"
            text = f"the guardian stopped {state.label_of(period)} and {again}; `pause` and `suspend` work, and {OWNER}"
        case ["PausedBefore", until]:
            text = f"it is paused until {when(until)}; to change that, `unpause` and pause anew"
        case ["PauseOutOfBounds", _, 0]:
            other = "meanwhile `veto`, `end-month` and `suspend` stop what they can"
            text = f"the guardian's 3 days of pauses are used up until 30 days after the last one began; {other}"
        case ["PauseOutOfBounds", asked, most]:
            text = f"found {span_text(asked)}, expected 1 s to {span_text(most)}, what is left of 3 days in 30"
        case ["NotPaused"]:
            text = "it is not paused; there is nothing to end"
        case ["AlreadySuspended", token, until]:
            longer = "" if until >= UNTIL_ENDED else f"; for longer, {OWNER}"
            text = f"{name(token)} is {suspension(until)} already{longer}"
        case ["SuspendedBefore", token, again]:
            text = f"the guardian suspended {name(token)} in the last 30 days, and may from {when(again)} on; {OWNER}"
        case ["NotComponent", token]:
            text = f"{name(token)} is not on the fund's list; a month that brings it in can be stopped by `veto`"
        case ["WrittenOff", token]:
            text = f"{name(token)} is written off: out of mint, NAV and trading for good"
        case ["Locked"]:
            text = "the fund's lock is held; try again in the next block"
        case _:
            text = f"it would revert with {error or 'no reason'}{tuple(arguments) if arguments else ''}"
    return text


def _nothing_to_veto(state: FundState) -> str:
    month = state.label_of(state.month_period)
    match state.phase:
        case Phase.TRADING:
            return f"{month} is open already; `end-month` ends it as it stands, `pause` stops its trading"
        case Phase.VETOED if state.month_period == state.period:
            return f"{month} is vetoed already; the next determination is possible from {when(period_end(state))}"
        case Phase.DETERMINED if state.month_period != state.period:
            return f"{month} was not started in time; {state.label_of(state.period)} is to be determined"
    if state.month_period == state.period and state.phase is not Phase.VOIDED:
        return f"{month} is over; the next determination is possible from {when(period_end(state))}"
    return f"{state.label_of(state.period)} is not determined yet; wait for that, `watch` tells of it"


def _nothing_to_end(state: FundState) -> str:
    if state.phase is Phase.DETERMINED and state.month_period == state.period:
        return f"{state.label_of(state.month_period)} is determined and not started; `veto` stops that"
    return "no month is open; there is nothing to end"


def _stop_costs(state: FundState) -> str:
    """Text: which brakes a veto or an end of the month costs the guardian."""
    following, free = state.label_of(state.month_period + 1), state.label_of(state.month_period + 2)
    return f"the guardian can neither veto nor end {following}; {free} at the earliest"


def _pause_costs(state: FundState, seconds: int) -> str:
    left = max(0, state.pause_left - seconds)
    again = when(state.time + WINDOW_S)
    of = f"{span_text(seconds)} of the {span_text(state.pause_left)} that are left in 30 days"
    return f"{of}; {span_text(left)} stay; all come back {again}"


def _missed(state: FundState, until: int) -> str:
    """Text: what the fund misses during a pause; empty if nothing."""
    if state.phase is Phase.DETERMINED and state.action is Action.START and until >= state.next:
        return f"; the month must be started by {when(state.next)}, so it is missed"
    if state.phase is Phase.TRADING and until > state.opening.end:
        return f"; the month ends at {when(state.opening.end + 1)}, so the rest is not traded"
    return ""


def _open(state: FundState, token: str) -> str:
    """Text: the effect of a suspension on an open month; empty if none."""
    traded = {h.token for h in state.holdings if h.side is not Side.HELD}
    if state.phase is not Phase.TRADING or token not in traded:
        return ""
    return "; the open month goes on without it, and ends if nothing else is left to sell or to buy"
