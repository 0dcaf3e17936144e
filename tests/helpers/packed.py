"""Words as the contracts pack them, taken apart again: an index token's list, and the targets of a month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eth_utils import to_checksum_address

from tests.helpers.chain import Chain


class Listed(NamedTuple):
    """An entry of a packed list of components."""

    token: str
    decimals: int
    retired: bool


class Target(NamedTuple):
    """A packed target: side, unit (token wei per 1e18 shares), price at start (USD, 18 decimals)."""

    side: int
    unit: int
    price: int


def words_at(chain: Chain, pointer: str) -> list[int]:
    """The words kept as the code of a contract, behind its first byte."""
    code = chain.code(pointer)
    assert code[:1] == b"\0" and len(code) % 32 == 1, f"no words at {pointer}"
    return [int.from_bytes(code[i : i + 32], "big") for i in range(1, len(code), 32)]


def listed(words: Sequence[int]) -> list[Listed]:
    """Components: token (160 bits, high), decimals (8), retired (8, low)."""
    return [Listed(to_checksum_address((w >> 96).to_bytes(20, "big")), w >> 8 & 0xFF, bool(w & 0xFF)) for w in words]


def targets(words: Sequence[int]) -> list[Target]:
    """Targets: side (8 bits, high), unit (120), price (128, low)."""
    return [Target(w >> 248, w >> 128 & (2**120 - 1), w & (2**128 - 1)) for w in words]
