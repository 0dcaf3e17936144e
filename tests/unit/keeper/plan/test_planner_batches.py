"""One batch of the planner: within every bound, both sides matched, and what waits or is left out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from keeper.plan import bucket
from keeper.plan.batch import sellable
from keeper.plan.costs import MEASURED
from keeper.plan.order import order_of
from keeper.plan.planner import MAX_BATCH_GAS, Aim, Plan, plan
from keeper.plan.settlement import attainable, goal, outcome, surplus_after
from keeper.plan.slices import next_slices
from keeper.pools.market import NO_PAIR, market_of
from keeper.state import Holding, PoolState, Side
from tests.unit.keeper.simulated import (
    GAS_PRICE,
    LIMITS,
    SLIPPAGE_BPS,
    START,
    WETH,
    Simulated,
    at,
    batch_of,
    filled,
    load,
    opened,
    pace,
    trading,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_batch_breaks_a_bound(data: st.DataObject) -> None:
    fund = funds(data)
    slices = data.draw(st.integers(1, 50))
    batch = batch_of(fund.state, fund.market, slices, data.draw(st.integers(0, 10**12)))
    if batch is None:
        assert not sellable(fund.state, fund.market) or all(
            goal(fund.state, h, WAD) <= h.balance for h in fund.state.holdings if h.side is Side.BUY
        )
        return
    state = fund.state
    sold = {leg.index: leg.amount for leg in batch.sells}
    assert all(0 < amount <= state.surplus(state.holdings[i]) for i, amount in sold.items())
    # what the chain would credit is what was bought: nothing is given away but what lambda's last digits leave
    for leg in batch.buys:
        assert batch.outcome.credited[leg.index] >= leg.amount - leg.amount // 10**5 - 1
        assert state.holdings[leg.index].balance + leg.amount <= goal(state, state.holdings[leg.index], WAD)
    # as near as the level is looked for; the last swap takes what there is
    assert sum(leg.route.paid for leg in batch.buys) <= batch.weth + batch.weth // 10**13 + 1
    if slices == 1 and batch.outcome.attainable < WAD:
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
            Holding(i, token, decimals, unit * supply // WAD, price, side, target, price * (10_000 + drift) // 10_000)
        )
        for venue in ("uniswap", "sushiswap")[: data.draw(st.integers(1, 2))]:
            depth = data.draw(st.integers(100, 100_000)) * WAD
            tokens = depth * eth // WAD * 10**decimals // price
            pools.append(PoolState(venue, f"0x{len(pools) + 99:040x}", token, tokens, depth))
    return Simulated(opened(tuple(holdings), supply), tuple(pools))


def test_capacity_keeps_a_margin(april: Simulated) -> None:
    tight = replace(LIMITS, batch_cap=10**15)
    state = replace(april.state, limits=tight)
    found = plan(state, april.market, GAS_PRICE, pace(hours=1), SLIPPAGE_BPS)
    assert found.batch is not None
    assert found.batch.outcome.share <= 10**15 * 995 // 1000 + 1
    assert found.batches == 83


def test_waits_for_the_tolerance_it_needs(april: Simulated) -> None:
    found = plan(april.state, april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert found.batch is not None and found.possible_from is not None
    assert found.why == "bucket fills"
    loss = WAD - found.min_value_in * WAD // found.batch.outcome.value_out

    def open_at(time: int) -> int:
        idle = bucket.idle_x24(april.state.progress.tat, time, LIMITS.max_idle)
        return bucket.tolerance(idle, LIMITS, april.state.progress, found.batch.outcome.sale if found.batch else None)

    assert open_at(found.possible_from - 1) < loss <= open_at(found.possible_from)
    # still the same plan when that moment has come
    again = plan(at(april.state, found.possible_from), april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    assert (again.possible_from, again.why) == (found.possible_from, "due")


def test_plans_on_recovered_pools_while_they_rest(april: Simulated) -> None:
    """Right after a batch the pools are off; what they will be decides when the next one is possible."""
    batch = batch_of(april.state, april.market, 10)
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
    assert (resting.possible_from, resting.why) == (now + 600, "pools rest")
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
    assert found.batches > 6


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
    batch = batch_of(april.state, market_of(WETH, pools, april.state), 10)
    assert batch is not None
    assert missing.index not in {leg.index for leg in batch.buys}
    assert len(batch.buys) >= 10


def test_weth_itself_can_be_a_component() -> None:
    token, weth = "0x" + "11" * 20, WETH
    supply = 1_000 * WAD
    holdings = (
        Holding(0, token, 18, 2 * supply, 2_000 * WAD, Side.SELL, WAD, 2_000 * WAD),
        Holding(1, weth, 18, supply, 2_000 * WAD, Side.BUY, 2 * WAD, 2_000 * WAD),
    )
    pools = (PoolState("uniswap", "0x" + "22" * 20, token, 10**5 * WAD, 10**5 * WAD),)
    state = opened(holdings, supply)
    batch = batch_of(state, market_of(weth, pools, state), 50)
    assert batch is not None
    assert [swap.pair for leg in batch.buys for swap in leg.route.swaps] == [NO_PAIR]
    assert batch.weth - batch.weth // 10**9 <= batch.buys[0].amount <= batch.weth
    sell, buy = batch.fees, batch.outcome.value_out * 30 // 10_000
    assert abs(sell - buy) <= 2_000  # one side goes through a pool, so one fee


def test_the_emptying_order_asks_for_more_than_there_is(april: Simulated) -> None:
    filler = "0x" + "33" * 20
    state = replace(april.state, limits=replace(LIMITS, batch_cap=10**17))
    batch = batch_of(state, april.market, 1)
    assert batch is not None and batch.empties
    tokens = [holding.token for holding in april.state.holdings]
    sells, amounts, recipients, buys, minimum, to, _ = order_of(batch, 7, filler, april.market.weth, tokens)
    assert set(sells) == {batch.sells[0].index}
    assert recipients == [swap.pair for swap in batch.sells[0].route.swaps]
    surplus = april.state.surplus(april.state.holdings[sells[0]])
    assert surplus < sum(amounts) <= surplus + surplus // 10**6 + 1
    assert (minimum, to) == (7, filler)
    assert buys == sorted(buys)
    part = batch_of(april.state, april.market, 2)
    assert part is not None and not part.empties
    given = order_of(part, 0, filler, april.market.weth, tokens)[1]
    assert sum(given) == sum(leg.amount for leg in part.sells) < surplus


def test_outcome_counts_no_more_than_attainable(april: Simulated) -> None:
    state = april.state
    sell = next(h for h in state.holdings if h.side is Side.SELL)
    buys = [h for h in state.holdings if h.side is Side.BUY]
    buy = min(buys, key=lambda h: h.value(goal(state, h, WAD) - h.balance))
    sold = {sell.index: state.surplus(sell) // 100}
    # Far more than the whole target of the smallest arrives: what counts is lambda of it.
    found = outcome(state, sold, {buy.index: 2 * goal(state, buy, WAD)})
    lack = goal(state, buy, WAD) - buy.balance
    received = buy.start_value(lack) * WAD // state.total_value_at_start
    assert found.attainable == attainable(state, surplus_after(state, sold), received)
    assert found.attainable < WAD
    assert found.credited[buy.index] == goal(state, buy, found.attainable) - buy.balance < lack


def test_both_sides_match_where_there_are_fewer_slices_than_batches() -> None:
    """A sell of one slice and two buys of one slice each, in two batches: the buys come with the sell."""
    supply = 10_000 * WAD
    tokens = ["0x" + f"{k}{k}" * 20 for k in (1, 2, 3)]
    holdings = tuple(
        Holding(k, tokens[k], 18, was * supply, WAD, Side.SELL if k == 0 else Side.BUY, unit, WAD)
        for k, (was, unit) in enumerate(((14, 13 * WAD), (16, 165 * WAD // 10), (2, 25 * WAD // 10)))
    )
    pools = [PoolState("uniswap", f"0x{k + 1:040x}", t, 10**9 * WAD, 5 * 10**5 * WAD) for k, t in enumerate(tokens)]
    state = opened(holdings, supply, replace(LIMITS, batch_cap=10**17))
    batch = batch_of(state, market_of(WETH, pools, state), 2)
    assert batch is not None
    assert [leg.index for leg in batch.buys] == [1, 2]
    assert batch.sells[0].amount * 10 > 9 * state.surplus(state.holdings[0])


def test_a_buy_that_is_held_back_waits(april: Simulated) -> None:
    found = plan(april.state, april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    lots, batches = found.lots, found.batches
    buys = [lot for lot in lots if not lot.work.selling]
    one = max(buys, key=lambda lot: lot.slices)
    free = {lot.index: lot.value for lot in buys}
    most = april.state.total_value_at_start
    assert one.index in {s.lot.index for s in next_slices(lots, free, batches, most)}
    little = {**free, one.index: one.slice_value // 2}
    assert one.index not in {s.lot.index for s in next_slices(lots, little, batches, most)}
    # unless there is nothing else
    nothing = dict.fromkeys(free, 0) | {one.index: one.slice_value // 2}
    assert [s.lot.index for s in next_slices(lots, nothing, batches, most) if not s.lot.work.selling] == [one.index]


def test_slices_give_way_by_depth_where_a_batch_does_not_match() -> None:
    fund = trading(*load("dpi-2021-02"))
    found = plan(fund.state, fund.market, GAS_PRICE, pace(hours=6), SLIPPAGE_BPS)
    assert found.batch is not None
    lots = {lot.index: lot for lot in found.lots}
    ratios = []
    for leg in found.batch.sells:
        lot = lots[leg.index]
        given = fund.state.holdings[leg.index].value(leg.amount) - lot.slice_value
        assert abs(given) * 4 < lot.slice_value
        ratios.append(given * WAD // lot.give)
    assert len(ratios) >= 4 and ratios[0] != 0
    assert max(ratios) - min(ratios) <= abs(ratios[0]) // 1_000


def test_no_more_is_bought_than_counts_where_others_cannot_be_bought() -> None:
    """A buy has no pool, so not all that could be sold can be spent: the first guess of what comes is too high."""
    supply = 10_000 * WAD
    tokens = ["0x" + f"{k}{k}" * 20 for k in (1, 2, 3)]
    holdings = (
        Holding(0, tokens[0], 18, 100 * supply, WAD, Side.SELL, 96 * WAD, WAD),
        Holding(1, tokens[1], 18, 10 * supply, WAD, Side.BUY, 105 * WAD // 10, WAD),
        Holding(2, tokens[2], 18, 10 * supply, WAD, Side.BUY, 135 * WAD // 10, WAD),
    )
    pools = [PoolState("uniswap", f"0x{k:040x}", tokens[k], 10**9 * WAD, 5 * 10**5 * WAD) for k in (0, 1)]
    state = opened(holdings, supply, replace(LIMITS, batch_cap=10**17))
    batch = batch_of(state, market_of(WETH, pools, state), 4)
    assert batch is not None
    (leg,) = batch.buys
    assert batch.outcome.attainable < WAD
    assert leg.amount * 100 > goal(state, state.holdings[1], batch.outcome.attainable) - state.holdings[1].balance
    assert batch.outcome.credited[1] >= leg.amount - leg.amount // 10**8 - 1


def test_no_batch_is_planned_above_the_gas_of_a_transaction() -> None:
    """Swaps as dear as no pool's: a batch has fewer of them, and where not even two fit there is none."""
    fund = trading(*load())

    def planned(hop: int) -> Plan:
        costs = replace(MEASURED, hop_v2=hop)
        return plan(fund.state, fund.market, GAS_PRICE, pace(None, 14, 600), SLIPPAGE_BPS, Aim("fewest"), costs)

    usual, dear, none = (planned(hop) for hop in (48_500, 1_500_000, 8_000_000))
    assert usual.batch is not None and dear.batch is not None and none.batch is None
    assert MAX_BATCH_GAS // 4 < dear.batch.gas <= MAX_BATCH_GAS and len(dear.batch.buys) < len(usual.batch.buys)
    assert "gas, a transaction may take 16777216" in none.why
