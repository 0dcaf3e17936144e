"""What the contracts keep or tell of a month, taken apart: a determination and the targets. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils import to_checksum_address

from ballast.rule.methodology import Decision, Flag, Status

PRICE_BITS = 25
"""A target's price keeps so many leading bits, or up to three fewer."""
HEAD = 4
"""Bytes of a target before its unit."""


@dataclass(frozen=True)
class PackedTarget:
    """A target as it is kept: side by the contract's number, unit in token wei per 1e18 shares, and the price at start
    in USD (18 decimals), rounded down, 0 for what is held."""

    side: int
    unit: int
    price: int


def decision(row: Mapping[str, Any]) -> Decision:
    """A constituent as an event or a view has it."""
    return Decision(
        token=to_checksum_address(row["token"]),
        basis=row["basis"],
        status=Status(row["status"]),
        flags=Flag(row["flags"]),
        price=row["price"],
        weight=row["weight"],
        confirmed=row["confirmed"],
        member=row["member"],
    )


def constituents(words: Sequence[int]) -> list[Decision]:
    """A determination from its words, two for each constituent (`Constituents.sol`)."""
    return [
        Decision(
            token=to_checksum_address((word >> 96).to_bytes(20, "big")),
            basis=word % 2**88,
            status=Status(more % 2**3),
            flags=Flag((word >> 88) % 2**8),
            price=more >> 156,
            weight=(more >> 92) % 2**64,
            confirmed=(more >> 4) % 2**88,
            member=bool(more >> 3 & 1),
        )
        for word, more in zip(words[::2], words[1::2], strict=True)
    ]


def targets(data: bytes) -> list[PackedTarget]:
    """The targets of a month (`Targets.sol`): one byte that says how many bytes a unit takes, then the targets."""
    size = HEAD + data[0]
    found = []
    for at in range(1, len(data), size):
        head = int.from_bytes(data[at : at + HEAD], "big")
        shift = 4 * (head >> PRICE_BITS & 31)
        found.append(
            PackedTarget(
                side=head >> 30,
                unit=int.from_bytes(data[at + HEAD : at + size], "big"),
                price=head % 2**PRICE_BITS << shift,
            )
        )
    return found


def kept_price(price: int) -> int:
    """A price as a target keeps it: rounded down by less than 2**-21 of itself."""
    shift = 4 * -(min(0, PRICE_BITS - price.bit_length()) // 4)
    return price >> shift << shift
