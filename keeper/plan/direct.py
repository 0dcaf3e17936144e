"""Swaps over pools between a component that is sold and one that is bought, without WETH in between.

A direct swap saves both sides' fee and impact, and perhaps their swaps; it pays one fee. Its amount is the one that
gains the batch most, if the gain is worth the gas. Pure; amounts are wei.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from keeper.plan.share_out import Buy
from keeper.pools.curve import Curve
from keeper.pools.market import HopCosts, Market, Route
from keeper.state import FundState

_FINE = 24
"""The search for the best amount stops at a precision of one part in 2 to this power."""


@dataclass(frozen=True)
class Cross:
    """A direct swap from a sell to a buy (component indexes); `route` pays in the one and receives the other."""

    sell: int
    buy: int
    route: Route


def crosses_of(
    state: FundState, market: Market, sells: Mapping[int, int], buys: Iterable[Buy], hop_costs: HopCosts
) -> tuple[Cross, ...]:
    """The direct swaps of a batch. `sells`: token wei by component. Takes the best pair first; what is left of its
    components goes to the next pairs."""
    left, tokens = dict(sells), [holding.token for holding in state.holdings]
    lacking = {buy.holding.index: buy for buy in buys}
    pairs = [(i, k) for i in left for k in lacking if market.between(tokens[i], tokens[k])]
    found: list[Cross] = []
    while pairs := [(i, k) for i, k in pairs if left[i] > 0 and lacking[k].wanted > 0]:
        tried = [(*_best(market, tokens[i], left[i], lacking[k], hop_costs), i, k) for i, k in pairs]
        gain, amount, i, k = max(tried, key=lambda entry: (entry[0], -entry[2]))
        if gain <= 0:
            break
        route = market.cross(tokens[i], tokens[k], amount)
        found.append(Cross(i, k, route))
        left[i] -= route.paid
        lacking[k] = replace(lacking[k], wanted=lacking[k].wanted - route.received)
        pairs.remove((i, k))
    return tuple(sorted(found, key=lambda cross: (cross.sell, cross.buy)))


def _best(market: Market, paid_token: str, most_in: int, buy: Buy, hop_costs: HopCosts) -> tuple[int, int]:
    """The highest gain of a direct swap, WETH wei net of gas, and its amount; a gain of 0 or less: not worth it."""
    token, pools, wanted = buy.holding.token, buy.pools, buy.wanted
    direct = Curve(market.between(paid_token, token), paid_token)
    over = market.sell(paid_token, most_in, hop_costs)
    selling = market.curve(paid_token, market.pools_of(paid_token, over), selling=True)
    top = most_in if direct.most_in is None else min(most_in, direct.most_in)
    if wanted < direct.most_out:
        top = min(top, direct.into(wanted))

    def gain(amount: int) -> int:
        received = min(wanted, direct.out(amount))
        saved = market.cost(token, pools, wanted) - market.cost(token, pools, wanted - received)
        return saved - (selling.out(most_in) - selling.out(most_in - amount))

    def gas(amount: int) -> int:
        """Gas of the direct swaps, less that of the swaps they make unnecessary, WETH wei."""
        used = sum(hop_costs[pool.kind] for pool, part in zip(direct.pools, direct.split(amount), strict=True) if part)
        used -= sum(hop_costs[pool.kind] for pool in selling.pools) if amount == most_in else 0
        return used - (sum(hop_costs[pool.kind] for pool in pools) if direct.out(amount) >= wanted else 0)

    best = max((_highest(gain, top), top), key=lambda amount: gain(amount) - gas(amount))
    return gain(best) - gas(best), best


def _highest(function: Callable[[int], int], top: int) -> int:
    """The approximate maximum, from 1 to `top`, of a function that rises and then falls."""
    low, high = 1, max(1, top)
    while high - low > max(2, top >> _FINE):
        third = (high - low) // 3
        if function(low + third) < function(high - third):
            low += third
        else:
            high -= third
    return (low + high) // 2
