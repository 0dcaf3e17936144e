"""Encodes calls and decodes answers of contracts, by an ABI's entry or by a signature such as `balanceOf(address)`.

This module knows no contracts and guesses no types: the caller passes both.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_typing import HexStr
from eth_utils import keccak, to_checksum_address
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import BlockIdentifier

Entry = Mapping[str, Any]
"""One entry of an ABI, or one of its parameters."""

STRING_REVERT = bytes.fromhex("08c379a0")
"""Selector of `Error(string)`: a revert with a reason."""


def type_of(parameter: Entry) -> str:
    """Canonical type, with structs expanded to tuples."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(types_of(parameter['components']))}){kind.removeprefix('tuple')}"


def types_of(parameters: Iterable[Entry]) -> list[str]:
    """Canonical types of parameters."""
    return [type_of(parameter) for parameter in parameters]


def signature(entry: Entry) -> str:
    """`name(type,type)` of a function, error or event."""
    return f"{entry['name']}({','.join(types_of(entry['inputs']))})"


def selector(of: Entry | str) -> bytes:
    """The first 4 bytes of calldata or revert data."""
    return bytes(keccak(text=of if isinstance(of, str) else signature(of))[:4])


def topic(of: Entry | str) -> str:
    """Topic 0 of an event, as 0x hex."""
    return "0x" + keccak(text=of if isinstance(of, str) else signature(of)).hex()


def encode_call(function: Entry | str, *args: Any) -> bytes:
    """Calldata; a signature may contain tuples. Raises eth_abi's EncodingError for arguments that do not fit."""
    types = _types_in(function) if isinstance(function, str) else types_of(function["inputs"])
    return selector(function) + encode(types, args)


def call_data(function: Entry | str, *args: Any) -> HexStr:
    """Calldata, as 0x hex."""
    return HexStr("0x" + encode_call(function, *args).hex())


def decode_values(parameters: Sequence[Entry], data: bytes) -> tuple[Any, ...]:
    """Values of these parameters: structs as named tuples, arrays as lists, addresses checksummed. Raises eth_abi's
    DecodingError."""
    values = decode(types_of(parameters), data)
    return tuple(_named(part, part["type"], value) for part, value in zip(parameters, values, strict=True))


def decode_event(event: Entry, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
    """Arguments of an event by name; an indexed one of a dynamic or struct type stays its hash. Raises ValueError."""
    indexed = [part for part in event["inputs"] if part.get("indexed")]
    plain = [part for part in event["inputs"] if not part.get("indexed")]
    if len(topics) != 1 + len(indexed):
        raise ValueError(f"{event['name']}: {len(topics)} topics, expected {1 + len(indexed)}")
    try:
        values = {part["name"]: _topic_value(part, word) for part, word in zip(indexed, topics[1:], strict=True)}
        values |= zip((part["name"] for part in plain), decode_values(plain, data), strict=True)
    except (DecodingError, OverflowError) as error:
        raise ValueError(f"{event['name']}: {error}") from None
    return {part["name"]: values[part["name"]] for part in event["inputs"]}


def _topic_value(parameter: Entry, word: bytes) -> Any:
    kind = str(parameter["type"])
    hashed = kind.startswith("tuple") or kind.endswith("]") or kind in ("string", "bytes")
    return word if hashed else decode_values([parameter], word)[0]


def record(parameters: Iterable[Entry], values: Iterable[Any]) -> Any:
    """A named tuple of the parameters' values. Names that Python reserves, or empty ones, become `_0`, `_1` etc."""
    return _record_type(tuple(part["name"] for part in parameters))(*values)


def errors_of(entries: Iterable[Entry]) -> dict[bytes, Entry]:
    """The errors of an ABI by selector."""
    return {selector(entry): entry for entry in entries if entry["type"] == "error"}


def describe_revert(data: bytes, errors: Mapping[bytes, Entry]) -> tuple[str, str, str]:
    """Selector, name and arguments of revert data; empty strings where unknown."""
    if len(data) < 4:
        return "", "", ""
    start, rest = data[:4], data[4:]
    shown = "0x" + start.hex()
    if start == STRING_REVERT:
        return shown, "Error", _arguments(["string"], rest)
    entry = errors.get(start)
    if entry is None:
        return shown, "", ""
    return shown, str(entry["name"]), _arguments(types_of(entry["inputs"]), rest)


def call_view(
    w3: Web3, to: str, signature: str, returns: Sequence[str], *args: Any, block: BlockIdentifier = "latest"
) -> tuple[Any, ...] | None:
    """Result of a view given as `name(type,type)`, or None if it reverts or its answer does not decode.

    Raises the exceptions of `requests` if the node does not answer at all.
    """
    try:
        answer = w3.eth.call({"to": Web3.to_checksum_address(to), "data": call_data(signature, *args)}, block)
    except (Web3Exception, ValueError):
        return None
    return decode_view(bytes(answer), returns)


def decode_view(answer: bytes, returns: Sequence[str]) -> tuple[Any, ...] | None:
    """The values that a view returned, or None if the data does not decode."""
    try:
        return tuple(decode(list(returns), answer))
    except (DecodingError, ValueError, OverflowError):
        return None


def has_code(w3: Web3, address: str) -> bool:
    """Whether the address has code."""
    return len(w3.eth.get_code(Web3.to_checksum_address(address))) > 0


def _types_in(signature: str) -> list[str]:
    """The types of `name(a,(b,c)[],d)`, split at its outer commas."""
    parts: list[str] = []
    depth = 0
    current = ""
    for char in signature[signature.index("(") + 1 : -1]:
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
            continue
        depth += {"(": 1, ")": -1}.get(char, 0)
        current += char
    if current:
        parts.append(current)
    return parts


def _named(parameter: Entry, kind: str, value: Any) -> Any:
    """A decoded value of this type, with structs as named tuples."""
    if kind.endswith("]"):
        inner = kind[: kind.rindex("[")]
        plain = not inner.startswith(("tuple", "address")) and not inner.endswith("]")
        return list(value) if plain else [_named(parameter, inner, item) for item in value]
    if kind == "tuple":
        parts = parameter["components"]
        return record(parts, (_named(part, part["type"], item) for part, item in zip(parts, value, strict=True)))
    return _checksummed(value) if kind == "address" else value


@cache
def _record_type(names: tuple[str, ...]) -> Any:
    """A cached class per kind of struct: creating one takes longer than decoding."""
    return namedtuple("Struct", names, rename=True)


@lru_cache(maxsize=4096)
def _checksummed(address: str) -> str:
    return str(to_checksum_address(address))


def _arguments(types: list[str], raw: bytes) -> str:
    try:
        return f"({', '.join(map(str, decode(types, raw)))})"
    except DecodingError:
        return ""
