"""The local mainnet as its users see it, on a fork."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_data
from lab.localnet.addresses import listed_pairs, origins
from lab.localnet.anvil import Cheats
from lab.localnet.errors import LocalnetError
from lab.localnet.market import REST_S, Market, PoolState, Restoration
from lab.localnet.rpc import Web3Rpc, read, send
from lab.localnet.world import Token, World
from tests.lab.localnet.earlier import Earlier

PRECISION = 2e-9
TRADER = to_checksum_address("0x" + "7e" * 20)


@pytest.fixture
def rpc(w3: Web3) -> Iterator[Web3Rpc]:
    """The fork, on which a second passes with each block, however long it takes."""
    found = Web3Rpc(w3)
    found.request("anvil_setBlockTimestampInterval", 1)
    yield found
    found.request("anvil_removeBlockTimestampInterval")


@pytest.fixture
def cheats(rpc: Web3Rpc) -> Cheats:
    return Cheats(rpc)


def state_of(market: Market, pair: str) -> PoolState:
    return next(state for state in market.pools() if state.pair == pair)


def sell(rpc: Web3Rpc, world: World, token: Token, share_of_reserve: int) -> str:
    """Somebody sells 1/share of the first pool's tokens through the router; the pair."""
    pool = token.pools[0]
    tokens = state_of(Market(rpc, world), pool.pair).token_reserve // share_of_reserve
    cheats = Cheats(rpc)
    cheats.set_balance(TRADER, 10**18)
    cheats.impersonate(TRADER)
    send(rpc, TRADER, token.address, call_data("mint(address,uint256)", TRADER, tokens), gas=200_000)
    router = world.router(pool.venue)
    send(rpc, TRADER, token.address, call_data("approve(address,uint256)", router, tokens), gas=200_000)
    swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    path = [token.address, world.weth]
    send(rpc, TRADER, router, call_data(swap, tokens, 1, path, TRADER, 2**64), gas=500_000)
    return pool.pair


def test_exchanges_stand_at_their_mainnet_addresses(w3: Web3, world: World, rpc: Web3Rpc) -> None:
    known = origins()
    assert world.weth == known["WETH9"].address == "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
    assert world.uniswap_router == known["UniswapV2Router02"].address
    assert world.sushiswap_router == known["SushiV2Router02"].address
    for address in (world.weth, world.uniswap_factory, world.sushiswap_factory, world.market):
        assert len(w3.eth.get_code(Web3.to_checksum_address(address))) > 1000
    for venue, factory in (("uniswap", world.uniswap_factory), ("sushiswap", world.sushiswap_factory)):
        router = world.router(venue)
        assert read(rpc, router, "factory()", ["address"]) == (factory.lower(),)
        assert read(rpc, router, "WETH()", ["address"]) == (world.weth.lower(),)


def test_chain_is_mainnet_before_the_determination(w3: Web3, world: World) -> None:
    assert w3.eth.chain_id == 1
    assert world.month == "dpi-2021-04"
    assert world.head == 1616371200  # 2021-03-22 00:00 UTC
    assert w3.eth.get_block("latest")["timestamp"] < 1616544000  # 2021-03-24, eight days before the month


def test_tokens_and_feeds_answer(world: World, rpc: Web3Rpc) -> None:
    assert len(world.tokens) == 14
    for token in world.tokens:
        assert read(rpc, token.address, "symbol()", ["string"]) == (token.symbol,)
        assert read(rpc, token.address, "decimals()", ["uint8"]) == (token.decimals,)
        assert read(rpc, token.feed, "description()", ["string"]) == (f"{token.symbol} / USD",)
    assert {token.symbol for token in world.tokens if not token.feed_on_mainnet} == {
        "REN",
        "LRC",
        "MTA",
        "CREAM",
        "FARM",
    }
    feeds = [(token.feed, token.price_usd) for token in world.tokens] + [(world.eth_feed, world.weth_price_usd)]
    for feed, price in feeds:
        returns = ["uint80", "int256", "uint256", "uint256", "uint80"]
        round_id, answer, _, updated_at, answered_in = read(rpc, feed, "latestRoundData()", returns)
        assert read(rpc, feed, "decimals()", ["uint8"]) == (8,)
        assert (round_id, answered_in) == (1, 1)
        assert answer * 10**10 == price
        assert world.head - 2 * 86_400 < updated_at <= world.head


def test_pools_are_mainnets_and_at_the_reference_price(world: World, market: Market) -> None:
    states = market.pools()
    assert len(states) == 21
    listed = listed_pairs()
    for state in states:
        assert state.pair == listed[state.venue, world.token(state.symbol).address]
        assert abs(state.off_by) < PRECISION
    assert state_of(market, world.token("YFI").pools[0].pair).weth_reserve == 50414_470270000000000000


def test_posted_feeds_carry_the_block_time_and_the_price(world: World, market: Market, rpc: Web3Rpc) -> None:
    token = world.token("UNI")
    market.set_price(token.address, 31_123456789123456789)
    Cheats(rpc).increase_time(86_400)
    market.post_feeds()
    returns = ["uint80", "int256", "uint256", "uint256", "uint80"]
    _, answer, _, updated_at, _ = read(rpc, token.feed, "latestRoundData()", returns)
    assert answer == 3112345678  # floored to 8 decimals
    assert updated_at == Cheats(rpc).now()


def test_nothing_to_arbitrage_at_the_reference_price(market: Market, cheats: Cheats) -> None:
    block = cheats.now()
    assert market.arbitrage() == ()
    assert cheats.now() == block, "nothing was sent"


@pytest.mark.parametrize("symbol", ["YFI", "KNC"])  # the token is token0 in YFI's pair, token1 in KNC's
def test_pool_rests_before_it_is_restored(
    world: World, market: Market, cheats: Cheats, rpc: Web3Rpc, symbol: str
) -> None:
    pair = sell(rpc, world, world.token(symbol), 50)
    touched = state_of(market, pair)
    assert touched.off_by < -0.03
    cheats.mine_at(touched.last_touched + REST_S - 1)
    assert market.arbitrage() == ()
    assert state_of(market, pair) == touched

    cheats.mine_at(touched.last_touched + REST_S)
    (done,) = market.arbitrage()
    assert (done.symbol, done.pair, done.token_in) == (symbol, pair, world.weth)
    after = state_of(market, pair)
    assert abs(after.off_by) < PRECISION
    assert after.weth_reserve == touched.weth_reserve + done.amount_in
    assert after.token_reserve == touched.token_reserve - done.amount_out
    assert market.arbitrage() == ()


def test_each_touch_begins_the_rest_anew(world: World, market: Market, cheats: Cheats, rpc: Web3Rpc) -> None:
    token = world.token("MKR")
    first = state_of(market, sell(rpc, world, token, 100))
    cheats.mine_at(first.last_touched + 400)
    second = state_of(market, sell(rpc, world, token, 100))
    assert second.last_touched >= first.last_touched + 400
    cheats.mine_at(first.last_touched + REST_S + 10)
    assert market.arbitrage() == ()
    cheats.mine_at(second.last_touched + REST_S)
    assert len(market.arbitrage()) == 1


def test_a_pool_that_is_touched_after_the_time_of_a_call_has_not_rested(
    world: World, cheats: Cheats, rpc: Web3Rpc
) -> None:
    sell(rpc, world, world.token("MKR"), 100)
    assert Market(Earlier(rpc, cheats.now() - 12), world).arbitrage() == ()


@pytest.mark.parametrize("factor", [(1, 2), (3, 1), (999, 1000)])
def test_pools_follow_a_price_both_ways(world: World, market: Market, factor: tuple[int, int]) -> None:
    token = world.token("SNX")
    for price in (token.price_usd * factor[0] // factor[1], token.price_usd):
        market.set_price(token.address, price)
        # The arbitrageur's own swap a moment ago is no reason for it to wait.
        done = market.arbitrage()
        assert sorted(move.venue for move in done) == ["sushiswap", "uniswap"]
        assert all(abs(state.off_by) < PRECISION for state in market.pools())


def test_all_pools_follow_the_price_of_ether(world: World, market: Market) -> None:
    market.set_price(world.weth, world.weth_price_usd * 11 // 10)
    done: tuple[Restoration, ...] = market.arbitrage()
    assert len(done) == 21
    assert {move.token_in for move in done} == {token.address for token in world.tokens}
    assert all(abs(state.off_by) < PRECISION for state in market.pools())


def test_price_of_a_stranger_is_refused(market: Market) -> None:
    with pytest.raises(LocalnetError, match=r"price of 0x7e7e.*: not in the world of dpi-2021-04"):
        market.set_price(TRADER, 10**18)


def test_snapshot_brings_the_pool_back(world: World, market: Market, cheats: Cheats, rpc: Web3Rpc) -> None:
    before = market.pools()
    snapshot = cheats.snapshot()
    sell(rpc, world, world.token("UNI"), 10)
    assert market.pools() != before
    cheats.revert(snapshot)
    assert market.pools() == before
