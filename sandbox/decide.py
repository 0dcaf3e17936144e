"""Decides what the market does next: which prices to post, which pools to move. Pure.

Posts that the heartbeat requires come first: without them the fund has no prices. A day's gas beyond those goes to the
pools that are furthest off, and to prices that have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ballast.units import DAY_S

BPS = 10_000
POST_GAS = 75_000
"""Approximate gas of a post without its pools: for the budget, until there is a receipt."""
FOLLOW_GAS = 90_000
"""Approximate gas of moving a pool."""


@dataclass(frozen=True)
class PoolReserves:
    """A pool: wei of the token and of the numeraire; `number`: the token's."""

    number: int
    token: int
    base: int


@dataclass(frozen=True)
class MarketState:
    """The market in a block: feeds' answers by number (USD, 8 decimals), when they were posted, and the pools."""

    time: int
    posted_at: int
    answers: tuple[int, ...]
    pools: tuple[PoolReserves, ...]


@dataclass(frozen=True)
class Terms:
    """`post_after`: seconds after which all prices are posted again; `moved_bps`: distance at which a price is posted
    earlier; `band_bps`: distance that a pool may have; `gas_per_day`: in 24 hours of chain time; `decimals`: of the
    tokens, by number."""

    post_after: int
    moved_bps: int
    band_bps: int
    gas_per_day: int
    decimals: tuple[int, ...]

    @property
    def heartbeat_gas(self) -> int:
        """Gas of the fewest posts that a day needs."""
        return POST_GAS * -(-DAY_S // self.post_after)


@dataclass(frozen=True)
class Decision:
    """`answers`: prices to post, None for none; `numbers`: tokens whose pools are to follow; `due`: whether the
    heartbeat requires the post; `skipped`: what the budget did not allow, as text."""

    answers: tuple[int, ...] | None = None
    numbers: tuple[int, ...] = ()
    due: bool = False
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spent:
    """Gas of the last 24 hours, including open transactions. `beyond`: the part that the heartbeat did not require."""

    total: int = 0
    beyond: int = 0


def decide(state: MarketState, wanted: Sequence[int], spent: Spent, terms: Terms) -> Decision:
    """Decides what to do in this block. `wanted`: the prices due by now, by number."""
    due = state.time - state.posted_at >= terms.post_after
    moved = sum(_off(new, old, terms.moved_bps) for new, old in zip(wanted, state.answers, strict=True))
    left = terms.gas_per_day - spent.total
    free = min(left, terms.gas_per_day - terms.heartbeat_gas - spent.beyond)
    skipped = []
    post = due
    if due and left < POST_GAS:
        post = False
        skipped.append(f"a post that the heartbeat asks for ({left} gas left, about {POST_GAS} needed)")
    elif moved and not due:
        post = free >= POST_GAS
        if not post:
            skipped.append(f"a post, though {moved} prices have moved")
    if post:
        free = min(free, left - POST_GAS) if due else free - POST_GAS
    answers = tuple(wanted) if post else state.answers
    off = [number for _, number in sorted(_pools_off(state.pools, answers, terms), reverse=True)]
    affordable = max(0, free) // FOLLOW_GAS
    numbers = tuple(sorted(off[:affordable]))
    if len(off) > affordable:
        skipped.append(f"{len(off) - affordable} of {len(off)} pools that are off their feeds")
    return Decision(answers if post else None, numbers, due and post, tuple(skipped))


def pool_off_bps(pool: PoolReserves, answers: Sequence[int], decimals: Sequence[int]) -> int:
    """Distance of a pool's price from that of the feeds, hundredths of a percent of the latter, rounded down."""
    # {1} = {base wei} * {USD / base} * {tok wei / tok} / ({tok wei} * {USD / tok} * {base wei / base})
    found: int = pool.base * answers[0] * 10 ** decimals[pool.number]
    right: int = pool.token * answers[pool.number] * 10 ** decimals[0]
    return abs(found - right) * BPS // right


def _pools_off(pools: Iterable[PoolReserves], answers: Sequence[int], terms: Terms) -> list[tuple[int, int]]:
    """Distance and number of each pool outside the band."""
    found = [(pool_off_bps(pool, answers, terms.decimals), pool.number) for pool in pools]
    return [(off, number) for off, number in found if off > terms.band_bps]


def _off(new: int, old: int, bps: int) -> bool:
    return abs(new - old) * BPS >= old * bps
