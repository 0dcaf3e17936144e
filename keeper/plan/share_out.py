"""Shares the proceeds of a batch's sells among its buys.

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
"""Most corrections of a batch that exceeds a limit; each one is far smaller than the one before."""


@dataclass(frozen=True)
class Buy:
    """A buy of the batch: its holding and pools, the amount it should buy and the amount missing to its full target,
    in token wei."""

    holding: Holding
    pools: tuple[Pool, ...]
    wanted: int
    lack: int
    given: int = 0
    """The part that direct swaps bring, token wei."""


def share_out(
    state: FundState,
    market: Market,
    buys: tuple[Buy, ...],
    sold: Mapping[int, int],
    proceeds: int,
    *,
    last: bool,
) -> tuple[dict[int, int], int]:
    """Amounts of the buys by index for `proceeds` (WETH wei), and their cost in WETH wei."""
    surplus_left = surplus_after(state, sold)
    value = sum(state.holdings[i].start_value(amount) for i, amount in sold.items())
    # First guess of the value received; the loop corrects it by the batch's actual outcome.
    limit = attainable(state, surplus_left, value * WAD // state.total_value_at_start)
    # The last batch leaves out buys that hardly lack anything; the others get their share, although it is not credited.
    spare = value // CRUMBS if last else 0
    targets = sum(buy.holding.value(goal(state, buy.holding, WAD)) for buy in buys)
    amounts: dict[int, int] = {}
    spent = 0
    for _ in range(ROUNDS):
        most = min(WAD, limit + spare * WAD // targets)
        amounts, spent = _for_proceeds(state, market, buys, most, proceeds, last=last)
        found = outcome(state, sold, amounts)
        uncounted = sum(state.holdings[i].value(amount - found.credited[i]) for i, amount in amounts.items())
        # Lambda's own rounding leaves a remainder of some wei.
        if uncounted <= spare + sum(state.holdings[i].value(amount // 10**9 + 1) for i, amount in amounts.items()):
            break
        limit = min(limit, found.attainable)
    return amounts, spent


def _for_proceeds(
    state: FundState, market: Market, buys: tuple[Buy, ...], limit: int, proceeds: int, *, last: bool
) -> tuple[dict[int, int], int]:
    """Amounts that `proceeds` pays for, and their cost: in the last batch the highest common part of all targets,
    before it the wanted amounts, all scaled by the same factor."""
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
            # Below the smallest part that any buy already holds, nothing is bought.
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
    0; `low` if it is 0 or above there.

    Regula falsi, Illinois variant: the functions searched here are smooth, so a few steps replace sixty of bisection.
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
