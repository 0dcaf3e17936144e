"""What a fund's state says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.state import Action, Phase, Reason
from tests.unit.keeper.simulated import load, trading

LATER = 1_000


@pytest.mark.parametrize(
    ("phase", "action", "reason", "named"),
    [
        (Phase.IDLE, Action.NONE, Reason.DONE, True),
        (Phase.VETOED, Action.NONE, Reason.VETOED, True),
        (Phase.DETERMINED, Action.NONE, Reason.TOO_LATE, True),
        (Phase.IDLE, Action.DETERMINE, Reason.DUE, False),
        (Phase.DETERMINED, Action.NONE, Reason.NOT_YET, False),
        (Phase.IDLE, Action.NONE, Reason.PAUSED, False),
    ],
)
def test_the_next_determination(phase: Phase, action: Action, reason: Reason, named: bool) -> None:
    """As far as the fund says when it comes; else now."""
    state = trading(*load()).state
    waiting = replace(state, phase=phase, action=action, reason=reason, next=state.time + LATER)
    assert waiting.next_determination == state.time + (LATER if named else 0)


def test_the_next_determination_after_a_month_that_trades() -> None:
    state = trading(*load()).state
    assert state.phase is Phase.TRADING
    assert state.next_determination == state.opening.end + 1 > state.time
    assert replace(state, time=state.opening.end + LATER).next_determination == state.opening.end + LATER
