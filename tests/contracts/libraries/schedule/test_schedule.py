"""Months and execution days on chain against Python's calendar, for every month from 2020 to 2100."""

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


def test_each_second_lies_in_one_month(chain: Chain, schedule: Contract) -> None:
    starts = [midnight(first) for first in months()]
    assert chain.read(schedule.monthsAt(starts)) == [FIRST + k for k in range(MONTHS)]
    assert chain.read(schedule.monthsAt([start - 1 for start in starts])) == [FIRST + k - 1 for k in range(MONTHS)]


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


@given(times=st.lists(st.integers(midnight(date(2020, 1, 1)), midnight(date(2100, 12, 16))), min_size=1, max_size=200))
@FUZZ
def test_any_time(chain: Chain, schedule: Contract, times: list[int]) -> None:
    assert chain.read(schedule.monthsAt(times)) == [arithmetic.month_at(time) for time in times]


@given(month=st.integers(FIRST, FIRST + MONTHS - 1), fixed_day=st.integers(1, 28))
@FUZZ
def test_second_implementation_agrees(chain: Chain, schedule: Contract, month: int, fixed_day: int) -> None:
    kinds = (FIRST_BUSINESS_DAY, "first_business_day"), (LAST_DAY, "last_day"), (FIXED_DAY, "fixed_day")
    for kind, name in kinds:
        (time,) = chain.read(schedule.executionTimes(month, 1, kind, fixed_day))
        assert time == arithmetic.execution_time(month, name, fixed_day)
        assert time % DAY_S == 0
