"""Unpacks words that the contracts pack: an index token's list, and the targets of a month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eth_utils import to_checksum_address

from tests.helpers.chain import Chain


class Listed(NamedTuple):
    """An entry of a packed list of components."""

    token: str
    decimals: int
    suspended_until: int
    written_off: bool


class Target(NamedTuple):
    """A packed target: side, unit (token wei per 1e18 shares), price at start (USD, 18 decimals, rounded down)."""

    side: int
    unit: int
    price: int


def data_at(chain: Chain, pointer: str) -> bytes:
    """Data stored as the code of a contract, after its first byte."""
    code = chain.code(pointer)
    assert code[:1] == b"\0", f"nothing is kept at {pointer}"
    return code[1:]


def words_at(chain: Chain, pointer: str) -> list[int]:
    """The words stored as the code of a contract."""
    data = data_at(chain, pointer)
    assert len(data) % 32 == 0, f"no words at {pointer}"
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


def components_of(words: Sequence[int]) -> list[Listed]:
    """Components: token (160 bits, high), suspended until (40, from bit 16), decimals (8), written off (8)."""
    tokens = [to_checksum_address((w >> 96).to_bytes(20, "big")) for w in words]
    return [
        Listed(token, w >> 8 & 0xFF, w >> 16 & 2**40 - 1, bool(w & 0xFF))
        for token, w in zip(tokens, words, strict=True)
    ]


def targets_of(data: bytes) -> list[Target]:
    """Targets: one byte with the width of units, then for each target its side (2 bits, high), shift in steps of 4 bits
    (5), price (25), and the unit."""
    width = 4 + data[0]
    found = []
    for row in range(1, len(data), width):
        head, unit = divmod(int.from_bytes(data[row : row + width], "big"), 256 ** data[0])
        found.append(Target(head >> 30, unit, (head & (2**25 - 1)) << 4 * (head >> 25 & 31)))
    return found


def kept(price: int) -> int:
    """A price as 25 bits keep it: rounded down by a shift of whole steps of 4 bits where it is longer."""
    shift = 0
    while price >> shift >= 2**25:
        shift += 4
    return price >> shift << shift
