"""Which pools a route takes, and what the market is taken to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.units import WAD
from keeper.pools.market import Market, market_of
from keeper.pools.venues import PoolKind, Segment
from keeper.pools.venues.v2 import V2Pool, pool_of
from keeper.state import FundState, Holding, PoolState, Side
from tests.unit.keeper.simulated import opened
from tests.unit.keeper.stepped import SteppedPool

WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
LOW, HIGH = "0x" + "11" * 20, "0x" + "dd" * 20
"""Tokens before and after WETH in a pair."""
FREE = {0: 0, 1: 0}


def state_of(*tokens: str, price: int = 20 * WAD, decimals: int = 18) -> FundState:
    one = 10**decimals
    holdings = tuple(
        Holding(i, token, decimals, 2_000 * one, price, Side.SELL if i == 0 else Side.BUY, one, price)
        for i, token in enumerate((*tokens, "0x" + "ee" * 20))
    )
    return opened(holdings, 1_000 * WAD)


def reserves(token: str, tokens: int, weth: int, venue: str = "uniswap", pair: int = 1) -> PoolState:
    return PoolState(venue, f"0x{pair:040x}", token, tokens, weth)


@pytest.mark.parametrize("token", [LOW, HIGH])
def test_a_pair_has_its_tokens_in_the_contracts_order(token: str) -> None:
    pool = pool_of(reserves(token, 5, 7), WETH)
    assert pool.tokens == tuple(sorted((token, WETH), key=lambda address: int(address, 16)))
    (segment,) = pool.segments(token)
    assert segment == Segment(5, 7, None, 3_000)
    assert pool.segments(WETH) == (Segment(7, 5, None, 3_000),)


def test_eth_is_worth_what_the_pools_say() -> None:
    # 20 USD a token and 100 tokens for one WETH; the second pool is a little off and does not move the median.
    pools = [reserves(LOW, 10**5 * WAD, 10**3 * WAD), reserves(LOW, 101 * 10**3 * WAD, 10**3 * WAD, pair=2)]
    assert market_of(WETH, pools, state_of(LOW)).eth_price == 2_000 * WAD
    assert market_of(WETH, (), state_of(LOW)).eth_price == 0


def test_empty_pools_and_others_than_weths_are_left_out() -> None:
    direct = V2Pool("uniswap", "0x" + "55" * 20, (LOW, HIGH), (10**20, 10**20))
    market = market_of(WETH, [reserves(LOW, 0, 10**20), direct], state_of(LOW, HIGH))
    assert dict(market.pools) == {}
    assert not market.tradable(LOW) and market.tradable(WETH)


def test_the_deepest_pools_are_kept_deepest_first() -> None:
    pools = [reserves(LOW, k * 10**23, k * 10**21, pair=k) for k in range(1, 7)]
    market = market_of(WETH, pools, state_of(LOW))
    assert [int(pool.address, 16) for pool in market.pools[LOW]] == [6, 5, 4, 3]


def test_what_only_looks_deep_comes_later() -> None:
    """A narrow range of much liquidity takes less than a pair before the price has moved by a percent."""
    narrow = replace(
        SteppedPool((Segment(10**27, 10**25, 10**19, 500),), kind=PoolKind.V3),
        tokens=(LOW, WETH),
        address="0x" + "77" * 20,
    )
    market = market_of(WETH, [narrow, reserves(LOW, 10**24, 10**22)], state_of(LOW))
    assert [pool.kind for pool in market.pools[LOW]] == [0, 1]


def two() -> Market:
    pools = [reserves(LOW, 10**24, 10**22), reserves(LOW, 10**23, 10**21, "sushiswap", 2)]
    return market_of(WETH, pools, state_of(LOW))


def test_a_second_pool_is_used_where_it_saves_more_than_its_gas() -> None:
    market = two()
    amount = 10**22
    alone, both = market.sell(LOW, amount, {0: WAD, 1: WAD}), market.sell(LOW, amount, FREE)
    assert (alone.hops, both.hops) == (1, 2)
    saved = both.received - alone.received
    assert saved > 0
    assert market.sell(LOW, amount, {0: saved - 10, 1: 0}).hops == 2
    assert market.sell(LOW, amount, {0: saved + 10, 1: 0}).hops == 1


def test_buying_takes_a_second_pool_likewise() -> None:
    market = two()
    amount = 10**22
    one, both = market.venues_to_buy(LOW, amount, {0: WAD, 1: WAD}), market.venues_to_buy(LOW, amount, FREE)
    assert (len(one), len(both)) == (1, 2)
    dear, cheap = market.buy(LOW, one, amount), market.buy(LOW, both, amount)
    assert dear.received == cheap.received == amount
    assert dear.paid > cheap.paid
    assert cheap.paid <= market.cost(LOW, both, amount) <= cheap.paid + 8
    assert market.venues_to_buy(LOW, 2 * 10**24, FREE) == ()


def test_routes_are_what_the_pools_pay_to_the_wei() -> None:
    market = two()
    route = market.sell(LOW, 10**22, FREE)
    by_address = {pool.address: pool for pool in market.pools[LOW]}
    assert all(by_address[swap.pair].amount_out(LOW, swap.paid) == swap.received for swap in route.swaps)
    assert route.paid == 10**22
    assert route.fees == sum(swap.paid * 3_000 // 10**6 for swap in route.swaps)


def test_a_pool_with_an_end_is_not_asked_for_more() -> None:
    ended = replace(SteppedPool((Segment(10**24, 10**22, 10**20, 500),)), tokens=(LOW, WETH), address="0x" + "77" * 20)
    market = market_of(WETH, [ended], state_of(LOW))
    assert market.sell(LOW, 10**20, FREE).swaps[0].paid == 10**20
    with pytest.raises(ValueError, match="more than the pools"):
        market.sell(LOW, 10**20 + 1, FREE)
    beside = market_of(WETH, [ended, reserves(LOW, 10**24, 10**22)], state_of(LOW))
    parts = {swap.kind: swap.paid for swap in beside.sell(LOW, 10**23, FREE).swaps}
    assert parts == {1: 10**20, 0: 10**23 - 10**20}


@pytest.mark.parametrize(("token", "decimals"), [(LOW, 18), (HIGH, 18), (LOW, 6), (HIGH, 8)])
def test_rested_pools_stand_at_the_oracles_price(token: str, decimals: int) -> None:
    one = 10**decimals
    # One pool holds the price of ETH up at 2,000 USD, as the median of three; the third is 4 % off.
    pools = [
        reserves(token, 10**5 * one, 10**3 * WAD, pair=1),
        reserves(token, 10**4 * one, 10**2 * WAD, pair=2),
        reserves(token, 10**5 * one * 102 // 100, 10**3 * WAD * 98 // 100, pair=3),
    ]
    state = state_of(token, decimals=decimals)
    market = market_of(WETH, pools, state)
    off = next(p for p in market.pools[token] if int(p.address, 16) == 3)
    rested = next(p for p in market.recovered(state).pools[token] if int(p.address, 16) == 3)
    assert isinstance(off, V2Pool) and isinstance(rested, V2Pool)
    (segment,) = rested.segments(token)
    assert segment.reserve_in * WAD == pytest.approx(segment.reserve_out * 100 * one, rel=1e-6)
    product = off.reserves[0] * off.reserves[1]
    assert rested.reserves[0] * rested.reserves[1] == pytest.approx(product, rel=1e-6)
