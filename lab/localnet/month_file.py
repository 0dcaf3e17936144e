"""A published month of an index fund, read strictly from its JSON file (format: data/README.md).

Amounts are integers: prices and weights with 18 decimals, units in token wei per 1e18 shares, supplies in whole tokens.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from ballast.parts import Address, Text, within
from ballast.rule.types import WEIGHTS_ROUNDING
from ballast.units import DAY_S, WAD
from ballast.validation import invalid_lines
from lab.localnet.errors import MonthError

_LABEL = re.compile(r"^[A-Za-z0-9._-]+-(\d{4})-(\d{2})$")


def _whole(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+", value):
        raise ValueError("expected a whole number as a decimal string")
    return int(value)


def _integer(least: int, words: str) -> BeforeValidator:
    return BeforeValidator(within(_whole, least, 2**256 - 1, f"a whole number {words} and below 2^256"))


Natural = Annotated[int, _integer(0, ">= 0")]
Positive = Annotated[int, _integer(1, "> 0")]


@dataclass(frozen=True)
class MonthComponent:
    """One component of the month. `supply` is None for fixed weights, `weight` is None for market-cap weights."""

    symbol: Text
    address: Address
    decimals: Annotated[int, Field(strict=True, ge=0, le=30)]
    price_usd: Positive
    """USD for one whole token, 18 decimals."""
    current_unit: Natural
    """Token wei per 1e18 shares before the rebalance."""
    published_target_unit: Natural
    """Token wei per 1e18 shares that were aimed at."""
    max_trade_size: Positive
    """The traders' slice, always in 18 decimals, whatever the token's."""
    cool_off_s: Annotated[int, Field(strict=True, ge=0, le=30 * DAY_S)]
    exchange: Literal["uniswap", "sushiswap", "balancer", "kyber", "uniswap_v3"]
    supply: Positive | None = None
    """Circulating supply in whole tokens."""
    weight: Natural | None = None
    """Target weight, 18 decimals."""
    published_notional: Annotated[int, BeforeValidator(_whole)] | None = None
    """Token wei to buy (positive) or sell (negative)."""
    published_trades: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = None


@dataclass(frozen=True)
class Month:
    """A whole month."""

    label: str
    cap: Literal["none", "hard", "fixed"]
    nav_floor: Literal["sum", "component"]
    total_supply: Positive
    """Shares in wei."""
    weth_price_usd: Positive
    """USD for one ETH, 18 decimals."""
    components: Annotated[tuple[MonthComponent, ...], Field(min_length=1)]
    cap_weight: Natural | None = None
    """Largest weight, 18 decimals; only for a hard cap."""
    position_multiplier: Natural | None = None
    """The real fund's value, for information only."""
    source: Mapping[str, str] | None = None

    @property
    def period(self) -> tuple[int, int]:
        """Year and month, from the label."""
        match = _LABEL.match(self.label)
        if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1970:
            raise MonthError(f"label: {self.label!r} gives no period, expected NAME-YYYY-MM such as dpi-2021-04")
        return int(match[1]), int(match[2])

    @property
    def execution_date(self) -> date:
        """The first business day of the month."""
        return first_business_day(*self.period)

    def component(self, symbol: str) -> MonthComponent:
        """The component of that symbol."""
        for component in self.components:
            if component.symbol == symbol:
                return component
        known = ", ".join(c.symbol for c in self.components)
        raise MonthError(f"symbol {symbol!r}: not in {self.label}, which has {known}")

    def symbol_of(self, address: str) -> str:
        """The symbol of the component with this checksummed address."""
        return next(component.symbol for component in self.components if component.address == address)


def first_business_day(year: int, month: int) -> date:
    """First Monday-to-Friday day of the month; public holidays count as business days."""
    day = date(year, month, 1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day


_MONTH = TypeAdapter(Month)


def load_month(path: str | Path) -> Month:
    """Read and check a month file."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise MonthError(f"{path}: not JSON: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MonthError(f"month file {str(path)!r} cannot be read: {error}") from error
    try:
        return parse_month(raw)
    except MonthError as error:
        raise MonthError(f"{path}: {error}") from error


def parse_month(raw: object) -> Month:
    """Check a decoded month file and convert it. Ignores unknown fields. Raises MonthError with the first problem."""
    if not isinstance(raw, dict):
        raise MonthError(f"month: found {raw!r}, expected an object")
    try:
        month = _MONTH.validate_python(raw)
    except ValidationError as error:
        raise MonthError(invalid_lines(error, raw)[0]) from None
    _check_together(month)
    return month


def _check_together(month: Month) -> None:
    _ = month.period
    if month.cap == "hard" and not 0 < (month.cap_weight or 0) <= WAD:
        raise MonthError(f"cap_weight: {month.cap_weight} with cap 'hard', expected 1 to {WAD} (18 decimals)")
    if month.cap != "hard" and month.cap_weight is not None:
        raise MonthError(f"cap_weight: {month.cap_weight} with cap {month.cap!r}, expected null")
    wanted, other = ("weight", "supply") if month.cap == "fixed" else ("supply", "weight")
    for index, component in enumerate(month.components):
        where = f"components[{index}] ({component.symbol})"
        if getattr(component, wanted) is None:
            raise MonthError(f"{where}.{wanted}: missing, expected with cap {month.cap!r}")
        if getattr(component, other) is not None:
            raise MonthError(f"{where}.{other}: given with cap {month.cap!r}, expected {wanted} instead")
    for name in ("address", "symbol"):
        value, times = Counter(getattr(component, name) for component in month.components).most_common(1)[0]
        if times > 1:
            raise MonthError(f"components: duplicate {name} {value!r}, expected each once")
    if month.cap == "fixed":
        total = sum(component.weight or 0 for component in month.components)
        if abs(total - WAD) > WEIGHTS_ROUNDING:
            raise MonthError(f"components: weights sum to {total}, expected {WAD} (1 with 18 decimals) within 0.01 %")
