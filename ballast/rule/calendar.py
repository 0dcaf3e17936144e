"""The periods of a fund, as in its calendar contract. Times are Unix seconds.

A timetable counts periods from the id `first` at time `begins`: in seconds, or in calendar months, where a period
begins `notice` seconds before its first month. Until a timetable begins the previous one (`former`) applies, and its
last period ends then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ballast.rule.arithmetic import execution_time, first_day, midnight, month_at
from ballast.units import DAY_S

MONTH, QUARTER = 1, 3
"""Lengths of a period in calendar months; all other lengths are seconds."""
DAYS = ("first_business_day", "last_day", "fixed_day")
"""Kinds of execution day, in the order of the contract's enum."""

_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Timetable:
    """The contract's `Timetable`. `day`: number of the kind of execution day (see `DAYS`); `fixed_day`: only for a
    fixed day; `notice`, `min_notice` and `min_trading`: seconds."""

    length: int
    day: int
    fixed_day: int
    notice: int
    min_notice: int
    min_trading: int
    begins: int
    first: int

    @property
    def of_months(self) -> bool:
        """Whether its periods are calendar months."""
        return self.length in (MONTH, QUARTER)


@dataclass(frozen=True)
class Period:
    """The contract's `Period`; `end`: first second of the next one."""

    id: int
    start: int
    end: int
    execution: int
    min_notice: int
    min_trading: int

    @property
    def first_start(self) -> int:
        """Earliest time of its start."""
        return max(self.execution, self.start + self.min_notice)


def least_length(length: int) -> int:
    """Least seconds of a period of this length; for three months, those of February to April."""
    return {MONTH: 28 * DAY_S, QUARTER: 89 * DAY_S}.get(length, length)


def period_at(time: int, timetable: Timetable, former: Timetable | None = None) -> Period:
    """The period at a time."""
    if former is not None and time < timetable.begins:
        return period(min(_id_at(time, former), timetable.first - 1), timetable, former)
    return period(_id_at(time, timetable), timetable)


def period(number: int, timetable: Timetable, former: Timetable | None = None) -> Period:
    """The period with this id. For periods before both timetables, extends the older one backwards."""
    table = _table(number, timetable, former)
    last = table is former and number == timetable.first - 1
    return Period(
        id=number,
        start=_start(number, table),
        end=timetable.begins if last else _start(number + 1, table),
        execution=_execution(number, table),
        min_notice=table.min_notice,
        min_trading=table.min_trading,
    )


def name(number: int, timetable: Timetable, former: Timetable | None = None) -> str:
    """A period's name: "April 2021", "April to June 2021", "12 April 2021", or that with the time of day if periods are
    not whole days or do not begin at midnight."""
    table = _table(number, timetable, former)
    if table.of_months:
        month = _month(number, table)
        return month_name(month) if table.length == MONTH else quarter_name(month)
    start = datetime.fromtimestamp(_start(number, table), UTC)
    day = f"{start.day} {_NAMES[start.month - 1]} {start.year}"
    return day if _at_midnight(table) else f"{day} {start:%H:%M} UTC"


def label(number: int, timetable: Timetable, former: Timetable | None = None) -> str:
    """A period's short name: "2021-04", "2021-04 to 2021-06", "2021-04-12", or that with the time of day as in
    `name`."""
    table = _table(number, timetable, former)
    if table.of_months:
        first = _month(number, table)
        months = [f"{month // 12}-{month % 12 + 1:02d}" for month in (first, first + table.length - 1)]
        return " to ".join(dict.fromkeys(months))
    start = datetime.fromtimestamp(_start(number, table), UTC)
    return f"{start:%Y-%m-%d}" if _at_midnight(table) else f"{start:%Y-%m-%d %H:%M}"


def id_of(text: str, timetable: Timetable, former: Timetable | None = None) -> int:
    """The period of a month ("2021-04"), or of a day with or without a time (UTC). A period of calendar months is that
    whose name has the month. Raises ValueError with what is expected."""
    time, only_month = begin_of(text)
    number = _named(time, timetable)
    if former is not None and number < timetable.first:
        timetable, number = former, min(_named(time, former), timetable.first - 1)
    if only_month and not timetable.of_months:
        raise ValueError(f"expected a day such as 2021-04-12: then a period lasted {timetable.length} seconds")
    return number


def begin_of(text: str) -> tuple[int, bool]:
    """Begin of a month ("2021-04"), or of a day with or without a time (UTC), in Unix seconds, and whether it is a
    month. Raises ValueError with what is expected."""
    year, _, month = text.partition("-")
    only_month = year.isdecimal() and len(year) == 4 and month.isdecimal() and 1 <= int(month) <= 12
    try:
        given = datetime.fromisoformat(f"{year}-{int(month):02d}-01" if only_month else text)
    except ValueError:
        raise ValueError("expected a month such as 2021-04, or a day such as 2021-04-12 or 2021-04-12T14:00") from None
    return int(given.replace(tzinfo=given.tzinfo or UTC).timestamp()), only_month


def month_name(month: int) -> str:
    """ "April 2021" of a calendar month."""
    return f"{_NAMES[month % 12]} {month // 12}"


def quarter_name(month: int) -> str:
    """ "April to June 2021" of the three calendar months from this one."""
    last = month + QUARTER - 1
    year = "" if last // 12 == month // 12 else f" {month // 12}"
    return f"{_NAMES[month % 12]}{year} to {month_name(last)}"


def _table(number: int, timetable: Timetable, former: Timetable | None) -> Timetable:
    """The timetable of a period."""
    return former if former is not None and former.length and number < timetable.first else timetable


def _at_midnight(table: Timetable) -> bool:
    """Whether all periods of a timetable in seconds begin at midnight."""
    return table.length % DAY_S == 0 and table.begins % DAY_S == 0


def _id_at(time: int, table: Timetable) -> int:
    if table.of_months:
        months = month_at(time + table.notice) - month_at(table.begins + table.notice)
        return table.first + months // table.length
    return table.first + (time - table.begins) // table.length


def _named(time: int, table: Timetable) -> int:
    """The period at a time; for calendar months, the one whose name has the time's month."""
    return _id_at(time - table.notice if table.of_months else time, table)


def _start(number: int, table: Timetable) -> int:
    if number == table.first:
        return table.begins
    if table.of_months:
        return midnight(first_day(_month(number, table))) - table.notice
    return table.begins + (number - table.first) * table.length


def _execution(number: int, table: Timetable) -> int:
    if table.of_months:
        return execution_time(_month(number, table), DAYS[table.day], table.fixed_day)
    return _start(number, table) + table.notice


def _month(number: int, table: Timetable) -> int:
    """The first calendar month of a period."""
    return month_at(table.begins + table.notice) + (number - table.first) * table.length
