"""Arithmetic of Uniswap V2 pools to the wei.

A pool takes 0.3 % of what goes in: out = 997 in * reserveOut / (1000 reserveIn + 997 in), rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass

KEPT = 997
WHOLE = 1000


@dataclass(frozen=True)
class Reserves:
    """Reserves of one pool in wei, in the direction of a swap."""

    reserve_in: int
    reserve_out: int

    def __post_init__(self) -> None:
        if self.reserve_in <= 0 or self.reserve_out <= 0:
            raise ValueError(f"reserves {self.reserve_in} and {self.reserve_out}: expected both above 0")


def amount_out(pool: Reserves, amount: int) -> int:
    """What the pool pays for `amount`, rounded down. Raises ValueError below 0."""
    if amount < 0:
        raise ValueError(f"amount in {amount}: expected 0 or more")
    kept = amount * KEPT
    return kept * pool.reserve_out // (pool.reserve_in * WHOLE + kept)


def amount_in(pool: Reserves, amount: int) -> int:
    """Least that the pool takes to pay `amount`. Raises ValueError if it does not have that much."""
    if not 0 <= amount < pool.reserve_out:
        raise ValueError(f"amount out {amount}: expected 0 to {pool.reserve_out - 1}")
    if amount == 0:
        return 0
    return -(-pool.reserve_in * amount * WHOLE // ((pool.reserve_out - amount) * KEPT))


def after_swap(pool: Reserves, paid: int) -> Reserves:
    """The pool after `paid` went in."""
    return Reserves(pool.reserve_in + paid, pool.reserve_out - amount_out(pool, paid))
