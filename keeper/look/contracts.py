"""Encodes calls to the fund's contracts and decodes their answers, events and errors."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from eth_abi.exceptions import DecodingError

import ballast.abi
from ballast.abi import Entry

ABIS = (
    "IndexToken",
    "Rebalancer",
    "FundLens",
    "UniswapFiller",
    "StockFiller",
    "V3Lens",
    "Opener",
    "Calendar",
    "Upkeep",
    "MarketCap",
    "FixedWeight",
    "Zap",
    "NavFeed",
)
"""Contracts with an ABI in keeper/abi. The keeper never calls the fillers (the rebalancer does), but needs their errors
to name a revert."""


@cache
def abi(name: str) -> list[dict[str, Any]]:
    """The ABI of a contract, from keeper/abi."""
    text = resources.files("keeper").joinpath("abi", f"{name}.json").read_text()
    entries: list[dict[str, Any]] = json.loads(text)
    return entries


def topic(contract: str, event: str) -> str:
    """Topic 0 of an event as 0x hex. Raises KeyError if the contract has no such event."""
    return ballast.abi.topic(_entry(contract, "event", event))


def selectors(contract: str) -> dict[str, bytes]:
    """The 4-byte selector of each function of a contract, by signature."""
    functions = [entry for entry in abi(contract) if entry["type"] == "function"]
    return {ballast.abi.signature(entry): ballast.abi.selector(entry) for entry in functions}


def call_data(contract: str, function: str, *arguments: Any) -> str:
    """Calldata as 0x hex. Raises KeyError if the contract has no such function."""
    return ballast.abi.call_data(_entry(contract, "function", function), *arguments)


def returned(contract: str, function: str, data: str) -> tuple[Any, ...]:
    """Decodes a function's return data, given as 0x hex; structs have named fields, addresses are checksummed.

    Raises ValueError if the data does not fit the function.
    """
    outputs = _entry(contract, "function", function)["outputs"]
    try:
        return ballast.abi.decode_values(outputs, bytes.fromhex(data.removeprefix("0x")))
    except (DecodingError, OverflowError) as error:
        raise ValueError(f"{function}: the answer is not what {contract} returns ({error})") from None


def describe_revert(data: str) -> tuple[str, str, str]:
    """Selector, name and arguments of revert data given as 0x hex; empty strings if unknown."""
    return ballast.abi.describe_revert(bytes.fromhex(data.removeprefix("0x")), _errors())


def decoded_revert(data: str) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of one of the contracts' errors, from revert data given as 0x hex; empty if unknown."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    entry = _errors().get(raw[:4])
    if entry is None:
        return "", ()
    try:
        return str(entry["name"]), ballast.abi.decode_values(entry["inputs"], raw[4:])
    except DecodingError:
        return str(entry["name"]), ()


@cache
def _entry(contract: str, kind: str, name: str) -> Entry:
    for entry in abi(contract):
        if entry["type"] == kind and entry["name"] == name:
            return entry
    raise KeyError(f"{contract} has no {kind} {name}")


@cache
def _errors() -> dict[bytes, Entry]:
    """Errors of all contracts by selector."""
    return ballast.abi.errors_of(entry for name in ABIS for entry in abi(name))
