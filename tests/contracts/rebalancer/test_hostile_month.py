"""A whole month in the hands of fillers that take the most they can, at every batch, and keep all they get."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from tests.helpers.bench import BUYS, KINDS, LIMITS, NOTICE, PERIOD, SELLS, Bench
from tests.helpers.filling import UNSHRUNK, least_pays, sells_worth, trade
from tests.helpers.fund import EXECUTION, PERIOD_END, Limits
from tests.helpers.settling import goal_of, surplus_of, usd

WORST = Limits(
    first_tolerance=WAD // 10,
    last_tolerance=WAD // 10,
    batch_cap=WAD // 10,
    loss_budget=WAD // 200,
    cool_off=60,
    max_idle=60,
)
"""The ceilings: every batch may lose 10 %, with a budget of 0.5 %."""


def choose(fund: Any, value: int) -> dict[int, int]:
    """Sells of that value, of all the surplus if it is less, and of no more than what the buys still lack can pay."""
    nav = fund.opening.nav * fund.shares // WAD
    at = fund.holdings
    lacks = sum(usd(max(0, goal_of(fund, i) - at[i].balance), at[i].price, at[i].decimals) for i in BUYS)
    payable = lacks * WAD // (WAD - fund.tolerance) * WAD // nav
    left = sum(usd(surplus_of(fund, i), at[i].price, at[i].decimals) for i in SELLS) * WAD // nav
    if left <= min(value, payable):
        return {i: surplus_of(fund, i) for i in SELLS}
    return sells_worth(fund, min(value, payable))


def plunder(bench: Bench, waits: list[int], sizes: list[int], favourite: int) -> int:
    """Trades at the least allowed until the month is done; the number of batches."""
    at, count = EXECUTION, 0
    while bench.chain.read(bench.rebalancer.trading()):
        at += waits[count % len(waits)]
        fund = bench.fund(at)
        if fund.capacity == 0:
            count += 1
            continue
        sells = choose(fund, fund.capacity * sizes[count % len(sizes)] // 100)
        trade(bench, sells, least_pays(fund, at, sells, favourite), at)
        count += 1
        assert count < 300, "the month does not end"
        assert at < PERIOD_END
    return count


def loss(bench: Bench, before: int) -> int:
    """What a share has lost, as a fraction with 18 decimals."""
    return (before - bench.value_per_share()) * WAD // before


def check_shortfall(bench: Bench, at: int) -> None:
    """No buy is left far shorter than another."""
    fund = bench.fund(at)
    attained = [fund.holdings[i].balance * WAD // (KINDS[i].target * fund.supply // WAD) for i in BUYS]
    assert max(attained) <= WAD
    assert max(attained) - min(attained) <= 2 * WAD // 100
    assert min(attained) >= 97 * WAD // 100


@pytest.mark.parametrize("favourite", BUYS)
def test_patient_fillers_that_wait_for_the_last_tolerance(trading: Bench, favourite: int) -> None:
    before = trading.value_per_share()
    count = plunder(trading, [1800], [100], favourite)
    progress = trading.chain.read(trading.rebalancer.progress())
    assert count == 4
    assert 0 < loss(trading, before) <= LIMITS.loss_budget
    assert progress.spent <= LIMITS.loss_budget
    # 4 % of a turnover of 7 % of NAV, and roundings.
    assert abs(progress.spent - 28 * WAD // 10_000) < WAD // 10_000
    check_shortfall(trading, trading.chain.now())


def test_hasty_fillers_pay_for_their_haste(trading: Bench) -> None:
    """At the first moment of each bit of capacity the tolerance is negative: the fund gains."""
    before = trading.value_per_share()
    plunder(trading, [60], [100], 5)
    assert loss(trading, before) < 0
    assert trading.chain.read(trading.rebalancer.progress()).spent == 0


def test_any_mixture_of_waits_sizes_and_favourites(trading: Bench) -> None:
    before = trading.value_per_share()

    @settings(max_examples=5, deadline=None, phases=UNSHRUNK)
    @given(
        waits=st.lists(st.integers(120, 2400), min_size=1, max_size=5),
        sizes=st.lists(st.integers(50, 100), min_size=1, max_size=4),
        favourite=st.sampled_from(BUYS),
    )
    def check(waits: list[int], sizes: list[int], favourite: int) -> None:
        snapshot = trading.chain.cheats.snapshot()
        try:
            plunder(trading, waits, sizes, favourite)
            assert loss(trading, before) <= LIMITS.loss_budget
            check_shortfall(trading, trading.chain.now())
        finally:
            trading.chain.cheats.revert(snapshot)

    check()


def test_a_budget_that_would_be_spent_at_once_lasts_for_the_month(trading: Bench) -> None:
    """With 10 % allowed from the first second, the budget is shared out over the turnover, and the month ends."""
    chain = trading.chain
    chain.send(trading.rebalancer.close(), trading.keeper, at=PERIOD_END + 1)
    chain.send(trading.rebalancer.setLimits(WORST.as_tuple(), 0), trading.owner, at=PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    start = 1620000000  # 2021-05-03 00:00 UTC
    trading.start(start)
    before = trading.value_per_share()
    at, batches, budget = start, 0, WORST.loss_budget
    while chain.read(trading.rebalancer.trading()):
        at += 60
        fund = trading.fund(at)
        assert fund.tolerance == (budget - fund.progress.spent) * WAD // fund.progress.surplus < WAD // 10
        done = batches == 9
        sells = {i: surplus_of(fund, i) for i in SELLS} if done else sells_worth(fund, 7 * 10**15)
        trade(trading, sells, least_pays(fund, at, sells), at)
        batches += 1
    spent = chain.read(trading.rebalancer.progress()).spent
    assert batches == 10
    assert budget * 999 // 1000 < spent <= budget
    assert loss(trading, before) <= budget
    check_shortfall(trading, at)


def test_prices_that_rise_while_the_budget_is_spent(trading: Bench) -> None:
    """All prices double after the start: losses in USD double too, and the budget holds as a share of NAV at start."""
    trading.post_prices([2 * kind.price for kind in KINDS])
    before = trading.value_per_share()
    plunder(trading, [1800], [100], 5)
    assert trading.chain.read(trading.rebalancer.progress()).spent <= LIMITS.loss_budget
    assert loss(trading, before) <= LIMITS.loss_budget


def test_a_spent_budget_leaves_fair_trade_open(trading: Bench) -> None:
    """With no budget left a batch at fair value still passes, one wei under it does not."""
    chain = trading.chain
    chain.send(trading.rebalancer.close(), trading.keeper, at=PERIOD_END + 1)
    chain.send(trading.rebalancer.setLimits(Limits(loss_budget=0).as_tuple(), 0), trading.owner, at=PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    start = 1620000000
    trading.start(start)
    before = trading.value_per_share()
    at = start
    while chain.read(trading.rebalancer.trading()):
        at += 1800
        fund = trading.fund(at)
        assert fund.tolerance == 0
        left = fund.progress.surplus < fund.capacity
        sells = {i: surplus_of(fund, i) for i in SELLS} if left else sells_worth(fund, fund.capacity)
        result: Any = trade(trading, sells, least_pays(fund, at, sells), at)
        assert result.valueIn >= result.valueOut
    assert loss(trading, before) <= 0
    assert chain.read(trading.rebalancer.progress()).spent == 0


def test_the_worst_month_is_one_month(trading: Bench) -> None:
    """After it nothing is due before the next period, whose budget is its own."""
    plunder(trading, [1800], [100], 5)
    spent = trading.chain.read(trading.rebalancer.progress()).spent
    assert spent > 0
    assert trading.due() == ("None", "Done", PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    month = trading.chain.read(trading.rebalancer.month())
    assert (month.period, month.phase) == (PERIOD + 1, 1)
    assert NOTICE < EXECUTION < trading.chain.now()
    fund = trading.fund()
    assert goal_of(fund, 1, WAD) == 0  # no targets between months
