"""Where the market's prices come from: a recorded series, or a seeded random walk. Pure; integers and decimals only, so
that the same second has the same price on every machine.

Both give levels: a price is the initial price, times the level now over the level then. Market time runs faster than
the chain's where periods are short, so that a period sees a month's moves.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from ballast.units import DAY_S
from sandbox.errors import SandboxError

LEVEL = 10**8
"""Levels have eight decimals, as feeds."""
NUMERAIRE = "WETH"
"""The column of the numeraire, which stands in for ether."""
PREFIX = "t"
"""A test token's symbol is that of the token it stands for, with this before it."""

STEP_S = 6 * 3_600
"""Seconds of market time between two steps of a walk."""
PULL = Decimal("0.004")
"""The part of its distance from the beginning by which a walk is drawn back at each step."""
FURTHEST = Decimal("1.0")
"""Largest logarithm of a walk's level: it stays between an e-th of, and e times, what it began with."""
_DRAWS = 12
_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)


class Series(Protocol):
    """Levels of tokens over market time."""

    def level(self, symbol: str, time: int) -> int:
        """Level of a token `time` seconds of market time from the beginning, above 0."""


@dataclass(frozen=True)
class Recorded:
    """Daily prices by token, `LEVEL` for a dollar, interpolated linearly between days. At its end it goes back the way
    it came. A token without a column keeps its price in the numeraire.

    `first`: the day (by number) at which market time begins.
    """

    prices: Mapping[str, Sequence[int]]
    first: int = 0

    def level(self, symbol: str, time: int) -> int:
        prices = self.prices.get(symbol) or self.prices.get(symbol.removeprefix(PREFIX)) or self.prices[NUMERAIRE]
        return _between(prices, self.first * DAY_S + time)


def _between(prices: Sequence[int], time: int) -> int:
    """The price at a time, forwards through the days and back again."""
    last = (len(prices) - 1) * DAY_S
    time %= 2 * last
    day, rest = divmod(min(time, 2 * last - time), DAY_S)
    if rest == 0:
        return prices[day]
    return prices[day] + (prices[day + 1] - prices[day]) * rest // DAY_S


def recorded(path: Path, begins: str) -> Recorded:
    """Reads a CSV: `date`, then a column of USD prices for each token, a row for each day. `begins`: the day at which
    market time begins, YYYY-MM-DD. Raises SandboxError."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        days = [datetime.date.fromisoformat(row["date"]) for row in rows]
        prices = {name: [_level(row[name]) for row in rows] for name in rows[0] if name != "date"}
    except OSError as error:
        raise SandboxError(f"price series {path}: cannot be read ({error.strerror})") from None
    except (KeyError, IndexError, ValueError, TypeError, ArithmeticError) as error:
        raise SandboxError(f"price series {path}: {error}; expected a date and prices in each row") from None
    if len(days) < 2 or any(later - day != datetime.timedelta(1) for day, later in pairwise(days)):
        raise SandboxError(f"price series {path}: expected a row for each day, one after the other, two at least")
    if NUMERAIRE not in prices:
        raise SandboxError(f"price series {path}: expected a column {NUMERAIRE}")
    try:
        return Recorded(prices, days.index(datetime.date.fromisoformat(begins)))
    except ValueError:
        raise SandboxError(
            f"BALLAST_MARKET_BEGINS: {begins!r} is no day of the series, expected {days[0]} to {days[-1]}"
        ) from None


def _level(text: str) -> int:
    found = int(_EXACT.multiply(Decimal(text), Decimal(LEVEL)).to_integral_value())
    if found <= 0:
        raise ValueError(f"price {text!r}, expected one above 0")
    return found


@dataclass(frozen=True)
class Walk:
    """An independent random walk for each token: `daily_bps`, the standard deviation of a day's change in hundredths of
    a percent; the same seed gives the same walk."""

    seed: int
    daily_bps: int
    _logs: dict[str, list[Decimal]] = field(default_factory=dict, repr=False, compare=False)

    def level(self, symbol: str, time: int) -> int:
        step, rest = divmod(time, STEP_S)
        here = self._log(symbol, step)
        if rest:
            ahead = self._log(symbol, step + 1)
            here = _EXACT.add(here, _EXACT.divide(_EXACT.multiply(ahead - here, Decimal(rest)), Decimal(STEP_S)))
        return int(_EXACT.multiply(_EXACT.exp(here), Decimal(LEVEL)).to_integral_value())

    def _log(self, symbol: str, step: int) -> Decimal:
        """Natural logarithm of the level after `step` steps."""
        logs = self._logs.setdefault(symbol, [Decimal(0)])
        deviation = _EXACT.divide(Decimal(self.daily_bps), Decimal(10_000))
        deviation = _EXACT.divide(deviation, _EXACT.sqrt(Decimal(DAY_S // STEP_S)))
        while len(logs) <= step:
            change = _EXACT.multiply(deviation, _drawn(self.seed, symbol, len(logs)))
            found = _EXACT.add(_EXACT.multiply(logs[-1], 1 - PULL), change)
            logs.append(max(-FURTHEST, min(FURTHEST, found)).quantize(Decimal("1e-12")))
        return logs[step]


def _drawn(seed: int, symbol: str, step: int) -> Decimal:
    """Nearly normal, of mean 0 and deviation 1: the sum of twelve uniform draws less six."""
    digest = hashlib.sha512(f"{seed}/{symbol}/{step}".encode()).digest()
    draws = sum(int.from_bytes(digest[4 * n : 4 * n + 4]) for n in range(_DRAWS))
    return _EXACT.divide(Decimal(draws), Decimal(2**32)) - _DRAWS // 2


@dataclass(frozen=True)
class Course:
    """Prices from a second on: `answers` (USD with 8 decimals, by number) were those at chain time `since`, when market
    time was `at`; it runs `speed` times as fast."""

    since: int
    at: int
    speed: int
    answers: tuple[int, ...]

    def market_time(self, now: int) -> int:
        """Seconds of market time at chain time `now`."""
        return self.at + max(0, now - self.since) * self.speed

    def at_time(self, series: Series, symbols: Sequence[str], now: int) -> tuple[int, ...]:
        """The answers at chain time `now`, by number, each at least 1."""
        time = self.market_time(now)
        return tuple(
            max(1, answer * series.level(symbol, time) // series.level(symbol, self.at))
            for answer, symbol in zip(self.answers, symbols, strict=True)
        )
