"""A month in memory: the fund of a month file, its pools, and a chain that follows the contract's rules."""

from __future__ import annotations

from dataclasses import dataclass

from ballast.build import ROOT
from ballast.rule.calendar import Timetable
from ballast.units import GWEI, WAD
from keeper.plan.batch import Batch, Gas, make_batch, rooms
from keeper.plan.costs import MEASURED
from keeper.plan.planner import Pace
from keeper.plan.slices import even_part, lots_of, next_slices, paid_for, works_of
from keeper.pools.market import Market, market_of
from keeper.state import (
    FundState,
    Holding,
    Limits,
    PoolState,
    Side,
)
from lab.localnet.month_file import Month, load_month
from lab.localnet.reserves import load_reserves, pools_of
from lab.replay import in_memory
from lab.replay.in_memory import Calendar, at, filled

__all__ = ["at", "filled"]

WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
START = 1_617_235_200  # 2021-04-01 00:00 UTC

LIMITS = Limits(
    first_tolerance=-15 * 10**15,
    last_tolerance=40 * 10**15,
    batch_cap=20 * 10**15,
    loss_budget=5 * 10**15,
    max_step=10**17,
    dust=2 * 10**13,
    cool_off=600,
    max_idle=1800,
)

TIMETABLE = Timetable(1, 0, 0, 8 * 86_400, 86_400, 3 * 86_400, begins=1_616_544_000, first=2021 * 12 + 3)
"""Months, from April 2021 on: its period begins on 24 March."""

GAS_PRICE = 100 * GWEI
SLIPPAGE_BPS = 10


@dataclass(frozen=True)
class Simulated:
    """A fund that is trading, and its pools at rest."""

    state: FundState
    pools: tuple[PoolState, ...]

    @property
    def market(self) -> Market:
        return market_of(WETH, self.pools, self.state)


def load(label: str = "dpi-2021-04") -> tuple[Month, tuple[PoolState, ...]]:
    """A month file and its pools at the month's prices."""
    month = load_month(ROOT / "data" / "months" / f"{label}.json")
    depths = pools_of(month, load_reserves(ROOT / "data" / "reserves" / "v2_pairs_months.csv"))
    pools = tuple(
        PoolState(d.venue, f"0x{n + 1:040x}", d.token, d.token_wei, d.weth_wei) for n, d in enumerate(depths.pools)
    )
    return month, pools


def trading(month: Month, pools: tuple[PoolState, ...], limits: Limits = LIMITS) -> Simulated:
    """The fund right after start, with the published targets."""
    supply = month.total_supply
    ordered = sorted(month.components, key=lambda c: int(c.address, 16))
    holdings = []
    for index, c in enumerate(ordered):
        current, target = c.current_unit, c.published_target_unit
        side = Side.HELD if current == target else Side.SELL if current > target else Side.BUY
        balance = -(-current * supply // WAD)
        holdings.append(Holding(index, c.address, c.decimals, balance, c.price_usd, side, target, c.price_usd))
    return Simulated(opened(tuple(holdings), supply, limits), pools)


def opened(holdings: tuple[Holding, ...], supply: int, limits: Limits = LIMITS) -> FundState:
    """A fund with these holdings as start leaves it: the shares of NAV follow from them."""
    calendar = Calendar(START, START + 22 * 86_400 - 1, 2021 * 12 + 3, TIMETABLE)
    return in_memory.opened(holdings, supply, limits, calendar)


def batch_of(state: FundState, market: Market, batches: int, gas_price: int = 100 * 10**9) -> Batch | None:
    """The next of so many batches."""
    price = market.usd(gas_price)
    works = works_of(state, market, MEASURED, price)
    cost = sum(lot.fees + lot.impact for lot in lots_of(paid_for(state, works, 0), market, batches, price))
    lots = lots_of(paid_for(state, works, cost), market, batches, price)
    if not any(lot.work.selling for lot in lots) or all(lot.work.selling for lot in lots):
        return None
    cap = state.limits.batch_cap
    most = cap * state.total_value_at_start // WAD
    slices = next_slices(lots, rooms(state, min(most, even_part(lots, batches))), batches, most)
    return make_batch(state, market, slices, Gas(MEASURED, gas_price, gas_price), last=batches == 1, cap=cap)


def parts(state: FundState) -> list[int]:
    """Part of its target that each buy has, 18 decimals."""
    return [h.balance * WAD // state.target_balance(h) for h in state.holdings if h.side is Side.BUY]


def pace(last_trade: int | None = None, hours: float = 14, rest: int = 600, gas_spent: int | None = None) -> Pace:
    return Pace(rest, int(hours * 3600), START, last_trade, gas_spent)
