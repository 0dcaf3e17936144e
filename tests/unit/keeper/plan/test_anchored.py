"""A fund whose oracle knows a second source: a batch counts at the prices of its sides, all else at the plain ones."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from ballast.book import Book
from ballast.units import WAD
from keeper.look.fund_reader import Head
from keeper.output.tables import fund_json, fund_tables, plan_json
from keeper.plan.planner import Pace, plan
from keeper.plan.settlement import attainable, outcome, surplus_after
from keeper.state import FundState, Holding, Side
from keeper.view import View
from tests.unit.keeper.simulated import START, WETH, Simulated, at, load, trading

GAS_PRICE = 100 * 10**9
SLIPPAGE_BPS = 10
PULL = 2
"""Percent by which the second source is above the first of what is sold, and below it of what is bought."""
PACE = Pace(rest=600, max_time=14 * 3_600, started_at=START, last_trade=None)


def pulled(state: FundState, percent: int = PULL) -> FundState:
    """The fund with every price pulled against its batches."""

    def change(h: Holding) -> Holding:
        by = {Side.SELL: percent, Side.BUY: -percent, Side.HELD: 0}[h.side]
        return replace(h, trade_price=h.price * (100 + by) // 100)

    return replace(state, holdings=tuple(change(h) for h in state.holdings))


@pytest.fixture(scope="module")
def april() -> Simulated:
    return trading(*load())


def test_without_a_second_source_the_price_counts() -> None:
    holding = Holding(0, WETH, 6, 10**6, 3 * WAD, Side.SELL, 0, WAD)
    assert not holding.pulled and not replace(holding, trade_price=3 * WAD).pulled
    assert (holding.trade_value(7), holding.trade_value_up(7)) == (21 * 10**12, 21 * 10**12)


def test_each_side_is_rounded_for_the_fund() -> None:
    holding = Holding(0, WETH, 6, 10**6, 3 * WAD, Side.SELL, 0, WAD, trade_price=4 * WAD + 1)
    assert holding.pulled
    # 7 / 10^6 of a token: 28 * 10^12 USD and 7 / 10^6 of one of 10^-18
    assert (holding.trade_value(7), holding.trade_value_up(7)) == (28 * 10**12, 28 * 10**12 + 1)
    assert (holding.value(7), holding.start_value(7)) == (21 * 10**12, 7 * 10**12)


def test_a_batch_counts_at_its_side_s_prices(april: Simulated) -> None:
    found = plan(at(april.state, START + 1_800), april.market, GAS_PRICE, PACE, SLIPPAGE_BPS)
    assert found.batch is not None
    sold = {leg.index: leg.amount for leg in found.batch.sells}
    bought = {leg.index: leg.amount for leg in found.batch.buys}
    plain, counted = (outcome(state, sold, bought) for state in (april.state, pulled(april.state)))
    assert abs(counted.value_out - plain.value_out * 102 // 100) < 10**6
    assert abs(counted.value_in - plain.value_in * 98 // 100) < 10**6
    assert counted.share > plain.share and counted.progress.spent > plain.progress.spent
    # Lambda stands on the prices of the start.
    assert (counted.attainable, counted.credited) == (plain.attainable, plain.credited)
    assert surplus_after(pulled(april.state), sold) == surplus_after(april.state, sold)
    assert attainable(pulled(april.state), 10**16, 0) == attainable(april.state, 10**16, 0)


def test_a_plan_waits_for_what_the_second_source_asks(april: Simulated) -> None:
    """Its loss is what the settlement will count, so it is possible later, or not at all where the tolerance ends."""
    plain, counted = (
        plan(state, april.market, GAS_PRICE, PACE, SLIPPAGE_BPS) for state in (april.state, pulled(april.state, 1))
    )
    assert plain.possible_from is not None and counted.possible_from is not None
    assert counted.possible_from > plain.possible_from + 300
    far = plan(pulled(april.state, 3), april.market, GAS_PRICE, PACE, SLIPPAGE_BPS)
    assert far.possible_from is None and "expects to lose" in far.why


def test_the_capacity_holds_for_what_counts(april: Simulated) -> None:
    limits = replace(april.state.limits, batch_cap=10**15)
    state = replace(pulled(april.state, 1), limits=limits)
    found = plan(state, april.market, GAS_PRICE, replace(PACE, max_time=3_600), SLIPPAGE_BPS)
    assert found.batch is not None
    assert found.batch.outcome.share <= limits.batch_cap
    assert found.batch.outcome.share > limits.batch_cap * 9 // 10


def test_pools_are_expected_where_the_second_source_is(april: Simulated) -> None:
    state = pulled(april.state)
    market = april.market.recovered(state)
    for h in state.holdings:
        side = market.pools[h.token][0].segments(h.token)[0]
        price = market.usd(side.reserve_out) * h.one // side.reserve_in
        assert abs(price - h.trade_price) * 10_000 < h.price


def shown(state: FundState, april: Simulated) -> tuple[str, View, Book]:
    found = plan(state, april.market, GAS_PRICE, PACE, SLIPPAGE_BPS)
    view = View(Head(1, "0x00", START, 0), state, april.market, GAS_PRICE, found)
    book = Book("Fund", 1, 1, {"index_token": WETH}, WETH, ())
    console = Console(file=StringIO(), width=200)
    console.print(fund_tables(view, book))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue(), view, book


def test_views_show_what_counts_where_it_differs(april: Simulated) -> None:
    table, _, _ = shown(april.state, april)
    assert "in a batch $" not in table
    state = pulled(april.state, 1)
    table, view, book = shown(state, april)
    assert "in a batch $" in table
    rows = fund_json(view, book)["components"]
    assert [(row["price_usd"], row["trade_price_usd"]) for row in rows] == [
        (str(h.price), str(h.trade_price)) for h in state.holdings
    ]
    batch = plan_json(view, book)["plan"]["batch"]
    assert view.plan is not None and view.plan.batch is not None
    assert int(batch["value_out_usd"]) == sum(
        state.holdings[leg.index].trade_value_up(leg.amount) for leg in view.plan.batch.sells
    )
