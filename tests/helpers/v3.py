"""Pools of Uniswap V3 on the fork: opened through the real factory, read by the lens, swapped in by the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eth_abi import encode
from eth_utils import to_checksum_address

from ballast.abi import Entry, encode_call
from ballast.build import ROOT
from ballast.fund_file import FundConfig
from ballast.parts import Anchor
from keeper.pools.venues.v3 import V3Pool, pool_of
from keeper.pools.venues.v3_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.v3 import load_positions, open_v3, parse_positions, v3_pools_of
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract

HEADER = "token_address,other_address,fee,lower,upper,depth_weth,cardinality"
SPAN = 12_000
"""Ticks on each side of the price that the lens reads: about a factor 3.3."""

_SLOT0 = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
_SWAP = "swap(address,bool,int256,uint160,bytes)"


def open_pools(chain: Chain, world: World, month: Month, lines: list[str]) -> World:
    """Opens the pools that these lines of a positions file name; the world with them."""
    rows = parse_positions([HEADER, *lines])
    depths = v3_pools_of(month, rows, world.weth)
    sender = chain.account("opener of pools")
    opened = open_v3(chain.rpc, sender, world.market, world.uniswap_v3_factory, world.weth, depths)
    return replace(world, v3_pools=world.v3_pools + opened)


def open_invented(chain: Chain, world: World, month: Month) -> World:
    """Opens the pools of the invented positions, and trades in them; the world with them."""
    rows = load_positions(ROOT / "data" / "positions" / "invented.csv")
    sender = chain.account("opener of pools")
    depths = v3_pools_of(month, rows, world.weth)
    opened = open_v3(chain.rpc, sender, world.market, world.uniswap_v3_factory, world.weth, depths)
    found = replace(world, v3_pools=world.v3_pools + opened)
    stir(chain, found)
    return found


def anchor_pools(world: World, fee: int = 3000) -> dict[str, str]:
    """The pool of this fee against WETH of every token that has one."""
    return {t.address: pool.pool for t in world.tokens for pool in world.v3_pools_of(t.address) if pool.fee == fee}


def with_anchors(config: FundConfig, world: World, **terms: int) -> FundConfig:
    """The fund with an anchor for every component that has a pool for it; `terms`: window and bound."""
    listed = anchor_pools(world)
    components = tuple(
        c.model_copy(update={"anchor": Anchor(pool=listed[c.token], **terms)}) if c.token in listed else c
        for c in config.components
    )
    return config.model_copy(update={"components": components, "uniswap_v3_factory": world.uniswap_v3_factory})


class AheadOfFeeds(Market):
    """A market whose prices move while the feeds keep those of the month: feeds that lag."""

    def post_feeds(self, only: Sequence[str] | None = None) -> None:
        """Posts the feeds at the prices of the month."""
        Market(self._rpc, self.world).post_feeds(only)

    def move(self, token: str, percent: int) -> None:
        """Moves a reference price by `percent`."""
        self.set_price(token, self.prices[token] * (100 + percent) // 100)


def stir(chain: Chain, world: World) -> None:
    """Trades in every pool, a little there and back: only then does a pool use the room for observations that was made
    for it."""
    aside = Market(chain.rpc, world)
    for token in world.tokens:
        aside.set_price(token.address, token.price_usd * 101 // 100)
    for market in (aside, Market(chain.rpc, world)):
        chain.move_to(chain.now() + 12)  # a pool observes once in a second
        market.arbitrage(0)


def read_pool(chain: Chain, lens: Contract, address: str, span: int = SPAN) -> V3Pool:
    """A pool as the lens returns it."""
    (state,) = chain.read(lens.states([address], span))
    pool = pool_of(address, state)
    assert pool is not None, f"{address} is no pool with liquidity"
    return pool


def slot0(chain: Chain, address: str) -> tuple[int, int]:
    """Square root of the price x 2^96, and tick."""
    price, tick = chain.read(view(address, "slot0()", *_SLOT0))[:2]
    return price, tick


def swap(world: World, pool: V3Pool, token_in: str, amount: int, limit: int | None = None) -> Call:
    """A swap of `amount` in (below zero: for that amount out), to be sent by the market, which pays for it.

    It returns what the pool received (above zero) and paid (below zero) of token0 and token1.
    """
    zero_in = token_in == pool.tokens[0]
    end = MIN_SQRT_RATIO + 1 if zero_in else MAX_SQRT_RATIO - 1
    arguments = (world.market, zero_in, amount, end if limit is None else limit, encode(["address"], [world.weth]))
    data = encode_call(_SWAP, *arguments)
    return Call(pool.address, data, "swap", [], _outputs("int256", "int256"))


def view(address: str, signature: str, *returns: str) -> Call:
    """A call of a function without arguments."""
    return Call(to_checksum_address(address), encode_call(signature), signature, [], _outputs(*returns))


def _outputs(*kinds: str) -> list[Entry]:
    return [{"name": f"value{k}", "type": kind} for k, kind in enumerate(kinds)]
