"""Cuts each component's trade into the cheapest slices, and chooses the slices of the next batch.

Pure. USD have 18 decimals, gas prices here are USD (18 decimals) for one gas.

A slice of value x loses x^2 / depth to impact (a constant product of that depth; pools recover between batches), and
costs g in gas. A component with V left in n equal slices costs V^2 / (n depth) + n g: least where n (n + 1) first
reaches V^2 / (depth g), that is with slices of about sqrt(depth g), however much is left. So the number of remaining
slices follows from the remaining value, and falls by one with each slice. Deep tokens trade in few batches, thin ones
in many.

Batches must balance: the sells' proceeds equal the buys' cost. Of N remaining batches each sells 1 / N of what is left.
A component with N slices left is in every batch, the others take turns, those with most slices left first. If the two
sides of a batch then do not match, its slices give way in proportion to depth: that costs least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt

from ballast.units import WAD
from keeper.plan.costs import GasCosts
from keeper.plan.settlement import goal, missing
from keeper.pools.curve import Curve
from keeper.pools.market import Market
from keeper.pools.venues import MILLION
from keeper.state import FundState, Holding, Side

_REST = 50
"""A buy with less than this fraction (1 / _REST) of a batch left to buy waits for the last batch."""

_CRUMB = 1_000
"""The last batch leaves out a buy that lacks less than this fraction (1 / _CRUMB) of the fund's holding of it."""
CRUMBS = 100
"""All buys that it leaves out together lack less than this fraction (1 / CRUMBS) of what it sells; the other buys get
that value."""

_ENDLESS = 10**60
"""Depth of a component that trades without impact."""


@dataclass(frozen=True, slots=True)
class Way:
    """Some pools of a component, combined. `gas`: of a slice over them; `curve` None: the component is WETH itself.

    `depth`: USD, at about the size of a worthwhile slice.
    """

    curve: Curve | None
    gas: int
    fee: int
    depth: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to trade of a component: `value` USD, and the ways to trade it, fewest pools first."""

    holding: Holding
    selling: bool
    value: int
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Lot:
    """What is left of a component in equal `slices` over `way`. `value`, `fees`, `impact`: USD for all slices together;
    `depth`: USD; `gas`: of one slice."""

    work: Work
    slices: int
    depth: int
    way: Way
    fees: int
    impact: int

    @property
    def index(self) -> int:
        return self.work.holding.index

    @property
    def value(self) -> int:
        return self.work.value

    @property
    def slice_value(self) -> int:
        return self.work.value // self.slices

    @property
    def gas(self) -> int:
        return self.way.gas

    @property
    def give(self) -> int:
        """How far a slice gives way to balance a batch, relative to the other slices (USD). A last slice does not give
        way: it would leave a rest for one more slice."""
        return self.depth * (self.slices - 1) // self.slices


def works_of(state: FundState, market: Market, costs: GasCosts, gas_price: int) -> tuple[Work, ...]:
    """What is left to trade: each sell's surplus, each buy's shortfall to its full target.

    `gas_price` USD. Leaves out works worth less than a slice's gas, up to a total of half the month's dust for buys, a
    quarter for sells.
    """
    sells, buys = [], []
    for holding in state.holdings:
        if not state.trades(holding) or not market.tradable(holding.token):
            continue
        if holding.side is Side.SELL:
            sells.append(_work(holding, holding.value(state.surplus(holding)), market, costs, gas_price))
        else:
            buys.append(_work(holding, holding.value(missing(state, holding)), market, costs, gas_price))
    dust = state.limits.dust * state.total_value_at_start // WAD
    return (*_worth_trading(sells, dust // 4, gas_price), *_worth_trading(buys, dust // 2, gas_price))


def _work(holding: Holding, value: int, market: Market, costs: GasCosts, gas_price: int) -> Work:
    selling = holding.side is Side.SELL
    own = costs.sell if selling else costs.buy
    if holding.token == market.weth:
        return Work(holding, selling, value, (Way(None, own, 0, _ENDLESS),))
    pools, ways, gas, fee = market.pools[holding.token], [], own, 0
    for count in range(1, len(pools) + 1):
        gas += costs.hop(pools[count - 1].kind)
        fee = max(fee, pools[count - 1].fee)
        curve = market.curve(holding.token, pools[:count], selling=selling)
        at_first = _depth(holding, curve, market, max(1, value // 100))
        # The likely size of a slice is sqrt(depth g), whatever is left, but at least a hundredth of that.
        likely = min(value, max(value // 100, isqrt(at_first * gas * gas_price)))
        ways.append(Way(curve, gas, fee, _depth(holding, curve, market, likely)))
    return Work(holding, selling, value, tuple(ways))


def _worth_trading(works: Iterable[Work], spare: int, gas_price: int) -> list[Work]:
    """Drops the smallest works that are worth less than their gas, up to a total of `spare` USD. The largest stays:
    with one side empty there is no batch, and the month would not end."""
    ordered = sorted((work for work in works if work.value), key=lambda work: (work.value, work.holding.index))
    found = []
    for work in ordered:
        if work is not ordered[-1] and work.value < work.ways[0].gas * gas_price and work.value <= spare:
            spare -= work.value
        else:
            found.append(work)
    return sorted(found, key=lambda work: work.holding.index)


def paid_for(state: FundState, works: Sequence[Work], cost: int) -> tuple[Work, ...]:
    """The works with the buys cut to what the sells pay for, less `cost` USD: all to the same part of their targets.

    If the buys lack less than that, cuts the sells instead.
    """
    budget = sum(work.value for work in works if work.selling) - cost
    buys = [work for work in works if not work.selling]
    lacking = sum(work.value for work in buys)
    if lacking <= budget:
        # Selling more would buy beyond the targets.
        total = budget + cost
        return tuple(replace(w, value=w.value * (lacking + cost) // total) if w.selling else w for w in works)
    part = _part(state, buys, budget)
    return tuple(w if w.selling else replace(w, value=w.holding.value(missing(state, w.holding, part))) for w in works)


def _part(state: FundState, buys: Sequence[Work], budget: int) -> int:
    """Common part of their targets (18 decimals, rounded down) to which `budget` USD fills all `buys`, which lack more
    than that."""
    # Adds the buys by the part that they already hold, lowest first, until the next one holds more than the result.
    lines = []
    for work in buys:
        target = work.holding.value(goal(state, work.holding, WAD))
        if target:
            lines.append((WAD - work.value * WAD // target, target))
    lines.sort()
    targets = had = part = 0
    for has, target in lines:
        if targets and (budget + had) * WAD // targets <= has:
            break
        targets, had = targets + target, had + has * target // WAD
        part = (budget + had) * WAD // targets
    return min(WAD, max(0, part))


def lots_of(works: Iterable[Work], market: Market, batches: int, gas_price: int) -> tuple[Lot, ...]:
    """The cheapest slices of each work in at most `batches` batches; `gas_price` USD."""
    return tuple(_lot(work, market, batches, gas_price) for work in works if work.value)


def _lot(work: Work, market: Market, batches: int, gas_price: int) -> Lot:
    best: tuple[int, Lot] | None = None
    for way in work.ways:
        slices = _slices(work.value, way.depth, way.gas * gas_price, batches)
        depth = way.depth
        if way.curve is not None:
            # Again with the depth at the resulting size of a slice.
            depth = _depth(work.holding, way.curve, market, work.value // slices)
            slices = _slices(work.value, depth, way.gas * gas_price, batches)
        impact = work.value * work.value // (depth * slices)
        total = impact + slices * way.gas * gas_price
        if best is None or total < best[0]:
            best = total, Lot(work, slices, depth, way, work.value * way.fee // MILLION, impact)
    assert best is not None  # a work has at least one way
    return best[1]


def _slices(value: int, depth: int, gas: int, most: int) -> int:
    """Smallest n with n (n + 1) gas >= value^2 / depth, from 1 to `most`."""
    if gas <= 0:
        return most
    least = value * value // (depth * gas)
    # n = (sqrt(1 + 4 least) - 1) / 2, rounded up
    slices = (isqrt(1 + 4 * least) + 1) // 2
    return min(most, max(1, slices - 1 if (slices - 1) * slices >= least else slices))


def _depth(holding: Holding, curve: Curve, market: Market, value: int) -> int:
    """Depth in USD, such that a slice of `value` loses value^2 / depth beyond fees. _ENDLESS if it loses nothing."""
    if holding.side is Side.SELL:
        paid = value * holding.one // holding.price
        lost = market.usd(curve.at_start(paid) - curve.out(paid))
    else:
        paid = market.weth_of(value)
        lost = holding.value(curve.at_start(paid) - curve.out(paid))
    return value * value // lost if lost > 0 and value else _ENDLESS


def estimate(works: Iterable[Work], batches: int, costs: GasCosts, gas_price: int) -> tuple[int, int]:
    """Approximate impact (USD) and gas of all that is left in `batches` batches, with the depths of the ways."""
    impact, total = 0, batches * (costs.trade + costs.data)
    missing = {True: batches, False: batches}
    least = {True: 0, False: 0}
    for work in works:
        value, best, lost, taken, made = work.value, 0, 0, 0, 0
        for way in work.ways:
            slices = _slices(value, way.depth, way.gas * gas_price, batches)
            loss = value * value // (way.depth * slices)
            cost = loss + slices * way.gas * gas_price
            if not made or cost < best:
                best, lost, taken, made = cost, loss, slices * way.gas, slices
        impact, total = impact + lost, total + taken
        missing[work.selling] -= made
        gas = work.ways[0].gas
        least[work.selling] = min(gas, least[work.selling] or gas)
    # Each batch needs a sell and a buy, even with fewer slices than batches.
    return impact, total + sum(max(0, missing[side]) * least[side] for side in (True, False))


def gas_of(lots: Sequence[Lot], batches: int, costs: GasCosts) -> int:
    """Gas expected for all that is left. Each batch needs a sell and a buy, even with fewer slices than batches."""
    total = batches * (costs.trade + costs.data)
    for selling in (True, False):
        own = [lot for lot in lots if lot.work.selling is selling]
        slices = sum(lot.slices for lot in own)
        total += sum(lot.slices * lot.gas for lot in own)
        if own and slices < batches:
            total += (batches - slices) * min(lot.gas for lot in own)
    return total


@dataclass(frozen=True)
class Slice:
    """A component in the next batch: `value` USD as planned, at most `most`; `give` as in `Lot`."""

    lot: Lot
    value: int
    most: int


def next_slices(lots: Sequence[Lot], rooms: Mapping[int, int], batches: int, cap: int) -> tuple[Slice, ...]:
    """The slices of the next of `batches`. `rooms`: USD that each buy may take now, by index; `cap`: most USD to sell.

    A buy waits if it may take only little of its slice now, or if only a remainder is left after its last slice, unless
    there is nothing else to buy. Empty if there is nothing to sell, or no buy may take anything now, for instance
    because the pools would charge more than the sells bring.
    """
    sells = [Slice(lot, lot.slice_value, lot.value) for lot in lots if lot.work.selling]
    if batches == 1:
        # In the last batch the contract holds nothing back.
        crumbs = _crumbs(lots)
        return (*sells, *(Slice(s, s.value, s.value) for s in lots if not s.work.selling and s.index not in crumbs))
    buys = []
    for lot in lots:
        if not lot.work.selling:
            room = min(lot.value, rooms[lot.index])
            buys.append(Slice(lot, min(lot.slice_value, room), room))
    even = min(cap, even_part(lots, batches))
    ready = [buy for buy in buys if 5 * buy.most >= 4 * buy.lot.slice_value and buy.lot.value * _REST >= even]
    ready = ready or [buy for buy in buys if buy.most]
    if not sells or not ready:
        return ()
    sold, bought = _next_in_line(sells, batches), _next_in_line(ready, batches)
    # With fewer slices than batches, one side may be worth much more than the other.
    bought = _topped_up(bought, ready, sum(s.value for s in sold))
    return (*_topped_up(sold, sells, sum(s.value for s in bought)), *bought)


def _topped_up(chosen: Sequence[Slice], every: Sequence[Slice], total: int) -> tuple[Slice, ...]:
    """The chosen slices, plus others up to about `total` USD, those with most slices left first."""
    found = list(chosen)
    value = sum(s.value for s in found)
    for entry in sorted(every, key=lambda s: (-s.lot.slices, -s.value, s.lot.index)):
        if entry not in found and value + entry.value // 2 <= total:
            found.append(entry)
            value += entry.value
    return tuple(sorted(found, key=lambda s: s.lot.index))


def _crumbs(lots: Sequence[Lot]) -> set[int]:
    """Buys (indexes) that the last batch leaves out: they lack only what the contract held back after their last slice,
    too little to be worth a swap."""
    spare = sum(lot.value for lot in lots if lot.work.selling) // CRUMBS
    found: set[int] = set()
    buys = sorted((lot for lot in lots if not lot.work.selling), key=lambda lot: (lot.value, lot.index))
    for lot in buys[:-1]:
        holding = lot.work.holding
        if lot.value * _CRUMB <= holding.value(holding.balance) and lot.value <= spare:
            found.add(lot.index)
            spare -= lot.value
    return found


def even_part(lots: Iterable[Lot], batches: int) -> int:
    """USD that each of `batches` sells if all sell the same."""
    return sum(lot.value for lot in lots if lot.work.selling) // batches


def _next_in_line(slices: Sequence[Slice], batches: int) -> tuple[Slice, ...]:
    """The slices of the next batch. Distributes all remaining slices over the remaining batches to about equal value
    (largest slices first, each to the emptiest batches: list scheduling, for which Graham's bound holds). The next
    batch is the one whose components have most slices left: a component whose last slice is early needs one more
    purchase at the end, as the contract holds back a part."""
    loads = [0] * batches
    packed: list[list[Slice]] = [[] for _ in range(batches)]
    for entry in sorted(slices, key=lambda s: (-s.lot.slice_value, s.lot.index)):
        for k in sorted(range(batches), key=lambda k: (loads[k], k))[: entry.lot.slices]:
            loads[k] += entry.lot.slice_value
            packed[k].append(entry)
    found = max((one for one in packed if one), key=_may_go_first)
    return tuple(sorted(found, key=lambda s: s.lot.index))


def _may_go_first(batch: Sequence[Slice]) -> tuple[int, int]:
    """Sort key: the larger, the fewer components have their last slice in the batch."""
    slices = [s.lot.slices for s in batch]
    return min(slices), -slices.count(1)
