"""The states of the components, and the guardian's brakes."""

from __future__ import annotations

from collections.abc import Iterator

from ballast.units import HOUR_S
from keeper.check.context import Fund
from keeper.check.lines import Line, Says
from keeper.output.condition import condition
from keeper.output.tables import period_text, symbol, when
from keeper.state import FundState, Holding


def states(fund: Fund) -> Iterator[Line]:
    """Components that are suspended, written off or unreliable. A missing price is left to the check of feeds."""
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


def brakes(fund: Fund) -> Iterator[Line]:
    """The guardian's brakes: what is used and what is left."""
    state = fund.state
    says = Says("brakes", fund.book.fund)
    left = f"the guardian may pause for {_hours(state.pause_left)} of any 30 days"
    if state.last_stop and state.last_stop + 1 >= state.period:
        left += f", and may not veto or end a month now: it did in {period_text(state.last_stop)}"
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


def _hours(seconds: int) -> str:
    return f"{seconds / HOUR_S:.4g} h"
