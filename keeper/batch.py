"""One batch: how much of each surplus to sell, what to buy for it, over which pools, and what it will cost.

Pure: a fund's state and its pools in, a batch out. Amounts are wei, USD has 18 decimals, fractions have 18 decimals.

Buys share the shortfall in proportion to target: with `slices` batches to go, each buy gets (part * target - balance) /
slices, with one `part` for all, as high as the proceeds pay for. In the last batch that brings all of them to the same
part of their target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keeper.market import Market, Route
from keeper.settlement import Outcome, attainable, goal, outcome, surplus_after
from keeper.state import WAD, FundState, Holding, PoolState, Side

POOL_FEE_BPS = 30

# Gas of a trade, measured: what it takes in any case, for each component sold and bought, for each swap in a pool.
TRADE_GAS = 100_000
SELL_GAS = 35_000
BUY_GAS = 27_000
HOP_GAS = 58_000

_ROUNDS = 6
"""Most corrections of a batch that turns out above a limit; each one is far smaller than the one before."""


@dataclass(frozen=True)
class Leg:
    """One side of a batch: a component (index), its amount and the route that carries it to or from WETH."""

    index: int
    amount: int
    route: Route


@dataclass(frozen=True)
class Batch:
    """A batch as planned. `sells` and `buys` ascend by component index; `weth` passes between them.

    `fees` are the pools' fees, `impact` the rest of what is lost (negative: a gain), both USD at oracle prices; `gas`
    is the gas expected and `gas_cost` its price in USD.
    """

    sells: tuple[Leg, ...]
    buys: tuple[Leg, ...]
    weth: int
    outcome: Outcome
    fees: int
    gas: int
    gas_cost: int
    empties: bool

    @property
    def cost(self) -> int:
        """Value out less value in, USD."""
        return self.outcome.value_out - self.outcome.value_in

    @property
    def impact(self) -> int:
        return self.cost - self.fees

    @property
    def hops(self) -> int:
        return sum(leg.route.hops for leg in (*self.sells, *self.buys))


@dataclass(frozen=True)
class _Buy:
    """A buy that can take something: its holding and pools, and what it still lacks in token wei."""

    holding: Holding
    pools: tuple[PoolState, ...]
    lack: int


def plan_batch(state: FundState, market: Market, slices: int, gas_price: int) -> Batch | None:
    """The next of `slices` equal batches at `gas_price` (wei); None if there is nothing to sell or nothing to buy."""
    hop_cost = HOP_GAS * gas_price
    surpluses = sellable(state, market)
    buys = _buys(state, market, slices, hop_cost)
    if not surpluses or not buys:
        return None
    wanted = {i: amount // slices for i, amount in surpluses.items() if amount // slices}
    for _ in range(_ROUNDS):
        sells = _sell(state, market, wanted, hop_cost)
        proceeds = sum(leg.route.received for leg in sells)
        if proceeds == 0:
            return None
        sold = {leg.index: leg.amount for leg in sells}
        amounts, spent = _share_out(state, market, buys, slices, sold, proceeds)
        # More than all buys may take would be given away: sell less.
        if spent >= proceeds - proceeds // 10**9:
            break
        wanted = {i: amount * spent // proceeds for i, amount in sold.items() if amount * spent // proceeds}
    if not amounts:
        return None
    legs = tuple(
        Leg(buy.holding.index, amounts[buy.holding.index], market.buy(buy.holding.token, buy.pools, amount))
        for buy in buys
        if (amount := amounts.get(buy.holding.index, 0))
    )
    empties = sold == surpluses
    return _priced(state, market, sells, legs, gas_price, empties)


def sellable(state: FundState, market: Market) -> dict[int, int]:
    """Surplus in token wei by index of every component that can be sold now."""
    return {
        h.index: surplus
        for h in state.holdings
        if h.side is Side.SELL and h.price and market.tradable(h.token) and (surplus := state.surplus(h))
    }


def _sell(state: FundState, market: Market, amounts: Mapping[int, int], hop_cost: int) -> tuple[Leg, ...]:
    return tuple(
        Leg(i, amount, market.sell(state.holdings[i].token, amount, hop_cost)) for i, amount in sorted(amounts.items())
    )


def _buys(state: FundState, market: Market, slices: int, hop_cost: int) -> tuple[_Buy, ...]:
    found = []
    for h in state.holdings:
        lack = goal(state, h, WAD) - h.balance
        if h.side is not Side.BUY or not h.price or lack <= 0 or not market.tradable(h.token):
            continue
        pools = market.venues_to_buy(h.token, -(-lack // slices), hop_cost)
        if pools or h.token == market.weth:
            found.append(_Buy(h, pools, lack))
    return tuple(found)


def _share_out(
    state: FundState,
    market: Market,
    buys: tuple[_Buy, ...],
    slices: int,
    sold: Mapping[int, int],
    proceeds: int,
) -> tuple[dict[int, int], int]:
    """Amounts of the buys by index for WETH `proceeds`, and the WETH that they take."""
    surplus_left = surplus_after(state, sold)
    value = sum(state.holdings[i].start_value(amount) for i, amount in sold.items())
    # First guess of what will be received; corrected below by what the batch really counts for.
    limit = attainable(state, surplus_left, value * WAD // state.nav_at_start_prices)
    amounts: dict[int, int] = {}
    spent = 0
    for _ in range(_ROUNDS):
        amounts, spent = _for_proceeds(state, market, buys, slices, limit, proceeds)
        found = outcome(state, sold, amounts)
        # A remainder of some wei is the rounding of lambda itself.
        if all(found.credited[i] >= amount - amount // 10**9 - 1 for i, amount in amounts.items()):
            break
        limit = min(limit, found.part)
    return amounts, spent


def _for_proceeds(
    state: FundState, market: Market, buys: tuple[_Buy, ...], slices: int, limit: int, proceeds: int
) -> tuple[dict[int, int], int]:
    """Amounts at the highest part of all targets that `proceeds` pays for, and what they cost."""
    goals = [goal(state, buy.holding, limit) for buy in buys]

    def amounts_at(part: int) -> list[int]:
        return [
            max(0, min((goal(state, buy.holding, part) - buy.holding.balance) // slices, most - buy.holding.balance))
            for buy, most in zip(buys, goals, strict=True)
        ]

    def cost_of(amounts: list[int]) -> int:
        return sum(market.cost(buy.holding.token, buy.pools, amount) for buy, amount in zip(buys, amounts, strict=True))

    best = amounts_at(WAD)
    spent = cost_of(best)
    if spent > proceeds:
        # Below the least part that any buy has, nothing is bought: begin there.
        least = min(WAD - buy.lack * WAD // max(1, goal(state, buy.holding, WAD)) for buy in buys)
        best, spent = _search(max(0, least - 1), WAD, spent, proceeds, amounts_at, cost_of)
    return {buy.holding.index: amount for buy, amount in zip(buys, best, strict=True) if amount}, spent


def _search(
    low: int,
    high: int,
    cost_high: int,
    proceeds: int,
    amounts_at: Callable[[int], list[int]],
    cost_of: Callable[[list[int]], int],
) -> tuple[list[int], int]:
    """Amounts and their cost at the highest part between `low` (costs nothing) and `high` that `proceeds` pays for.

    False position after Illinois: costs are smooth and rising, so a few steps do what bisection does in sixty.
    """
    best, spent = amounts_at(low), 0
    over, under = cost_high - proceeds, proceeds  # distances at both ends, the idle end's halved
    side = 0
    while high - low > 1:
        middle = min(high - 1, max(low + 1, low + (high - low) * under // (over + under)))
        amounts = amounts_at(middle)
        cost = cost_of(amounts)
        if cost <= proceeds:
            low, best, spent, under = middle, amounts, cost, proceeds - cost
            over = max(1, over // 2) if side < 0 else over
            side = -1
            if under <= proceeds // 10**13:
                break
        else:
            high, over = middle, cost - proceeds
            under = max(1, under // 2) if side > 0 else under
            side = 1
    return best, spent


def _priced(
    state: FundState, market: Market, sells: tuple[Leg, ...], buys: tuple[Leg, ...], gas_price: int, empties: bool
) -> Batch:
    found = outcome(state, {leg.index: leg.amount for leg in sells}, {leg.index: leg.amount for leg in buys})
    hops = sum(leg.route.hops for leg in (*sells, *buys))
    gas = TRADE_GAS + SELL_GAS * len(sells) + BUY_GAS * len(buys) + HOP_GAS * hops
    through_pools = sum(state.holdings[leg.index].value(leg.amount) for leg in sells if leg.route.hops)
    through_pools += sum(market.usd(leg.route.paid) for leg in buys if leg.route.hops)
    return Batch(
        sells=sells,
        buys=buys,
        weth=sum(leg.route.received for leg in sells),
        outcome=found,
        fees=through_pools * POOL_FEE_BPS // 10_000,
        gas=gas,
        gas_cost=market.usd(gas * gas_price),
        empties=empties,
    )
