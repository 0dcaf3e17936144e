"""Arithmetic of Uniswap V2 pools to the wei, and the split of an amount over several pools of one pair of tokens.

A pool takes 0.3 % of what goes in: out = 997 in * reserveOut / (1000 reserveIn + 997 in), rounded down.

Split. With a, b the reserves of what goes in and out, g = 997/1000 and x what goes in, the marginal rate is
g a b / (a + g x)^2. It is the same in all pools if (a + g x) / sqrt(a b) is: call that s. From sum(x) = X follows
s = (g X + sum(a)) / sum(sqrt(a b)). A pool whose rate is worse than that even untouched (s < sqrt(a / b)) gets nothing
and leaves the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

KEPT = 997
WHOLE = 1000

_FINE = 64
"""Bits after the point in square roots: reserves of coarse tokens (few decimals) stay exact enough."""


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


def split_in(pools: Sequence[Reserves], amount: int) -> tuple[int, ...]:
    """Parts of `amount` to pay into each pool so that marginal rates meet. The parts add up to `amount`.

    Rounding (below one wei a pool) goes to the pool that takes most.
    """
    if not pools:
        raise ValueError("split over no pools")
    chosen = _by_rate(pools)
    while True:
        roots = {k: _root(pools[k]) for k in chosen}
        spread = amount * KEPT + sum(pools[k].reserve_in for k in chosen) * WHOLE
        total = sum(roots.values())
        parts = {k: (spread * roots[k] // total - pools[k].reserve_in * WHOLE) // KEPT for k in chosen}
        if len(chosen) == 1 or parts[chosen[-1]] > 0:
            break
        chosen.pop()
    return _fill_up(pools, parts, amount)


def split_out(pools: Sequence[Reserves], amount: int) -> tuple[int, ...]:
    """Parts of `amount` to take out of each pool so that marginal rates meet. The parts add up to `amount`.

    Raises ValueError if the pools together do not have that much.
    """
    if not pools:
        raise ValueError("split over no pools")
    if amount >= sum(pool.reserve_out for pool in pools):
        raise ValueError(f"amount out {amount}: more than the pools hold")
    chosen = _by_rate(pools)
    while True:
        roots = {k: _root(pools[k]) for k in chosen}
        left = sum(pools[k].reserve_out for k in chosen) - amount
        total = sum(roots.values())
        # What stays in a pool is sqrt(a b) / s.
        parts = {k: pools[k].reserve_out + (-left * roots[k] // total) for k in chosen}
        if len(chosen) == 1 or parts[chosen[-1]] > 0:
            break
        chosen.pop()
    return _fill_up(pools, parts, amount)


def best_out(pools: Sequence[Reserves], amount: int) -> int:
    """What `amount` brings over all pools."""
    return sum(amount_out(pool, part) for pool, part in zip(pools, split_in(pools, amount), strict=True))


def best_in(pools: Sequence[Reserves], amount: int) -> int:
    """Least that brings `amount` over all pools."""
    return sum(amount_in(pool, part) for pool, part in zip(pools, split_out(pools, amount), strict=True))


def _root(pool: Reserves) -> int:
    """sqrt(a b) with `_FINE` bits after the point."""
    return isqrt(pool.reserve_in * pool.reserve_out << 2 * _FINE)


def _by_rate(pools: Sequence[Reserves]) -> list[int]:
    """Positions of the pools, best rate first. With a good pool in, only worse ones can drop out."""
    return sorted(range(len(pools)), key=lambda k: (pools[k].reserve_in * 2**128 // pools[k].reserve_out, k))


def _fill_up(pools: Sequence[Reserves], parts: dict[int, int], amount: int) -> tuple[int, ...]:
    """All parts in the order of the pools; what rounding left over goes to the largest."""
    result = [max(0, parts.get(k, 0)) for k in range(len(pools))]
    largest = max(range(len(pools)), key=lambda k: result[k] if k in parts else -1)
    result[largest] += amount - sum(result)
    return tuple(result)
