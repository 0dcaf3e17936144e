"""Periods and execution days on chain against Python's calendar, for every month from 2020 to 2100."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.rule import arithmetic
from ballast.units import DAY_S
from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import FIRST_BUSINESS_DAY, FIXED_DAY, LAST_DAY

FIRST, MONTHS = 2020 * 12, 81 * 12
"""January 2020, and the number of months to December 2100."""


@pytest.fixture(scope="module")
def schedule(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("ScheduleHarness", sender=chain.account("deployer"))


def months() -> list[date]:
    """The first of every month."""
    return [date(2020 + k // 12, k % 12 + 1, 1) for k in range(MONTHS)]


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("notice_days", [0, 1, 7, 14])
def test_period_starts(chain: Chain, schedule: Contract, notice_days: int) -> None:
    found = chain.read(schedule.periodStarts(FIRST, MONTHS, notice_days))
    assert found == [midnight(first - timedelta(days=notice_days)) for first in months()]
    assert found[-1] == midnight(date(2100, 12, 1) - timedelta(days=notice_days))


@pytest.mark.parametrize("notice_days", [1, 7, 14])
def test_each_second_lies_in_one_period(chain: Chain, schedule: Contract, notice_days: int) -> None:
    starts = [midnight(first - timedelta(days=notice_days)) for first in months()]
    assert chain.read(schedule.periodsAt(starts, notice_days)) == [FIRST + k for k in range(MONTHS)]
    before = [start - 1 for start in starts]
    assert chain.read(schedule.periodsAt(before, notice_days)) == [FIRST + k - 1 for k in range(MONTHS)]


def test_first_business_days(chain: Chain, schedule: Contract) -> None:
    found = chain.read(schedule.executionTimes(FIRST, MONTHS, FIRST_BUSINESS_DAY, 0))
    wanted = []
    for first in months():
        day = first
        while day.isoweekday() > 5:
            day += timedelta(days=1)
        wanted.append(midnight(day))
    assert found == wanted
    # 2021-05-01 and 2027-08-01 are a Saturday and a Sunday.
    by_month = dict(zip(months(), found, strict=True))
    assert by_month[date(2021, 4, 1)] == midnight(date(2021, 4, 1))
    assert by_month[date(2021, 5, 1)] == midnight(date(2021, 5, 3))
    assert by_month[date(2027, 8, 1)] == midnight(date(2027, 8, 2))


def test_last_days_of_the_month_before(chain: Chain, schedule: Contract) -> None:
    found = chain.read(schedule.executionTimes(FIRST, MONTHS, LAST_DAY, 0))
    assert found == [midnight(first - timedelta(days=1)) for first in months()]
    by_month = dict(zip(months(), found, strict=True))
    assert by_month[date(2024, 3, 1)] == midnight(date(2024, 2, 29))
    assert by_month[date(2100, 3, 1)] == midnight(date(2100, 2, 28)), "2100 is no leap year"


@pytest.mark.parametrize("fixed_day", [1, 2, 15, 28])
def test_fixed_days(chain: Chain, schedule: Contract, fixed_day: int) -> None:
    found = chain.read(schedule.executionTimes(FIRST, MONTHS, FIXED_DAY, fixed_day))
    assert found == [midnight(first.replace(day=fixed_day)) for first in months()]


@given(
    times=st.lists(st.integers(midnight(date(2020, 1, 1)), midnight(date(2100, 12, 16))), min_size=1, max_size=200),
    notice_days=st.integers(0, 14),
)
@FUZZ
def test_any_time(chain: Chain, schedule: Contract, times: list[int], notice_days: int) -> None:
    found = chain.read(schedule.periodsAt(times, notice_days))
    days = [datetime.fromtimestamp(time, UTC) + timedelta(days=notice_days) for time in times]
    assert found == [day.year * 12 + day.month - 1 for day in days]
    assert found == [arithmetic.period_at(time, notice_days) for time in times]


@given(period=st.integers(FIRST, FIRST + MONTHS - 1), fixed_day=st.integers(1, 28), notice_days=st.integers(0, 14))
@FUZZ
def test_second_implementation_agrees(
    chain: Chain, schedule: Contract, period: int, fixed_day: int, notice_days: int
) -> None:
    (begin,) = chain.read(schedule.periodStarts(period, 1, notice_days))
    assert begin == arithmetic.period_start(period, notice_days)
    kinds = (FIRST_BUSINESS_DAY, "first_business_day"), (LAST_DAY, "last_day"), (FIXED_DAY, "fixed_day")
    for kind, name in kinds:
        (time,) = chain.read(schedule.executionTimes(period, 1, kind, fixed_day))
        assert time == arithmetic.execution_time(period, name, fixed_day)
        assert time % DAY_S == 0
