"""One batch to the wei: what to sell, what to buy for it, over which pools, and what it will cost.

Pure: a fund's state, its pools and the planned slices in, a batch out. Amounts are wei, USD has 18 decimals, fractions
have 18 decimals.

What the sells bring must be what the buys take, and no buy may take more than the contract credits. In the last batch
all buys come to the same part of their targets, as high as the proceeds pay for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ballast.units import WAD
from keeper.plan.bucket import Sale
from keeper.plan.costs import GasCosts
from keeper.plan.direct import Cross, Wanted, crosses_of
from keeper.plan.settlement import Outcome, attainable, goal, outcome, surplus_after
from keeper.plan.slices import CRUMBS, Slice
from keeper.pools.market import Market, Route
from keeper.pools.venues import Pool
from keeper.state import FundState, Holding, Side

_ROUNDS = 6
"""Most corrections of a batch that turns out above a limit; each one is far smaller than the one before."""

_MOST_GIVE = 4 * WAD
"""Where slices give way, at most to so many times (18 decimals) the sum of both sides over the sum of depths."""


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
    is the gas expected and `gas_cost` its price in USD. `crosses` go straight from a sell to a buy, beside the legs.
    """

    sells: tuple[Leg, ...]
    buys: tuple[Leg, ...]
    weth: int
    outcome: Outcome
    fees: int
    gas: int
    gas_cost: int
    empties: bool
    crosses: tuple[Cross, ...] = ()

    @property
    def cost(self) -> int:
        """Value out less value in as the settlement counts them, USD."""
        return self.outcome.value_out - self.outcome.value_in

    @property
    def impact(self) -> int:
        return self.cost - self.fees

    @property
    def hops(self) -> int:
        return sum(route.hops for route in self.routes)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All ways that something goes."""
        legs = (leg.route for leg in (*self.sells, *self.buys))
        return (*legs, *(cross.route for cross in self.crosses))

    @property
    def sold(self) -> dict[int, int]:
        """Token wei that leave the fund, by component."""
        return _sums((*((s.index, s.amount) for s in self.sells), *((c.sell, c.route.paid) for c in self.crosses)))

    @property
    def bought(self) -> dict[int, int]:
        """Token wei that come, by component."""
        return _sums((*((b.index, b.amount) for b in self.buys), *((c.buy, c.route.received) for c in self.crosses)))


@dataclass(frozen=True)
class Gas:
    """What gas costs: `wei` for one gas (what the sender will pay), `weighed` what the plan holds it to be worth."""

    costs: GasCosts
    wei: int
    weighed: int

    @property
    def hops(self) -> dict[int, int]:
        """What one more swap costs, WETH wei by kind of hop, as weighed."""
        return {kind: self.costs.hop(kind) * self.weighed for kind in (0, 1)}


@dataclass(frozen=True)
class _Buy:
    """A buy of the batch: its holding and pools, what it should take and what it still lacks, in token wei."""

    holding: Holding
    pools: tuple[Pool, ...]
    wanted: int
    lack: int
    given: int = 0
    """Of it, what comes straight from a sell."""


def sellable(state: FundState, market: Market) -> dict[int, int]:
    """Surplus in token wei by index of every component that can be sold now."""
    return {
        h.index: surplus
        for h in state.holdings
        if h.side is Side.SELL and state.trades(h) and market.tradable(h.token) and (surplus := state.surplus(h))
    }


def rooms(state: FundState, sold: int) -> dict[int, int]:
    """USD that each buy may take and be credited for in a batch that sells about USD `sold`, by index."""
    share = min(state.progress.surplus, sold * WAD // state.nav_at_start_prices)
    part = attainable(state, state.progress.surplus - share, share)
    return {
        h.index: h.value(max(0, goal(state, h, part) - h.balance))
        for h in state.holdings
        if h.side is Side.BUY and state.trades(h)
    }


def make_batch(
    state: FundState, market: Market, slices: Sequence[Slice], gas: Gas, *, last: bool, cap: int
) -> Batch | None:
    """A batch of about these slices; None if nothing would be sold or bought.

    `last`: sell them whole and share what comes over all buys. `cap`: share of NAV that may be sold at most.
    """
    wanted, buys = _balanced(state, market, slices, gas, last=last)
    surpluses = {i: state.surplus(state.holdings[i]) for i in wanted}
    wanted = _within(state, wanted, cap)
    if not wanted or not buys:
        return None
    crosses = crosses_of(
        state, market, wanted, [Wanted(buy.holding.index, buy.pools, buy.wanted) for buy in buys], gas.hops
    )
    straight = _sums((c.sell, c.route.paid) for c in crosses)
    given = _sums((c.buy, c.route.received) for c in crosses)
    buys = tuple(replace(buy, given=given.get(buy.holding.index, 0)) for buy in buys)
    wanted = {i: amount - straight.get(i, 0) for i, amount in wanted.items() if amount > straight.get(i, 0)}
    for _ in range(_ROUNDS):
        sells = tuple(
            Leg(i, amount, market.sell(state.holdings[i].token, amount, gas.hops))
            for i, amount in sorted(wanted.items())
        )
        proceeds = sum(leg.route.received for leg in sells)
        if proceeds == 0 and not crosses:
            return None
        sold = _sums((*((leg.index, leg.amount) for leg in sells), *straight.items()))
        amounts, spent = _share_out(state, market, buys, sold, proceeds, last=last)
        # More than all buys may take would be given away: sell less.
        if spent >= proceeds - proceeds // 10**9:
            break
        wanted = {i: amount * spent // proceeds for i, amount in wanted.items() if amount * spent // proceeds}
        if not wanted and not crosses:
            return None
    if not amounts:
        return None
    legs = tuple(
        Leg(buy.holding.index, amount, market.buy(buy.holding.token, buy.pools, amount))
        for buy in buys
        if (amount := amounts.get(buy.holding.index, 0) - buy.given) > 0
    )
    empties = sold == surpluses and sold == sellable(state, market)
    return _priced(state, market, sells, legs, crosses, gas, empties)


def _within(state: FundState, wanted: Mapping[int, int], cap: int) -> dict[int, int]:
    """The sells, all less in the same proportion if they are worth more than the share of NAV `cap`."""
    value = sum(state.holdings[i].trade_value_up(amount) for i, amount in wanted.items())
    most = cap * state.nav_at_start_prices // WAD
    if value <= most:
        return dict(wanted)
    return {i: amount * most // value for i, amount in wanted.items() if amount * most // value}


def _balanced(
    state: FundState, market: Market, slices: Sequence[Slice], gas: Gas, *, last: bool
) -> tuple[dict[int, int], tuple[_Buy, ...]]:
    """Sells by index in token wei, and buys, of which the ones bring about what the others take."""
    sells = [s for s in slices if s.lot.work.selling]
    chosen = [(s, _pools(market, s, gas)) for s in slices if not s.lot.work.selling]
    buys = [(s, pools) for s, pools in chosen if pools or s.lot.work.holding.token == market.weth]
    if not sells or not buys:
        return {}, ()
    give = 0 if last else _give(market, sells, buys)
    found = tuple(
        _Buy(
            s.lot.work.holding,
            pools,
            _token(s.lot.work.holding, _value(s, -give)),
            goal(state, s.lot.work.holding, WAD) - s.lot.work.holding.balance,
        )
        for s, pools in buys
    )
    wanted = {}
    for s in sells:
        surplus = state.surplus(s.lot.work.holding)
        value = s.lot.value if last else _value(s, give)
        # {tok} = {tok} * {USD} / {USD}: the whole surplus is worth what the lot is worth, or more where buys end first
        whole = s.lot.work.holding.value(surplus)
        amount = surplus if value >= whole else surplus * value // whole
        if amount:
            wanted[s.lot.index] = amount
    return wanted, found


def _pools(market: Market, entry: Slice, gas: Gas) -> tuple[Pool, ...]:
    holding = entry.lot.work.holding
    return market.venues_to_buy(holding.token, max(1, _token(holding, entry.value)), gas.hops)


def _token(holding: Holding, value: int) -> int:
    """Token wei of USD `value`, rounded down."""
    return value * holding.one // holding.price


def _value(entry: Slice, give: int) -> int:
    """USD of a slice where all give way by `give` (18 decimals) times their `Lot.give`."""
    return max(0, min(entry.most, entry.value + entry.lot.give * give // WAD))


def _give(market: Market, sells: Sequence[Slice], buys: Sequence[tuple[Slice, tuple[Pool, ...]]]) -> int:
    """By how much slices have to give way (18 decimals, positive: sells up and buys down) until both sides match."""

    def over(give: int) -> int:
        """WETH that the sells bring above what the buys take."""
        brought = spent = 0
        for s in sells:
            holding, curve = s.lot.work.holding, s.lot.way.curve
            amount = _token(holding, _value(s, give))
            brought += amount if curve is None else curve.out(amount)
        for s, pools in buys:
            holding = s.lot.work.holding
            spent += market.cost(holding.token, pools, _token(holding, _value(s, -give)))
        return brought - spent

    sides = sum(s.value for s in sells) + sum(s.value for s, _ in buys)
    gives = sum(s.lot.give for s in sells) + sum(s.lot.give for s, _ in buys)
    if gives == 0:
        return 0
    bound = sides * _MOST_GIVE // gives
    now = over(0)
    if now == 0:
        return 0
    low, high = (-bound, 0) if now > 0 else (0, bound)
    at_low, at_high = (over(low), now) if now > 0 else (now, over(high))
    return _root(over, low, high, at_low, at_high, enough=abs(now) >> 16)


def _root(function: Callable[[int], int], low: int, high: int, at_low: int, at_high: int, *, enough: int) -> int:
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


def _share_out(
    state: FundState,
    market: Market,
    buys: tuple[_Buy, ...],
    sold: Mapping[int, int],
    proceeds: int,
    *,
    last: bool,
) -> tuple[dict[int, int], int]:
    """Amounts of the buys by index for WETH `proceeds`, and the WETH that they take."""
    surplus_left = surplus_after(state, sold)
    value = sum(state.holdings[i].start_value(amount) for i, amount in sold.items())
    # First guess of what will be received; corrected below by what the batch really counts for.
    limit = attainable(state, surplus_left, value * WAD // state.nav_at_start_prices)
    # In the last batch the others get what is not spent on buys that hardly lack anything, though it does not count.
    spare = value // CRUMBS if last else 0
    targets = sum(buy.holding.value(goal(state, buy.holding, WAD)) for buy in buys)
    amounts: dict[int, int] = {}
    spent = 0
    for _ in range(_ROUNDS):
        most = min(WAD, limit + spare * WAD // targets)
        amounts, spent = _for_proceeds(state, market, buys, most, proceeds, last=last)
        found = outcome(state, sold, amounts)
        uncounted = sum(state.holdings[i].value(amount - found.credited[i]) for i, amount in amounts.items())
        # A remainder of some wei is the rounding of lambda itself.
        if uncounted <= spare + sum(state.holdings[i].value(amount // 10**9 + 1) for i, amount in amounts.items()):
            break
        limit = min(limit, found.part)
    return amounts, spent


def _for_proceeds(
    state: FundState, market: Market, buys: tuple[_Buy, ...], limit: int, proceeds: int, *, last: bool
) -> tuple[dict[int, int], int]:
    """Amounts that `proceeds` pays for, and what they cost: in the last batch at the highest part of all targets,
    before it as wanted, all more or less by the same factor."""
    most = [max(0, goal(state, buy.holding, limit) - buy.holding.balance) for buy in buys]

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
        best, spent = _search(low, high, spent, proceeds, amounts_at, cost_of)
    return {buy.holding.index: amount for buy, amount in zip(buys, best, strict=True) if amount}, spent


def _search(
    low: int,
    high: int,
    cost_high: int,
    proceeds: int,
    amounts_at: Callable[[int], list[int]],
    cost_of: Callable[[list[int]], int],
) -> tuple[list[int], int]:
    """Amounts and their cost at the highest level between `low` (costs nothing) and `high` that `proceeds` pays for."""
    level = _root(
        lambda at: cost_of(amounts_at(at)) - proceeds,
        low,
        high,
        -proceeds,
        cost_high - proceeds,
        enough=proceeds // 10**13,
    )
    amounts = amounts_at(level)
    return amounts, cost_of(amounts)


def _priced(
    state: FundState,
    market: Market,
    sells: tuple[Leg, ...],
    buys: tuple[Leg, ...],
    crosses: tuple[Cross, ...],
    gas: Gas,
    empties: bool,
) -> Batch:
    weth = sum(leg.route.received for leg in sells)
    nothing = Outcome(0, 0, Sale(0, 0), 0, {}, state.progress)
    batch = Batch(sells, buys, weth, nothing, 0, 0, 0, empties, crosses)
    costs = gas.costs
    total = costs.trade + costs.sell * len(batch.sold) + costs.buy * len(batch.bought)
    total += sum(costs.hop(swap.kind) for route in batch.routes for swap in route.swaps if swap.venue)
    fees = sum(state.holdings[leg.index].value(leg.route.fees) for leg in sells)
    fees += sum(state.holdings[cross.sell].value(cross.route.fees) for cross in crosses)
    fees += sum(market.usd(leg.route.fees) for leg in buys)
    found = outcome(state, batch.sold, batch.bought)
    return replace(batch, outcome=found, fees=fees, gas=total, gas_cost=market.usd(total * gas.wei))


def _sums(entries: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Sums by key, ascending."""
    found: dict[int, int] = {}
    for key, amount in entries:
        found[key] = found.get(key, 0) + amount
    return dict(sorted(found.items()))
