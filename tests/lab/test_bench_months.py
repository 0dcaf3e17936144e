"""A short month through the fund, slice by slice, and through Set Protocol V2's published build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ape
import pytest

from ballast.rule.arithmetic import PricedComponent, market_cap_units
from ballast.units import BLOCK_S, WAD
from lab.bench import same_slices, set_month
from lab.bench.month_bench import MonthBench, leaf
from lab.bench.run import builds_of
from lab.localnet.market import Market
from lab.localnet.month_file import Month, MonthComponent
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World
from lab.replay.measure import MonthOutcome
from lab.testbed.chain import Chain
from lab.testbed.clock import Clock
from lab.testbed.forked import ForkedChain

SHARES = 100_000 * WAD
HELD = {"UNI": 58, "MKR": 42, "SUSHI": 0}
"""USD of each component in a share before the month."""
WANTED = {"UNI": 52, "MKR": 43, "SUSHI": 5}
SLICES = {"UNI": 3, "MKR": 2, "SUSHI": 4}
COOL_OFFS = {"UNI": 900, "MKR": 600, "SUSHI": 600}


def short_month(month: Month) -> Month:
    """Three of the month's components: one is sold, one bought, one new."""
    held = [
        replace(
            month.component(symbol),
            current_unit=HELD[symbol] * WAD * WAD // month.component(symbol).price_usd,
            supply=WANTED[symbol] * 10**7 * WAD // month.component(symbol).price_usd,
            cool_off_s=COOL_OFFS[symbol],
        )
        for symbol in HELD
    ]
    targets = market_cap_units([PricedComponent(c.supply or 0, c.current_unit, c.price_usd, c.decimals) for c in held])
    components = tuple(
        replace(c, published_target_unit=target, max_trade_size=slice_for(c, target))
        for c, target in zip(held, targets, strict=True)
    )
    return replace(month, cap="none", cap_weight=None, total_supply=SHARES, components=components)


def slice_for(component: MonthComponent, target: int) -> int:
    """A slice of which the component's part of the month takes as many as SLICES says."""
    moved = abs(target - component.current_unit) * SHARES // WAD
    return moved // SLICES[component.symbol] + 10**9


@pytest.fixture
def bench(month: Month, world: World) -> MonthBench:
    provider: Any = ape.networks.active_provider
    rpc = HttpRpc(str(provider.http_uri))
    chain = Chain(rpc, builds_of(ape.project))
    chain.move_to(world.head + 86_400)
    return MonthBench(chain, Clock(rpc, Market(rpc, world)), world, short_month(month), provider.web3)


def check(bench: MonthBench, outcome: MonthOutcome) -> None:
    """What is true of either engine: all sold down to the target, buys short by what was lost, sums that agree."""
    by_symbol = {component.symbol: component for component in outcome.components}
    assert by_symbol["UNI"].before > by_symbol["UNI"].target
    # the fund leaves at most dust: 0.0001 % of NAV
    assert 0 <= by_symbol["UNI"].after - by_symbol["UNI"].target <= by_symbol["UNI"].target // 10**6
    assert all(by_symbol[symbol].after <= by_symbol[symbol].target for symbol in ("MKR", "SUSHI"))
    lost = outcome.nav_before - outcome.nav_after
    assert outcome.cost.cost == pytest.approx(lost, rel=1e-9)
    assert 0 < outcome.cost.impact < outcome.cost.cost
    # 6 % of ten million dollars, each leg at 0.3 %
    assert outcome.cost.turnover == pytest.approx(600_000 * WAD, rel=0.01)
    assert outcome.cost.fees == pytest.approx(outcome.cost.turnover * 6 // 1000, rel=0.01)
    figures = leaf(outcome, bench.world.weth_price_usd)
    assert figures["residual_pct_nav"] == pytest.approx(figures["cost_pct_nav"], abs=0.001)


# First: what was taken back before leaves a chain that no longer answers every question about its past.
def test_the_fund_trades_a_round_of_slices_in_each_batch(bench: MonthBench, tmp_path: Path) -> None:
    provider: Any = ape.networks.active_provider
    rpc = HttpRpc(str(provider.http_uri))
    accounts = ape.accounts.test_accounts
    on = ForkedChain(ape.project, accounts, provider, rpc, bench.world, bench.month, tmp_path)
    outcome = same_slices.carry(bench, on, lambda _text: None)
    check(bench, outcome)
    assert max(SLICES.values()) <= outcome.batches <= max(SLICES.values()) + 1
    assert outcome.transactions == outcome.batches + 2
    # at the same part of their targets, so nobody is left shorter than the others
    short = [1 - c.after / c.target for c in outcome.components if c.symbol != "UNI"]
    assert short[0] == pytest.approx(short[1], abs=1e-4)


def test_set_protocol_sells_then_buys_each_slice_after_its_cool_off(bench: MonthBench) -> None:
    outcome = set_month.carry(bench, lambda _text: None)
    check(bench, outcome)
    # sizes and start, then every slice once; the last buy takes the WETH that is left
    assert outcome.transactions == 2 + sum(SLICES.values())
    assert outcome.gas > 200_000 * sum(SLICES.values())
    selling, buying = (SLICES["UNI"] - 1) * COOL_OFFS["UNI"], (SLICES["SUSHI"] - 1) * COOL_OFFS["SUSHI"]
    assert outcome.ended_at - outcome.started_at == BLOCK_S + selling + buying
    mkr, sushi, weth = outcome.components[1:]
    assert mkr.after == mkr.target
    assert weth.after * weth.price < WAD * WAD // 100
    assert 0.9 * sushi.target < sushi.after < sushi.target
