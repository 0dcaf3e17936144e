"""Runs a published month through this fund with the published slices and venues: one batch per round of slices.

The keeper's planner has no part in it. `rounds` builds the batches, priced with the contract's own rules; each is sent
as soon as the cool-offs of the previous round are over and the bucket allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from web3 import Web3

from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import WAD
from keeper.look.fund_reader import FundReader
from keeper.plan import bucket
from keeper.plan.batch import Batch, Leg
from keeper.plan.order import order_of
from keeper.plan.settlement import Outcome, goal, outcome
from keeper.pools.market import Route, Swap
from keeper.state import FundState, Side
from lab.bench.errors import BenchError
from lab.bench.month_bench import MonthBench, slice_of
from lab.bench.rounds import Item, Round, next_round
from lab.localnet.market import reserves_of
from lab.localnet.month_file import MonthComponent
from lab.replay.carry import Run, prepare
from lab.replay.measure import MonthOutcome, abis_of, measure
from lab.testbed.chain import Contract
from lab.testbed.forked import ForkedChain

FEE = 3 * WAD // 1000
SLIPPAGE_BPS = 10
"""How much less than planned a batch may bring: the keeper's default."""
TRIES = 5
"""Maximum number of corrections of a round that settlement would not credit in full."""
MORE_ROUNDS = 10
"""Rounds beyond the published number after which the month fails."""


@dataclass
class SlicedMonth:
    """The fund in a month's published state, its keeper, and each component's initial number of slices, by index."""

    bench: MonthBench
    run: Run
    reader: FundReader
    rebalancer: Contract
    keeper: str
    slices: dict[int, int]

    def state(self) -> FundState:
        """Reads the fund's current state."""
        return self.reader.read(self.bench.clock.latest()[0])[0]

    def component(self, token: str) -> MonthComponent:
        """The published component of a token."""
        return next(c for c in self.bench.month.components if c.address == token)


def carry(bench: MonthBench, on: ForkedChain, say: Callable[[str], None]) -> MonthOutcome:
    """Runs the whole month and measures it."""
    month = _open(bench, on)
    state = month.state()
    month.slices = {item.index: item.slices_left for item in _items(month, state)}
    rounds = max(month.slices.values())
    done, ready = 0, bench.clock.now()
    while month.rebalancer.read("trading"):
        if done >= rounds + MORE_ROUNDS:
            raise BenchError(f"{bench.month.label}: same slices: not done after {done} rounds, expected {rounds}")
        say(f"same slices: round {done + 1} of {rounds}")
        ready = _trade(month, rounds, rounds - done, ready)
        done += 1
    return measure(bench.w3, abis_of(on.project), month.run.book, bench.month, bench.world, month.keeper)


def _open(bench: MonthBench, on: ForkedChain) -> SlicedMonth:
    """Deploys the fund, determines and starts."""
    run = prepare(on, Console(quiet=True))
    keeper = Web3.to_checksum_address(bench.chain.account("keeper"))
    rebalancer = bench.chain.at("Rebalancer", run.book["rebalancer"])
    timetable = run.config.timetable
    bench.clock.jump(period_start(run.period, timetable.notice))
    rebalancer.send_listed(keeper, "determine")
    bench.clock.jump(execution_time(run.period, timetable.day, timetable.fixed_day))
    rebalancer.send_listed(keeper, "start")
    return SlicedMonth(bench, run, FundReader(bench.w3, run.book), rebalancer, keeper, {})


def _trade(month: SlicedMonth, rounds: int, rounds_left: int, ready: int) -> int:
    """Sends the next round, at `ready` or later; the earliest time of the one after it."""
    bench = month.bench
    _wait_until(bench, ready)
    state = month.state()
    batch, counted = _batch(month, state, rounds, rounds_left)
    least = counted.value_in * (10_000 - SLIPPAGE_BPS) // 10_000
    loss = WAD - least * WAD // counted.value_out
    at = bucket.possible_from(state.limits, state.progress, counted.sale, loss, state.time)
    if at is None:
        raise BenchError(f"{bench.month.label}: same slices: round {rounds - rounds_left + 1} is never allowed")
    _wait_until(bench, at)
    bench.in_this_step()
    listed = [holding.token for holding in state.holdings]
    order = order_of(batch, least, month.run.book["filler"], bench.world.weth, listed)
    month.rebalancer.send_listed(month.keeper, "trade", order)
    tokens = [state.holdings[leg.index].token for leg in (*batch.sells, *batch.buys)]
    return bench.clock.now() + max(month.component(token).cool_off_s for token in tokens)


def _wait_until(bench: MonthBench, time: int) -> None:
    while bench.clock.now() < time:
        bench.clock.step(time)


def _items(month: SlicedMonth, state: FundState) -> list[Item]:
    """What is still to be traded, at the pools' current reserves."""
    wanted = [h for h in state.holdings if h.side is not Side.HELD and h.token != month.bench.world.weth]
    published = [month.component(h.token) for h in wanted]
    pairs = [(component.address, month.bench.pool(component).pair) for component in published]
    reserves = reserves_of(month.bench.chain.rpc, month.bench.world.weth, pairs)
    items = []
    for holding, component, (tokens, weth, _) in zip(wanted, published, reserves, strict=True):
        selling = holding.side is Side.SELL
        left = state.surplus(holding) if selling else max(0, goal(state, holding, WAD) - holding.balance)
        size = slice_of(component)
        slices = month.slices.get(holding.index, -(-left // size))
        items.append(Item(holding.index, selling, left, left, size, slices, tokens, weth))
    return _at_expected_end(state, items)


def _at_expected_end(state: FundState, items: Sequence[Item]) -> list[Item]:
    """Limits buys to the part of their targets that the month is expected to pay for in the end."""
    loss = 0
    for item in items:
        holding = state.holdings[item.index]
        # {USD} * ({1e18} + {1e18} * {tok} / {tok}) / {1e18}: half a swap's fee and impact for each leg, at full slices
        impact = min(item.left, item.slice) * WAD // item.token_reserve
        loss += holding.start_value(item.left) * (FEE + impact) // WAD
    total = state.progress.held + state.progress.surplus - loss * WAD // state.total_value_at_start
    part = min(WAD, total * WAD // state.opening.buy_targets)
    return [item if item.selling else replace(item, left=_room(state, item.index, part)) for item in items]


def _room(state: FundState, index: int, part: int) -> int:
    """Token wei that a buy is short of `part` (18 decimals) of its target."""
    holding = state.holdings[index]
    return max(0, goal(state, holding, part) - holding.balance)


def _batch(month: SlicedMonth, state: FundState, rounds: int, rounds_left: int) -> tuple[Batch, Outcome]:
    """The next round as a batch, corrected up to TRIES times until settlement credits all of it; and its outcome."""
    items = _items(month, state)
    for _ in range(TRIES):
        batch = _made(month, state, items, next_round(items, rounds, rounds_left))
        sold = {leg.index: leg.amount for leg in batch.sells}
        arriving = {leg.index: leg.amount for leg in batch.buys}
        if not sold or not arriving:
            raise BenchError(f"{month.bench.month.label}: same slices: round {rounds - rounds_left + 1} is empty")
        counted = outcome(state, sold, arriving)
        if all(counted.credited[i] >= amount - amount // 10**6 - 1 for i, amount in arriving.items()):
            break
        items = [
            item if item.selling else replace(item, most=min(item.most, _room(state, item.index, counted.attainable)))
            for item in items
        ]
    return replace(batch, outcome=counted), counted


def _made(month: SlicedMonth, state: FundState, items: Sequence[Item], planned: Round) -> Batch:
    """The batch of a round: sells as planned, buys for all the WETH that the sells bring."""
    by_index = {item.index: item for item in items}
    sells, proceeds = [], 0
    for index, weth in sorted(planned.sells.items()):
        item = by_index[index]
        amount = item.next if weth >= item.weth(item.next) else item.amount(weth)
        sells.append(_leg(month, state, item, amount, item.weth(amount)))
        proceeds += item.weth(amount)
    buys = []
    total = sum(planned.buys.values())
    for index, weth in sorted(planned.buys.items()):
        paid = proceeds * weth // total
        buys.append(_leg(month, state, by_index[index], by_index[index].amount(paid), paid))
    empties = {leg.index: leg.amount for leg in sells} == {i.index: i.left for i in items if i.selling and i.left}
    nothing = Outcome(0, 0, bucket.Sale(0, 0), 0, {}, state.progress)
    return Batch(tuple(sells), tuple(buys), proceeds, nothing, 0, 0, 0, empties)


def _leg(month: SlicedMonth, state: FundState, item: Item, amount: int, weth: int) -> Leg:
    """A leg over the published venue alone."""
    pool = month.bench.pool(month.component(state.holdings[item.index].token))
    paid, received = (amount, weth) if item.selling else (weth, amount)
    return Leg(item.index, amount, Route((Swap(pool.venue, pool.pair, paid, received),)))
