"""Computes one batch to the wei: what to sell, what to buy for it, over which pools, and what it will cost.

Pure: a fund's state, its pools and the planned slices in, a batch out. Amounts are wei, USD has 18 decimals, fractions
have 18 decimals.

The sells' proceeds must equal the buys' cost, and no buy may take more than the contract credits. The last batch fills
all buys to the same part of their targets, as high as the proceeds pay for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ballast.units import WAD
from keeper.plan.costs import GasCosts
from keeper.plan.direct import Cross, crosses_of
from keeper.plan.settlement import Outcome, attainable, goal, missing, outcome
from keeper.plan.share_out import ROUNDS, Buy, root, share_out
from keeper.plan.slices import Slice
from keeper.pools.market import Market, Route
from keeper.pools.venues import Pool, PoolKind
from keeper.state import FundState, Holding, Side

_MAX_GIVE = 4 * WAD
"""Slices give way by at most this factor (18 decimals) times the sum of both sides over the sum of their `Lot.give`."""


@dataclass(frozen=True)
class Leg:
    """One side of a batch: a component (index), its amount and the route that carries it to or from WETH."""

    index: int
    amount: int
    route: Route


@dataclass(frozen=True)
class Batch:
    """A planned batch. `sells` and `buys` ascend by component index; `weth` is the WETH (wei) from sells to buys.

    `fees`: the pools' fees; `impact`: the rest of the loss (negative: a gain); both USD at oracle prices. `gas`: gas
    expected; `gas_cost`: its price in USD. `empties`: whether it sells all that can be sold. `crosses`: direct swaps
    from a sell to a buy, in addition to the legs.
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
        """Value out less value in as the settlement computes them, USD."""
        return self.outcome.value_out - self.outcome.value_in

    @property
    def impact(self) -> int:
        return self.cost - self.fees

    @property
    def hops(self) -> int:
        return sum(route.hops for route in self.routes)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of all sells, buys and crosses."""
        return (*(leg.route for leg in (*self.sells, *self.buys)), *(cross.route for cross in self.crosses))

    @property
    def sold(self) -> dict[int, int]:
        """Token wei that leave the fund, by component."""
        return _leaving(self.sells, self.crosses)

    @property
    def bought(self) -> dict[int, int]:
        """Token wei that the fund receives, by component."""
        return _arriving(self.buys, self.crosses)


@dataclass(frozen=True)
class Gas:
    """Price of gas, wei per gas: `wei` as the sender will pay, `weighed` as the plan weighs it against impact."""

    costs: GasCosts
    wei: int
    weighed: int

    @property
    def hops(self) -> dict[int, int]:
        """Cost of one more swap at the weighed price, WETH wei by kind of pool."""
        return {kind: self.costs.hop(kind) * self.weighed for kind in PoolKind}


@dataclass(frozen=True)
class _Draft:
    """A batch under construction, in token wei by component index. `wanted`: amounts to sell for WETH; `sells`: those
    sales over pools; `crosses`: direct swaps from a sell to a buy; `amounts`: amounts of the buys, which cost `spent`
    WETH."""

    wanted: Mapping[int, int]
    buys: tuple[Buy, ...]
    crosses: tuple[Cross, ...] = ()
    sells: tuple[Leg, ...] = ()
    amounts: Mapping[int, int] = field(default_factory=dict)
    spent: int = 0

    @property
    def proceeds(self) -> int:
        """WETH wei that the sells bring."""
        return sum(leg.route.received for leg in self.sells)

    @property
    def straight(self) -> dict[int, int]:
        """Token wei that leave the fund in crosses, by component."""
        return _leaving((), self.crosses)

    @property
    def sold(self) -> dict[int, int]:
        """Token wei that leave the fund, by component."""
        return _leaving(self.sells, self.crosses)


def sellable(state: FundState, market: Market) -> dict[int, int]:
    """Surplus in token wei of every component that can be sold now, by index."""
    return {
        h.index: surplus
        for h in state.holdings
        if h.side is Side.SELL and state.trades(h) and market.tradable(h.token) and (surplus := state.surplus(h))
    }


def rooms(state: FundState, sold: int) -> dict[int, int]:
    """Most USD that the contract credits each buy in a batch that sells about USD `sold`, by index."""
    share = min(state.progress.surplus, sold * WAD // state.total_value_at_start)
    most = attainable(state, state.progress.surplus - share, share)
    return {h.index: h.value(missing(state, h, most)) for h in state.holdings if h.side is Side.BUY and state.trades(h)}


def make_batch(
    state: FundState, market: Market, slices: Sequence[Slice], gas: Gas, *, last: bool, cap: int
) -> Batch | None:
    """A batch of about these slices; None if it would sell or buy nothing.

    `last`: sell them whole and share the proceeds among all buys. `cap`: most that it may sell, share of NAV.
    """
    wanted, buys = _balanced(state, market, slices, gas, last=last)
    wanted = _within(state, wanted, cap)
    if not wanted or not buys:
        return None
    draft = _crossed(state, market, _Draft(wanted, buys), gas)
    matched = _matched(state, market, draft, gas, last=last)
    if matched is None or not matched.amounts:
        return None
    return _priced(state, market, matched, gas)


def _crossed(state: FundState, market: Market, draft: _Draft, gas: Gas) -> _Draft:
    """The draft with direct swaps from sells to buys, and with the rest of the sells."""
    draft = replace(draft, crosses=crosses_of(state, market, draft.wanted, draft.buys, gas.hops))
    straight = draft.straight
    given = _arriving((), draft.crosses)
    return replace(
        draft,
        wanted={i: amount - straight.get(i, 0) for i, amount in draft.wanted.items() if amount > straight.get(i, 0)},
        buys=tuple(replace(buy, given=given.get(buy.holding.index, 0)) for buy in draft.buys),
    )


def _matched(state: FundState, market: Market, draft: _Draft, gas: Gas, *, last: bool) -> _Draft | None:
    """The draft with its sells routed and the proceeds shared among the buys. Proceeds beyond what all buys together
    can take would be given away, so it sells less until they take all. None if nothing is left to sell."""
    for _ in range(ROUNDS):
        draft = _sold(state, market, draft, gas)
        if draft.proceeds == 0 and not draft.crosses:
            return None
        amounts, spent = share_out(state, market, draft.buys, draft.sold, draft.proceeds, last=last)
        draft = replace(draft, amounts=amounts, spent=spent)
        if spent >= draft.proceeds - draft.proceeds // 10**9:
            return draft
        draft = replace(draft, wanted=_scaled(draft.wanted, spent, draft.proceeds))
        if not draft.wanted and not draft.crosses:
            return None
    return draft


def _sold(state: FundState, market: Market, draft: _Draft, gas: Gas) -> _Draft:
    """The draft with routes for the amounts in `wanted`."""
    sells = (
        Leg(i, amount, market.sell(state.holdings[i].token, amount, gas.hops))
        for i, amount in sorted(draft.wanted.items())
    )
    return replace(draft, sells=tuple(sells))


def _within(state: FundState, wanted: Mapping[int, int], cap: int) -> dict[int, int]:
    """The sells, all scaled down by the same factor if they are worth more than `cap` (share of NAV)."""
    value = sum(state.holdings[i].trade_value_up(amount) for i, amount in wanted.items())
    most = cap * state.total_value_at_start // WAD
    return dict(wanted) if value <= most else _scaled(wanted, most, value)


def _scaled(wanted: Mapping[int, int], part: int, whole: int) -> dict[int, int]:
    """All amounts times `part` over `whole`, rounded down, without those that become 0."""
    return {i: scaled for i, amount in wanted.items() if (scaled := amount * part // whole)}


def _balanced(
    state: FundState, market: Market, slices: Sequence[Slice], gas: Gas, *, last: bool
) -> tuple[dict[int, int], tuple[Buy, ...]]:
    """Sells by index in token wei, and buys, adjusted so that the sells bring about what the buys cost."""
    sells = [s for s in slices if s.lot.work.selling]
    chosen = [(s, _pools(market, s, gas)) for s in slices if not s.lot.work.selling]
    buys = [(s, pools) for s, pools in chosen if pools or s.lot.work.holding.token == market.weth]
    if not sells or not buys:
        return {}, ()
    give = 0 if last else _give(market, sells, buys)
    found = tuple(
        Buy(
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
    """USD of a slice if all slices give way by `give` (18 decimals) times their `Lot.give`."""
    return max(0, min(entry.most, entry.value + entry.lot.give * give // WAD))


def _give(market: Market, sells: Sequence[Slice], buys: Sequence[tuple[Slice, tuple[Pool, ...]]]) -> int:
    """How far slices must give way (18 decimals, positive: sells up and buys down) for both sides to match."""

    def over(give: int) -> int:
        """WETH wei that the sells bring above the cost of the buys."""
        brought = spent = 0
        for s in sells:
            holding, curve = s.lot.work.holding, s.lot.way.curve
            amount = _token(holding, _value(s, give))
            brought += amount if curve is None else curve.out(amount)
        for s, pools in buys:
            holding = s.lot.work.holding
            # A buy may grow beyond what its pools hold: their last wei cost more than any sells bring.
            amount = min(_token(holding, _value(s, -give)), market.most_to_buy(holding.token, pools))
            spent += market.cost(holding.token, pools, amount)
        return brought - spent

    sides = sum(s.value for s in sells) + sum(s.value for s, _ in buys)
    gives = sum(s.lot.give for s in sells) + sum(s.lot.give for s, _ in buys)
    if gives == 0:
        return 0
    bound = sides * _MAX_GIVE // gives
    now = over(0)
    if now > 0:
        return root(over, -bound, 0, over(-bound), now, enough=now >> 16)
    return root(over, 0, bound, now, over(bound), enough=-now >> 16)


def _priced(state: FundState, market: Market, draft: _Draft, gas: Gas) -> Batch:
    """The batch of a draft, with its outcome, fees and gas."""
    sells, crosses, sold = draft.sells, draft.crosses, draft.sold
    buys = tuple(
        Leg(buy.holding.index, amount, market.buy(buy.holding.token, buy.pools, amount))
        for buy in draft.buys
        if (amount := draft.amounts.get(buy.holding.index, 0) - buy.given) > 0
    )
    bought = _arriving(buys, crosses)
    costs, routes = gas.costs, [*(leg.route for leg in (*sells, *buys)), *(cross.route for cross in crosses)]
    used = costs.trade + costs.sell * len(sold) + costs.buy * len(bought)
    used += sum(costs.hop(swap.kind) for route in routes for swap in route.swaps if swap.venue)
    fees = sum(state.holdings[leg.index].value(leg.route.fees) for leg in sells)
    fees += sum(state.holdings[cross.sell].value(cross.route.fees) for cross in crosses)
    fees += sum(market.usd(leg.route.fees) for leg in buys)
    return Batch(
        sells=sells,
        buys=buys,
        crosses=crosses,
        weth=draft.proceeds,
        outcome=outcome(state, sold, bought),
        fees=fees,
        gas=used,
        gas_cost=market.usd(used * gas.wei),
        empties=sold == sellable(state, market),
    )


def _leaving(sells: Iterable[Leg], crosses: Iterable[Cross]) -> dict[int, int]:
    return _sums((*((leg.index, leg.amount) for leg in sells), *((c.sell, c.route.paid) for c in crosses)))


def _arriving(buys: Iterable[Leg], crosses: Iterable[Cross]) -> dict[int, int]:
    return _sums((*((leg.index, leg.amount) for leg in buys), *((c.buy, c.route.received) for c in crosses)))


def _sums(entries: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Sums by key, ascending."""
    found: dict[int, int] = {}
    for key, amount in entries:
        found[key] = found.get(key, 0) + amount
    return dict(sorted(found.items()))
