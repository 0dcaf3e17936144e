"""Formats values with the names and units of a fund file, and addresses by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils import is_checksum_address

from ballast.book import Book
from ballast.parts import CAPS, STATES
from ballast.rule.calendar import DAYS, MONTH, QUARTER
from ballast.steering.in_force import Fields, InForce
from ballast.values import NO_ADDRESS, decimal, decimal_text, duration_text, fraction_text, gwei_text, time_text

QUOTES = ("USD", "ETH", "pegged")
"""Currencies of feeds, in the order of the contract's enum."""
ROLES = ("PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE", "DEFAULT_ADMIN_ROLE")


def _one_of(names: tuple[str, ...]) -> Callable[[int], str]:
    return lambda value: names[value] if value < len(names) else str(value)


def _period(value: int) -> str:
    return {MONTH: "1 month", QUARTER: "3 months"}.get(value) or duration_text(value)


def _begin(value: int) -> str:
    return time_text(value) if value else "as the current period ends"


def _ether(value: int) -> str:
    return f"{decimal(value, 18)} ether"


_FRACTIONS = (
    *("first_tolerance", "last_tolerance", "batch_cap", "loss_budget", "max_step", "dust", "band"),
    *("streaming_fee", "fee", "bound", "weight", "part", "premium", "least_sale"),
    *("cap_weight", "floor_weight", "entry_weight", "max_supply_jump"),
)
_DURATIONS = (
    *("cool_off", "max_idle", "notice", "min_notice", "min_trading", "max_age", "window", "grace", "block_time"),
    *("new_delay", "delay", "timelock_delay", "max_supply_age"),
)
UNITS: Mapping[str, Callable[[int], str]] = {
    **dict.fromkeys(_FRACTIONS, fraction_text),
    **dict.fromkeys(_DURATIONS, duration_text),
    **dict.fromkeys(("lowest", "highest"), lambda value: decimal_text(value) if value else "none"),
    "ratio": lambda value: decimal_text(value) if value else "none",
    **{"max_base_fee": gwei_text, "monthly": _ether, "length": _period, "begins": _begin},
    **{name: _one_of(names) for name, names in (("day", DAYS), ("state", STATES), ("quote", QUOTES), ("cap", CAPS))},
}
"""Formats of integer fields, by name in the fund file; all others are plain numbers."""

_FILE_NAMES = {"length": "period", "whole_tokens": "known_supply"}
"""Fields of the contracts' structs that have another name in the fund file."""


@dataclass(frozen=True)
class Context:
    """What is known to explain a call; the texts do without whatever is unknown.

    `codes`: by address whose code was read, the name of the release's contract with it, "" for none. `owners`: by
    address that has an owner. `answers`: by feed, its current answer, 18 decimals, None if implausible. `known`: texts
    for addresses in the fund file.
    """

    book: Book
    in_force: InForce | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, int | None] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    def contract(self, address: str) -> str | None:
        """The book's name of a contract of the fund, None for another address; "methodology" is the one in force, if
        known."""
        standing = dict(self.book.contracts)
        if self.in_force is not None:
            standing["methodology"] = self.in_force.methodology
        return next((name for name, at in standing.items() if at == address), None)

    def kind(self, address: str) -> str:
        """Name of the release's contract at an address, by its code, else by the book; "" if unknown."""
        name = self.contract(address)
        if self.codes.get(address):
            return self.codes[address]
        match name:
            case "oracle":
                return "AnchoredOracle" if "first_oracle" in self.book.contracts else "ChainlinkOracle"
            case "methodology":
                weighs = "posted_supply" in self.book.contracts if self.in_force is None else self.in_force.rule
                return "MarketCap" if weighs else "FixedWeight"
            case "first_oracle":
                return "ChainlinkOracle"
            case None:
                return ""
            case _:
                return "".join(word.capitalize() for word in name.split("_"))

    def name(self, address: str) -> str:
        """Name of an address: the fund's contract or token, else the address, with a text if the file names it."""
        name = self.contract(address)
        if name is not None:
            return f"the fund's {name}"
        candidate = self.book.candidate(address)
        if candidate is not None:
            return candidate.symbol
        return f"{address} ({self.known[address]})" if address in self.known else address

    def symbol(self, token: str) -> str:
        """A token's symbol: ETH for the zero address, else the book's, else that in the fund file, which may have
        newcomers, else its address."""
        if token == NO_ADDRESS or self.book.candidate(token) is not None:
            return "ETH" if token == NO_ADDRESS else self.book.symbol(token)
        return self.known.get(token, token)


def text(context: Context, name: str, value: Any) -> str:
    """Text of a value of the field `name`, with its unit."""
    if isinstance(value, int) and not isinstance(value, bool):
        return UNITS.get(name, "{:,}".format)(value)
    return _text_of(context, value)


def _text_of(context: Context, value: Any) -> str:
    """Text of a value that is not an integer."""
    match value:
        case bool():
            shown = "yes" if value else "no"
        case bytes():
            shown = "0x" + value.hex()
        case str() if is_checksum_address(value):
            shown = context.name(value)
        case list() | tuple() if hasattr(value, "_asdict"):
            shown = "{" + ", ".join(f"{key}: {text(context, key, item)}" for key, item in value._asdict().items()) + "}"
        case list() | tuple():
            shown = "[" + ", ".join(text(context, "", item) for item in value) + "]"
        case _:
            shown = str(value)
    return shown


def field_name(name: str) -> str:
    """Name in the fund file of a struct's field."""
    return _FILE_NAMES.get(name, name)


def changed(context: Context, old: Fields | None, new: Fields) -> str:
    """Text of the fields that change, each as "name old -> new"; of all fields if the old ones are unknown."""
    if old is None:
        return ", ".join(f"{field_name(name)} {text(context, name, value)}" for name, value in new.items())
    parts = [
        f"{field_name(name)} {text(context, name, old[name])} -> {text(context, name, value)}"
        if name in old
        else f"{field_name(name)} {text(context, name, value)}"
        for name, value in new.items()
        if old.get(name) != value
    ]
    return ", ".join(parts) or "nothing becomes different"


def became(context: Context, name: str, old: Any, new: Any) -> str:
    """Text of one value, "old -> new"; only the new one if the old is unknown (None)."""
    shown = text(context, name, new)
    if old == new:
        return f"{shown}, as now"
    return shown if old is None else f"{text(context, name, old)} -> {shown}"


def names(context: Context, addresses: Iterable[str]) -> str:
    """Names of several addresses."""
    return ", ".join(map(context.name, addresses)) or "nobody"
