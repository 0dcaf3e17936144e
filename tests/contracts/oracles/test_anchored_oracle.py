"""AnchoredOracle: the time-weighted price of a V3 pool beside the first oracle's, and which of the two counts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ballast.units import BLOCK_S, WAD
from ballast.values import NO_ADDRESS
from lab.localnet.market import REST_S, Market
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import ETH, FOUNDED, USD
from tests.helpers.reverts import assert_reverts
from tests.helpers.v3 import open_pools, read_pool, swap

WINDOW = 1_800
BOUND = 5 * WAD // 100
CARDINALITY = WINDOW // 12 + 2
MAX_AGE = 8 * 86_400
NOBODY = NO_ADDRESS
DEEP = 10**6


@dataclass(frozen=True)
class Bench:
    """UNI and KNC are anchored against WETH (UNI is token0, KNC token1), AAVE against UNI; SNX has no anchor."""

    chain: Chain
    world: World
    oracle: Contract
    first: Contract
    flag: Contract
    lens: Contract
    owner: str

    def token(self, symbol: str) -> str:
        return self.world.token(symbol).address

    def pool(self, *symbols: str, fee: int = 3000) -> str:
        tokens = {self.token(symbol) if symbol != "WETH" else self.world.weth for symbol in symbols}
        return next(pool.pool for pool in self.world.v3_pools if set(pool.tokens) == tokens and pool.fee == fee)

    def anchor_price(self, symbol: str, later: int = 0) -> int:
        price: int = self.chain.read(self.oracle.anchorPrice(self.token(symbol)), at=self.chain.now() + later)
        return price

    def trade_prices(self, sells: list[str], buys: list[str]) -> list[int]:
        tokens = [self.token(symbol) for symbol in (*sells, *buys)]
        return list(self.chain.read(self.oracle.tradePrices(tokens, len(sells))))

    def listing(self, symbol: str, pool: str, window: int = WINDOW, bound: int = BOUND) -> tuple[str, str, int, int]:
        return self.token(symbol), pool, window, bound

    def market(self, symbol: str, percent: int) -> Market:
        """A market in which the token's reference price is so many percent of the month's."""
        market = Market(self.chain.rpc, self.world)
        market.set_price(self.token(symbol), market.prices[self.token(symbol)] * percent // 100)
        return market


@pytest.fixture(scope="module")
def bench(module_isolation: None, chain: Chain, world: World, month: Month) -> Bench:
    chain.move_to(max(FOUNDED, chain.now()))
    uni, knc, aave = (world.token(symbol).address for symbol in ("UNI", "KNC", "AAVE"))
    pools = [f"{uni},,3000", f"{knc},,3000", f"{aave},{uni},3000"]
    world = open_pools(chain, world, month, [f"{pool},,,{DEEP},{CARDINALITY}" for pool in pools])
    world = open_pools(chain, world, month, [f"{uni},,500,,,{DEEP},{CARDINALITY - 1}"])
    owner = chain.account("owner")
    Market(chain.rpc, world).post_feeds()
    flag = chain.deploy("TradingFlag", sender=owner)
    rows = [(ETH, world.eth_feed, MAX_AGE, USD, 0, 0, 0)]
    rows += [(token.address, token.feed, MAX_AGE, USD, 0, 0, 0) for token in world.tokens]
    first = chain.deploy("ChainlinkOracle", owner, flag, ETH, 0, rows, sender=owner)
    factory, weth = world.uniswap_v3_factory, world.weth
    oracle = chain.deploy("AnchoredOracle", owner, flag, first, factory, weth, BLOCK_S, [], sender=owner)
    found = Bench(chain, world, oracle, first, flag, chain.deploy("V3Lens", sender=owner), owner)
    # A pool writes its first swap into the room that was made for observations: until then it keeps one.
    for pool in world.v3_pools:
        state = read_pool(chain, found.lens, pool.pool)
        chain.send(swap(world, state, pool.tokens[0], 10**18), chain.impersonate(world.market))
        chain.send(swap(world, state, pool.tokens[0], 10**22), chain.impersonate(world.market))
        chain.send(swap(world, state, pool.tokens[0], 1, state.sqrt_price * 99 // 100), chain.impersonate(world.market))
    Market(chain.rpc, world).arbitrage(0)
    chain.move_to(chain.now() + 2 * WINDOW)
    for symbols in (("UNI", "WETH"), ("KNC", "WETH"), ("AAVE", "UNI")):
        chain.send(oracle.setAnchor(found.listing(symbols[0], found.pool(*symbols))), owner)
    return found


def test_anchor_at_rest_is_the_reference_price(bench: Bench) -> None:
    for symbol in ("UNI", "KNC", "AAVE"):
        reference = bench.world.token(symbol).price_usd
        # The mean tick is rounded down: the price is off by at most one tick, AAVE's by two pools' worth.
        assert abs(bench.anchor_price(symbol) / reference - 1) < 1.1e-4
    assert bench.anchor_price("SNX") == 0


def test_nav_stands_on_the_first_oracle(bench: Bench) -> None:
    tokens = [bench.token(symbol) for symbol in ("UNI", "SNX", "KNC")]
    assert bench.chain.read(bench.oracle.prices(tokens)) == bench.chain.read(bench.first.prices(tokens))
    assert bench.chain.read(bench.oracle.price(tokens[0])) == bench.world.token("UNI").price_usd


@pytest.mark.parametrize("percent", [96, 104])
@pytest.mark.parametrize("symbol", ["UNI", "KNC"])
def test_sold_at_the_higher_and_bought_at_the_lower(bench: Bench, symbol: str, percent: int) -> None:
    moved = bench.market(symbol, percent)
    moved.arbitrage(0)
    reference = bench.world.token(symbol).price_usd
    half = bench.chain.now() + WINDOW // 2
    bench.chain.move_to(half)
    # The price moved half a window ago: the geometric mean lies half way.
    mean = (percent / 100) ** 0.5
    assert abs(bench.anchor_price(symbol) / (reference * mean) - 1) < 5e-3
    bench.chain.move_to(bench.chain.now() + WINDOW)
    anchor = bench.anchor_price(symbol)
    assert abs(anchor / (reference * percent / 100) - 1) < 2e-4
    sold, bought = bench.trade_prices([symbol], [symbol])
    assert (sold, bought) == (max(anchor, reference), min(anchor, reference))
    other = "SNX"
    assert bench.trade_prices([other], [other]) == [bench.world.token(other).price_usd] * 2


@pytest.mark.parametrize("symbol", ["UNI", "KNC"])
def test_mean_tick_is_rounded_down(bench: Bench, symbol: str) -> None:
    """One of the pools is at negative ticks, the other at positive ones."""
    before = read_pool(bench.chain, bench.lens, bench.pool(symbol, "WETH")).tick
    bench.market(symbol, 103).arbitrage(0)
    bench.chain.move_to(bench.chain.now() + 777)
    pool = read_pool(bench.chain, bench.lens, bench.pool(symbol, "WETH"))
    # The price moved a second or a few before: some remainder is left whatever it was.
    token, weth = bench.token(symbol), bench.world.weth
    prices = []
    for seconds in range(777, 783):
        mean = (pool.tick * seconds + before * (WINDOW - seconds)) // WINDOW
        rate = 1.0001 ** (mean if token == pool.tokens[0] else -mean)
        prices.append(bench.world.weth_price_usd * rate)
    assert weth in pool.tokens and (pool.tick < 0) == (symbol == "UNI")
    assert any(abs(bench.anchor_price(symbol) / price - 1) < 1e-9 for price in prices)


def test_side_follows_the_position(bench: Bench) -> None:
    bench.market("UNI", 105).arbitrage(0)
    bench.chain.move_to(bench.chain.now() + 2 * WINDOW)
    low, high = bench.world.token("UNI").price_usd, bench.anchor_price("UNI")
    assert high > low
    assert bench.trade_prices(["UNI", "SNX"], ["AAVE", "UNI"])[0] == high
    assert bench.trade_prices(["SNX"], ["UNI", "AAVE"])[1] == low
    assert bench.trade_prices([], []) == []


@pytest.mark.parametrize("percent", [80, 130])
def test_an_anchor_pulls_no_further_than_its_bound(bench: Bench, percent: int) -> None:
    narrow = 2 * WAD // 100
    bench.chain.send(bench.oracle.setAnchor(bench.listing("KNC", bench.pool("KNC", "WETH"), bound=narrow)), bench.owner)
    for symbol, bound in (("UNI", BOUND), ("KNC", narrow)):
        bench.market(symbol, percent).arbitrage(0)
        bench.chain.move_to(bench.chain.now() + 2 * WINDOW)
        first = bench.world.token(symbol).price_usd
        assert abs(bench.anchor_price(symbol) / first - percent / 100) < 1e-3
        most = first * bound // WAD
        pulled = [first + most, first] if percent > 100 else [first, first - most]
        assert bench.trade_prices([symbol], [symbol]) == pulled


def test_first_anchors_are_held_to_the_same(bench: Bench) -> None:
    parts = bench.owner, bench.flag, bench.first, bench.world.uniswap_v3_factory, bench.world.weth, BLOCK_S
    uni, knc = (bench.listing(symbol, bench.pool(symbol, "WETH")) for symbol in ("UNI", "KNC"))
    short = bench.listing("UNI", bench.pool("UNI", "WETH", fee=500))
    creation = bench.chain.artifact("AnchoredOracle").create(*parts, [knc, short])
    assert_reverts(bench.chain, creation, "TooFewObservations", sender=bench.owner)
    oracle = bench.chain.deploy("AnchoredOracle", *parts, [uni, knc], sender=bench.owner)
    for symbol in ("UNI", "KNC", "SNX"):
        token = bench.token(symbol)
        assert bench.chain.read(oracle.anchors(token)) == bench.chain.read(bench.oracle.anchors(token))


def test_a_price_of_one_moment_hardly_counts(bench: Bench) -> None:
    """Somebody triples the price in one block and is restored a block later."""
    pool = read_pool(bench.chain, bench.lens, bench.pool("UNI", "WETH"))
    call = swap(bench.world, pool, bench.world.weth, 10**30, pool.sqrt_price * 173 // 100)
    bench.chain.send(call, bench.chain.impersonate(bench.world.market))
    Market(bench.chain.rpc, bench.world).arbitrage(0)
    bench.chain.move_to(bench.chain.now() + 12)
    # ln(3) for one or two of the window's seconds
    assert abs(bench.anchor_price("UNI") / bench.world.token("UNI").price_usd - 1) < 2e-3


def test_without_an_anchor_price_the_first_oracle_counts(bench: Bench) -> None:
    chain = bench.chain
    chain.send(bench.oracle.setAnchor((bench.token("UNI"), NOBODY, 0, 0)), bench.owner)
    assert bench.anchor_price("UNI") == 0
    assert bench.trade_prices(["UNI"], ["UNI"]) == [bench.world.token("UNI").price_usd] * 2
    # A pool that reverts, and one whose code is gone.
    for code in (bytes.fromhex("5f5ffd"), b""):
        chain.cheats.set_code(bench.pool("KNC", "WETH"), code)
        assert bench.anchor_price("KNC") == 0
        assert bench.trade_prices(["KNC"], ["KNC"]) == [bench.world.token("KNC").price_usd] * 2


def test_without_a_first_price_there_is_none(bench: Bench) -> None:
    feed = bench.chain.at("ReferenceFeed", bench.world.token("UNI").feed)
    bench.chain.send(feed.post(0, bench.chain.now()), bench.owner)
    assert bench.anchor_price("UNI") > 0
    assert bench.trade_prices(["UNI"], ["UNI"]) == [0, 0]
    # Of the other side of AAVE's pool: no anchor.
    assert bench.trade_prices(["AAVE"], []) == [bench.world.token("AAVE").price_usd]


def test_what_may_be_an_anchor(bench: Bench) -> None:
    oracle, owner, uni, pool = bench.oracle, bench.owner, bench.token("UNI"), bench.pool("UNI", "WETH")

    def refuse(error: str, token: str, pool: str, window: int, bound: int = BOUND) -> None:
        assert_reverts(bench.chain, oracle.setAnchor((token, pool, window, bound)), error, sender=owner)

    refuse("UnfitPool", bench.token("SNX"), pool, WINDOW)
    refuse("UnfitPool", uni, owner, WINDOW)
    refuse("WindowOutOfBounds", uni, pool, 599)
    refuse("WindowOutOfBounds", uni, pool, 86_401)
    refuse("BoundOutOfBounds", uni, pool, WINDOW, 0)
    refuse("BoundOutOfBounds", uni, pool, WINDOW, BOUND + 1)
    refuse("TooFewObservations", uni, pool, WINDOW + 12)
    call = oracle.setAnchor((uni, pool, 86_400, BOUND))
    needed = assert_reverts(bench.chain, call, "TooFewObservations", sender=owner)
    assert needed == (pool, CARDINALITY, 7_202)
    bench.chain.send(oracle.setAnchor((uni, pool, WINDOW + 11, 1)), owner)
    refuse("TooFewObservations", uni, bench.pool("UNI", "WETH", fee=500), WINDOW)
    call = oracle.setAnchor((uni, pool, WINDOW, BOUND))
    assert_reverts(bench.chain, call, "OwnableUnauthorizedAccount", sender=bench.chain.account("x"))
    bench.chain.send(bench.flag.set(True), owner)
    refuse("TradingOpen", uni, pool, WINDOW)


def test_a_copy_of_a_pool_is_no_anchor(bench: Bench) -> None:
    """The code of a real pool at an address that the factory does not know."""
    copy = bench.chain.account("copy")
    bench.chain.cheats.set_code(copy, bench.chain.code(bench.pool("UNI", "WETH")))
    call = bench.oracle.setAnchor(bench.listing("UNI", copy))
    assert_reverts(bench.chain, call, "UnfitPool", sender=bench.owner)


@pytest.mark.parametrize(("percent", "fits"), [(104, True), (106, False), (96, True), (94, False)])
def test_a_new_anchor_agrees_with_the_first_oracle(bench: Bench, percent: int, fits: bool) -> None:
    bench.market("UNI", percent).arbitrage(0)
    bench.chain.move_to(bench.chain.now() + REST_S + WINDOW)
    call = bench.oracle.setAnchor(bench.listing("UNI", bench.pool("UNI", "WETH")))
    if fits:
        bench.chain.send(call, bench.owner)
        return
    price, anchor = assert_reverts(bench.chain, call, "AnchorDisagrees", sender=bench.owner)[1:]
    assert price == bench.world.token("UNI").price_usd
    assert abs(anchor / price - percent / 100) < 1e-3


def test_an_anchor_needs_a_first_price(bench: Bench) -> None:
    feed = bench.chain.at("ReferenceFeed", bench.world.token("UNI").feed)
    bench.chain.send(feed.post(0, bench.chain.now()), bench.owner)
    call = bench.oracle.setAnchor(bench.listing("UNI", bench.pool("UNI", "WETH")))
    assert_reverts(
        bench.chain, call, "AnchorDisagrees", bench.token("UNI"), 0, bench.anchor_price("UNI"), sender=bench.owner
    )


def test_a_shut_first_oracle_is_no_price(bench: Bench) -> None:
    """Behind a sequencer that is down the first oracle prices nothing; anchors do not fill in."""
    chain, world = bench.chain, bench.world
    sequencer = chain.deploy("ReferenceFeed", sender=bench.owner)
    chain.send(sequencer.post(0, 1), bench.owner)
    feeds = (ETH, world.eth_feed), (bench.token("UNI"), world.token("UNI").feed)
    rows = [(token, feed, MAX_AGE, USD, 0, 0, 0) for token, feed in feeds]
    first = chain.deploy("ChainlinkOracle", bench.owner, bench.flag, sequencer, 3_600, rows, sender=bench.owner)
    listing = bench.listing("UNI", bench.pool("UNI", "WETH"))
    parts = bench.owner, bench.flag, first, world.uniswap_v3_factory, world.weth, BLOCK_S
    oracle = chain.deploy("AnchoredOracle", *parts, [listing], sender=bench.owner)
    uni = bench.token("UNI")
    assert all(chain.read(oracle.tradePrices([uni, uni], 1))) and chain.read(oracle.anchorPrice(uni))
    chain.send(sequencer.post(1, chain.now()), bench.owner)
    assert chain.read(oracle.tradePrices([uni, uni], 1)) == [0, 0]
    assert chain.read(oracle.prices([uni])) == [0]
    assert chain.read(oracle.anchorPrice(uni)) == 0


@pytest.mark.parametrize(("block_time", "needed"), [(12, 152), (2, 902), (1, 1_802), (60, 32), (7, 259)])
def test_observations_by_the_time_of_blocks(bench: Bench, block_time: int, needed: int) -> None:
    """A pool observes once a block: where blocks come faster it has to keep more for the same window."""
    parts = bench.owner, bench.flag, bench.first, bench.world.uniswap_v3_factory, bench.world.weth, block_time
    oracle = bench.chain.deploy("AnchoredOracle", *parts, [], sender=bench.owner)
    assert bench.chain.read(oracle.BLOCK_TIME()) == block_time
    pool = bench.pool("UNI", "WETH")
    call = oracle.setAnchor(bench.listing("UNI", pool))
    if needed <= CARDINALITY:
        bench.chain.send(call, bench.owner)
    else:
        assert_reverts(bench.chain, call, "TooFewObservations", pool, CARDINALITY, needed, sender=bench.owner)


@pytest.mark.parametrize("block_time", [0, 61])
def test_bounds_of_the_time_of_blocks(bench: Bench, block_time: int) -> None:
    parts = bench.owner, bench.flag, bench.first, bench.world.uniswap_v3_factory, bench.world.weth, block_time
    creation = bench.chain.artifact("AnchoredOracle").create(*parts, [])
    assert_reverts(bench.chain, creation, "BlockTimeOutOfBounds", block_time, sender=bench.owner)
