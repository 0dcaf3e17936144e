"""When a period's steps are possible and when they happened. Pure; times are chain time, Unix seconds."""

from __future__ import annotations

from ballast.parts import DAYS
from ballast.rule.arithmetic import execution_time, period_start
from keeper.state import FundState, Phase, Timetable


def period_shown(state: FundState) -> int:
    """The period on the page: the month's while it trades, however late, else the current one."""
    return state.month_period if state.phase is Phase.TRADING else state.period


def timeline(state: FundState, started_at: int | None, done_at: int | None) -> dict[str, int | None]:
    """The period by the contract's schedule, from `opens` to `end` (exclusive). `determined_at`: when its weights were
    fixed, None: not yet. Trading may start from `start_from` until `start_until`; `started_at` and `done_at`: when the
    keeper first saw trading open and over, None: not seen. `next_start`: the next period's first possible start."""
    period, table = period_shown(state), state.timetable
    holds = state.month_period == period and state.phase is not Phase.VOIDED
    determined = state.determined_at if holds and state.determined_at else None
    opens, end = (period_start(number, table.notice_days) for number in (period, period + 1))
    start_from = first_start(period, table)
    if determined is not None:
        start_from = max(start_from, determined + table.min_notice)
    return {
        "period": period,
        "opens": opens,
        "determined_at": determined,
        "start_from": start_from,
        "start_until": end - table.min_trading,
        "started_at": started_at,
        "done_at": done_at,
        "end": end,
        "next_start": first_start(period + 1, table),
    }


def first_start(period: int, table: Timetable) -> int:
    """First second of a period's execution day, but not before `min_notice` after the period begins."""
    day = execution_time(period, DAYS[table.day], table.fixed_day)
    return max(day, period_start(period, table.notice_days) + table.min_notice)
