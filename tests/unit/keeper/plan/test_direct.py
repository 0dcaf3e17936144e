"""Pools between two components: used as far as they bring more than the way over WETH, and ordered as the filler takes
them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.units import WAD
from keeper.plan.batch import Batch
from keeper.plan.costs import MEASURED
from keeper.plan.direct import crosses_of
from keeper.plan.order import FILLER, HopFlag, order_of
from keeper.plan.share_out import Buy
from keeper.pools.market import Market, market_of
from keeper.pools.venues import Pool, PoolKind
from keeper.pools.venues.v2 import V2Pool
from keeper.state import FundState, Holding, PoolState, Side
from tests.unit.keeper.plan.test_order import hops
from tests.unit.keeper.simulated import LIMITS, WETH, at, batch_of, filled, opened

TOKENS = ["0x" + "11" * 20, "0x" + "22" * 20, "0xd" + "1" * 39]
"""Two sells and a buy, each worth one ETH."""
SUPPLY = 1_000 * WAD
GAS_PRICE = 100 * 10**9
DIRECT = "0x" + "77" * 20
TO = "0x" + "33" * 20
FREE = {0: 0, 1: 0}


def fund() -> FundState:
    """Sells 100 and 50 of the two, buys 150 of the third; NAV 10,000 ETH."""
    units = ((2 * WAD, 19 * WAD // 10), (2 * WAD, 195 * WAD // 100), (6 * WAD, 615 * WAD // 100))
    holdings = tuple(
        Holding(i, token, 18, was * SUPPLY // WAD, 2_000 * WAD, side, unit, 2_000 * WAD)
        for i, (token, side, (was, unit)) in enumerate(
            zip(TOKENS, (Side.SELL, Side.SELL, Side.BUY), units, strict=True)
        )
    )
    return opened(holdings, SUPPLY, replace(LIMITS, batch_cap=10**17))


def pair(one: str, other: str, reserves: tuple[int, int], address: str = DIRECT) -> V2Pool:
    return V2Pool("uniswap", address, (one, other), (reserves[0] * WAD, reserves[1] * WAD))


def market(state: FundState, *direct: Pool, weth_depth: int = 20_000) -> Market:
    over_weth = [
        PoolState("uniswap", f"0x{n:040x}", t, weth_depth * WAD, weth_depth * WAD) for n, t in enumerate(TOKENS, 7)
    ]
    return market_of(WETH, [*over_weth, *direct], state)


def received(batch: Batch) -> int:
    """USD that comes for what is sold, for each USD of it (18 decimals)."""
    return batch.outcome.value_in * WAD // batch.outcome.value_out


def wanted_buy(state: FundState, index: int, pools: tuple[Pool, ...], amount: int) -> Buy:
    return Buy(state.holdings[index], pools, amount, amount)


@pytest.mark.parametrize("depth", [20, 200, 2_000, 20_000])
def test_no_other_amount_gains_more(depth: int) -> None:
    state = fund()
    found = market(state, pair(TOKENS[0], TOKENS[2], (depth, depth)), weth_depth=2_000)

    def bought(straight: int) -> int:
        """Of the third token, for 100 of the first of which so much goes straight."""
        direct = found.cross(TOKENS[0], TOKENS[2], straight).received if straight else 0
        weth = found.sell(TOKENS[0], 100 * WAD - straight, FREE).received
        return direct + found.pools[TOKENS[2]][0].amount_out(WETH, weth)

    wanted = wanted_buy(state, 2, found.pools[TOKENS[2]], bought(0))
    (cross,) = crosses_of(state, found, {0: 100 * WAD}, [wanted], FREE)
    best = bought(cross.route.paid)
    assert best > bought(0)
    others = max(bought(part * WAD // 2) for part in range(200))
    assert best >= others - others // 1_000


def test_a_batch_gains_by_a_direct_pool_and_settles() -> None:
    state = fund()
    without = batch_of(state, market(state), 1, GAS_PRICE)
    batch = batch_of(state, market(state, pair(TOKENS[0], TOKENS[2], (3_000, 3_000))), 1, GAS_PRICE)
    assert without is not None and batch is not None
    assert [(cross.sell, cross.buy) for cross in batch.crosses] == [(0, 2)]
    assert received(batch) > received(without) + WAD // 1_000
    assert batch.sold == without.sold == {0: 100 * WAD, 1: 50 * WAD} and batch.empties
    assert sum(batch.bought.values()) == sum(leg.route.received for leg in batch.buys) + batch.crosses[0].route.received
    # One fee where WETH takes two: 0.3 % of what each pool is paid, all prices being one ETH.
    paid = sum(route.paid for route in batch.routes)
    assert abs(batch.fees - paid * 2_000 * 3 // 1_000) * 1_000 < batch.fees < without.fees
    after = filled(at(state, state.time + 1_800), batch, batch.outcome.value_in)
    assert after.holdings[2].balance == state.holdings[2].balance + batch.bought[2]


def test_a_direct_pool_is_left_where_it_brings_less() -> None:
    state = fund()
    # A tenth below the market; and at the market's price, where a swap costs more than it saves.
    poor = batch_of(state, market(state, pair(TOKENS[0], TOKENS[2], (2_200, 2_000))), 1, GAS_PRICE)
    assert poor is not None and poor.crosses == ()
    fair = market(state, pair(TOKENS[0], TOKENS[2], (5, 5)), weth_depth=200_000)
    wanted = [wanted_buy(state, 2, fair.pools[TOKENS[2]], 150 * WAD)]
    assert crosses_of(state, fair, {0: 100 * WAD}, wanted, FREE) != ()
    assert crosses_of(state, fair, {0: 100 * WAD}, wanted, {0: WAD // 10, 1: WAD}) == ()


def test_all_goes_straight_where_that_saves_the_other_swaps() -> None:
    state = fund()
    found = market(state, pair(TOKENS[0], TOKENS[2], (9_000, 9_000)), weth_depth=2_000)
    wanted = [wanted_buy(state, 2, found.pools[TOKENS[2]], 99 * WAD)]
    (free,) = crosses_of(state, found, {0: 100 * WAD}, wanted, FREE)
    (dear,) = crosses_of(state, found, {0: 100 * WAD}, wanted, {0: WAD, 1: WAD})
    assert free.route.paid < 95 * WAD
    assert dear.route.paid == 100 * WAD


def test_a_sell_is_not_promised_twice() -> None:
    state = fund()
    holdings = (replace(state.holdings[0], side=Side.SELL), *state.holdings[1:])
    holdings = (holdings[0], replace(holdings[1], side=Side.BUY, unit=21 * WAD // 10), holdings[2])
    state = replace(state, holdings=holdings)
    both = market(
        state,
        pair(TOKENS[0], TOKENS[2], (9_000, 9_000)),
        pair(TOKENS[0], TOKENS[1], (9_000, 9_000), "0x" + "88" * 20),
        weth_depth=500,
    )
    wanted = [wanted_buy(state, i, both.pools[TOKENS[i]], 90 * WAD) for i in (1, 2)]
    crosses = crosses_of(state, both, {0: 100 * WAD}, wanted, FREE)
    assert [cross.buy for cross in crosses] == [1, 2]
    assert sum(cross.route.paid for cross in crosses) <= 100 * WAD


def test_each_component_s_rest_goes_to_the_next_pair() -> None:
    state = fund()
    both = market(
        state,
        pair(TOKENS[0], TOKENS[2], (9_000, 9_000)),
        pair(TOKENS[1], TOKENS[2], (9_000, 9_000), "0x" + "88" * 20),
    )
    wanted = [wanted_buy(state, 2, both.pools[TOKENS[2]], 120 * WAD)]
    crosses = crosses_of(state, both, {0: 100 * WAD, 1: 50 * WAD}, wanted, FREE)
    assert [cross.sell for cross in crosses] == [0, 1]
    assert sum(cross.route.received for cross in crosses) <= 120 * WAD
    assert crosses[0].route.paid <= 100 * WAD and crosses[1].route.paid <= 50 * WAD


def order(batch: Batch) -> tuple[Any, ...]:
    return order_of(batch, 1, TO, WETH, TOKENS)


def test_what_goes_straight_is_paid_by_the_fund_and_comes_home() -> None:
    state = fund()
    batch = batch_of(state, market(state, pair(TOKENS[0], TOKENS[2], (3_000, 3_000))), 1, GAS_PRICE)
    assert batch is not None
    (cross,) = batch.crosses
    sells, amounts, recipients, buys, _, _, data = order(batch)
    assert (sells, buys) == ([0, 0, 1], [2])
    assert recipients == [DIRECT, f"0x{7:040x}", f"0x{8:040x}"]
    assert amounts[0] == cross.route.paid * sum(amounts[:2]) // (100 * WAD)
    assert sum(amounts[:2]) == 100 * WAD + 100 * WAD // 10**6 + 1
    first, second, third, last = hops(data)
    assert (first.pool, first.flags, first.leg) == (int(DIRECT, 16), HopFlag.PAID | HopFlag.HOME | HopFlag.FORWARD, 0)
    assert [hop.leg for hop in (second, third)] == [1, 2]
    assert not (second.flags | third.flags) & HopFlag.HOME
    assert last.flags & HopFlag.POT and last.flags & HopFlag.HOME


def test_a_v3_pool_is_paid_by_the_filler() -> None:
    state = fund()
    plain = pair(TOKENS[0], TOKENS[2], (3_000, 3_000))
    batch = batch_of(state, market(state, replace(plain, kind=PoolKind.V3)), 1, GAS_PRICE)
    assert batch is not None and batch.crosses
    _, _, recipients, _, _, _, data = order(batch)
    assert recipients[0] == FILLER
    first = hops(data)[0]
    assert (first.kind, first.flags) == (1, HopFlag.HOME | HopFlag.FORWARD)


def test_nearly_all_may_go_straight() -> None:
    """A sell and a buy of the same size, and a direct pool so deep that WETH carries what is left over only."""
    holdings = tuple(
        replace(h, unit=unit)
        for h, unit in zip(fund().holdings, (19 * WAD // 10, 2 * WAD, 61 * WAD // 10), strict=True)
    )
    holdings = (holdings[0], replace(holdings[1], side=Side.HELD), holdings[2])
    state = opened(holdings, SUPPLY, replace(LIMITS, batch_cap=10**17))
    deep = market(state, pair(TOKENS[0], TOKENS[2], (10**7, 10**7)))
    batch = batch_of(state, deep, 2, GAS_PRICE)
    assert batch is not None
    assert batch.weth * 100 < batch.sold[0]
    assert batch.gas == MEASURED.trade + MEASURED.sell + MEASURED.buy + batch.hops * MEASURED.hop(0)
    filled(at(state, state.time + 1_800), batch, batch.outcome.value_in)
    assert order(batch)[3] == [2]


def test_direct_pools_recover_to_the_oracle_s_prices() -> None:
    state = fund()
    third = replace(state.holdings[2], price=4_000 * WAD, decimals=6, balance=state.holdings[2].balance // 10**12)
    state = replace(state, holdings=(*state.holdings[:2], third))
    off = market(state, pair(TOKENS[0], TOKENS[2], (2_000, 1_800))).recovered(state)
    (pool,) = off.between(TOKENS[2], TOKENS[0])
    first, second = pool.segments(TOKENS[0])[0].reserve_in, pool.segments(TOKENS[0])[0].reserve_out
    # {wei of the third} = {wei of the first} / 2 / 10^12
    assert abs(first - second * 2 * 10**12) <= first // 10**9
