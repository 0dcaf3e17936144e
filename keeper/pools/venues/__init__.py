"""The interface of every venue to the planner: exact quotes, and depth as stretches of constant product.

A new venue needs a module here whose pools implement `Pool`, and a branch in the filler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

MILLION = 10**6
"""Fees are in millionths of the input."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a pool, in one direction, on which it acts as a constant product. Amounts are wei.

    With g = 1 - fee / 10**6 and x paid in (fee included), 0 <= x <= most_in:
    out(x) = reserve_out * g * x / (reserve_in + g * x). `most_in` None: the stretch has no end.
    """

    reserve_in: int
    reserve_out: int
    most_in: int | None
    fee: int


class PoolKind(IntEnum):
    """Kinds of pools that the filler supports. V2: pairs of the Uniswap V2 family, paid before they swap."""

    V2 = 0
    V3 = 1


class Pool(Protocol):
    """A pool of two tokens in one block. Pure and immutable."""

    @property
    def venue(self) -> str:
        """The venue's name in the address book."""

    @property
    def address(self) -> str:
        """Address of the pair or pool."""

    @property
    def kind(self) -> PoolKind:
        """Kind that tells the filler how to swap."""

    @property
    def tokens(self) -> tuple[str, str]:
        """Both tokens in the contract's order, ascending."""

    @property
    def fee(self) -> int:
        """Fee in millionths of the input."""

    def amount_out(self, token_in: str, amount: int) -> int:
        """The contract's exact output for `amount` of `token_in`. Raises ValueError if it cannot take all of it."""

    def amount_in(self, token_in: str, amount: int) -> int:
        """Smallest input of `token_in` for which the contract pays `amount` of the other token. Raises ValueError if it
        does not have that much."""

    def segments(self, token_in: str) -> Sequence[Segment]:
        """The stretches from the current price outwards, best price first; reserves and `most_in` rounded down."""

    def at_price(self, numerator: int, denominator: int) -> Pool:
        """The same pool after trading has moved its mid price to numerator / denominator: wei of the second token for
        one wei of the first."""
