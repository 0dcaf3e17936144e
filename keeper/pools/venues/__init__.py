"""What every venue gives to the planner: exact quotes, and its depth as stretches of constant product.

A new venue is a module here whose pools fulfil `Pool`, and a branch of the filler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

MILLION = 10**6
"""Fees are in millionths of what goes in."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a pool, in one direction, on which it is a constant product. Amounts are wei.

    With g = 1 - fee / 10**6 and x paid in (fee included), 0 <= x <= most_in:
    out(x) = reserve_out * g * x / (reserve_in + g * x). `most_in` None: the stretch has no end.
    """

    reserve_in: int
    reserve_out: int
    most_in: int | None
    fee: int


class PoolKind(IntEnum):
    """Kinds of pools that the filler knows: by the first, pairs of the Uniswap V2 family, which are paid beforehand."""

    V2 = 0
    V3 = 1


class Pool(Protocol):
    """A pool of two tokens as it stands in one block. Pure and never changed."""

    @property
    def venue(self) -> str:
        """As the address book names it."""

    @property
    def address(self) -> str:
        """The pair or pool."""

    @property
    def kind(self) -> PoolKind:
        """What the filler has to do with it."""

    @property
    def tokens(self) -> tuple[str, str]:
        """Both tokens as the contract orders them, ascending."""

    @property
    def fee(self) -> int:
        """Millionths of what goes in."""

    def amount_out(self, token_in: str, amount: int) -> int:
        """Exactly what the contract pays for `amount` of `token_in`. Raises ValueError if it cannot take all of it."""

    def amount_in(self, token_in: str, amount: int) -> int:
        """Least of `token_in` for which the contract pays `amount` of the other token. Raises ValueError if it does
        not have that much."""

    def segments(self, token_in: str) -> Sequence[Segment]:
        """From the price now outwards, the best price first; reserves and ends rounded down."""

    def at_price(self, numerator: int, denominator: int) -> Pool:
        """The same liquidity once trading has brought the mid price to numerator / denominator: wei of the second
        token for one wei of the first."""
