"""`python -m lab.bench.planner`: planning time for a large fund; writes `planner_ms` into out/bench.json.

Thirty components, half of them to sell and half to buy, each in four pools of different depth; a plan from scratch, as
the keeper makes it in every block. The figure is the median of many plans, of the slower way to plan; processor time,
so that what else the machine does counts little.
"""

from __future__ import annotations

import statistics
import time

import click
from rich.console import Console
from rich.table import Table

from ballast.build import ROOT
from ballast.rule.calendar import Timetable
from ballast.units import DAY_S, GWEI, HOUR_S, WAD
from keeper.plan.planner import Aim, Mode, Pace, plan
from keeper.pools.market import Market, market_of
from keeper.state import FundState, Holding, Limits, PoolState, Side
from lab.bench import report
from lab.bench.errors import BenchError
from lab.localnet.session import command
from lab.replay.in_memory import Calendar, opened

COMPONENTS = 30
VENUES = ("uniswap", "sushiswap", "third", "fourth")
RUNS = 25
MODES: tuple[Mode, ...] = ("cheapest", "fewest")

START = 1_617_235_200
WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
ETH_USD = 2_000
SHARES = 500_000 * WAD
NAV = 250 * WAD
"""USD of a share."""
TURNOVER_BPS = 900
GAS_PRICE = 100 * GWEI
LIMITS = Limits(
    first_tolerance=-15 * 10**15,
    last_tolerance=40 * 10**15,
    batch_cap=20 * 10**15,
    loss_budget=5 * 10**15,
    max_step=10**17,
    dust=2 * 10**13,
    cool_off=600,
    max_idle=1_800,
)
PERIOD = 2021 * 12 + 3
CALENDAR = Calendar(
    START,
    START + 22 * DAY_S - 1,
    PERIOD,
    Timetable(1, 0, 0, 8 * DAY_S, DAY_S, 3 * DAY_S, begins=1_616_544_000, first=PERIOD),
)
PACE = Pace(rest=600, max_time=14 * HOUR_S, started_at=START, last_trade=None)
SLIPPAGE_BPS = 10


def fund() -> tuple[FundState, tuple[PoolState, ...]]:
    """The fund right after start, and its pools at the oracle's prices. Weights fall as 1, 1/2, 1/3 and so on."""
    weights = [WAD // (k + 1) for k in range(COMPONENTS)]
    holdings, pools = [], []
    for k in range(COMPONENTS):
        price = (3 + 7 * k) * WAD
        held = NAV * weights[k] // sum(weights)
        side = Side.SELL if k % 2 == 0 else Side.BUY
        # Both sides move the same value, split by weight within each side.
        own = sum(weights[k % 2 :: 2])
        moved = NAV * TURNOVER_BPS // 10_000 * weights[k] // own
        unit = (held - moved if side is Side.SELL else held + moved) * WAD // price
        token = f"0x{(k + 1) * 7919:040x}"
        holdings.append(Holding(k, token, 18, held * SHARES // price, price, side, unit, price))
        for position, venue in enumerate(VENUES):
            weth = (20_000 >> position) * (k % 5 + 1) * WAD
            tokens = weth * ETH_USD * WAD // price
            pools.append(PoolState(venue, f"0x{k * len(VENUES) + position + 1:040x}", token, tokens, weth))
    return opened(tuple(holdings), SHARES, LIMITS, CALENDAR), tuple(pools)


def milliseconds(mode: Mode, runs: int = RUNS) -> float:
    """Median processor time from reserves to batch, ms. Raises BenchError if there is no batch to plan."""
    state, pools = fund()
    times = []
    for _ in range(runs + 1):
        began = time.process_time()
        market: Market = market_of(WETH, pools, state)
        found = plan(state, market, GAS_PRICE, PACE, SLIPPAGE_BPS, Aim(mode))
        times.append(time.process_time() - began)
        if found.batch is None or found.possible_from is None:
            raise BenchError(f"planner: nothing to plan ({found.why})")
    return round(statistics.median(times[1:]) * 1_000, 2)


@click.command()
def main() -> None:
    """Measure the planner; writes planner_ms into out/bench.json."""
    console = Console()
    path = ROOT / "out" / "bench.json"
    with command("bench"):
        found = {mode: milliseconds(mode) for mode in MODES}
        report.put(path, "planner_ms", max(found.values()))
    table = Table(title=f"One plan: {COMPONENTS} components, {len(VENUES)} venues each")
    table.add_column("plan")
    table.add_column("ms", justify="right")
    for mode, value in found.items():
        table.add_row(mode, f"{value:.1f}")
    console.print(table)
    console.print(f"figures: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
