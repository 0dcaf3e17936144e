"""Builds the local mainnet of a month on an empty chain: exchanges, tokens, feeds and pools."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ballast.abi import call_data
from ballast.units import DAY_S, ETHER, FEED_STEP, HOUR_S
from lab.localnet.addresses import feed_of, listed_pairs, pair_address, stand_in, usd_feeds
from lab.localnet.anvil import Cheats, anvil
from lab.localnet.artifacts import Code, reference_contracts
from lab.localnet.deployments import Exchanges, deploy_exchanges
from lab.localnet.errors import LocalnetError
from lab.localnet.market import reserves_of
from lab.localnet.month_file import Month, MonthComponent
from lab.localnet.reserves import MonthPools, PoolDepth, ReserveRow, pools_of
from lab.localnet.rpc import HttpRpc, Rpc, send
from lab.localnet.v3 import PositionRow, V3Depth, assumed, open_v3, v3_pools_of
from lab.localnet.world import Token, World, WorldPool

DAYS_BEFORE_MONTH = 10
"""The chain's head is this many days before the first of the month, before any fund determines anything."""
FEE_BPS = 30

_OPEN = "open(address,string,uint8,address,int256,address,(address,uint256,uint256)[])"
_OPEN_GAS = 20_000_000
_BUILDER_ETHER = 10**9 * ETHER
_MARKET_WETH = 10**8 * ETHER
"""WETH wei that the arbitrageur can pay into pools."""


def head_time(month: Month) -> int:
    """Unix time of the chain's last block: midnight UTC, ten days before the first of the month."""
    year, number = month.period
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp()) - DAYS_BEFORE_MONTH * DAY_S


@contextlib.contextmanager
def local_mainnet(
    month: Month,
    rows: Iterable[ReserveRow] = (),
    *,
    positions: Iterable[PositionRow] = (),
    port: int | None = None,
    log: Path | None = None,
) -> Iterator[tuple[str, World]]:
    """Run the local mainnet of a month until the block ends; yields its RPC URL and its world. `positions`: of V3
    pools; the only others are those that `v3.assumed` adds."""
    pools = pools_of(month, rows)
    with anvil(timestamp=head_time(month) - HOUR_S, port=port, log=log) as url:
        rpc = HttpRpc(url)
        try:
            world = build(rpc, month, pools, positions)
        finally:
            rpc.close()
        yield url, world


def build(rpc: Rpc, month: Month, pools: MonthPools, positions: Iterable[PositionRow] = ()) -> World:
    """Build the month's world on an empty chain whose time is before `head_time`."""
    exchanges = deploy_exchanges(rpc)
    given = tuple(positions)
    unknown = assumed(month, pools.pools, given, exchanges.weth)
    v3_pools = v3_pools_of(month, (*given, *unknown), exchanges.weth)
    _refuse_collisions(month, exchanges)
    codes = reference_contracts()
    cheats = Cheats(rpc)
    builder = stand_in("builder")
    with cheats.acting_as(builder, _BUILDER_ETHER):
        world = _furnish(rpc, month, pools, v3_pools, exchanges, codes, builder)
        if unknown:
            which = ", ".join(month.symbol_of(row.token) for row in unknown)
            note = f"{world.reserves_note}; Uniswap V3 ({which}) assumed as deep as the deepest pair"
            world = replace(world, reserves_note=note)
        _touch(rpc, world, builder)
    cheats.mine_at(world.head)
    _check(rpc, world, pools)
    return world


def _furnish(
    rpc: Rpc,
    month: Month,
    pools: MonthPools,
    v3_pools: tuple[V3Depth, ...],
    exchanges: Exchanges,
    codes: dict[str, Code],
    builder: str,
) -> World:
    listed = usd_feeds()
    market = stand_in("market")
    Cheats(rpc).set_balance(stand_in("trader"), _BUILDER_ETHER)
    eth_feed = listed["ETH"]
    feeds = {component.symbol: feed_of(component.symbol, listed) for component in month.components}
    placed: dict[str, bytes] = {market: codes["ReferenceMarket"].runtime, eth_feed: codes["ReferenceFeed"].runtime}
    for component in month.components:
        placed[component.address] = codes["ReferenceToken"].runtime
        placed[feeds[component.symbol][0]] = codes["ReferenceFeed"].runtime
    rpc.batch([("anvil_setCode", (address, "0x" + code.hex())) for address, code in placed.items()])

    liquidity = sum(pool.weth_wei for pool in pools.pools)
    send(rpc, builder, exchanges.weth, call_data("deposit()"), gas=100_000, value=liquidity + _MARKET_WETH)
    give = call_data("transfer(address,uint256)", market, liquidity + _MARKET_WETH)
    send(rpc, builder, exchanges.weth, give, gas=100_000)
    describe = call_data("describe(address,string,int256)", eth_feed, "ETH / USD", month.weth_price_usd // FEED_STEP)
    send(rpc, builder, market, describe, gas=1_000_000)

    tokens = []
    for component in month.components:
        mine = [pool for pool in pools.pools if pool.token == component.address]
        feed, on_mainnet = feeds[component.symbol]
        openings = [(exchanges.factory(pool.venue), pool.token_wei, pool.weth_wei) for pool in mine]
        send(rpc, builder, market, _open_call(component, feed, exchanges.weth, openings), gas=_OPEN_GAS)
        # The circulating supply must exist: a token with a lower total supply than a fund counts is refused.
        circulating = (component.supply or 0) * 10**component.decimals
        public = call_data("mint(address,uint256)", stand_in("public"), circulating)
        send(rpc, builder, component.address, public, gas=200_000)
        tokens.append(_token(component, feed, on_mainnet, mine, exchanges))
    return World(
        month=month.label,
        head=head_time(month),
        reserves_note=pools.note,
        weth=exchanges.weth,
        weth_price_usd=month.weth_price_usd,
        eth_feed=eth_feed,
        uniswap_factory=exchanges.uniswap_factory,
        uniswap_router=exchanges.uniswap_router,
        sushiswap_factory=exchanges.sushiswap_factory,
        sushiswap_router=exchanges.sushiswap_router,
        uniswap_v3_factory=exchanges.uniswap_v3_factory,
        market=market,
        trader=stand_in("trader"),
        tokens=tuple(tokens),
        v3_pools=open_v3(rpc, builder, market, exchanges.uniswap_v3_factory, exchanges.weth, v3_pools),
    )


def _touch(rpc: Rpc, world: World, builder: str) -> None:
    """Initialise the pairs' price accumulators: mainnet's pairs have been traded in, while here a first swap would pay
    for writing them. They count seconds, so some have to pass. (V3 pools are traded in as they are opened.)"""
    Cheats(rpc).mine_at(world.head - HOUR_S // 2)
    for pool in (pool for token in world.tokens for pool in token.pools):
        send(rpc, builder, pool.pair, call_data("sync()"), gas=200_000)


def _open_call(component: MonthComponent, feed: str, weth: str, openings: list[tuple[str, int, int]]) -> str:
    answer = component.price_usd // FEED_STEP
    if answer == 0:
        raise LocalnetError(f"{component.symbol}: price_usd {component.price_usd} is 0 in the feed's 8 decimals")
    return call_data(_OPEN, component.address, component.symbol, component.decimals, feed, answer, weth, openings)


def _token(
    component: MonthComponent, feed: str, on_mainnet: bool, pools: list[PoolDepth], exchanges: Exchanges
) -> Token:
    opened = []
    for pool in pools:
        pair = pair_address(pool.venue, exchanges.factory(pool.venue), component.address, exchanges.weth)
        if pool.pair is not None and pool.pair != pair:
            raise LocalnetError(
                f"{component.symbol} on {pool.venue}: the reserves file names pair {pool.pair}, expected {pair}"
            )
        opened.append(WorldPool(venue=pool.venue, pair=pair, fee_bps=FEE_BPS))
    return Token(
        symbol=component.symbol,
        address=component.address,
        decimals=component.decimals,
        feed=feed,
        feed_on_mainnet=on_mainnet,
        price_usd=component.price_usd,
        pools=tuple(opened),
    )


def _refuse_collisions(month: Month, exchanges: Exchanges) -> None:
    taken: dict[str, Any] = {
        exchanges.weth: "WETH",
        exchanges.uniswap_factory: "Uniswap's factory",
        exchanges.uniswap_router: "Uniswap's router",
        exchanges.sushiswap_factory: "Sushi's factory",
        exchanges.sushiswap_router: "Sushi's router",
        exchanges.uniswap_v3_factory: "Uniswap's V3 factory",
    }
    for component in month.components:
        if component.address in taken:
            raise LocalnetError(
                f"components: {component.symbol} at {component.address} is {taken[component.address]}, "
                "expected a token that trades against WETH"
            )


def _check(rpc: Rpc, world: World, pools: MonthPools) -> None:
    """Check that the pools are where the factories and mainnet's list put them, with the requested reserves."""
    listed = listed_pairs()
    rows = [(token, pool) for token in world.tokens for pool in token.pools]
    for token, pool in rows:
        known = listed.get((pool.venue, token.address))
        if known is not None and known != pool.pair:
            raise LocalnetError(f"{token.symbol} on {pool.venue}: pair {pool.pair}, mainnet's is {known}")
    reserves = reserves_of(rpc, world.weth, [(token.address, pool.pair) for token, pool in rows])
    for (token, pool), (tokens, weth, _), depth in zip(rows, reserves, pools.pools, strict=True):
        if (tokens, weth) != (depth.token_wei, depth.weth_wei):
            raise LocalnetError(
                f"{token.symbol} on {pool.venue}: reserves {tokens} and {weth}, "
                f"expected {depth.token_wei} and {depth.weth_wei}"
            )
