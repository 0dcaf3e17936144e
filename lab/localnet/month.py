"""A published month of an index fund, read strictly from its JSON file (format: data/README.md).

Amounts are integers: prices and weights with 18 decimals, units in token wei per 1e18 shares, supplies in whole tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from eth_utils import is_checksum_formatted_address, to_checksum_address
from eth_utils.address import is_checksum_address

from ballast.units import DAY_S, WAD
from lab.localnet.errors import MonthError

Cap = Literal["none", "hard", "fixed"]
NavFloor = Literal["sum", "component"]

CAPS = ("none", "hard", "fixed")
NAV_FLOORS = ("sum", "component")
EXCHANGES = ("uniswap", "sushiswap", "balancer", "kyber")
MAX_DECIMALS = 30

_LABEL = re.compile(r"^[A-Za-z0-9._-]+-(\d{4})-(\d{2})$")
_NATURAL = re.compile(r"^\d+$")
_INTEGER = re.compile(r"^-?\d+$")
_ADDRESS = re.compile(r"^0x[0-9a-fA-F]{40}$")


@dataclass(frozen=True)
class MonthComponent:
    """One component of the month. `supply` is None for fixed weights, `weight` is None for market-cap weights."""

    symbol: str
    address: str
    """Checksummed."""
    decimals: int
    supply: int | None
    """Circulating supply in whole tokens."""
    weight: int | None
    """Target weight, 18 decimals."""
    price_usd: int
    """USD for one whole token, 18 decimals."""
    current_unit: int
    """Token wei per 1e18 shares before the rebalance."""
    published_target_unit: int
    """Token wei per 1e18 shares that were aimed at."""
    max_trade_size: int
    """The traders' slice in 18 decimals, whatever the token's."""
    cool_off_s: int
    exchange: str
    published_notional: int | None = None
    """Token wei to buy (positive) or sell (negative)."""
    published_trades: int | None = None


@dataclass(frozen=True)
class Month:
    """A whole month."""

    label: str
    cap: Cap
    cap_weight: int | None
    """Largest weight, 18 decimals; only for a hard cap."""
    nav_floor: NavFloor
    total_supply: int
    """Shares in wei."""
    weth_price_usd: int
    """USD for one ETH, 18 decimals."""
    components: tuple[MonthComponent, ...]
    position_multiplier: int | None = None
    """The real fund's, for information: no input of ours."""
    source: Mapping[str, str] | None = None

    @property
    def period(self) -> tuple[int, int]:
        """Year and month, from the label."""
        match = _LABEL.match(self.label)
        if match is None:
            raise MonthError(f"label: {self.label!r} does not end in -YYYY-MM")
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


def first_business_day(year: int, month: int) -> date:
    """First Monday-to-Friday day of the month; public holidays count as business days."""
    day = date(year, month, 1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day


def load_month(path: str | Path) -> Month:
    """Read and check a month file."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MonthError(f"month file {str(path)!r} cannot be read: {error}") from error
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise MonthError(f"{path}: not JSON: {error}") from error
    try:
        return parse_month(raw)
    except MonthError as error:
        raise MonthError(f"{path}: {error}") from error


def parse_month(raw: object) -> Month:
    """Check a decoded month file and give it types. Unknown fields are ignored."""
    if not isinstance(raw, dict):
        raise MonthError(f"month: found {_kind(raw)}, expected an object")
    fields = _Fields(raw, "")
    label = fields.text("label")
    match = _LABEL.match(label)
    if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1970:
        raise MonthError(f"label: {label!r} gives no period, expected NAME-YYYY-MM such as dpi-2021-04")
    cap = cast(Cap, fields.choice("cap", CAPS))
    cap_weight = fields.optional_natural("cap_weight")
    if cap == "hard" and (cap_weight is None or not 0 < cap_weight <= WAD):
        raise MonthError(f"cap_weight: {cap_weight} with cap 'hard', expected 1 to {WAD} (18 decimals)")
    if cap != "hard" and cap_weight is not None:
        raise MonthError(f"cap_weight: {cap_weight} with cap {cap!r}, expected null")
    month = Month(
        label=label,
        cap=cap,
        cap_weight=cap_weight,
        nav_floor=cast(NavFloor, fields.choice("nav_floor", NAV_FLOORS)),
        total_supply=fields.positive("total_supply"),
        weth_price_usd=fields.positive("weth_price_usd"),
        components=_components(fields.list("components"), cap),
        position_multiplier=fields.optional_natural("position_multiplier"),
        source=fields.optional_mapping("source"),
    )
    _check_together(month)
    return month


def _components(raw: list[Any], cap: Cap) -> tuple[MonthComponent, ...]:
    if not raw:
        raise MonthError("components: the list is empty, expected at least one component")
    return tuple(_component(entry, index, cap) for index, entry in enumerate(raw))


def _component(raw: object, index: int, cap: Cap) -> MonthComponent:
    if not isinstance(raw, dict):
        raise MonthError(f"components[{index}]: found {_kind(raw)}, expected an object")
    named = raw.get("symbol")
    fields = _Fields(raw, f"components[{index}] ({named if isinstance(named, str) else '?'}).")
    fixed = cap == "fixed"
    for other in ("supply",) if fixed else ("weight",):
        if raw.get(other) is not None:
            right = "weight" if fixed else "supply"
            raise MonthError(f"{fields.where}{other}: given with cap {cap!r}, expected {right} instead")
    return MonthComponent(
        symbol=fields.text("symbol"),
        address=fields.address("address"),
        decimals=fields.small("decimals", MAX_DECIMALS),
        supply=None if fixed else fields.positive("supply"),
        weight=fields.natural("weight") if fixed else None,
        price_usd=fields.positive("price_usd"),
        current_unit=fields.natural("current_unit"),
        published_target_unit=fields.natural("published_target_unit"),
        max_trade_size=fields.positive("max_trade_size"),
        cool_off_s=fields.small("cool_off_s", 30 * DAY_S),
        exchange=fields.choice("exchange", EXCHANGES),
        published_notional=fields.optional_integer("published_notional"),
        published_trades=fields.optional_small("published_trades", 1_000_000),
    )


def _check_together(month: Month) -> None:
    symbols: set[str] = set()
    addresses: dict[str, str] = {}
    for component in month.components:
        if component.address in addresses:
            first = addresses[component.address]
            raise MonthError(
                f"components: duplicate address {component.address} "
                f"({first} and {component.symbol}), expected each once"
            )
        if component.symbol in symbols:
            raise MonthError(f"components: duplicate symbol {component.symbol!r}, expected each once")
        addresses[component.address] = component.symbol
        symbols.add(component.symbol)
    if month.cap == "fixed":
        total = sum(component.weight or 0 for component in month.components)
        if total != WAD:
            raise MonthError(f"components: weights sum to {total}, expected {WAD} (1 with 18 decimals)")


class _Fields:
    """Typed access to the fields of one JSON object; `where` begins the name of the field in errors."""

    def __init__(self, raw: Mapping[str, Any], where: str) -> None:
        self._raw = raw
        self.where = where

    def _get(self, name: str, expected: str) -> Any:
        if name not in self._raw:
            raise MonthError(f"{self.where}{name}: missing, expected {expected}")
        return self._raw[name]

    def _fail(self, name: str, value: object, expected: str) -> MonthError:
        return MonthError(f"{self.where}{name}: found {_kind(value)}, expected {expected}")

    def text(self, name: str) -> str:
        value = self._get(name, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self._fail(name, value, "a text that is not empty")
        return value

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        expected = "one of " + ", ".join(options)
        value = self._get(name, expected)
        if not isinstance(value, str) or value not in options:
            raise self._fail(name, value, expected)
        return value

    def natural(self, name: str) -> int:
        expected = "a whole number >= 0 as a decimal string"
        value = self._get(name, expected)
        if not isinstance(value, str) or not _NATURAL.match(value):
            raise self._fail(name, value, expected)
        number = int(value)
        if number >= 2**256:
            raise self._fail(name, value, "a number below 2^256")
        return number

    def positive(self, name: str) -> int:
        number = self.natural(name)
        if number == 0:
            raise self._fail(name, "0", "a whole number > 0")
        return number

    def optional_natural(self, name: str) -> int | None:
        return None if self._raw.get(name) is None else self.natural(name)

    def optional_integer(self, name: str) -> int | None:
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _INTEGER.match(value):
            raise self._fail(name, value, "a whole number as a decimal string")
        return int(value)

    def small(self, name: str, most: int) -> int:
        expected = f"a JSON number, whole, from 0 to {most}"
        value = self._get(name, expected)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self._fail(name, value, expected)
        return value

    def optional_small(self, name: str, most: int) -> int | None:
        return None if self._raw.get(name) is None else self.small(name, most)

    def list(self, name: str) -> list[Any]:
        value = self._get(name, "a list")
        if not isinstance(value, list):
            raise self._fail(name, value, "a list")
        return value

    def optional_mapping(self, name: str) -> dict[str, str] | None:
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._fail(name, value, "an object")
        return {str(key): str(entry) for key, entry in value.items()}

    def address(self, name: str) -> str:
        value = self._get(name, "an address")
        expected = "an address: 0x and 40 hexadecimal digits"
        if not isinstance(value, str) or not _ADDRESS.match(value):
            raise self._fail(name, value, expected)
        if is_checksum_formatted_address(value) and not is_checksum_address(value):
            raise self._fail(name, value, f"{to_checksum_address(value)} (the checksum in its capitals is wrong)")
        if int(value, 16) == 0:
            raise self._fail(name, value, "an address other than zero")
        return to_checksum_address(value)


def _kind(value: object) -> str:
    """The value as JSON, shortened, for an error message."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."
