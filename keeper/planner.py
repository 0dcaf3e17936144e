"""How many batches are left to make, what the next one is, and from when it is possible.

Pure: everything that is known about one block in, a plan out. Nothing is remembered between blocks: the plan is made
again from what the chain says, so that a keeper may stop and begin anywhere.

More batches move the pools less (each half as large moves them half as far, so the impact of the whole falls as 1/n)
and cost more gas (as n). Hours bound n from above, the bucket from below.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from keeper import bucket
from keeper.batch import Batch, plan_batch, sellable
from keeper.market import Market
from keeper.state import WAD, FundState

CAPACITY_MARGIN_BPS = 50
"""A batch stays so much below the bucket's cap: prices and supply move between plan and block."""

MOST_SLICES = 2_000


@dataclass(frozen=True)
class Pace:
    """What a keeper may wait for. Times are seconds.

    `rest` between two batches lets the pools recover; `started_at` is the start of trading and `last_trade` the last
    batch, chain time, None if unknown or none; `max_time` is the most that a month's trading should take.
    """

    rest: int
    max_time: int
    started_at: int | None
    last_trade: int | None


@dataclass(frozen=True)
class Plan:
    """What is left of the month. `batch` is the next of `slices`; `possible_from` chain time, None: not as it stands.

    `min_value_in` is USD; `interval` the seconds between batches; `cost`, `fees` and `gas_cost` are USD expected for
    all that is left; `why` says in a few words what the next batch waits for, or why there is none.
    """

    slices: int
    batch: Batch | None
    min_value_in: int
    possible_from: int | None
    why: str
    interval: int
    cost: int = 0
    fees: int = 0
    gas_cost: int = 0
    finish: int | None = None

    @property
    def impact(self) -> int:
        return self.cost - self.fees


def plan(state: FundState, market: Market, gas_price: int, pace: Pace, slippage_bps: int) -> Plan:
    """The plan for a fund that is trading. `gas_price` is wei; `slippage_bps` what prices may move before the block."""
    rested = state.time if pace.last_trade is None else max(state.time, pace.last_trade + pace.rest)
    if rested > state.time:
        # The pools stand where the last batch left them: plan on where they will be.
        market = market.recovered(state)
    fewest = _fewest(state, market)
    if fewest is None:
        return Plan(0, None, 0, None, "nothing that can be sold has a price and a pool", pace.rest)
    most = max(fewest, _most(state, pace, rested))
    tried: dict[int, Plan] = {}

    def look(slices: int) -> Plan:
        if slices not in tried:
            tried[slices] = _with(state, market, gas_price, pace, slippage_bps, slices, rested)
        return tried[slices]

    at = look(most).possible_from
    if at is not None and at > rested:
        # The bucket makes the first batch wait; as that moment nears, the number must not change any more.
        tried.clear()
        most = max(fewest, _most(state, pace, at))
    slices = most
    for _ in range(4):
        found = look(slices)
        if found.batch is None:
            break
        better = min(most, max(fewest, _cheapest(found)))
        if better in tried:
            break
        slices = better
    look(fewest)
    possible = [p for p in tried.values() if p.possible_from is not None]
    if possible:
        return min(possible, key=lambda p: (p.cost + p.gas_cost, p.slices))
    # Above the tolerance: smaller batches lose less, at the price of hours.
    while slices * 2 <= MOST_SLICES and tried[slices].batch is not None:
        slices *= 2
        if look(slices).possible_from is not None:
            break
    return tried[slices]


def _with(
    state: FundState, market: Market, gas_price: int, pace: Pace, slippage_bps: int, slices: int, rested: int
) -> Plan:
    """The plan with this number of batches."""
    batch = plan_batch(state, market, slices, gas_price)
    if batch is None:
        return Plan(slices, None, 0, None, "nothing to buy that has a price and a pool", pace.rest)
    found = batch.outcome
    least = found.value_in * (10_000 - slippage_bps) // 10_000
    # {1e18} = {USD} * {1e18} / {USD}, up: what the tolerance must allow
    loss = WAD - least * WAD // found.value_out
    limits, progress = state.limits, state.progress
    at = bucket.possible_from(limits, progress, found.share, loss, rested)
    interval = max(pace.rest, -(-found.share * limits.cool_off // limits.batch_cap))
    if at is None:
        why = f"expects to lose {_percent(loss)}, the tolerance opens to " + _percent(
            bucket.widest_tolerance(limits, progress, found.share)
        )
    elif at <= state.time:
        why = "due"
    else:
        why = "pools rest" if at == rested else "bucket fills"
    return Plan(
        slices=slices,
        batch=batch,
        min_value_in=least,
        possible_from=at,
        why=why,
        interval=interval,
        cost=batch.cost * slices,
        fees=batch.fees * slices,
        gas_cost=batch.gas_cost * slices,
        finish=None if at is None else at + (slices - 1) * interval,
    )


def _fewest(state: FundState, market: Market) -> int | None:
    """Least number of equal batches that the bucket's cap allows; None if there is nothing to sell."""
    value = sum(state.holdings[i].value_up(amount) for i, amount in sellable(state, market).items())
    if value == 0:
        return None
    share = -(-value * WAD // state.nav_at_start_prices)
    cap = state.limits.batch_cap * (10_000 - CAPACITY_MARGIN_BPS) // 10_000
    return max(1, -(-share // cap))


def _most(state: FundState, pace: Pace, rested: int) -> int:
    """Most batches that there is time for, at least 1."""
    deadline = (pace.started_at if pace.started_at is not None else state.time) + pace.max_time
    # A batch in the last minutes of the period might be mined after it.
    deadline = min(deadline, state.opening.end - pace.rest)
    return min(MOST_SLICES, 1 + max(0, deadline - rested) // pace.rest)


def _cheapest(plan_: Plan) -> int:
    """Number of batches at which impact (as 1/n) and gas (as n) together are least, judged from a plan with n."""
    if plan_.gas_cost <= 0:
        return MOST_SLICES
    return isqrt(max(0, plan_.impact) * plan_.slices**2 // plan_.gas_cost) or 1


def _percent(fraction: int) -> str:
    """A fraction of 18 decimals for people, in hundredths of a percent, rounded down."""
    sign = "-" if fraction < 0 else ""
    hundredths = abs(fraction) * 10_000 // WAD
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d} %"
