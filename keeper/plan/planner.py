"""How many batches are left to make, what the next one is, and from when it is possible.

Pure: everything that is known about one block in, a plan out. Nothing is remembered between blocks: the plan is made
again from what the chain says, so that a keeper may stop and begin anywhere.

More batches move the pools less and cost more gas. `cheapest` makes as many as make impact and gas together least;
`fewest` makes at most a given number, spread over the hours, and holds gas to be worth more than it costs. Hours and
the pools' rest bound the number from above, the bucket from below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Literal

from ballast.units import BLOCK_S, MAX_TX_GAS, WAD
from ballast.values import percent
from keeper.plan import bucket
from keeper.plan.batch import Batch, Gas, make_batch, rooms
from keeper.plan.costs import MEASURED, GasCosts
from keeper.plan.slices import Lot, Work, estimate, even_part, gas_of, lots_of, next_slices, paid_for, works_of
from keeper.pools.market import Market
from keeper.state import FundState

CAPACITY_MARGIN_BPS = 50
"""A batch stays so much below the bucket's cap: prices and supply move between plan and block."""

MAX_BATCHES = 2_000
MAX_BATCH_GAS = MAX_TX_GAS * 4 // 5
"""Most gas that a batch should take: its transaction is given a quarter more."""

_TURNOVER_GAS = 1_000_000_000
"""`fewest` first weighs gas as if this much of it cost what all sells of the month are worth."""
_MAX_OFF = 3
"""The weight that `fewest` ends with is at most this many times higher or lower."""
_STEPS = 7


Mode = Literal["cheapest", "fewest"]


@dataclass(frozen=True)
class Aim:
    """What a plan is to bring. The rest counts for `fewest` only: most batches, and about how much gas they take."""

    mode: Mode = "cheapest"
    most_batches: int = 18
    most_gas: int = 10_600_000


@dataclass(frozen=True)
class Pace:
    """What a keeper may wait for. Times are seconds.

    `rest` between two batches lets the pools recover; `started_at` is the start of trading and `last_trade` the last
    batch, chain time, None if unknown or none; `max_time` is the most that a month's trading should take. `gas_spent`
    is the gas of the month's batches so far, None if unknown.
    """

    rest: int
    max_time: int
    started_at: int | None
    last_trade: int | None
    gas_spent: int | None = None

    def deadline(self, state: FundState) -> int:
        """When trading should be over: within the period in any case."""
        began = state.time if self.started_at is None else self.started_at
        return min(began + self.max_time, state.opening.end - self.rest)

    def hours_left(self, state: FundState) -> int:
        """Seconds from the last batch, or from the start if there was none, to the deadline; at least 0."""
        began = self.started_at if self.last_trade is None else self.last_trade
        return max(0, self.deadline(state) - (state.time if began is None else began))


@dataclass(frozen=True)
class Plan:
    """What is left of the month: `batch` is the next of `batches`, `lots` what each component has left.

    `possible_from` is chain time, None: not as it stands. `min_value_in` is USD; `interval` the seconds between
    batches; `cost` (fees and impact), `fees` and `gas_cost` are USD expected for all that is left, and so is `gas`;
    `why` says in a few words what the next batch waits for, or why there is none.
    """

    batches: int
    batch: Batch | None
    min_value_in: int
    possible_from: int | None
    why: str
    interval: int
    lots: tuple[Lot, ...] = ()
    cost: int = 0
    fees: int = 0
    gas: int = 0
    gas_cost: int = 0
    finish: int | None = None

    @property
    def impact(self) -> int:
        return self.cost - self.fees


def plan(
    state: FundState,
    market: Market,
    gas_price: int,
    pace: Pace,
    slippage_bps: int,
    aim: Aim = Aim(),
    costs: GasCosts = MEASURED,
) -> Plan:
    """The plan for a fund that is trading. `gas_price` is wei; `slippage_bps` what prices may move before the block."""
    rested = state.time if pace.last_trade is None else max(state.time, pace.last_trade + pace.rest)
    if rested > state.time:
        # The pools stand where the last batch left them: plan on where they will be.
        market = market.recovered(state)
    planner = _Planner(state, market, pace, slippage_bps, aim, costs, gas_price, rested)
    found = planner.plan_until(rested)
    at = found.possible_from
    if at is not None and at > rested and planner.most(at) < found.batches:
        # The bucket makes the first batch wait; as that moment nears, the number must not change any more.
        found = planner.plan_until(at)
    return found


@dataclass(frozen=True)
class _Planner:
    state: FundState
    market: Market
    pace: Pace
    slippage_bps: int
    aim: Aim
    costs: GasCosts
    gas_price: int
    rested: int

    def plan_until(self, first: int) -> Plan:
        """The plan if the first batch is possible at `first`."""
        price = self.market.usd(self.gas_price)
        works = works_of(self.state, self.market, self.costs, price)
        sells = [work for work in works if work.selling]
        if not sells:
            return Plan(0, None, 0, None, "nothing that can be sold has a price and a pool", self.pace.rest)
        if len(sells) == len(works):
            return Plan(0, None, 0, None, "nothing to buy that has a price and a pool", self.pace.rest)
        least = self._least(sells)
        most = max(least, self.most(first))
        price = self._worth(works, least, most)
        batches = self._number(self._paid_for(works, most, price), least, most, price)
        found = self._fewer_until_something_is_bought(works, batches, least, price)
        found = self._more_until_within_tolerance(works, found, price)
        return self._more_until_within_gas(works, found, price)

    def _fewer_until_something_is_bought(self, works: tuple[Work, ...], batches: int, least: int, price: int) -> Plan:
        """The plan with so many batches. Where the contract holds back more than the buys lack, half as many sell more
        at once, and so on down to `least`."""
        found = self._in_batches(works, batches, price)
        while found.batch is None and batches > least:
            batches = max(least, batches // 2)
            found = self._in_batches(works, batches, price)
        return found

    def _more_until_within_tolerance(self, works: tuple[Work, ...], found: Plan, price: int) -> Plan:
        """The plan, or where its batch would lose more than the tolerance ever allows, one of twice as many batches,
        and so on: smaller ones lose less, at the price of gas and hours."""
        batches = found.batches
        while found.batch is not None and found.possible_from is None and batches * 2 <= MAX_BATCHES:
            batches, price = batches * 2, price // 4
            found = self._in_batches(works, batches, price)
        return found

    def _more_until_within_gas(self, works: tuple[Work, ...], found: Plan, price: int) -> Plan:
        """The plan, or where its batch would take more gas than a transaction may, one of twice as many batches, and so
        on: the same slices, fewer in each."""
        while found.batch is not None and found.batch.gas > MAX_BATCH_GAS:
            if found.batches * 2 > MAX_BATCHES:
                why = f"a batch takes {found.batch.gas} gas, a transaction may take {MAX_TX_GAS}"
                return Plan(found.batches, None, 0, None, why, self.pace.rest, found.lots)
            found = self._in_batches(works, found.batches * 2, price)
        return found

    def _least(self, sells: list[Work]) -> int:
        """Least number of batches that the bucket's cap allows."""
        value = sum(work.value for work in sells)
        share = -(-value * WAD // self.state.total_value_at_start)
        return max(1, -(-share // _cap(self.state)))

    def _number(self, works: tuple[Work, ...], least: int, most: int, price: int) -> int:
        """The number of batches at which impact and gas are least."""

        def cost(batches: int) -> int:
            impact, gas = estimate(works, batches, self.costs, price)
            return impact + gas * price

        return _lowest(cost, least, most)

    def _worth(self, works: tuple[Work, ...], least: int, most: int) -> int:
        """What gas is held to be worth, USD: its price, or what keeps the month within its gas."""
        price = self.market.usd(self.gas_price)
        if self.aim.mode == "cheapest":
            return price
        left, allowed = max(1, self._left()), self._allowed()
        value = sum(work.value for work in works if work.selling)
        usual = max(1, value * self.aim.most_batches // (left * _TURNOVER_GAS))
        likely = self._paid_for(works, most, usual)
        # Gas falls with what it is held to be worth: halve the distance, in equal ratios.
        low, high = max(price, usual // _MAX_OFF), max(price, usual * _MAX_OFF)
        best = high, 0
        for _ in range(_STEPS):
            worth = isqrt(low * high)
            _, gas = estimate(likely, self._number(likely, least, most, worth), self.costs, worth)
            best = min((best, (worth, gas)) if best[1] else ((worth, gas),), key=lambda entry: abs(entry[1] - allowed))
            low, high = (worth, high) if gas > allowed else (low, worth)
        return best[0]

    def _allowed(self) -> int:
        """Gas that the batches left may take: what is left of it, or where that is not known their part of all."""
        left, whole = max(1, self._left()), self.aim.most_batches
        even = self.aim.most_gas * left // whole
        if self.pace.gas_spent is None:
            return even
        return max(even // 2, self.aim.most_gas - self.pace.gas_spent)

    def most(self, first: int) -> int:
        """Most batches that there is time for, at least 1."""
        most = min(MAX_BATCHES, 1 + max(0, self.pace.deadline(self.state) - first) // (self.pace.rest + BLOCK_S))
        if self.aim.mode == "cheapest":
            return most
        return max(1, min(most, self._left()))

    def _left(self) -> int:
        """Of the most batches that `fewest` may make, those that are left."""
        if self.pace.last_trade is None:
            return self.aim.most_batches
        # The first comes after start, the last at the deadline. To the nearest: a batch is mined some blocks late.
        left, whole = self.pace.hours_left(self.state), max(1, self.pace.max_time)
        return (2 * (self.aim.most_batches - 1) * left + whole) // (2 * whole)

    def _interval(self, batches: int, share: int) -> int:
        """Seconds between batches."""
        limits = self.state.limits
        shortest = max(self.pace.rest, -(-share * limits.cool_off // limits.batch_cap))
        if self.aim.mode == "cheapest":
            return shortest
        return max(shortest, self.pace.hours_left(self.state) // batches - BLOCK_S)

    def _paid_for(self, works: tuple[Work, ...], batches: int, price: int) -> tuple[Work, ...]:
        """The works, with the buys cut to what the sells pay for: what they cost is not there to buy with."""
        lots = lots_of(paid_for(self.state, works, 0), self.market, batches, price)
        return paid_for(self.state, works, sum(lot.impact + lot.fees for lot in lots))

    def _in_batches(self, works: tuple[Work, ...], batches: int, price: int) -> Plan:
        """The plan with this number of batches, in the cheapest slices."""
        lots = lots_of(self._paid_for(works, batches, price), self.market, batches, price)
        state, limits, progress = self.state, self.state.limits, self.state.progress
        cap = _cap(state)
        most = cap * state.total_value_at_start // WAD
        slices = next_slices(lots, rooms(state, min(most, even_part(lots, batches))), batches, most)
        gas = Gas(self.costs, self.gas_price, self.market.weth_of(price))
        batch = make_batch(state, self.market, slices, gas, last=batches == 1, cap=cap)
        if batch is None:
            return Plan(batches, None, 0, None, "nothing to buy that has a price and a pool", self.pace.rest, lots)
        found = batch.outcome
        least = found.value_in * (10_000 - self.slippage_bps) // 10_000
        # {1e18} = {USD} * {1e18} / {USD}, up: what the tolerance must allow
        loss = WAD - least * WAD // found.value_out
        rested = self.rested
        if self.pace.last_trade is not None:
            rested = max(rested, self.pace.last_trade + self._interval(batches, found.share))
        at = bucket.possible_from(limits, progress, found.sale, loss, rested)
        fees = sum(lot.fees for lot in lots)
        used = gas_of(lots, batches, self.costs)
        return Plan(
            batches=batches,
            batch=batch,
            min_value_in=least,
            possible_from=at,
            why=self._why(at, loss, found.sale, rested),
            interval=self._interval(batches, found.share),
            lots=lots,
            cost=fees + sum(lot.impact for lot in lots),
            fees=fees,
            gas=used,
            gas_cost=self.market.usd(used * self.gas_price),
            finish=None if at is None else at + (batches - 1) * self._interval(batches, found.share),
        )

    def _why(self, at: int | None, loss: int, sale: bucket.Sale, rested: int) -> str:
        if at is None:
            widest = bucket.widest_tolerance(self.state.limits, self.state.progress, sale)
            return f"expects to lose {percent(loss)}, the tolerance opens to {percent(widest)}"
        if at <= self.state.time:
            return "due"
        return "pools rest" if at == rested else "bucket fills"


def _cap(state: FundState) -> int:
    """Most that a batch should sell, share of NAV."""
    return state.limits.batch_cap * (10_000 - CAPACITY_MARGIN_BPS) // 10_000


def _lowest(function: Callable[[int], int], low: int, high: int) -> int:
    """The number between `low` and `high` at which a function that falls and then rises is least."""
    while low < high:
        middle = (low + high) // 2
        if function(middle) <= function(middle + 1):
            high = middle
        else:
            low = middle + 1
    return low
