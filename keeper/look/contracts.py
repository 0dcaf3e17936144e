"""The fund's contracts as the keeper calls them: ABIs, events, and the names of their errors."""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak, to_checksum_address

ABIS = ("IndexToken", "Rebalancer", "FundLens", "UniswapFiller", "V3Lens", "Opener", "MarketCap", "FixedWeight")


@cache
def abi(name: str) -> list[dict[str, Any]]:
    """The ABI of a contract, from keeper/abi."""
    text = resources.files("keeper").joinpath("abi", f"{name}.json").read_text()
    entries: list[dict[str, Any]] = json.loads(text)
    return entries


def topic(contract: str, event: str) -> str:
    """Topic 0 of an event as 0x... . Raises KeyError if the contract has no such event."""
    for entry in abi(contract):
        if entry["type"] == "event" and entry["name"] == event:
            return "0x" + keccak(text=_signature(entry)).hex()
    raise KeyError(f"{contract} has no event {event}")


def selectors(contract: str) -> dict[str, bytes]:
    """The 4-byte selector of each function of a contract, by signature."""
    functions = [_signature(entry) for entry in abi(contract) if entry["type"] == "function"]
    return {function: keccak(text=function)[:4] for function in functions}


def call_data(contract: str, function: str, *arguments: Any) -> str:
    """Calldata as 0x... . Raises KeyError if the contract has no such function."""
    entry = _function(contract, function)
    selector = keccak(text=_signature(entry))[:4]
    return "0x" + (selector + encode([_type(field) for field in entry["inputs"]], arguments)).hex()


def returned(contract: str, function: str, data: str) -> list[Any]:
    """The decoded return values of a function, given as 0x...; structs have named fields, addresses are checksummed.

    Raises ValueError if the data does not fit the function.
    """
    outputs = _function(contract, function)["outputs"]
    try:
        values = decode([_type(field) for field in outputs], bytes.fromhex(data.removeprefix("0x")))
    except DecodingError as error:
        raise ValueError(f"{function}: the answer is not what {contract} returns ({error})") from None
    return [_named(field, field["type"], value) for field, value in zip(outputs, values, strict=True)]


@cache
def _function(contract: str, name: str) -> dict[str, Any]:
    for entry in abi(contract):
        if entry["type"] == "function" and entry["name"] == name:
            return entry
    raise KeyError(f"{contract} has no function {name}")


def _named(field: dict[str, Any], kind: str, value: Any) -> Any:
    """A decoded value of type `kind`, its structs with named fields."""
    if kind.endswith("]"):
        inner = kind[: kind.rindex("[")]
        return [_named(field, inner, item) for item in value] if inner.startswith(("tuple", "address")) else list(value)
    if kind == "tuple":
        parts = field["components"]
        struct = _struct(tuple(part["name"] for part in parts))
        return struct(*(_named(part, part["type"], item) for part, item in zip(parts, value, strict=True)))
    return _checksummed(value) if kind == "address" else value


@cache
def _struct(names: Sequence[str]) -> Any:
    """Cached, as making the class takes longer than decoding."""
    return namedtuple("Struct", names)


@lru_cache(maxsize=4096)
def _checksummed(address: str) -> str:
    return to_checksum_address(address)


def describe_revert(data: str) -> tuple[str, str, str]:
    """Selector, name and arguments of revert data given as 0x...; empty texts if unknown."""
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
