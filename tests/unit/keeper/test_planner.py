"""The plan of a month keeps every bound and empties the surplus with the shortfall shared."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper import bucket
from keeper.batch import plan_batch, sellable
from keeper.market import NO_PAIR, market_of
from keeper.order import order_of
from keeper.planner import Pace, Plan, plan
from keeper.settlement import attainable, goal, outcome, surplus_after
from keeper.state import WAD, FundState, Holding, Phase, PoolState, Side
from tests.unit.keeper.simulated import LIMITS, START, WETH, Simulated, at, filled, load, opened, parts, trading

GWEI = 10**9
GAS_PRICE = 100 * GWEI
SLIPPAGE_BPS = 10


def pace(last_trade: int | None = None, hours: int = 14, rest: int = 612) -> Pace:
    return Pace(rest=rest, max_time=hours * 3600, started_at=START, last_trade=last_trade)


def carry(fund: Simulated, gas_price: int = GAS_PRICE, hours: int = 14) -> tuple[FundState, list[Plan]]:
    """A whole month in memory; `filled` fails where the contract would revert."""
    state, last, done = fund.state, None, []
    while state.phase is Phase.TRADING:
        found = plan(state, fund.market, gas_price, pace(last, hours), SLIPPAGE_BPS)
        assert found.batch is not None and found.possible_from is not None, found.why
        if found.possible_from > state.time:
            state = at(state, found.possible_from)
            continue
        state = filled(state, found.batch, found.min_value_in)
        last = state.time
        done.append(found)
        assert len(done) < 200
    return state, done


@pytest.fixture(scope="module")
def april() -> Simulated:
    return trading(*load())


@pytest.fixture(scope="module")
def done(april: Simulated) -> tuple[FundState, list[Plan]]:
    return carry(april)


def test_april_ends_within_its_goals(april: Simulated, done: tuple[FundState, list[Plan]]) -> None:
    state, plans = done
    nav = april.state.nav_at_start_prices
    cost = sum(p.batch.cost for p in plans if p.batch)
    residual = sum(h.value(abs(h.balance - state.target_balance(h))) for h in state.holdings)
    assert cost * 10_000 < 15 * nav
    assert (residual - cost) * 10_000 < nav
    assert state.time - START <= 14 * 3600 + 1800
    assert all(state.surplus(h) == 0 for h in state.holdings)


def test_the_last_batch_brings_all_buys_to_the_same_part(done: tuple[FundState, list[Plan]]) -> None:
    found = parts(done[0])
    assert len(found) == 13
    assert max(found) - min(found) < WAD // 10**9
    assert min(found) > WAD * 985 // 1000


def test_expected_cost_is_what_it_comes_to(april: Simulated, done: tuple[FundState, list[Plan]]) -> None:
    first = done[1][0]
    cost = sum(p.batch.cost for p in done[1] if p.batch)
    assert abs(first.cost - cost) * 100 < cost
    assert first.fees < first.cost


def test_batches_rest_between_them(done: tuple[FundState, list[Plan]]) -> None:
    times = [p.possible_from for p in done[1] if p.possible_from]
    assert all(two - one >= 612 for one, two in pairwise(times))


@pytest.mark.parametrize("label", ["dpi-2021-02", "dpi-2021-03", "mvi-2021-05"])
def test_other_months(label: str) -> None:
    fund = trading(*load(label))
    state, plans = carry(fund)
    cost = sum(p.batch.cost for p in plans if p.batch)
    residual = sum(h.value(abs(h.balance - state.target_balance(h))) for h in state.holdings)
    assert (residual - cost) * 10_000 < fund.state.nav_at_start_prices
    assert min(parts(state)) > WAD * 985 // 1000


def test_dear_gas_makes_fewer_batches(april: Simulated) -> None:
    cheap = plan(april.state, april.market, GWEI, pace(), SLIPPAGE_BPS)
    dear = plan(april.state, april.market, 2_000 * GWEI, pace(), SLIPPAGE_BPS)
    assert 5 <= dear.slices < cheap.slices
    assert dear.cost > cheap.cost


def test_hours_bound_the_number_of_batches(april: Simulated) -> None:
    short = plan(april.state, april.market, 0, pace(hours=2), SLIPPAGE_BPS)
    assert short.finish is not None and short.possible_from is not None
    assert short.finish - START <= 2 * 3600
    assert short.slices == 1 + (2 * 3600 + START - short.possible_from) // 612
    # Late is no reason not to trade: the fewest that the cap allows (8.2 % of NAV in batches of 1.99 %).
    late = plan(at(april.state, START + 3 * 86_400), april.market, 0, pace(), SLIPPAGE_BPS)
    assert late.slices == 5


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_batch_breaks_a_bound(data: st.DataObject) -> None:
    fund = funds(data)
    slices = data.draw(st.integers(1, 50))
    batch = plan_batch(fund.state, fund.market, slices, data.draw(st.integers(0, 10**12)))
    if batch is None:
        assert not sellable(fund.state, fund.market) or all(
            goal(fund.state, h, WAD) <= h.balance for h in fund.state.holdings if h.side is Side.BUY
        )
        return
    state = fund.state
    sold = {leg.index: leg.amount for leg in batch.sells}
    assert all(0 < amount <= state.surplus(state.holdings[i]) for i, amount in sold.items())
    # what the chain would credit is what was bought: nothing is given away
    for leg in batch.buys:
        assert batch.outcome.credited[leg.index] >= leg.amount - leg.amount // 10**8 - 1
        assert state.holdings[leg.index].balance + leg.amount <= goal(state, state.holdings[leg.index], WAD)
    assert sum(leg.route.paid for leg in batch.buys) <= batch.weth
    if slices == 1 and batch.outcome.part < WAD:
        assert sold == sellable(state, fund.market) or batch.outcome.progress.held > 0


def funds(data: st.DataObject) -> Simulated:
    """A fund of a few components somewhere in a month, with pools about where the oracle is."""
    eth = 2_000 * WAD
    supply = 10_000 * WAD
    n = data.draw(st.integers(2, 6))
    holdings: list[Holding] = []
    pools: list[PoolState] = []
    for i in range(n):
        token = f"0x{i + 1:040x}"
        decimals = data.draw(st.sampled_from([6, 8, 18]))
        price = data.draw(st.integers(WAD // 10, 1_000 * WAD))
        value = data.draw(st.integers(1, 100)) * WAD  # USD for each share
        unit = value * 10**decimals // price
        drift = data.draw(st.integers(-300, 300))
        side = Side.SELL if i == 0 else Side.BUY if i == 1 else Side(data.draw(st.integers(0, 2)))
        change = data.draw(st.integers(1, 2_000))
        target = unit * (10_000 + (change if side is Side.BUY else -change if side is Side.SELL else 0)) // 10_000
        holdings.append(
            Holding(
                i, token, decimals, False, unit * supply // WAD, price, side, target, price * (10_000 + drift) // 10_000
            )
        )
        for venue in ("uniswap", "sushiswap")[: data.draw(st.integers(1, 2))]:
            depth = data.draw(st.integers(100, 100_000)) * WAD
            tokens = depth * eth // WAD * 10**decimals // price
            pools.append(PoolState(venue, f"0x{len(pools) + 99:040x}", token, tokens, depth))
    return Simulated(opened(tuple(holdings), supply), tuple(pools))


def test_even_progress_before_the_last(april: Simulated) -> None:
    batch = plan_batch(april.state, april.market, 10, GAS_PRICE)
    assert batch is not None
    after = filled(at(april.state, START + 3_600), batch, 0)
    for before, now in zip(april.state.holdings, after.holdings, strict=True):
        if before.side is Side.BUY:
            lack = goal(april.state, before, WAD) - before.balance
            left = goal(april.state, now, WAD) - now.balance
            # a tenth of the way, less each one's part of the cost
            assert WAD * 88 // 100 < left * WAD // lack < WAD * 92 // 100


def test_capacity_keeps_a_margin(april: Simulated) -> None:
    tight = replace(LIMITS, batch_cap=10**15)
    state = replace(april.state, limits=tight)
    found = plan(state, april.market, GAS_PRICE, pace(hours=1), SLIPPAGE_BPS)
    assert found.batch is not None
    assert found.batch.outcome.share <= 10**15 * 995 // 1000 + 1
    assert found.slices == 83


def test_waits_for_the_tolerance_it_needs(april: Simulated) -> None:
    found = plan(april.state, april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert found.batch is not None and found.possible_from is not None
    assert found.why == "bucket fills"
    loss = WAD - found.min_value_in * WAD // found.batch.outcome.value_out

    def open_at(time: int) -> int:
        idle = bucket.idle_x24(april.state.progress.tat, time, LIMITS.max_idle)
        return bucket.tolerance(idle, LIMITS, april.state.progress, found.batch.outcome.share if found.batch else 0)

    assert open_at(found.possible_from - 1) < loss <= open_at(found.possible_from)
    # still the same plan when that moment has come
    again = plan(at(april.state, found.possible_from), april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert (again.possible_from, again.why) == (found.possible_from, "due")


def test_plans_on_recovered_pools_while_they_rest(april: Simulated) -> None:
    """Right after a batch the pools are off; what they will be decides when the next one is possible."""
    batch = plan_batch(april.state, april.market, 10, GAS_PRICE)
    assert batch is not None
    moved = {swap.pair: (swap, leg in batch.sells) for leg in (*batch.sells, *batch.buys) for swap in leg.route.swaps}
    pools = []
    for pool in april.pools:
        if pool.pair in moved:
            swap, selling = moved[pool.pair]
            token, weth = (swap.paid, -swap.received) if selling else (-swap.received, swap.paid)
            pools.append(replace(pool, token_reserve=pool.token_reserve + token, weth_reserve=pool.weth_reserve + weth))
        else:
            pools.append(pool)
    now = START + 3_600
    state = filled(at(april.state, now), batch, 0)
    market = market_of(WETH, pools, state)
    resting = plan(at(state, now + 12), market, GAS_PRICE, pace(now), SLIPPAGE_BPS)
    assert (resting.possible_from, resting.why) == (now + 612, "pools rest")
    # Without the rest it would be planned on the pools as they are, and cost more.
    at_once = plan(at(state, now + 12), market, GAS_PRICE, pace(None), SLIPPAGE_BPS)
    assert at_once.batch is not None and resting.batch is not None
    assert at_once.batch.cost * resting.batch.outcome.value_out > resting.batch.cost * at_once.batch.outcome.value_out


def test_says_when_the_tolerance_never_opens_far_enough(april: Simulated) -> None:
    state = replace(april.state, limits=replace(LIMITS, last_tolerance=10**15))
    found = plan(state, april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert found.possible_from is None
    assert "tolerance opens to 0.10 %" in found.why


def test_small_batches_where_large_ones_lose_too_much(april: Simulated) -> None:
    # In an hour there is room for 6 batches; a month of 6 loses more than 0.9 %.
    state = replace(april.state, limits=replace(LIMITS, last_tolerance=9 * 10**15))
    found = plan(state, april.market, GAS_PRICE, pace(hours=1), SLIPPAGE_BPS)
    assert found.possible_from is not None
    assert found.slices > 6


def test_nothing_to_trade(april: Simulated) -> None:
    unpriced = tuple(replace(h, price=0) if h.side is Side.SELL else h for h in april.state.holdings)
    found = plan(replace(april.state, holdings=unpriced), april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert (found.batch, found.possible_from) == (None, None)
    assert "price and a pool" in found.why
    without = market_of(WETH, (), april.state)
    assert plan(april.state, without, GAS_PRICE, pace(), SLIPPAGE_BPS).batch is None


def test_a_buy_without_a_pool_is_left_out(april: Simulated) -> None:
    missing = next(h for h in april.state.holdings if h.side is Side.BUY)
    pools = tuple(pool for pool in april.pools if pool.token != missing.token)
    batch = plan_batch(april.state, market_of(WETH, pools, april.state), 10, GAS_PRICE)
    assert batch is not None
    assert missing.index not in {leg.index for leg in batch.buys}
    assert len(batch.buys) == 12


def test_weth_itself_can_be_a_component() -> None:
    token, weth = "0x" + "11" * 20, WETH
    supply = 1_000 * WAD
    holdings = (
        Holding(0, token, 18, False, 2 * supply, 2_000 * WAD, Side.SELL, WAD, 2_000 * WAD),
        Holding(1, weth, 18, False, supply, 2_000 * WAD, Side.BUY, 2 * WAD, 2_000 * WAD),
    )
    pools = (PoolState("uniswap", "0x" + "22" * 20, token, 10**5 * WAD, 10**5 * WAD),)
    state = opened(holdings, supply)
    batch = plan_batch(state, market_of(weth, pools, state), 50, GAS_PRICE)
    assert batch is not None
    assert [swap.pair for leg in batch.buys for swap in leg.route.swaps] == [NO_PAIR]
    assert batch.weth - batch.weth // 10**9 <= batch.buys[0].amount <= batch.weth
    sell, buy = batch.fees, batch.outcome.value_out * 30 // 10_000
    assert abs(sell - buy) <= 1  # one side goes through a pool, so one fee


def test_the_emptying_order_asks_for_more_than_there_is(april: Simulated) -> None:
    filler = "0x" + "33" * 20
    batch = plan_batch(april.state, april.market, 1, GAS_PRICE)
    assert batch is not None and batch.empties
    tokens = [holding.token for holding in april.state.holdings]
    sells, amounts, recipients, buys, minimum, to, _ = order_of(batch, 7, filler, april.market.weth, tokens)
    assert set(sells) == {batch.sells[0].index}
    assert recipients == [swap.pair for swap in batch.sells[0].route.swaps]
    surplus = april.state.surplus(april.state.holdings[sells[0]])
    assert surplus < sum(amounts) <= surplus + surplus // 10**6 + 1
    assert (minimum, to) == (7, filler)
    assert buys == sorted(buys)
    part = plan_batch(april.state, april.market, 2, GAS_PRICE)
    assert part is not None and not part.empties
    assert sum(order_of(part, 0, filler, april.market.weth, tokens)[1]) == surplus // 2


def test_outcome_counts_no_more_than_attainable(april: Simulated) -> None:
    state = april.state
    sell = next(h for h in state.holdings if h.side is Side.SELL)
    buys = [h for h in state.holdings if h.side is Side.BUY]
    buy = min(buys, key=lambda h: h.value(goal(state, h, WAD) - h.balance))
    sold = {sell.index: state.surplus(sell) // 100}
    # Far more than the whole target of the smallest arrives: what counts is lambda of it.
    found = outcome(state, sold, {buy.index: 2 * goal(state, buy, WAD)})
    lack = goal(state, buy, WAD) - buy.balance
    received = buy.start_value(lack) * WAD // state.nav_at_start_prices
    assert found.part == attainable(state, surplus_after(state, sold), received)
    assert found.part < WAD
    assert found.credited[buy.index] == goal(state, buy, found.part) - buy.balance < lack
