"""The plan of a month keeps every bound, empties the surplus with the shortfall shared, and costs little."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper import bucket
from keeper.batch import sellable
from keeper.costs import MEASURED
from keeper.market import NO_PAIR, market_of
from keeper.order import order_of
from keeper.planner import Aim, Mode, Pace, Plan, plan
from keeper.schedule import CRUMBS, gas_of, lots_of, next_slices, paid_for, works_of
from keeper.settlement import attainable, goal, outcome, surplus_after
from keeper.state import WAD, FundState, Holding, Phase, PoolState, Side
from tests.unit.keeper.simulated import (
    LIMITS,
    START,
    WETH,
    Simulated,
    at,
    batch_of,
    filled,
    load,
    opened,
    parts,
    trading,
)

GWEI = 10**9
GAS_PRICE = 100 * GWEI
SLIPPAGE_BPS = 10
BLOCK_S = 12
HOURS = {"dpi-2021-02": 6.3, "dpi-2021-03": 15.2, "dpi-2021-04": 10.7, "mvi-2021-05": 4.7}
"""Hours that a month may take: about what the published slices took with their pauses."""
LABELS = tuple(HOURS)
MODES: tuple[Mode, ...] = ("cheapest", "fewest")


def pace(last_trade: int | None = None, hours: float = 14, rest: int = 600, gas_spent: int | None = None) -> Pace:
    return Pace(rest, int(hours * 3600), START, last_trade, gas_spent)


def carry(
    fund: Simulated, gas_price: int = GAS_PRICE, hours: float = 14, mode: Mode = "cheapest"
) -> tuple[FundState, list[Plan]]:
    """A whole month in memory, each batch mined a block after it became possible; `filled` fails where the contract
    would revert."""
    state, last, done = fund.state, None, []
    spent = 0
    while state.phase is Phase.TRADING:
        found = plan(state, fund.market, gas_price, pace(last, hours, 600, spent), SLIPPAGE_BPS, Aim(mode))
        assert found.batch is not None and found.possible_from is not None, found.why
        if found.possible_from > state.time:
            state = at(state, found.possible_from)
            continue
        state = filled(at(state, state.time + BLOCK_S), found.batch, found.min_value_in)
        last = state.time
        spent += found.batch.gas
        done.append(found)
        assert len(done) < 200
    return state, done


@pytest.fixture(scope="module")
def april() -> Simulated:
    return trading(*load())


@pytest.fixture(scope="module")
def months() -> dict[tuple[str, Mode], tuple[Simulated, FundState, list[Plan]]]:
    """Every published month, planned both ways."""
    found: dict[tuple[str, Mode], tuple[Simulated, FundState, list[Plan]]] = {}
    for label in LABELS:
        fund = trading(*load(label))
        for mode in MODES:
            found[label, mode] = (fund, *carry(fund, hours=HOURS[label], mode=mode))
    return found


Months = dict[tuple[str, Mode], tuple[Simulated, FundState, list[Plan]]]
every_month = pytest.mark.parametrize(("label", "mode"), [(label, mode) for label in LABELS for mode in MODES])


def usd_of(plans: list[Plan], field: str) -> int:
    return sum(int(getattr(p.batch, field)) for p in plans)


@every_month
def test_months_end_with_little_left(months: Months, label: str, mode: Mode) -> None:
    fund, state, plans = months[label, mode]
    nav = fund.state.nav_at_start_prices
    residual = sum(h.value(abs(h.balance - state.target_balance(h))) for h in state.holdings)
    assert (residual - usd_of(plans, "cost")) * 10_000 <= nav
    assert min(parts(state)) > WAD * 985 // 1000
    assert state.time - START <= HOURS[label] * 3600 + BLOCK_S
    # All that were bought come to the same part of their targets, but for what was not worth its gas.
    last = plans[-1].batch
    assert last is not None
    bought = [h for h, was in zip(state.holdings, fund.state.holdings, strict=True) if h.balance > was.balance]
    part = max(h.balance * WAD // state.target_balance(h) for h in bought)
    behind = [h.value(goal(state, h, part) - h.balance) for h in bought]
    assert sum(behind) <= 3 * last.outcome.value_out // CRUMBS
    for h, value in zip(bought, behind, strict=True):
        assert value <= 2 * h.value(h.balance) // 1_000


@pytest.mark.parametrize("label", LABELS)
def test_fewest_takes_few_transactions_and_cheapest_costs_least(months: Months, label: str) -> None:
    _, _, few = months[label, "fewest"]
    _, _, cheap = months[label, "cheapest"]
    assert len(few) <= 18 and len(few) <= len(cheap)
    assert usd_of(few, "gas") <= usd_of(cheap, "gas")

    def price(plans: list[Plan]) -> int:
        return usd_of(plans, "impact") + usd_of(plans, "gas_cost")

    # The same where few batches are the cheapest anyway.
    assert price(cheap) * 1_000 <= price(few) * 1_001


@pytest.mark.parametrize("label", LABELS)
def test_slices_of_their_own_beat_equal_ones(months: Months, label: str) -> None:
    """Against every component in every one of as many batches."""
    fund, _, plans = months[label, "cheapest"]
    price = fund.market.usd(GAS_PRICE)
    works = paid_for(fund.state, works_of(fund.state, fund.market, MEASURED, price), 0)
    lots = lots_of(works, fund.market, len(plans), 0)
    assert {lot.slices for lot in lots} == {len(plans)}
    equal = sum(lot.impact for lot in lots) + price * gas_of(lots, len(plans), MEASURED)
    assert usd_of(plans, "impact") + usd_of(plans, "gas_cost") < equal


@every_month
def test_expected_cost_is_about_what_it_comes_to(months: Months, label: str, mode: Mode) -> None:
    _, _, plans = months[label, mode]
    first, cost, gas = plans[0], usd_of(plans, "cost"), usd_of(plans, "gas")
    assert abs(first.cost - cost) * 100 < 8 * cost
    # What the contract holds back and the last batch buys is not foreseen.
    assert abs(first.gas - gas) * 100 < 30 * gas


@every_month
def test_batches_rest_between_them_and_fall_by_one(months: Months, label: str, mode: Mode) -> None:
    _, _, plans = months[label, mode]
    times = [p.possible_from for p in plans if p.possible_from]
    assert all(two - one >= 600 for one, two in pairwise(times))
    counts = [p.batches for p in plans]
    assert counts[-1] == 1
    # Where slices come out a little different from the plan, the number may stay once, or skip one.
    assert all(0 <= one - two <= 2 for one, two in pairwise(counts))
    assert abs(counts[0] - len(counts)) <= 2


@every_month
def test_slices_left_follow_from_what_is_left(months: Months, label: str, mode: Mode) -> None:
    """A component that trades has one slice less left, one that does not has as many: nothing is remembered."""
    _, _, plans = months[label, mode]
    steady = total = 0
    for one, two in pairwise(plans):
        assert one.batch is not None
        traded = {leg.index for leg in (*one.batch.sells, *one.batch.buys)}
        left = {lot.index: lot.slices for lot in two.lots}
        for lot in one.lots:
            expected = lot.slices - (lot.index in traded)
            total += 1
            steady += left.get(lot.index, 0) in (expected, max(1, expected))
    assert steady >= total * 8 // 10


def test_thin_tokens_trade_in_more_batches_than_deep_ones(april: Simulated) -> None:
    found = plan(april.state, april.market, GAS_PRICE, pace(), SLIPPAGE_BPS)
    lots = sorted((lot for lot in found.lots if not lot.work.selling), key=lambda lot: lot.value**2 // lot.depth)
    assert [lot.slices for lot in lots] == sorted(lot.slices for lot in lots)
    assert lots[0].slices * 4 < lots[-1].slices
    # The slice that impact and gas choose does not depend on how much is left.
    price = april.market.usd(GAS_PRICE)
    for lot in lots:
        if 3 < lot.slices < found.batches:
            assert lot.slice_value**2 == pytest.approx(lot.depth * lot.gas * price, rel=0.5)


def test_dear_gas_makes_fewer_batches(april: Simulated) -> None:
    cheap = plan(april.state, april.market, GWEI, pace(), SLIPPAGE_BPS)
    dear = plan(april.state, april.market, 2_000 * GWEI, pace(), SLIPPAGE_BPS)
    assert 5 <= dear.batches < cheap.batches
    assert dear.cost > cheap.cost
    assert sum(lot.slices for lot in dear.lots) < sum(lot.slices for lot in cheap.lots)


def test_fewest_is_spread_over_the_hours(april: Simulated) -> None:
    aim = Aim("fewest", 10, 7_000_000)
    found = plan(april.state, april.market, GAS_PRICE, pace(hours=10), SLIPPAGE_BPS, aim)
    assert found.batches == 10 and found.why == "bucket fills"
    # Halfway: half the batches, the next one after its part of the hours that are left since the last.
    last = START + 5 * 3600
    wide = replace(april.state, limits=replace(LIMITS, last_tolerance=8 * 10**16))
    later = plan(at(wide, last + 1200), april.market, GAS_PRICE, pace(last, hours=10), SLIPPAGE_BPS, aim)
    assert later.batches == 5
    assert (later.possible_from, later.why) == (last + 3600 - BLOCK_S, "pools rest")
    assert later.finish == last + 5 * (3600 - BLOCK_S)


def test_fewest_keeps_to_its_gas(april: Simulated) -> None:
    """A month's batches take about the gas that was allowed, unless gas is dearer than that."""
    for most in (8_000_000, 10_000_000):
        found = plan(april.state, april.market, GWEI, pace(), SLIPPAGE_BPS, Aim("fewest", 18, most))
        assert found.gas == pytest.approx(most, rel=0.06)
    _, plans = carry(april, hours=10.7, mode="fewest")
    assert usd_of(plans, "gas") == pytest.approx(Aim().most_gas, rel=0.04)
    dear = plan(april.state, april.market, 20_000 * GWEI, pace(), SLIPPAGE_BPS, Aim("fewest", 18, 10_000_000))
    assert dear.gas < 8_000_000


def test_what_was_spent_is_not_there_for_the_rest(april: Simulated) -> None:
    last = START + 7 * 3600

    def left(spent: int | None) -> int:
        wide = replace(april.state, limits=replace(LIMITS, last_tolerance=10**17, loss_budget=2 * 10**16))
        state = at(wide, last + 1_800)
        found = plan(
            state, april.market, GWEI, pace(last, gas_spent=spent), SLIPPAGE_BPS, Aim("fewest", 18, 10_000_000)
        )
        return found.gas

    # About half the batches are left, and half the gas is meant for them.
    assert left(1_000_000) > left(4_000_000) > left(7_000_000)
    assert abs(left(None) - left(5_000_000)) * 10 < left(None)
    # Nothing left does not mean nothing: half of that.
    assert left(10_000_000) == left(12_000_000) > 2_000_000


@pytest.mark.parametrize("label", LABELS)
def test_batches_are_laid_out_evenly(months: Months, label: str) -> None:
    """All but the last two, which take what is left over."""
    _, _, plans = months[label, "fewest"]
    values = [p.batch.outcome.value_out for p in plans[:-2] if p.batch is not None]
    assert max(values) * 10 < 13 * min(values)


def test_hours_bound_the_number_of_batches(april: Simulated) -> None:
    short = plan(april.state, april.market, 0, pace(hours=2), SLIPPAGE_BPS)
    assert short.finish is not None and short.possible_from is not None
    assert short.finish - START <= 2 * 3600
    assert short.batches == 1 + (2 * 3600 + START - short.possible_from) // (600 + BLOCK_S)
    # Late is no reason not to trade: the fewest that the cap allows (8.2 % of NAV in batches of 1.99 %).
    late = plan(at(april.state, START + 3 * 86_400), april.market, 0, pace(), SLIPPAGE_BPS)
    assert late.batches == 5


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
        Holding(0, token, 18, False, 2 * supply, 2_000 * WAD, Side.SELL, WAD, 2_000 * WAD),
        Holding(1, weth, 18, False, supply, 2_000 * WAD, Side.BUY, 2 * WAD, 2_000 * WAD),
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
    received = buy.start_value(lack) * WAD // state.nav_at_start_prices
    assert found.part == attainable(state, surplus_after(state, sold), received)
    assert found.part < WAD
    assert found.credited[buy.index] == goal(state, buy, found.part) - buy.balance < lack


def test_both_sides_match_where_there_are_fewer_slices_than_batches() -> None:
    """A sell of one slice and two buys of one slice each, in two batches: the buys come with the sell."""
    supply = 10_000 * WAD
    tokens = ["0x" + f"{k}{k}" * 20 for k in (1, 2, 3)]
    holdings = tuple(
        Holding(k, tokens[k], 18, False, was * supply, WAD, Side.SELL if k == 0 else Side.BUY, unit, WAD)
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
    most = april.state.nav_at_start_prices
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
        Holding(0, tokens[0], 18, False, 100 * supply, WAD, Side.SELL, 96 * WAD, WAD),
        Holding(1, tokens[1], 18, False, 10 * supply, WAD, Side.BUY, 105 * WAD // 10, WAD),
        Holding(2, tokens[2], 18, False, 10 * supply, WAD, Side.BUY, 135 * WAD // 10, WAD),
    )
    pools = [PoolState("uniswap", f"0x{k:040x}", tokens[k], 10**9 * WAD, 5 * 10**5 * WAD) for k in (0, 1)]
    state = opened(holdings, supply, replace(LIMITS, batch_cap=10**17))
    batch = batch_of(state, market_of(WETH, pools, state), 4)
    assert batch is not None
    (leg,) = batch.buys
    assert batch.outcome.part < WAD
    assert leg.amount * 100 > goal(state, state.holdings[1], batch.outcome.part) - state.holdings[1].balance
    assert batch.outcome.credited[1] >= leg.amount - leg.amount // 10**8 - 1
