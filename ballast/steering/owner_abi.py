"""ABIs of what the timelock may call: state-changing functions, errors, and the timelock's events.

`python -m tools.export_abi` writes `owned.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from ballast import abi
from ballast.abi import Entry

OWNED = (
    "IndexToken",
    "Rebalancer",
    "MarketCap",
    "FixedWeight",
    "ChainlinkOracle",
    "AnchoredOracle",
    "PostedSupply",
    "LockedSupply",
    "Upkeep",
    "Timelock",
)
"""Contracts that the timelock owns, and itself."""


@cache
def entries(contract: str) -> tuple[Entry, ...]:
    """The ABI of one of `OWNED`, without its views; empty for any other name."""
    everything = json.loads(resources.files("ballast.steering").joinpath("owned.json").read_text(encoding="utf-8"))
    return tuple(everything.get(contract, ()))


@cache
def functions(contract: str) -> dict[bytes, Entry]:
    """A contract's state-changing functions, by selector."""
    return {abi.selector(entry): entry for entry in entries(contract) if entry["type"] == "function"}


def function(contract: str, name: str) -> Entry:
    """A state-changing function by its name. Raises KeyError."""
    for entry in functions(contract).values():
        if entry["name"] == name:
            return entry
    raise KeyError(f"{contract} has no function {name} that changes something")


@cache
def events() -> dict[str, Entry]:
    """The timelock's events by topic 0."""
    return {abi.topic(entry): entry for entry in entries("Timelock") if entry["type"] == "event"}


@cache
def errors() -> dict[bytes, Entry]:
    """Errors of all of `OWNED` by selector."""
    return abi.errors_of(entry for contract in OWNED for entry in entries(contract))
