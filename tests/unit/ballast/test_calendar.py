"""Periods of any length, and what they are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.rule import calendar
from ballast.rule.calendar import MONTH, QUARTER, Timetable, period_at
from ballast.units import DAY_S, HOUR_S


def time(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


APRIL = 2021 * 12 + 3
MONTHS = Timetable(MONTH, 0, 0, 7 * DAY_S, 2 * DAY_S, 2 * DAY_S, begins=time(2021, 3, 25), first=APRIL)
QUARTERS = replace(MONTHS, length=QUARTER, begins=time(2021, 6, 24), first=APRIL + 3)
AUTUMN = replace(QUARTERS, begins=time(2021, 10, 25))
WEEKS = Timetable(7 * DAY_S, 0, 0, 2 * DAY_S, DAY_S, DAY_S, begins=time(2021, 6, 24), first=APRIL + 3)
HOURS = Timetable(2 * HOUR_S, 0, 0, 1_800, 720, 600, begins=time(2021, 6, 24, 13), first=APRIL + 3)


def test_a_month() -> None:
    may = calendar.period(APRIL + 1, MONTHS)
    assert (may.start, may.end) == (time(2021, 4, 24), time(2021, 5, 25))
    assert may.execution == time(2021, 5, 3), "the 1st is a Saturday"
    assert may.first_start == may.execution
    assert period_at(may.start, MONTHS) == period_at(may.end - 1, MONTHS) == may


def test_a_quarter_follows_the_month_in_which_it_begins() -> None:
    first = period_at(time(2021, 7, 15), QUARTERS)
    assert first.id == QUARTERS.first
    assert (first.start, first.execution, first.end) == (time(2021, 6, 24), time(2021, 7, 1), time(2021, 9, 24))
    february = replace(QUARTERS, begins=time(2022, 1, 25))
    assert period_at(time(2022, 4, 1), february).end == time(2022, 4, 24), "February to April"


def test_seconds() -> None:
    second = calendar.period(HOURS.first + 1, HOURS)
    assert (second.start, second.execution) == (time(2021, 6, 24, 15), time(2021, 6, 24, 15, 30))
    assert second.end - second.start == 2 * HOUR_S


def test_the_last_period_lasts_until_the_change() -> None:
    later = replace(WEEKS, begins=time(2021, 7, 10), first=APRIL + 3)
    june = period_at(time(2021, 7, 9), later, MONTHS)
    assert (june.id, june.start, june.end) == (APRIL + 2, time(2021, 5, 25), later.begins)
    assert (june.execution, june.min_notice) == (time(2021, 6, 1), MONTHS.min_notice), "under its own rules"
    assert period_at(later.begins, later, MONTHS).id == APRIL + 3
    assert calendar.period(APRIL + 2, later, MONTHS) == june


@pytest.mark.parametrize(
    ("table", "period", "name", "label"),
    [
        (MONTHS, APRIL, "April 2021", "2021-04"),
        (QUARTERS, APRIL + 3, "July to September 2021", "2021-07 to 2021-09"),
        (QUARTERS, APRIL + 5, "January to March 2022", "2022-01 to 2022-03"),
        (
            replace(QUARTERS, begins=time(2021, 10, 25)),
            APRIL + 3,
            "November 2021 to January 2022",
            "2021-11 to 2022-01",
        ),
        (WEEKS, APRIL + 4, "1 July 2021", "2021-07-01"),
        (HOURS, APRIL + 4, "24 June 2021 15:00 UTC", "2021-06-24 15:00"),
        (replace(WEEKS, begins=WEEKS.begins + 60), APRIL + 3, "24 June 2021 00:01 UTC", "2021-06-24 00:01"),
    ],
)
def test_names(table: Timetable, period: int, name: str, label: str) -> None:
    assert (calendar.name(period, table, MONTHS), calendar.label(period, table, MONTHS)) == (name, label)
    assert calendar.name(APRIL + 1, QUARTERS, MONTHS) == "May 2021", "of the timetable before"


@pytest.mark.parametrize(
    ("text", "table", "period"),
    [
        ("2021-05", MONTHS, APRIL + 1),
        ("2021-05-31", MONTHS, APRIL + 1),
        ("2021-01", MONTHS, APRIL - 3),
        ("2021-05", QUARTERS, APRIL + 1),
        ("2021-08", QUARTERS, APRIL + 3),
        ("2021-12", QUARTERS, APRIL + 4),
        ("2021-06-30", WEEKS, APRIL + 3),
        ("2021-07-01T00:00", WEEKS, APRIL + 4),
        ("2021-06-24 15:59", HOURS, APRIL + 4),
    ],
)
def test_a_period_is_found_by_its_date(text: str, table: Timetable, period: int) -> None:
    assert calendar.id_of(text, table, None if table is MONTHS else MONTHS) == period


@pytest.mark.parametrize("text", ["2021-13", "April", "", "2021", "2021-02-30"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a month such as 2021-04"):
        calendar.id_of(text, MONTHS)


def test_a_month_of_weeks_is_no_period() -> None:
    with pytest.raises(ValueError, match="expected a day such as 2021-04-12"):
        calendar.id_of("2021-08", WEEKS, MONTHS)


@given(
    length=st.one_of(st.sampled_from([MONTH, QUARTER]), st.integers(HOUR_S, 92 * DAY_S)),
    begins=st.integers(time(2021, 1, 1), time(2080, 1, 1)),
    notice=st.integers(DAY_S, 14 * DAY_S),
    after=st.integers(0, 10**9),
)
def test_each_moment_lies_in_one_period(length: int, begins: int, notice: int, after: int) -> None:
    table = Timetable(length, 0, 0, notice, 0, 0, begins, first=7)
    found = period_at(begins + after, table)
    assert found.start <= begins + after < found.end
    assert period_at(found.end, table).id == found.id + 1
    assert calendar.period(found.id, table) == found
