"""Arithmetic of Uniswap V3 pools in integers, with the contract's rounding: equal to it to the wei.

Sources: the Uniswap v3 white paper (sections named below) for the formulas; for the rounding the libraries TickMath,
SqrtPriceMath and SwapMath of Uniswap's v3-core 1.0, from which the deployed pools were compiled.

A price is token1 wei for one token0 wei, represented as its square root x 2^96. Liquidity is that of the white paper
(section 6.2): L^2 = x y of the virtual reserves. Ticks are powers of 1.0001 (section 6.1). Fees are millionths of the
input (section 6.2.3).
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import NamedTuple

from keeper.pools.venues import MILLION

Q96 = 2**96

MIN_TICK = -887_272
MAX_TICK = 887_272
MIN_SQRT_RATIO = 4_295_128_739
"""`sqrt_ratio_at_tick(MIN_TICK)`."""
MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
"""`sqrt_ratio_at_tick(MAX_TICK)`."""

_MAX_256 = 2**256 - 1
_TICKS_PER_DOUBLING = 13_863
"""Ticks in which the square root doubles: 2 ln(2) / ln(1.0001)."""
_TICKS_PER_UNIT = 20_001
"""Ticks per relative change of the square root, for small changes: 2 / ln(1.0001)."""


def _factors() -> tuple[int, ...]:
    """1.0001^(-2^k / 2) for k = 0 to 19, x 2^128 and rounded to the nearest: the constants of the contract."""
    bits = 600
    power = isqrt((10_000 << 2 * bits) // 10_001)
    factors = []
    for _ in range(20):
        factors.append((power + (1 << bits - 129)) >> bits - 128)
        power = power * power >> bits
    return tuple(factors)


_FACTORS = _factors()


@lru_cache(maxsize=65_536)
def sqrt_ratio_at_tick(tick: int) -> int:
    """sqrt(1.0001^tick) x 2^96, as the contract rounds it (up, from products that it rounds down at 128 bits).

    Raises ValueError outside MIN_TICK to MAX_TICK.
    """
    size = abs(tick)
    if size > MAX_TICK:
        raise ValueError(f"tick {tick}: expected {MIN_TICK} to {MAX_TICK}")
    ratio = 2**128
    for k, factor in enumerate(_FACTORS):
        if size >> k & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = _MAX_256 // ratio
    return _up(ratio, 2**32)


def tick_at_sqrt_ratio(ratio: int) -> int:
    """The greatest tick whose ratio is at most this one. Raises ValueError below MIN_SQRT_RATIO or from MAX_SQRT_RATIO
    on."""
    if not MIN_SQRT_RATIO <= ratio < MAX_SQRT_RATIO:
        raise ValueError(f"square root of a price {ratio}: expected {MIN_SQRT_RATIO} to {MAX_SQRT_RATIO - 1}")
    tick = _within((ratio.bit_length() - 97) * _TICKS_PER_DOUBLING)
    while True:
        # Newton's method: near a root of a^t = r each error is about the square of the previous one.
        found = sqrt_ratio_at_tick(tick)
        step = (ratio - found) * _TICKS_PER_UNIT // found
        if -2 <= step <= 2:
            break
        tick = _within(tick + step)
    while tick < MAX_TICK and sqrt_ratio_at_tick(tick + 1) <= ratio:
        tick += 1
    while sqrt_ratio_at_tick(tick) > ratio:
        tick -= 1
    return tick


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _within(tick: int) -> int:
    return max(MIN_TICK, min(MAX_TICK, tick))


def amount0_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token0 wei between two prices: L (1 / sqrt(low) - 1 / sqrt(high)) (white paper, 6.2.3), rounded twice in the
    direction of `up`."""
    numerator = (liquidity << 96) * (high - low)
    if up:
        return _up(_up(numerator, high), low)
    return numerator // high // low


def amount1_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token1 wei between two prices: L (sqrt(high) - sqrt(low)) (white paper, 6.2.3)."""
    product = liquidity * (high - low)
    return _up(product, Q96) if up else product >> 96


def price_after_input(price: int, liquidity: int, amount: int, *, zero_in: bool) -> int:
    """The square root of the price after an input of `amount` (without fee), rounded so that the pool does not pay too
    much."""
    if not zero_in:
        return price + (amount << 96) // liquidity
    if amount == 0:
        return price
    numerator = liquidity << 96
    product = amount * price
    if product <= _MAX_256 and numerator + product <= _MAX_256:
        return _up(numerator * price, numerator + product)
    # If the product overflows, the contract divides first.
    return _up(numerator, numerator // price + amount)


def price_after_output(price: int, liquidity: int, amount: int, *, zero_in: bool) -> int:
    """The square root of the price after an output of `amount`, rounded so that the pool takes enough. Raises
    ValueError if the liquidity does not hold that much."""
    if zero_in:
        after = price - _up(amount << 96, liquidity)
        if after <= 0:
            raise ValueError(f"amount out {amount}: more than the liquidity holds")
        return after
    if amount == 0:
        return price
    numerator = liquidity << 96
    product = amount * price
    if product > _MAX_256 or numerator <= product:
        raise ValueError(f"amount out {amount}: more than the liquidity holds")
    return _up(numerator * price, numerator - product)


class Step(NamedTuple):
    """A swap on a stretch of constant liquidity: the price after it, input (without fee), output and fee in wei."""

    price: int
    amount_in: int
    amount_out: int
    fee: int


def step_in(price: int, target: int, liquidity: int, left: int, fee: int) -> Step:
    """A swap of exactly `left` in (fee included) from `price`, which ends at `target` if it gets there first."""
    zero_in = price >= target
    without_fee = left * (MILLION - fee) // MILLION
    most = _in(price, target, liquidity, zero_in)
    if without_fee >= most:
        return Step(target, most, _out(price, target, liquidity, zero_in), _up(most * fee, MILLION - fee))
    after = price_after_input(price, liquidity, without_fee, zero_in=zero_in)
    if after == target:
        # The rounded price may reach the target before the amount is used up: then the fee is that of a full step.
        return Step(target, most, _out(price, target, liquidity, zero_in), _up(most * fee, MILLION - fee))
    amount = _in(price, after, liquidity, zero_in)
    # The rounding remainder of the amount goes to the fee.
    return Step(after, amount, _out(price, after, liquidity, zero_in), left - amount)


def step_out(price: int, target: int, liquidity: int, left: int, fee: int) -> Step:
    """A swap for exactly `left` out from `price`, which ends at `target` if it gets there first."""
    zero_in = price >= target
    most = _out(price, target, liquidity, zero_in)
    after, amount_out = target, most
    if left < most:
        after = price_after_output(price, liquidity, left, zero_in=zero_in)
        if after != target:
            amount_out = min(left, _out(price, after, liquidity, zero_in))
    amount_in = _in(price, after, liquidity, zero_in)
    return Step(after, amount_in, min(left, amount_out), _up(amount_in * fee, MILLION - fee))


def _in(price: int, after: int, liquidity: int, zero_in: bool) -> int:
    if zero_in:
        return amount0_between(after, price, liquidity, up=True)
    return amount1_between(price, after, liquidity, up=True)


def _out(price: int, after: int, liquidity: int, zero_in: bool) -> int:
    if zero_in:
        return amount1_between(after, price, liquidity, up=False)
    return amount0_between(price, after, liquidity, up=False)
