"""Estimates a month's gas before its plan is known, from the fund's size and the price of gas. Pure.

The figures are from docs/bench.md: gas with ten to thirty components, and the number of batches in which the cheapest
plan traded the published months.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from ballast.units import WAD

DETERMINE, DETERMINE_EACH = 150_000, 55_000
START, START_EACH = 200_000, 26_000
CLOSE = 100_000
BATCH, BATCH_EACH = 97_000, 73_500
"""Gas of a step: base, and per component."""
TURNOVER = 15 * WAD // 100
"""Part of NAV that a month usually sells at most; the published months sold 5 to 8 %."""
IMPACT = 9 * WAD // 1000
"""Part of NAV that a month's turnover would cost in one batch. n batches cost an n-th of it and n times the gas: for
the published months this gave between 0.16 and 0.58 %, as batches squared times the gas of one."""
MARGIN = 3
"""Multiple of the current gas price that an account should be able to pay: the price moves within a month."""


@dataclass(frozen=True)
class MonthGas:
    """Estimated number of a month's batches, and the gas of all its steps."""

    batches: int
    gas: int


def expected(components: int, total_value: int, batch_cap: int, eth_price: int, gas_price: int, most: int) -> MonthGas:
    """The gas of a fund's month. `components`: the larger number of components and candidates; `total_value`: USD of
    the whole fund, 18 decimals; `batch_cap`: part of it that a batch may sell, 18 decimals; `eth_price`: USD, 18
    decimals, 0: none; `gas_price`: wei; `most`: batches that the keeper's settings allow."""
    one = BATCH + BATCH_EACH * components
    least = -(-TURNOVER // max(1, batch_cap)) + 1
    # {USD} = {gas} * {wei / gas} * {USD / ether} / {wei / ether}
    cost = one * gas_price * eth_price // WAD
    best = isqrt(total_value * IMPACT // WAD // cost) if cost else most
    batches = max(least, min(most, best))
    fixed = DETERMINE + START + CLOSE + (DETERMINE_EACH + START_EACH) * components
    return MonthGas(batches, fixed + batches * one)
