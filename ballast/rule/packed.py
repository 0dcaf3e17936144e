"""Unpacks a month's data in the contracts' storage and events: a determination and the targets. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils import to_checksum_address

from ballast.rule.methodology import Decision, Flag, Status

PRICE_BITS = 25
"""Leading bits of a price that a target stores, or up to three fewer."""
HEAD = 4
"""Bytes of a target before its unit."""


@dataclass(frozen=True)
class PackedTarget:
    """A stored target: side as the contract's number, unit in token wei per 1e18 shares, and the price at start in USD
    (18 decimals), rounded down, 0 for a component that stays as held."""

    side: int
    unit: int
    price: int


def decision(row: Mapping[str, Any]) -> Decision:
    """A decision from a constituent in an event or a view."""
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
    """A determination from its 256-bit words, two per constituent (`Constituents.sol`)."""
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
    """The targets of a month (`Targets.sol`): one byte with the size of a unit in bytes, then the targets."""
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
    """A price as stored in a target: rounded down by less than 2**-21 of itself."""
    shift = 4 * -(min(0, PRICE_BITS - price.bit_length()) // 4)
    return price >> shift << shift
