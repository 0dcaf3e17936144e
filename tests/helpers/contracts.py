"""Contracts as Python objects: `token.transfer(to, 1)` is a `Call` that the chain reads, sends, or expects to revert.

Nothing here talks to a chain, and nothing guesses: arguments are encoded and results decoded by the ABI alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import encode
from eth_utils import to_checksum_address

from ballast.abi import Entry, decode_values, record, selector, topic, types_of


@dataclass(frozen=True)
class Call:
    """A function of a contract with its arguments, or a creation (`to` is None)."""

    to: str | None
    data: bytes
    name: str
    abi: Sequence[Entry]
    outputs: Sequence[Entry] = ()

    def decode(self, answer: bytes) -> Any:
        """What the call returned: None, the one value, or a named tuple of the values. Structs are named tuples."""
        values = decode_values(self.outputs, answer)
        if len(values) < 2:
            return values[0] if values else None
        return record(self.outputs, values)


@dataclass(frozen=True)
class Artifact:
    """A compiled contract."""

    name: str
    abi: Sequence[Entry]
    code: bytes

    def create(self, *args: Any) -> Call:
        """Its creation with these constructor arguments."""
        inputs: Sequence[Entry] = next((e["inputs"] for e in self.abi if e["type"] == "constructor"), [])
        return Call(None, self.code + encode_values(inputs, args), f"new {self.name}", self.abi)

    def at(self, address: str) -> Contract:
        """The contract at this address."""
        return Contract(to_checksum_address(address), self)


class Contract:
    """A deployed contract. Every function of its ABI is an attribute that makes a `Call`."""

    def __init__(self, address: str, artifact: Artifact) -> None:
        self.address = address
        self.artifact = artifact

    @property
    def abi(self) -> Sequence[Entry]:
        return self.artifact.abi

    def __repr__(self) -> str:
        return f"<{self.artifact.name} {self.address}>"

    def __getattr__(self, name: str) -> Callable[..., Call]:
        entries = [e for e in self.abi if e["type"] == "function" and e["name"] == name]
        if not entries:
            raise AttributeError(f"{self.artifact.name} has no function {name}")

        def call(*args: Any) -> Call:
            fits = [e for e in entries if len(e["inputs"]) == len(args)]
            if len(fits) != 1:
                raise TypeError(f"{self.artifact.name}.{name}: {len(args)} arguments fit {len(fits)} functions")
            (entry,) = fits
            data = selector(entry) + encode_values(entry["inputs"], args)
            return Call(self.address, data, name, self.abi, entry["outputs"])

        return call

    def events(self, receipt: Mapping[str, Any], name: str) -> list[Any]:
        """This contract's events of that name in a receipt, as named tuples."""
        (entry,) = [e for e in self.abi if e["type"] == "event" and e["name"] == name]
        return [
            _decode_log(entry, log)
            for log in receipt["logs"]
            if to_checksum_address(log["address"]) == self.address and log["topics"][0] == topic(entry)
        ]


def encode_values(parameters: Sequence[Entry], values: Sequence[Any]) -> bytes:
    """ABI encoding. A Contract is encoded as its address."""
    if len(parameters) != len(values):
        raise TypeError(f"{len(values)} values for {len(parameters)} parameters")
    return encode(types_of(parameters), [_plain(v) for v in values])


def _plain(value: Any) -> Any:
    if isinstance(value, Contract):
        return value.address
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value] if isinstance(value, list) else tuple(_plain(v) for v in value)
    return value


def _decode_log(entry: Entry, log: Mapping[str, Any]) -> Any:
    topics: Iterator[str] = iter(log["topics"][1:])
    plain = [p for p in entry["inputs"] if not p["indexed"]]
    rest = iter(decode_values(plain, bytes.fromhex(log["data"].removeprefix("0x"))))
    values = []
    for parameter in entry["inputs"]:
        if parameter["indexed"]:
            values.append(decode_values([parameter], bytes.fromhex(next(topics).removeprefix("0x")))[0])
        else:
            values.append(next(rest))
    return record(entry["inputs"], values)
