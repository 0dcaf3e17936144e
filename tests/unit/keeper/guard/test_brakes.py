"""What a brake stops, costs and lasts, and why it is refused, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.rule.arithmetic import period_start
from ballast.units import DAY_S
from keeper.guard.brakes import SUSPENSION_S, WINDOW_S, Brake, notice, period_end, refusal, veto_end
from keeper.output.condition import UNTIL_ENDED
from keeper.output.tables import when
from keeper.state import Action, FundState, Phase, Reason, Side
from tests.unit.keeper.simulated import Simulated


def waiting(april: Simulated, reason: Reason = Reason.NOT_YET, action: Action = Action.NONE) -> FundState:
    """April is determined and waits for its start in a day."""
    state = april.state
    return replace(state, phase=Phase.DETERMINED, action=action, reason=reason, next=state.time + DAY_S)


def name(token: str) -> str:
    return "UNI" if token == "0x01" else token


def test_a_stop_costs_the_guardian_two_periods(april: Simulated) -> None:
    end = period_start(april.state.period + 1, april.state.timetable.notice)
    vetoed = notice(Brake.VETO, waiting(april))
    assert "2021-04 as it was determined" in vetoed.stops and when(end) in vetoed.until
    assert vetoed.costs == "the guardian can neither veto nor end 2021-05; 2021-06 at the earliest"
    ended = notice(Brake.END_MONTH, april.state)
    assert ended.costs == vetoed.costs
    # An open month ends by its own clock, whatever the period is now.
    assert period_end(april.state) == april.state.opening.end + 1
    assert when(april.state.opening.end + 1) in ended.until


def test_a_pause_counts_against_the_budget_and_may_let_a_month_pass(april: Simulated) -> None:
    state = replace(april.state, pause_left=1_000)
    told = notice(Brake.PAUSE, state, seconds=400)
    assert told.costs.startswith("6 min 40 s of the 16 min 40 s that are left in 30 days; 10 min stay; all come back ")
    assert when(state.time + WINDOW_S) in told.costs
    assert told.until == f"{when(state.time + 400)}, or `unpause`"
    due = waiting(april, Reason.DUE, Action.START)
    assert "so it is missed" in notice(Brake.PAUSE, due, seconds=DAY_S).until
    assert "missed" not in notice(Brake.PAUSE, due, seconds=DAY_S - 1).until
    late = replace(state, opening=replace(state.opening, end=state.time + 10))
    assert "the rest is not traded" in notice(Brake.PAUSE, late, seconds=11).until
    assert "not traded" not in notice(Brake.PAUSE, late, seconds=10).until
    rest = notice(Brake.UNPAUSE, replace(state, paused_until=state.time + 77))
    assert rest.costs == "nothing: its last 1 min 17 s count as not used"


def test_a_suspension_says_what_it_does_to_an_open_month(april: Simulated) -> None:
    first = april.state.holdings[0]
    assert first.side is not Side.HELD
    told = notice(Brake.SUSPEND, april.state, token=first.token, name="UNI")
    assert "the open month goes on without it" in told.stops
    assert told.until == when(april.state.time + SUSPENSION_S)
    assert f"again from {when(april.state.time + WINDOW_S)}" in told.costs
    held = replace(april.state, holdings=(replace(first, side=Side.HELD), *april.state.holdings[1:]))
    assert "open month" not in notice(Brake.SUSPEND, held, token=first.token, name="UNI").stops
    assert "open month" not in notice(Brake.SUSPEND, waiting(april), token=first.token, name="UNI").stops


def test_until_when_a_veto_is_open(april: Simulated) -> None:
    tomorrow = when(april.state.time + DAY_S)
    expected = {
        Reason.NOT_YET: f"from {tomorrow} on",
        Reason.PAUSED: f"before the pause ends at {tomorrow}",
        Reason.TOO_LATE: "too late to start",
        Reason.DUE: f"may do now and until {tomorrow}",
    }
    for reason, words in expected.items():
        assert words in veto_end(waiting(april, reason))


@pytest.mark.parametrize(
    ("error", "arguments", "words"),
    [
        ("StoppedBefore", (2021 * 12 + 2,), "the guardian stopped 2021-03 and may stop one of two periods: 2021-05"),
        ("PausedBefore", (0,), "it is paused until 1970-01-01 00:00:00 UTC; to change that, `unpause`"),
        ("PauseOutOfBounds", (5, 0), "are used up"),
        ("PauseOutOfBounds", (5, 4), "found 5 s, expected 1 s to 4 s"),
        ("NotPaused", (), "it is not paused"),
        ("AlreadySuspended", ("0x01", 0), "UNI is suspended until 1970-01-01 00:00 UTC already; for longer, the owner"),
        ("AlreadySuspended", ("0x01", UNTIL_ENDED), "UNI is suspended until the owner ends it already"),
        ("SuspendedBefore", ("0x01", 0), "in the last 30 days, and may from 1970-01-01 00:00:00 UTC on"),
        ("NotComponent", ("0x01",), "UNI is not on the fund's list"),
        ("WrittenOff", ("0x01",), "UNI is written off"),
        ("Locked", (), "try again in the next block"),
        ("Unheard", (1, "a"), "it would revert with Unheard(1, 'a')"),
        ("", (), "it would revert with no reason"),
    ],
)
def test_a_refusal_in_words(april: Simulated, error: str, arguments: tuple[object, ...], words: str) -> None:
    assert words in refusal(error, arguments, april.state, name)


def test_nothing_to_veto_or_to_end_says_what_to_do(april: Simulated) -> None:
    def veto(**changes: object) -> str:
        return refusal("NothingToVeto", (), replace(april.state, **changes), name)  # type: ignore[arg-type]

    before = april.state.period - 1
    assert "`end-month` ends it" in veto()
    assert "2021-04 is vetoed already" in veto(phase=Phase.VETOED)
    assert "2021-03 was not started in time; 2021-04" in veto(phase=Phase.DETERMINED, month_period=before)
    assert "2021-04 is over" in veto(phase=Phase.IDLE)
    for phase, period in ((Phase.IDLE, before), (Phase.VOIDED, april.state.period), (Phase.VETOED, before)):
        assert "2021-04 is not determined yet" in veto(phase=phase, month_period=period)
    assert "`veto` stops that" in refusal("NothingToEnd", (), waiting(april), name)
    assert "no month is open" in refusal("NothingToEnd", (), replace(april.state, phase=Phase.IDLE), name)
