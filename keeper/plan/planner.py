"""Plans how many batches are left, what the next one is, and from when it is possible.

Pure: the state of one block in, a plan out. The planner remembers nothing between blocks: it plans again from the
chain's state, so that a keeper may stop and start at any time.

More batches move the pools less and cost more gas. `cheapest` minimizes impact plus gas; `fewest` makes at most a given
number, spread over the hours, and weighs gas above its cost. Hours and the pools' rest bound the number from above, the
bucket from below.
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
"""A batch stays this far below the bucket's cap: prices and supply move between plan and block."""

MAX_BATCHES = 2_000
MAX_BATCH_GAS = MAX_TX_GAS * 4 // 5
"""Most gas that a batch should use: its transaction's gas limit is a quarter higher."""

_TURNOVER_GAS = 1_000_000_000
"""`fewest` first weighs gas as if this much of it cost the value of all sells of the month."""
_MAX_OFF = 3
"""The final weight of `fewest` is at most this factor above or below the first."""
_STEPS = 7


Mode = Literal["cheapest", "fewest"]


@dataclass(frozen=True)
class Aim:
    """Objective of a plan. For `fewest` only: the most batches, and the approximate gas that they may use."""

    mode: Mode = "cheapest"
    most_batches: int = 18
    most_gas: int = 10_600_000


@dataclass(frozen=True)
class Pace:
    """Pacing of a month's trading. Times are seconds.

    `rest`: pause between two batches for the pools to recover; `started_at`: start of trading, and `last_trade`: last
    batch, both chain time, None if unknown or none; `max_time`: longest that a month's trading should take;
    `gas_spent`: gas of the month's batches so far, None if unknown.
    """

    rest: int
    max_time: int
    started_at: int | None
    last_trade: int | None
    gas_spent: int | None = None

    def deadline(self, state: FundState) -> int:
        """Chain time by which trading should be over, always within the period."""
        began = state.time if self.started_at is None else self.started_at
        return min(began + self.max_time, state.opening.end - self.rest)

    def hours_left(self, state: FundState) -> int:
        """Seconds from the last batch, or from the start if there was none, to the deadline; at least 0."""
        began = self.started_at if self.last_trade is None else self.last_trade
        return max(0, self.deadline(state) - (state.time if began is None else began))


@dataclass(frozen=True)
class Plan:
    """The rest of the month: `batch` is the next of `batches`, `lots` the rest of each component.

    `possible_from`: chain time, None: never in this state. `min_value_in`: USD; `interval`: seconds between batches.
    `cost` (fees and impact), `fees`, `gas_cost` (USD) and `gas`: expected for all that is left. `why`: in a few words,
    what the next batch waits for, or why there is none. `finish`: expected chain time of the last batch.
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
    """The plan for a fund that is trading. `gas_price`: wei per gas; `slippage_bps`: how much less than planned the
    batch may bring."""
    rested = state.time if pace.last_trade is None else max(state.time, pace.last_trade + pace.rest)
    if rested > state.time:
        # The last batch moved the pools: plan on their recovered prices.
        market = market.recovered(state)
    planner = _Planner(state, market, pace, slippage_bps, aim, costs, gas_price, rested)
    found = planner.plan_until(rested)
    at = found.possible_from
    if at is not None and at > rested and planner.most(at) < found.batches:
        # The bucket delays the first batch; the number of batches must not change as that moment nears.
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
        """The plan with this number of batches. If the contract holds back more than the buys lack, nothing can be
        bought: then it halves the number, down to `least`, so that each batch sells more."""
        found = self._in_batches(works, batches, price)
        while found.batch is None and batches > least:
            batches = max(least, batches // 2)
            found = self._in_batches(works, batches, price)
        return found

    def _more_until_within_tolerance(self, works: tuple[Work, ...], found: Plan, price: int) -> Plan:
        """The plan; as long as its batch would lose more than the tolerance ever allows, doubles the number of batches:
        smaller ones lose less, at the price of gas and hours."""
        batches = found.batches
        while found.batch is not None and found.possible_from is None and batches * 2 <= MAX_BATCHES:
            batches, price = batches * 2, price // 4
            found = self._in_batches(works, batches, price)
        return found

    def _more_until_within_gas(self, works: tuple[Work, ...], found: Plan, price: int) -> Plan:
        """The plan; as long as its batch would use more gas than a transaction may, doubles the number of batches: the
        same slices, fewer in each."""
        while found.batch is not None and found.batch.gas > MAX_BATCH_GAS:
            if found.batches * 2 > MAX_BATCHES:
                why = f"a batch takes {found.batch.gas} gas, a transaction may take {MAX_TX_GAS}"
                return Plan(found.batches, None, 0, None, why, self.pace.rest, found.lots)
            found = self._in_batches(works, found.batches * 2, price)
        return found

    def _least(self, sells: list[Work]) -> int:
        """Smallest number of batches that the bucket's cap allows."""
        value = sum(work.value for work in sells)
        share = -(-value * WAD // self.state.total_value_at_start)
        return max(1, -(-share // _cap(self.state)))

    def _number(self, works: tuple[Work, ...], least: int, most: int, price: int) -> int:
        """The number of batches that minimizes impact plus gas."""

        def cost(batches: int) -> int:
            impact, gas = estimate(works, batches, self.costs, price)
            return impact + gas * price

        return _lowest(cost, least, most)

    def _worth(self, works: tuple[Work, ...], least: int, most: int) -> int:
        """The weight of gas, USD per gas: its price, or for `fewest` the weight that keeps the month within its gas."""
        price = self.market.usd(self.gas_price)
        if self.aim.mode == "cheapest":
            return price
        left, allowed = max(1, self._left()), self._allowed()
        value = sum(work.value for work in works if work.selling)
        usual = max(1, value * self.aim.most_batches // (left * _TURNOVER_GAS))
        likely = self._paid_for(works, most, usual)
        # The higher the weight, the less gas: bisect on a logarithmic scale.
        low, high = max(price, usual // _MAX_OFF), max(price, usual * _MAX_OFF)
        best = high, 0
        for _ in range(_STEPS):
            worth = isqrt(low * high)
            _, gas = estimate(likely, self._number(likely, least, most, worth), self.costs, worth)
            best = min((best, (worth, gas)) if best[1] else ((worth, gas),), key=lambda entry: abs(entry[1] - allowed))
            low, high = (worth, high) if gas > allowed else (low, worth)
        return best[0]

    def _allowed(self) -> int:
        """Gas that the remaining batches may use: the aim less the gas spent, at least half their even share; if the
        gas spent is unknown, their even share."""
        left, whole = max(1, self._left()), self.aim.most_batches
        even = self.aim.most_gas * left // whole
        if self.pace.gas_spent is None:
            return even
        return max(even // 2, self.aim.most_gas - self.pace.gas_spent)

    def most(self, first: int) -> int:
        """Most batches for which there is time, at least 1; for `fewest` also at most those left of its number."""
        most = min(MAX_BATCHES, 1 + max(0, self.pace.deadline(self.state) - first) // (self.pace.rest + BLOCK_S))
        if self.aim.mode == "cheapest":
            return most
        return max(1, min(most, self._left()))

    def _left(self) -> int:
        """Batches left of the number that `fewest` may make."""
        if self.pace.last_trade is None:
            return self.aim.most_batches
        # The first is right after start, the last at the deadline. Round to nearest: a batch is mined some blocks late.
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
        """The works, with the buys cut to what the sells pay for, net of the expected impact and fees."""
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
    """Most that a batch should sell, share of NAV, rounded down."""
    return state.limits.batch_cap * (10_000 - CAPACITY_MARGIN_BPS) // 10_000


def _lowest(function: Callable[[int], int], low: int, high: int) -> int:
    """The minimum, from `low` to `high`, of a function that falls and then rises."""
    while low < high:
        middle = (low + high) // 2
        if function(middle) <= function(middle + 1):
            high = middle
        else:
            low = middle + 1
    return low
