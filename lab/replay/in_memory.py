"""A month's trading in memory: the keeper's planner, and a fund that follows the contract's rules of settlement.

Pools are at the fund's prices whenever a batch comes: arbitrage restores them between two batches. Nothing else trades.
So the model leaves out what a chain adds: blocks that come late, and pools that move in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ballast.rule.calendar import Timetable
from ballast.units import BLOCK_S, HOUR_S, WAD
from keeper.plan import bucket
from keeper.plan.batch import Batch
from keeper.plan.planner import Pace, plan
from keeper.plan.settlement import outcome
from keeper.pools.market import Market
from keeper.state import Action, FundState, Holding, Limits, Opening, Phase, Progress, Reason, Side

MAX_BATCHES = 500
"""Most batches of a month, which is then given up."""


class RefusedError(Exception):
    """The contract would revert; the message says why."""


@dataclass(frozen=True)
class Calendar:
    """When a month is traded: its start and its last second, Unix seconds; `period`: its id."""

    start: int
    end: int
    period: int
    timetable: Timetable


@dataclass(frozen=True)
class Habits:
    """How the keeper trades, with its cheapest plan: hours that a month may take, gas price in wei, seconds that pools
    rest, hundredths of a percent that a batch may bring less than planned."""

    hours: float
    gas_price: int
    rest: int = 600
    slippage_bps: int = 10


@dataclass(frozen=True)
class Traded:
    """The result of a month's trading: the fund after it, batches, their gas, and why it stopped early ("" if not)."""

    state: FundState
    batches: int
    gas: int
    why: str


def opened(holdings: tuple[Holding, ...], supply: int, limits: Limits, calendar: Calendar) -> FundState:
    """A fund with these holdings right after start; its fractions of NAV follow from them. `supply`: 18 decimals."""
    nav = sum(h.start_value(h.balance * WAD // supply) for h in holdings)
    surplus = held = goals = 0
    for h in holdings:
        value, goal = h.start_value(h.balance * WAD // supply), h.start_value(h.unit)
        if h.side is Side.SELL:
            surplus += value - goal
        elif h.side is Side.BUY:
            held, goals = held + value, goals + goal
    progress = Progress(calendar.start * bucket.SCALE, 0, surplus * WAD // nav, held * WAD // nav)
    return FundState(
        block=1,
        time=calendar.start,
        action=Action.TRADE,
        reason=Reason.DUE,
        next=calendar.end + 1,
        period=calendar.period,
        phase=Phase.TRADING,
        month_period=calendar.period,
        last_stop=0,
        determined_at=calendar.start,
        opening=Opening(goals * WAD // nav, nav, calendar.end),
        progress=progress,
        limits=limits,
        timetable=calendar.timetable,
        paused_until=0,
        pause_left=0,
        supply=supply,
        shares=supply,
        idle=0,
        capacity=0,
        tolerance=0,
        holdings=holdings,
    )


def at(state: FundState, time: int) -> FundState:
    """The same fund in a later block."""
    idle = bucket.idle_x24(state.progress.tat, time, state.limits.max_idle)
    return replace(
        state,
        block=state.block + 1,
        time=time,
        idle=idle // bucket.SCALE,
        capacity=bucket.capacity(idle, state.limits),
        tolerance=bucket.tolerance(idle, state.limits, state.progress),
    )


def filled(state: FundState, batch: Batch, min_value_in: int) -> FundState:
    """The fund after a batch over pools in the state that was planned on. Raises RefusedError where the contract would
    revert."""
    sold = batch.sold
    arriving = {leg.index: leg.route.received for leg in batch.buys}
    for cross in batch.crosses:
        arriving[cross.buy] = arriving.get(cross.buy, 0) + cross.route.received
    _require(all(amount <= state.surplus(state.holdings[i]) for i, amount in sold.items()), "more than the surplus")
    found = outcome(state, sold, arriving)
    idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
    _require(found.share <= bucket.capacity(idle, state.limits), "above capacity")
    tolerance = bucket.tolerance(idle, state.limits, state.progress, found.sale)
    _require(found.value_in * WAD >= found.value_out * (WAD - tolerance), "below tolerance")
    _require(found.value_in >= min_value_in, "below minimum")
    _require(found.progress.spent <= state.limits.loss_budget, "above loss budget")
    holdings = tuple(
        replace(h, balance=h.balance - sold.get(h.index, 0) + arriving.get(h.index, 0)) for h in state.holdings
    )
    after = replace(state, holdings=holdings, progress=found.progress)
    return replace(after, phase=Phase.IDLE, action=Action.NONE, reason=Reason.DONE) if is_done(after) else after


def is_done(state: FundState) -> bool:
    """Whether no more than dust is left to sell, or to buy."""
    progress, dust = state.progress, state.limits.dust
    return progress.surplus <= dust or progress.held + dust >= state.opening.buy_targets


def trade(state: FundState, market: Market, habits: Habits) -> Traded:
    """Trades the whole month, each batch mined a block after it became possible."""
    started, last, gas, batches = state.time, None, 0, 0
    if is_done(state):
        return Traded(replace(state, phase=Phase.IDLE), 0, 0, "")
    while state.phase is Phase.TRADING:
        pace = Pace(habits.rest, int(habits.hours * HOUR_S), started, last, gas)
        found = plan(state, market, habits.gas_price, pace, habits.slippage_bps)
        if found.batch is None or found.possible_from is None:
            return Traded(state, batches, gas, found.why)
        if found.possible_from + BLOCK_S > state.opening.end or batches == MAX_BATCHES:
            return Traded(state, batches, gas, "the period is over")
        if found.possible_from > state.time:
            state = at(state, found.possible_from)
            continue
        state = filled(at(state, state.time + BLOCK_S), found.batch, found.min_value_in)
        last, batches, gas = state.time, batches + 1, gas + found.batch.gas
    return Traded(state, batches, gas, "")


def surplus_left(holdings: Sequence[Holding], supply: int) -> int:
    """USD per share that is above the targets, at the current prices; `supply`: 18 decimals."""
    return sum(h.value(max(0, h.balance * WAD // supply - h.unit)) for h in holdings if h.side is Side.SELL)


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise RefusedError(why)
