"""Tokens, feeds and pools that all competitors of one size share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ballast.abi import call_data
from ballast.units import DAY_S, FEED_STEP, WAD
from lab.bench.basket import SHARE_NAV, Component, basket
from lab.localnet.rpc import read
from lab.localnet.world import World
from lab.testbed.chain import Chain, Contract

POOL_VALUE = 10_000_000 * WAD
"""USD on each side of a pool: deep enough that prices hardly move."""
FEE_NUMERATOR, FEE_DENOMINATOR = 997, 1000
SHARES = 1_000 * WAD
"""Shares of each fund before anything is measured."""
HOLDER_SHARES = 12 * WAD + 345_678_901_234_567_891
"""Shares that a holder mints at a time: a bit more than it redeems."""
REDEEMED_SHARES = 7 * WAD + 654_321_098_765_432_109
MONTH_S = 30 * DAY_S


@dataclass(frozen=True)
class Asset:
    """A component of the arena with its token, feed and pool against WETH."""

    component: Component
    token: Contract
    feed: Contract
    pair: str

    @property
    def address(self) -> str:
        return self.token.address


@dataclass(frozen=True)
class PairSwap:
    """A swap of an asset into WETH, or of WETH into it; `forward`: token0 of the pair goes in. Amounts in wei."""

    pair: str
    token_in: str
    forward: bool
    amount_in: int
    amount_out: int


@dataclass(frozen=True)
class Arena:
    """`assets` ascend by token address; `builder` deployed all of them; `holder` has not used any fund yet."""

    chain: Chain
    world: World
    assets: tuple[Asset, ...]
    builder: str
    holder: str

    @property
    def tokens(self) -> list[str]:
        return [asset.address for asset in self.assets]

    @property
    def weth(self) -> str:
        return self.world.weth

    def fund(self, account: str, spender: str, shares: int, units: Sequence[int]) -> None:
        """Mints the account twice what these shares take, and lets the spender take it without limit."""
        for asset, unit in zip(self.assets, units, strict=True):
            asset.token.send(self.builder, "mint", account, 2 * shares * unit // WAD + 2)
            asset.token.send(account, "approve", spender, 2**256 - 1)

    def post_feeds(self) -> None:
        """Posts every feed's price anew, dated now."""
        time = self.chain.cheats.now()
        for asset in self.assets:
            asset.feed.send(self.builder, "post", asset.component.price // FEED_STEP, time)
        eth = self.chain.at("ReferenceFeed", self.world.eth_feed)
        eth.send(self.builder, "post", self.world.weth_price_usd // FEED_STEP, time)

    def quote(self, asset: Asset, amount_in: int, *, sell: bool) -> PairSwap:
        """Quotes a swap of `amount_in` of the token (sell) or of WETH in the asset's pool at its current reserves."""
        first, second, _ = read(self.chain.rpc, asset.pair, "getReserves()", ["uint112", "uint112", "uint32"])
        token_in = asset.address if sell else self.weth
        forward = (int(asset.address, 16) < int(self.weth, 16)) == sell
        reserve_in, reserve_out = (first, second) if forward else (second, first)
        after_fee = amount_in * FEE_NUMERATOR
        out = after_fee * reserve_out // (reserve_in * FEE_DENOMINATOR + after_fee)
        return PairSwap(asset.pair, token_in, forward, amount_in, out)

    def in_weth(self, asset: Asset, amount: int) -> int:
        """WETH wei that token wei of the asset are worth at reference prices."""
        return amount * asset.component.price // self.world.weth_price_usd


def build(chain: Chain, world: World, n: int) -> Arena:
    """Deploys n components with feeds and pools; swaps once in each pool, because a pool's first swap costs more."""
    builder, holder = chain.account("builder"), chain.account("holder")
    tokens = [chain.deploy(builder, "BenchToken", f"T{i}") for i in range(n)]
    tokens.sort(key=lambda token: int(token.address, 16))
    reserve = POOL_VALUE * WAD // world.weth_price_usd
    chain.send(builder, world.weth, call_data("deposit()"), value=2 * n * reserve)
    assets = tuple(
        _asset(chain, world, builder, token, component, reserve)
        for token, component in zip(tokens, basket(n), strict=True)
    )
    arena = Arena(chain, world, assets, builder, holder)
    arena.post_feeds()
    _warm_up(arena)
    return arena


def _asset(chain: Chain, world: World, builder: str, token: Contract, component: Component, reserve: int) -> Asset:
    feed = chain.deploy(builder, "ReferenceFeed")
    feed.send(builder, "init", "BENCH / USD", 8)
    factory = world.uniswap_factory
    create = call_data("createPair(address,address)", token.address, world.weth)
    chain.send(builder, factory, create)
    (pair,) = read(chain.rpc, factory, "getPair(address,address)", ["address"], token.address, world.weth)
    pool = Asset(component, token, feed, chain.at("BenchToken", pair).address)
    token.send(builder, "mint", pool.pair, POOL_VALUE * WAD // component.price)
    # The circulating supply that `basket` gives.
    token.send(builder, "mint", builder, component.supply * WAD)
    chain.send(builder, world.weth, call_data("transfer(address,uint256)", pool.pair, reserve))
    chain.send(builder, pool.pair, call_data("mint(address)", builder))
    return pool


def _warm_up(arena: Arena) -> None:
    swaps = arena.chain.deploy(arena.builder, "BareSwaps")
    for asset in arena.assets:
        amount = SHARE_NAV * WAD // asset.component.price
        asset.token.send(arena.builder, "mint", swaps.address, amount)
        swap = arena.quote(asset, amount, sell=True)
        row = (swap.pair, swap.token_in, swap.forward, swap.amount_in, swap.amount_out)
        swaps.send(arena.builder, "swap", [row])
