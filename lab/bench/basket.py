"""The basket of a benchmark as data: n components with steep market caps, half of them to sell, half to buy.

Amounts are token wei (18 decimals), prices and values USD with 18 decimals.
"""

from __future__ import annotations

from dataclasses import dataclass

from ballast.rule.arithmetic import PricedComponent, market_cap_units
from ballast.units import FEED_STEP, WAD

CAP = WAD // 4
"""Hard cap of a weight, as DPI has it."""
SHARE_NAV = 100 * WAD
"""Value of one share at the seed, about."""
OFF_TARGET = WAD // 50
"""Fraction by which each unit held at the seed is above (even positions) or below (odd positions) its target."""


@dataclass(frozen=True)
class Component:
    """A component: price, circulating supply in whole tokens, unit held at the seed and target unit."""

    price: int
    supply: int
    unit: int
    target: int

    @property
    def sold(self) -> bool:
        """Whether the first months sell it."""
        return self.unit > self.target


def basket(n: int) -> list[Component]:
    """n components; the k-th has 1/k of the first one's market cap.

    Targets are the rule's result for the units held, to the wei, so that they also suit a fund that takes its targets
    as input.
    """
    prices = [(3 * (k * k + 1) * WAD + 123_456_789 * k * FEED_STEP) // FEED_STEP * FEED_STEP for k in range(n)]
    supplies = [9_876_543_210 * WAD // ((k + 1) * price) for k, price in enumerate(prices)]
    start = [PricedComponent(s, SHARE_NAV * WAD // (n * p), p, 18) for s, p in zip(supplies, prices, strict=True)]
    near = market_cap_units(start, CAP)
    units = [unit * (WAD + (-1) ** k * OFF_TARGET) // WAD for k, unit in enumerate(near)]
    held = [PricedComponent(s, u, p, 18) for s, u, p in zip(supplies, units, prices, strict=True)]
    targets = market_cap_units(held, CAP)
    return [Component(*row) for row in zip(prices, supplies, units, targets, strict=True)]
