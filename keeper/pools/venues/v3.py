"""Pools of Uniswap V3: quotes equal to the contract's swaps to the wei, crossing ticks in the same way.

The keeper reads a pool within a window of its tick bitmap; it refuses a swap that would leave the window. The contract
looks for the next initialized tick within one word of the bitmap (256 tick spacings) at a time and stops at the word's
end if there is none. Each stop rounds, so this code makes the same stops (white paper, 6.3; the contract UniswapV3Pool
and the library TickBitmap of v3-core).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any, NamedTuple

from keeper.pools.venues import MILLION, PoolKind, Segment, v3_math

V3_VENUE = "uniswap-v3"
MAX_SEGMENTS = 24
WORD = 256
"""Tick spacings in a word of the bitmap."""


class UnknownTicksError(ValueError):
    """A swap would leave the window of ticks that was read."""


class Result(NamedTuple):
    """A swap: input (fee included) and output in wei, and the pool's state after it."""

    amount_in: int
    amount_out: int
    sqrt_price: int
    tick: int | None
    """None: the price is between two ticks and determines the tick."""
    liquidity: int


@dataclass(frozen=True)
class V3Pool:
    """A pool in one block, within a window of its ticks.

    `tokens`: token0 and token1; `fee`: millionths; `sqrt_price`: square root of token1 wei for one token0 wei, x 2^96;
    `liquidity`: in range. `ticks`: the initialized ones (ascending) of the bitmap's words `first_word` to `last_word`;
    `nets`: the liquidity that each adds when crossed upwards.
    """

    address: str
    tokens: tuple[str, str]
    fee: int
    tick_spacing: int
    sqrt_price: int
    tick: int
    liquidity: int
    ticks: tuple[int, ...]
    nets: tuple[int, ...]
    first_word: int
    last_word: int
    venue: str = V3_VENUE
    kind: PoolKind = PoolKind.V3

    def __post_init__(self) -> None:
        if len(self.ticks) != len(self.nets):
            raise ValueError(
                f"pool {self.address}: {len(self.ticks)} ticks and {len(self.nets)} nets, expected as many"
            )
        if self.sqrt_price <= 0 or self.tick_spacing <= 0:
            raise ValueError(f"pool {self.address}: square root of the price {self.sqrt_price}, expected above 0")

    def amount_out(self, token_in: str, amount: int) -> int:
        """See `Pool`."""
        return self.swap_in(token_in, amount).amount_out

    def amount_in(self, token_in: str, amount: int) -> int:
        """See `Pool`. Where prices are coarse, an exact-output swap takes a little more than this minimum."""
        if amount == 0:
            return 0
        enough = self.swap_out(token_in, amount).amount_in
        # Searches the minimum to the wei: down in doubling steps while less is enough, then bisection.
        step, too_little = 1, 0
        while enough > 0:
            tried = max(0, enough - step)
            if self.amount_out(token_in, tried) < amount:
                too_little = tried
                break
            enough, step = tried, 2 * step
        while enough - too_little > 1:
            middle = (enough + too_little) // 2
            if self.amount_out(token_in, middle) < amount:
                too_little = middle
            else:
                enough = middle
        return enough

    def swap_in(self, token_in: str, amount: int, limit: int | None = None) -> Result:
        """A swap of exactly `amount` in, or of less if it reaches `limit` (a square root of a price x 2^96) first.

        Raises ValueError for a negative amount, or if without a limit the pool cannot take all; UnknownTicksError
        beyond the window.
        """
        return self._swap(token_in, amount, limit, exact_in=True)

    def swap_out(self, token_in: str, amount: int, limit: int | None = None) -> Result:
        """A swap for exactly `amount` out, or for less if it reaches `limit` first. Raises as `swap_in`."""
        return self._swap(token_in, amount, limit, exact_in=False)

    def after(self, result: Result) -> V3Pool:
        """The pool after a swap."""
        tick = v3_math.tick_at_sqrt_ratio(result.sqrt_price) if result.tick is None else result.tick
        return replace(self, sqrt_price=result.sqrt_price, tick=tick, liquidity=result.liquidity)

    def segments(self, token_in: str) -> tuple[Segment, ...]:
        """See `Pool`: a stretch between two initialized ticks has constant liquidity (white paper, 6.1)."""
        zero_in = self._zero_in(token_in)
        found: list[Segment] = []
        price, liquidity = self.sqrt_price, self.liquidity
        for tick, net in self._ahead(zero_in):
            end = v3_math.sqrt_ratio_at_tick(tick)
            segment = _segment(price, end, liquidity, self.fee, zero_in)
            if segment is not None:
                found.append(segment)
                if len(found) == MAX_SEGMENTS:
                    break
            price, liquidity = end, liquidity - net if zero_in else liquidity + net
        return tuple(found)

    def at_price(self, numerator: int, denominator: int) -> V3Pool:
        """See `Pool`. A price beyond the window moves the pool to the window's end."""
        low, high = self.window
        bounds = v3_math.sqrt_ratio_at_tick(low), v3_math.sqrt_ratio_at_tick(high) - 1
        price = max(bounds[0], min(bounds[1], isqrt((numerator << 192) // denominator)))
        if price == self.sqrt_price:
            return self
        tick = v3_math.tick_at_sqrt_ratio(price)
        # The move crosses the ticks above the lower and up to the higher of both.
        first, last = sorted((bisect_right(self.ticks, self.tick), bisect_right(self.ticks, tick)))
        crossed = sum(self.nets[first:last])
        liquidity = self.liquidity + (crossed if tick > self.tick else -crossed)
        return replace(self, sqrt_price=price, tick=tick, liquidity=liquidity)

    @property
    def window(self) -> tuple[int, int]:
        """Lowest and highest tick that a swap can reach within the words read."""
        low = self.first_word * WORD * self.tick_spacing
        high = (self.last_word * WORD + WORD - 1) * self.tick_spacing
        return max(v3_math.MIN_TICK, low), min(v3_math.MAX_TICK, high)

    def _zero_in(self, token_in: str) -> bool:
        if token_in not in self.tokens:
            raise ValueError(f"pool {self.address}: does not trade {token_in}")
        return token_in == self.tokens[0]

    def _ahead(self, zero_in: bool) -> list[tuple[int, int]]:
        """Initialized ticks in the direction of a swap, with their nets, and last the end of the window."""
        low, high = self.window
        here = bisect_right(self.ticks, self.tick)
        if zero_in:
            return [*zip(self.ticks[:here][::-1], self.nets[:here][::-1], strict=True), (low, 0)]
        return [*zip(self.ticks[here:], self.nets[here:], strict=True), (high, 0)]

    def _next_tick(self, tick: int, zero_in: bool) -> tuple[int, int]:
        """The tick at which the contract stops next, and its net (0: not initialized)."""
        spacing = self.tick_spacing
        at = tick // spacing if zero_in else tick // spacing + 1
        word = at // WORD
        if not self.first_word <= word <= self.last_word:
            raise UnknownTicksError(f"pool {self.address}: only ticks {self.window[0]} to {self.window[1]} are known")
        if zero_in:
            k = bisect_right(self.ticks, at * spacing) - 1
            end = word * WORD * spacing
            return (self.ticks[k], self.nets[k]) if k >= 0 and self.ticks[k] >= end else (end, 0)
        k = bisect_left(self.ticks, at * spacing)
        end = (word * WORD + WORD - 1) * spacing
        return (self.ticks[k], self.nets[k]) if k < len(self.ticks) and self.ticks[k] <= end else (end, 0)

    def _swap(self, token_in: str, amount: int, limit: int | None, *, exact_in: bool) -> Result:
        zero_in, whole = self._zero_in(token_in), limit is None
        if amount < 0:
            raise ValueError(f"amount {amount}: expected 0 or more")
        if limit is None:
            limit = v3_math.MIN_SQRT_RATIO + 1 if zero_in else v3_math.MAX_SQRT_RATIO - 1
        price, liquidity = self.sqrt_price, self.liquidity
        tick: int = self.tick
        inside = False
        left, total_in, total_out = amount, 0, 0
        if left and (price > limit) != zero_in:
            raise ValueError(f"limit {limit}: expected on the far side of the price {price}")
        while left and price != limit:
            stop, net = self._next_tick(tick, zero_in)
            stop = max(v3_math.MIN_TICK, min(v3_math.MAX_TICK, stop))
            end = v3_math.sqrt_ratio_at_tick(stop)
            target = max(end, limit) if zero_in else min(end, limit)
            step = (v3_math.step_in if exact_in else v3_math.step_out)(price, target, liquidity, left, self.fee)
            paid = step.amount_in + step.fee
            left -= paid if exact_in else step.amount_out
            total_in, total_out = total_in + paid, total_out + step.amount_out
            inside = step.price not in (price, end)
            price = step.price
            if price == end:
                liquidity += -net if zero_in else net
                tick = stop - 1 if zero_in else stop
        if left and whole:
            does, way = ("takes", "in") if exact_in else ("pays", "out")
            raise ValueError(f"pool {self.address}: {does} {amount - left} of {amount} {way}")
        return Result(total_in, total_out, price, None if inside else tick, liquidity)


def _segment(price: int, end: int, liquidity: int, fee: int, zero_in: bool) -> Segment | None:
    """The stretch from `price` to `end`; None if it takes nothing. Virtual reserves are L / sqrt(P) and L sqrt(P)."""
    first, second = (liquidity << 96) // price, liquidity * price >> 96
    if zero_in:
        most = v3_math.amount0_between(end, price, liquidity, up=False)
    else:
        most = v3_math.amount1_between(price, end, liquidity, up=False)
    most = most * MILLION // (MILLION - fee)
    if most <= 0 or not first or not second:
        return None
    return Segment(first, second, most, fee) if zero_in else Segment(second, first, most, fee)


def pool_of(address: str, state: Any) -> V3Pool | None:
    """A pool from the lens's struct `V3State`; None if there is no pool, or no liquidity on one side of the price."""
    if state.sqrtPriceX96 == 0:
        return None
    pool = V3Pool(
        address=address,
        tokens=(state.token0, state.token1),
        fee=state.fee,
        tick_spacing=state.tickSpacing,
        sqrt_price=state.sqrtPriceX96,
        tick=state.tick,
        liquidity=state.liquidity,
        ticks=tuple(state.ticks),
        nets=tuple(state.nets),
        first_word=state.firstWord,
        last_word=state.lastWord,
    )
    return pool if all(pool.segments(token) for token in pool.tokens) else None
