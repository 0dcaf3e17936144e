"""The times at which a period's steps are possible and have happened. Pure; times are chain time, Unix seconds."""

from __future__ import annotations

from ballast.rule import calendar
from keeper.state import FundState, Phase


def period_shown(state: FundState) -> int:
    """The period on the page: the month's while it trades, however late, else the current one."""
    return state.month_period if state.phase is Phase.TRADING else state.period


def timeline(state: FundState, started_at: int | None, done_at: int | None) -> dict[str, int | None]:
    """The period by the contract's calendar, from `opens` to `end` (exclusive). `determined_at`: time of its
    determination, None: not yet. Trading may start from `start_from` until `start_until`; `started_at` and `done_at`:
    when the keeper first saw trading open and over, None: not seen. `next_start`: the next period's first possible
    start."""
    number = period_shown(state)
    shown, after = (calendar.period(each, state.timetable, state.former) for each in (number, number + 1))
    holds = state.month_period == number and state.phase is not Phase.VOIDED
    determined = state.determined_at if holds and state.determined_at else None
    start_from = shown.first_start
    if determined is not None:
        start_from = max(start_from, determined + shown.min_notice)
    return {
        "period": number,
        "opens": shown.start,
        "determined_at": determined,
        "start_from": start_from,
        "start_until": shown.end - shown.min_trading,
        "started_at": started_at,
        "done_at": done_at,
        "end": shown.end,
        "next_start": after.first_start,
    }
