"""Anchors between tokens of any decimals: a price is exact although a whole token is worth a few wei of the other one.

The pools are real ones without liquidity: a swap in them moves the price to its limit and pays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import isqrt

import pytest
from eth_abi import encode

from ballast.abi import encode_call
from ballast.units import BLOCK_S, WAD
from keeper.pools.venues.v3_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import ETH, FOUNDED, USD
from tests.helpers.reverts import assert_reverts
from tests.helpers.v3 import slot0

WINDOW = 600
CARDINALITY = WINDOW // BLOCK_S + 2
MAX_AGE = 8 * 86_400
BOUND = 5 * WAD // 100
TINY = 10_990_000_000_000
"""0.00001099 USD, 18 decimals."""


@dataclass(frozen=True)
class Two:
    """Two tokens with feeds and the pool between them, and an oracle without anchors."""

    chain: Chain
    world: World
    oracle: Contract
    pool: str
    tokens: tuple[Contract, Contract]
    prices: tuple[int, int]
    decimals: tuple[int, int]
    owner: str

    def move(self, sqrt_price: int) -> None:
        """Moves the pool's price there, in the next block."""
        down = sqrt_price < slot0(self.chain, self.pool)[0]
        arguments = (self.world.market, down, 1, sqrt_price, encode(["address"], [self.world.weth]))
        data = encode_call("swap(address,bool,int256,uint160,bytes)", *arguments)
        self.chain.move_to(self.chain.now() + BLOCK_S)
        self.chain.send(Call(self.pool, data, "swap", [], []), self.chain.impersonate(self.world.market))

    def expected(self, k: int) -> Decimal:
        """USD with 18 decimals of a whole token k by the pool, exactly."""
        first = min(self.tokens, key=lambda token: int(token.address, 16)) == self.tokens[k]
        tick = slot0(self.chain, self.pool)[1]
        with localcontext() as context:
            context.prec = 60
            rate = Decimal("1.0001") ** (tick if first else -tick)
            return rate * self.prices[1 - k] * Decimal(10) ** (self.decimals[k] - self.decimals[1 - k])


def two(chain: Chain, world: World, decimals: tuple[int, int], prices: tuple[int, int]) -> Two:
    """Deploys them, with the pool at the feeds' prices for longer than a window."""
    chain.move_to(max(FOUNDED, chain.now()))
    owner = chain.account("owner")
    flag = chain.deploy("TradingFlag", sender=owner)
    tokens, rows = [], [(ETH, world.eth_feed, MAX_AGE, USD, 0, 0, 0)]
    for digits, price in zip(decimals, prices, strict=True):
        token, feed = chain.deploy("ReferenceToken", sender=owner), chain.deploy("ReferenceFeed", sender=owner)
        chain.send(token.init("T", "T", digits), owner)
        chain.send(feed.init("T / USD", 18), owner)
        chain.send(feed.post(price, chain.now()), owner)
        tokens.append(token)
        rows.append((token.address, feed.address, MAX_AGE, USD, 0, 0, 0))
    first = chain.deploy("ChainlinkOracle", owner, flag, ETH, 0, rows, sender=owner)
    parts = owner, flag, first, world.uniswap_v3_factory, world.weth, BLOCK_S
    oracle = chain.deploy("AnchoredOracle", *parts, [], sender=owner)
    low, high = sorted((0, 1), key=lambda k: int(tokens[k].address, 16))
    # {token1 wei / token0 wei} x 2^192
    rate = prices[low] * 10 ** decimals[high] * 2**192 // (prices[high] * 10 ** decimals[low])
    pair = tokens[low].address, tokens[high].address
    market = chain.at("V3Market", world.market)
    opening = market.openV3(world.uniswap_v3_factory, world.weth, *pair, 3_000, isqrt(rate), CARDINALITY, [])
    receipt = chain.send(opening, owner)
    (event,) = market.events(receipt, "OpenedV3")
    found = Two(chain, world, oracle, event.pool, (tokens[0], tokens[1]), prices, decimals, owner)
    for part in (1_010, 1_000):
        found.move(isqrt(rate) * part // 1_000)
    chain.move_to(chain.now() + 2 * WINDOW)
    return found


@pytest.mark.parametrize(
    ("decimals", "prices"),
    [
        ((18, 6), (TINY, WAD)),  # 10.99 wei of the other
        ((18, 8), (TINY, 60_000 * WAD)),  # 0.018 wei of it
        ((6, 18), (WAD, 2_000 * WAD)),
        ((8, 6), (60_000 * WAD, WAD)),
        ((27, 0), (WAD // 1_000, 1_000 * WAD)),
        ((0, 27), (1_000 * WAD, WAD // 1_000)),
        ((27, 27), (WAD, 3 * WAD)),
        ((0, 0), (WAD, 3 * WAD)),
    ],
)
def test_price_of_any_decimals(chain: Chain, world: World, decimals: tuple[int, int], prices: tuple[int, int]) -> None:
    """Each of the two is priced by the other: one of them is token0."""
    scene = two(chain, world, decimals, prices)
    for k in (0, 1):
        token = scene.tokens[k].address
        chain.send(scene.oracle.setAnchor((token, scene.pool, WINDOW, BOUND)), scene.owner)
        found = chain.read(scene.oracle.anchorPrice(token))
        # Rounded down to a wei of a dollar, and good to 1e-15.
        assert abs(found - scene.expected(k)) <= 1 + scene.expected(k) * Decimal("1e-14")
        assert abs(found - prices[k]) <= 2 + prices[k] * 3 // 10_000, "two ticks"


def test_a_buy_of_a_tiny_token_counts_whole(chain: Chain, world: World) -> None:
    """Both sources agree on 0.00001099 USD, in a pool against a token of 6 decimals: nothing is pulled. In whole
    wei of that token it had counted 9 % less, cut to the bound."""
    scene = two(chain, world, (18, 6), (TINY, WAD))
    token = scene.tokens[0].address
    chain.send(scene.oracle.setAnchor((token, scene.pool, WINDOW, BOUND)), scene.owner)
    sold, bought = chain.read(scene.oracle.tradePrices([token, token], 1))
    assert bought > TINY * 9_997 // 10_000
    assert sold < TINY * 10_003 // 10_000


@pytest.mark.parametrize("decimals", [(27, 0), (0, 27), (18, 18)])
@pytest.mark.parametrize("end", [MIN_SQRT_RATIO + 1, 2**96 * 99_999 // 100_000, 2**96, MAX_SQRT_RATIO - 1])
def test_no_pool_price_reverts(chain: Chain, world: World, decimals: tuple[int, int], end: int) -> None:
    """At the ends of what a pool can say, and at a wei for a wei, a price is tiny, or absurd and then none: the feed's
    counts."""
    scene = two(chain, world, decimals, (WAD, WAD))
    tokens = [token.address for token in scene.tokens]
    for token in tokens:
        chain.send(scene.oracle.setAnchor((token, scene.pool, WINDOW, BOUND)), scene.owner)
    if slot0(chain, scene.pool)[0] != end:
        scene.move(end)
    chain.move_to(chain.now() + WINDOW)
    for k in (0, 1):
        exact = scene.expected(k)
        found = chain.read(scene.oracle.anchorPrice(tokens[k]))
        assert found == 0 if exact > 10**30 else abs(found - exact) <= 1 + exact * Decimal("1e-14")
    high, low = WAD + BOUND, WAD - BOUND
    for token in tokens:
        sold, bought = chain.read(scene.oracle.tradePrices([token, token], 1))
        assert WAD <= sold <= high and low <= bought <= WAD


def test_decimals_that_do_not_fit(chain: Chain, world: World) -> None:
    """27 at most, on either side, and they must be told."""
    scene = two(chain, world, (18, 6), (WAD, WAD))
    for k, other in ((0, 1), (1, 0)):
        call = scene.oracle.setAnchor((scene.tokens[other].address, scene.pool, WINDOW, BOUND))
        token = scene.tokens[k]
        chain.send(token.init("T", "T", 28), scene.owner)
        assert_reverts(chain, call, "UnfitDecimals", token, sender=scene.owner)
        chain.send(token.init("T", "T", 18), scene.owner)
        code = chain.code(token.address)
        # Reverts with nothing, and with a word; stops with nothing.
        for silent in (bytes.fromhex("5f5ffd"), bytes.fromhex("60205ffd"), bytes.fromhex("00")):
            chain.cheats.set_code(token.address, silent)
            assert_reverts(chain, call, "UnfitDecimals", token, sender=scene.owner)
        chain.cheats.set_code(token.address, code)
