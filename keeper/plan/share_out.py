"""What a batch's sells bring, shared out over its buys.

Pure. Amounts are token wei by component index, `proceeds` and costs WETH wei, USD and fractions have 18 decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ballast.units import WAD
from keeper.plan.settlement import attainable, goal, missing, outcome, surplus_after
from keeper.plan.slices import CRUMBS
from keeper.pools.market import Market
from keeper.pools.venues import Pool
from keeper.state import FundState, Holding

ROUNDS = 6
"""Most corrections of a batch that turns out above a limit; each one is far smaller than the one before."""


@dataclass(frozen=True)
class Buy:
    """A buy of the batch: its holding and pools, what it should take and what it still lacks, in token wei."""

    holding: Holding
    pools: tuple[Pool, ...]
    wanted: int
    lack: int
    given: int = 0
    """Of it, what comes straight from a sell."""


def share_out(
    state: FundState,
    market: Market,
    buys: tuple[Buy, ...],
    sold: Mapping[int, int],
    proceeds: int,
    *,
    last: bool,
) -> tuple[dict[int, int], int]:
    """Amounts of the buys by index for WETH `proceeds`, and the WETH that they take."""
    surplus_left = surplus_after(state, sold)
    value = sum(state.holdings[i].start_value(amount) for i, amount in sold.items())
    # First guess of what will be received; corrected below by what the batch really counts for.
    limit = attainable(state, surplus_left, value * WAD // state.total_value_at_start)
    # In the last batch the others get what is not spent on buys that hardly lack anything, though it does not count.
    spare = value // CRUMBS if last else 0
    targets = sum(buy.holding.value(goal(state, buy.holding, WAD)) for buy in buys)
    amounts: dict[int, int] = {}
    spent = 0
    for _ in range(ROUNDS):
        most = min(WAD, limit + spare * WAD // targets)
        amounts, spent = _for_proceeds(state, market, buys, most, proceeds, last=last)
        found = outcome(state, sold, amounts)
        uncounted = sum(state.holdings[i].value(amount - found.credited[i]) for i, amount in amounts.items())
        # A remainder of some wei is the rounding of lambda itself.
        if uncounted <= spare + sum(state.holdings[i].value(amount // 10**9 + 1) for i, amount in amounts.items()):
            break
        limit = min(limit, found.attainable)
    return amounts, spent


def _for_proceeds(
    state: FundState, market: Market, buys: tuple[Buy, ...], limit: int, proceeds: int, *, last: bool
) -> tuple[dict[int, int], int]:
    """Amounts that `proceeds` pays for, and what they cost: in the last batch at the highest part of all targets,
    before it as wanted, all more or less by the same factor."""
    most = [
        min(missing(state, buy.holding, limit), buy.given + market.most_to_buy(buy.holding.token, buy.pools))
        for buy in buys
    ]

    def amounts_at(level: int) -> list[int]:
        if last:
            wanted = (goal(state, buy.holding, level) - buy.holding.balance for buy in buys)
        else:
            wanted = (buy.wanted * level // WAD for buy in buys)
        return [max(buy.given, min(amount, top)) for buy, amount, top in zip(buys, wanted, most, strict=True)]

    def cost_of(amounts: list[int]) -> int:
        return sum(
            market.cost(buy.holding.token, buy.pools, amount - buy.given)
            for buy, amount in zip(buys, amounts, strict=True)
        )

    low, high = 0, WAD if last else 2 * WAD
    best = amounts_at(high)
    spent = cost_of(best)
    if spent > proceeds:
        if last:
            # Below the least part that any buy has, nothing is bought: begin there.
            parts = (WAD - buy.lack * WAD // max(1, goal(state, buy.holding, WAD)) for buy in buys)
            low = max(0, min(parts) - 1)
        over = spent - proceeds
        # At `low` nothing is spent.
        level = root(
            lambda at: cost_of(amounts_at(at)) - proceeds, low, high, -proceeds, over, enough=proceeds // 10**13
        )
        best = amounts_at(level)
        spent = cost_of(best)
    return {buy.holding.index: amount for buy, amount in zip(buys, best, strict=True) if amount}, spent


def root(function: Callable[[int], int], low: int, high: int, at_low: int, at_high: int, *, enough: int) -> int:
    """An argument at which a rising function is at most 0 and at least -`enough`, or the largest at which it is at most
    0; `low` if it is above 0 there.

    False position after Illinois: what is searched here is smooth, so a few steps do what bisection does in sixty.
    """
    if at_low >= 0:
        return low
    if at_high <= 0:
        return high
    under, above, at_best, side = -at_low, at_high, -at_low, 0
    while high - low > 1 and at_best > enough:
        middle = min(high - 1, max(low + 1, low + (high - low) * under // (under + above)))
        value = function(middle)
        if value <= 0:
            low, under, at_best = middle, -value, -value
            above = max(1, above // 2) if side < 0 else above
            side = -1
        else:
            high, above = middle, value
            under = max(1, under // 2) if side > 0 else under
            side = 1
    return low
