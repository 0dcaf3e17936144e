"""The fund's contracts as the keeper calls them: ABIs, events, and names for the errors they revert with."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak

ABIS = ("IndexToken", "Rebalancer", "FundLens", "UniswapFiller", "V3Lens", "Opener", "MarketCap", "FixedWeight")


@cache
def abi(name: str) -> list[dict[str, Any]]:
    """The ABI of a contract, from keeper/abi."""
    text = resources.files("keeper").joinpath("abi", f"{name}.json").read_text()
    entries: list[dict[str, Any]] = json.loads(text)
    return entries


def topic(contract: str, event: str) -> str:
    """Topic 0 of an event as 0x... . Raises KeyError if the contract has none of that name."""
    for entry in abi(contract):
        if entry["type"] == "event" and entry["name"] == event:
            return "0x" + keccak(text=_signature(entry)).hex()
    raise KeyError(f"{contract} has no event {event}")


def selectors(contract: str) -> dict[str, bytes]:
    """The 4-byte selector of each function of a contract, by its signature."""
    functions = [_signature(entry) for entry in abi(contract) if entry["type"] == "function"]
    return {function: keccak(text=function)[:4] for function in functions}


def describe_revert(data: str) -> tuple[str, str, str]:
    """Selector, name and arguments of revert data given as 0x...; empty texts where they are not known."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    if len(raw) < 4:
        return "", "", ""
    selector = "0x" + raw[:4].hex()
    if selector == "0x08c379a0":
        return selector, "Error", _arguments(["string"], raw[4:])
    entry = _errors().get(selector)
    if entry is None:
        return selector, "", ""
    return selector, str(entry["name"]), _arguments([_type(field) for field in entry["inputs"]], raw[4:])


@cache
def _errors() -> dict[str, dict[str, Any]]:
    """Errors of all contracts by selector."""
    return {
        "0x" + keccak(text=_signature(entry))[:4].hex(): entry
        for name in ABIS
        for entry in abi(name)
        if entry["type"] == "error"
    }


def _arguments(types: list[str], raw: bytes) -> str:
    try:
        return f"({', '.join(map(str, decode(types, raw)))})"
    except DecodingError:
        return ""


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(field) for field in entry['inputs'])})"


def _type(field: dict[str, Any]) -> str:
    """A field's type with structs written out."""
    if not field["type"].startswith("tuple"):
        return str(field["type"])
    inner = ",".join(_type(part) for part in field["components"])
    return f"({inner}){field['type'].removeprefix('tuple')}"
