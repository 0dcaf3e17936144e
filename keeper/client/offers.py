"""Offers: batches that a solver fills out of its own stock, and their encoding for a `StockFiller`.

A filler pays a fixed amount, while the fund clamps what it sells to what is left when the batch is mined. So an order
has a minimum for each sell: if somebody trades first, the batch reverts and the solver makes a new offer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import encode

from ballast.units import WAD
from keeper.plan import bucket
from keeper.plan.order import FILLER
from keeper.plan.settlement import Outcome, attainable, goal, outcome, surplus_after
from keeper.state import FundState, Side

FINE = 10**6
"""The search for the amounts stops at a precision of one part in this many."""
SLACK = 10**4
"""A sell may fall short by one part in this many: a redemption just before takes a little of the surplus."""


@dataclass(frozen=True)
class Offer:
    """A batch to fill: token wei by component index, and how the contract will settle it.

    >>> found = offer(look.state, look.pool_prices(), stock, margin_bps=20, most_share=WAD // 100)
    >>> found.outcome.value_out, found.outcome.value_in  # USD, 18 decimals
    """

    sells: Mapping[int, int]
    pays: Mapping[int, int]
    outcome: Outcome

    def allowed(self, state: FundState) -> bool:
        """Whether the fund's rules allow it at the state's time.

        >>> if found.allowed(look.state):
        ...     bot.send(bot.fund.fill(found, filler, look.state))
        """
        idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
        tolerance = bucket.tolerance(idle, state.limits, state.progress, self.outcome.sale)
        counted = self.outcome.value_in * WAD >= self.outcome.value_out * (WAD - tolerance)
        return counted and self.outcome.share <= bucket.capacity(idle, state.limits)


def offer(
    state: FundState, prices: Mapping[str, int], stock: Mapping[str, int], margin_bps: int, most_share: int
) -> Offer | None:
    """The offer of a solver that values tokens at `prices` (USD for one whole token, 18 decimals), holds `stock` (token
    wei) and keeps `margin_bps` basis points of the value that the fund sells.

    It takes the same part of every surplus, together at most `most_share` of NAV (18 decimals) and the bucket's
    capacity, and pays so that all buys reach the same part of their targets. Rounds in the solver's favour. None if
    there is nothing to fill, or if the stock does not cover the payment. Only for a fund that trades.

        >>> offer(look.state, look.pool_prices(), fund.stock(filler, look.state), margin_bps=20, most_share=WAD // 100)
    """
    idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
    capacity = min(most_share, bucket.capacity(idle, state.limits))
    surplus = {h.index: amount for h in state.holdings if h.price and (amount := state.surplus(h))}
    whole = sum(state.holdings[i].trade_value_up(amount) for i, amount in surplus.items())
    if not whole or not capacity:
        return None
    # A thousandth below the capacity: prices may move before the batch is mined.
    most = capacity * state.total_value_at_start // WAD * 999 // 1_000
    sells = {i: amount if whole <= most else amount * most // whole for i, amount in surplus.items()}
    worth = sum(amount * prices[state.holdings[i].token] // state.holdings[i].one for i, amount in sells.items())
    pays = _even(state, sells, prices, worth * (10_000 - margin_bps) // 10_000)
    if not pays or any(amount > stock.get(state.holdings[i].token, 0) for i, amount in pays.items()):
        return None
    return Offer(sells, pays, outcome(state, sells, pays))


def _even(state: FundState, sells: Mapping[int, int], prices: Mapping[str, int], budget: int) -> dict[int, int]:
    """Amounts that bring all buys to the same part of their targets and are worth at most `budget` USD."""
    buys = [h for h in state.holdings if h.side is Side.BUY and h.price]

    def amounts(part: int) -> dict[int, int]:
        wanted = ((h.index, goal(state, h, part) - h.balance) for h in buys)
        return {index: amount for index, amount in wanted if amount > 0}

    def costs(found: Mapping[int, int]) -> int:
        return sum(-(-a * prices[state.holdings[i].token] // state.holdings[i].one) for i, a in found.items())

    left = surplus_after(state, sells)
    sold = sum(state.holdings[i].start_value(amount) for i, amount in sells.items())
    # The contract does not credit more, so the filler does not pay it.
    high = attainable(state, left, sold * WAD // state.total_value_at_start)
    low, step = 0, high
    while step > high // FINE:
        step //= 2
        if costs(amounts(low + step)) <= budget:
            low += step
    return amounts(low)


def order_for(found: Offer, filler: str) -> tuple[Any, ...]:
    """The offer as argument of `StockFiller.trade`. The batch reverts if it brings over a millionth less value than
    computed, or if the fund sells over a ten-thousandth (`SLACK`) less than planned.

        >>> contract.functions.trade(order_for(found, contract.address)).transact()
    """
    least = found.outcome.value_in - found.outcome.value_in // 10**6
    data = stock_data([*found.pays.values()], [amount - amount // SLACK for amount in found.sells.values()])
    recipients = [FILLER] * len(found.sells)
    return [*found.sells], [*found.sells.values()], recipients, [*found.pays], least, filler, data


def stock_data(pays: Sequence[int], least_sells: Sequence[int]) -> bytes:
    """An order's data for `StockFiller`: token wei to pay of each buy, least token wei of each sell.

    >>> stock_data([10**18], [5 * 10**17])
    """
    return encode(["uint256[]", "uint256[]"], [pays, least_sells])
