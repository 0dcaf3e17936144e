"""The timetable of a fund's periods in its file, with the contracts' bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from ballast.networks.presets import TEST_CHAINS
from ballast.parts import LimitsConfig, Model, duration, integer
from ballast.rule.calendar import DAYS, MONTH, QUARTER, least_length
from ballast.units import DAY_S, HOUR_S, WAD
from ballast.values import parse_date, parse_duration

MIN_PERIOD_S = HOUR_S
MAX_PERIOD_S = 92 * DAY_S
MAX_NOTICE_S = 14 * DAY_S
"""Longest notice if periods are calendar months."""
MIN_NOTICE_S = DAY_S
MIN_SHORT_NOTICE_S = HOUR_S
"""Least `min_notice` if periods are seconds; a tenth of a period if that is less."""
SCALE_S = 30 * DAY_S
"""Seconds of a month for scaling loss budget and step to shorter periods."""
MAX_LOSS_BUDGET = 2 * WAD // 100
MAX_STEP = WAD

_MONTHS = {"1 month": MONTH, "3 months": QUARTER}


def _period(value: object) -> int:
    if isinstance(value, str) and value.strip() in _MONTHS:
        return _MONTHS[value.strip()]
    right = 'expected "1 month", "3 months" or a duration from 1 hour to 92 days, such as "7 days"'
    try:
        seconds = parse_duration(value)
    except ValueError:
        raise ValueError(right) from None
    if seconds in _MONTHS.values() and isinstance(value, int):
        return seconds
    if not MIN_PERIOD_S <= seconds <= MAX_PERIOD_S:
        raise ValueError(right)
    return seconds


def _time(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_date(value)


class TimetableConfig(Model):
    """The timetable, see the rebalancer's `Timetable` and the calendar. Times in seconds; `period`: 1 or 3 for calendar
    months, else seconds. `begins`: begin of its first period, Unix seconds; 0: at the deployment, or when the current
    period ends."""

    period: Annotated[int, BeforeValidator(_period)] = MONTH
    day: Literal["first_business_day", "last_day", "fixed_day"] = "first_business_day"
    fixed_day: Annotated[int, integer(0, 28)] = 0
    notice: Annotated[int, duration(0, MAX_PERIOD_S)] = 7 * DAY_S
    min_notice: Annotated[int, duration(0, MAX_PERIOD_S)] = 3 * DAY_S
    min_trading: Annotated[int, duration(0, MAX_PERIOD_S)] = 2 * DAY_S
    begins: Annotated[int, BeforeValidator(_time)] = 0

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        if isinstance(given, dict) and "notice_days" in given:
            days = given["notice_days"]
            raise ValueError(f"notice_days: found {days!r}, expected in its place notice: {days} days")
        return given

    @model_validator(mode="after")
    def _fits(self) -> TimetableConfig:
        if self.period in (MONTH, QUARTER):
            self._check_calendar()
        else:
            self._check_seconds()
        if self.min_notice > self.notice:
            raise ValueError(f"min_notice: found {self.min_notice} s, expected at most notice, {self.notice} s")
        least = least_length(self.period)
        together = self.notice + self.min_notice + self.min_trading
        if together >= least:
            raise ValueError(
                f"min_trading: found {self.min_trading} s, expected notice, min_notice and min_trading ({together} s) "
                f"together shorter than a period, {least} s"
            )
        return self

    def _check_calendar(self) -> None:
        least = least_length(self.period)
        if not DAY_S <= self.notice <= MAX_NOTICE_S:
            raise ValueError(f"notice: found {self.notice} s, expected 1 to 14 days")
        if self.min_notice < MIN_NOTICE_S:
            raise ValueError(f"min_notice: found {self.min_notice} s, expected at least a day")
        last = min(28, (least - self.notice - 1) // DAY_S)
        if self.day == "fixed_day" and not 0 < self.fixed_day <= last:
            raise ValueError(f"fixed_day: found {self.fixed_day}, expected 1 to {last} with this notice")
        if self.day != "fixed_day" and self.fixed_day:
            raise ValueError(f"fixed_day: found {self.fixed_day}, expected 0 with day {self.day}")
        begin = self.fixed_day if self.day == "fixed_day" else 3
        most = least - self.notice - begin * DAY_S
        if self.min_trading > most:
            raise ValueError(f"min_trading: found {self.min_trading} s, expected at most {most} s")

    def _check_seconds(self) -> None:
        if self.day != DAYS[0] or self.fixed_day:
            raise ValueError(f"day: found {self.day}, expected none where a period is no calendar month: use notice")
        floor = min(MIN_SHORT_NOTICE_S, self.period // 10)
        if self.min_notice < floor:
            raise ValueError(f"min_notice: found {self.min_notice} s, expected at least {floor} s")

    def as_tuple(self) -> tuple[int, ...]:
        """In the order of the contract's struct; the contract sets the first id."""
        day = DAYS.index(self.day)
        return self.period, day, self.fixed_day, self.notice, self.min_notice, self.min_trading, self.begins, 0


def check_scale(limits: LimitsConfig, timetable: TimetableConfig, chain_id: int) -> None:
    """Raises ValueError unless period, limits and chain fit each other."""
    seconds = timetable.period
    if seconds in (MONTH, QUARTER):
        return
    if seconds < DAY_S:
        if chain_id not in TEST_CHAINS:
            raise ValueError(
                f"timetable.period: found {seconds} s on chain {chain_id}, expected at least a day: "
                "shorter ones are for test chains alone"
            )
        return
    scaled = min(seconds, SCALE_S)
    for name, found, most in (
        ("loss_budget", limits.loss_budget, MAX_LOSS_BUDGET * scaled // SCALE_S),
        ("max_step", limits.max_step, MAX_STEP * scaled // SCALE_S),
    ):
        if found > most:
            raise ValueError(
                f"limits.{name}: found {found}, expected at most {most} in periods of {seconds} s: what a month "
                "allows, by its part of 30 days"
            )
