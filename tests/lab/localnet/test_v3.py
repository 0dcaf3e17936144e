"""Uniswap V3 of the local mainnet: where it stands, pools from a positions file, and the arbitrageur in them."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from lab.localnet.addresses import listed_v3_pools, origins
from lab.localnet.artifacts import package_file
from lab.localnet.deployments import V3_OWNER, V3_TICK_SPACINGS
from lab.localnet.errors import ReservesError
from lab.localnet.market import REST_S, Market, V3PoolState
from lab.localnet.month_file import Month
from lab.localnet.rpc import read
from lab.localnet.v3 import parse_positions, v3_pools_of
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.v3 import HEADER, open_pools, read_pool, swap
from tests.lab.localnet.earlier import Earlier

# Lower and upper end, and depth in WETH; the full range where no end is named.
WIDE, NARROW = ",,2000", "-500,700,8000"


@pytest.fixture
def opened(chain: Chain, world: World, month: Month) -> World:
    """UNI in all tiers, KNC (whose address is above WETH's) in one, and UNI directly against AAVE."""
    uni, knc, aave = (world.token(symbol).address for symbol in ("UNI", "KNC", "AAVE"))
    lines = [f"{uni},,{fee},{position}," for fee in V3_TICK_SPACINGS for position in (WIDE, NARROW)]
    lines += [f"{knc},,3000,{WIDE},100", f"{uni},{aave},3000,{WIDE},", f"0x{'12' * 20},,500,{WIDE},"]
    with_pools = open_pools(chain, world, month, lines)
    chain.move_to(chain.now() + REST_S)
    return with_pools


@pytest.fixture
def v3_market(chain: Chain, opened: World) -> Market:
    return Market(chain.rpc, opened)


def state_of(market: Market, token: str, fee: int) -> V3PoolState:
    (pool,) = [pool for pool in market.world.v3_pools_of(market.world.token(token).address) if pool.fee == fee]
    return next(state for state in market.v3_pools() if state.pool == pool)


def sell(chain: Chain, market: Market, state: V3PoolState, token: str, amount: int) -> None:
    """Somebody (the market itself, whose trades are watched like anybody's outside `restore`) sells in the pool."""
    lens = chain.deploy("V3Lens", sender=chain.account("deployer"))
    pool = read_pool(chain, lens, state.pool.pool)
    chain.send(swap(market.world, pool, token, amount), chain.impersonate(market.world.market))


def test_factory_is_mainnets(chain: Chain, world: World) -> None:
    assert world.uniswap_v3_factory == origins()["UniswapV3Factory"].address
    assert world.uniswap_v3_factory == "0x1F98431c8aD98523631AE4a59f267346ea31F984"
    assert read(chain.rpc, world.uniswap_v3_factory, "owner()", ["address"]) == (V3_OWNER.lower(),)
    for fee, spacing in V3_TICK_SPACINGS.items():
        found = read(chain.rpc, world.uniswap_v3_factory, "feeAmountTickSpacing(uint24)", ["int24"], fee)
        assert found == (spacing,)
    pool = package_file("@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json")["bytecode"]
    assert keccak(hexstr=pool).hex() == "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"


def test_there_are_no_pools_unless_they_are_asked_for(world: World, market: Market) -> None:
    assert world.v3_pools == ()
    assert market.v3_pools() == ()


def test_pools_are_mainnets_and_at_the_reference_price(opened: World, v3_market: Market, chain: Chain) -> None:
    assert len(opened.v3_pools) == 6, "the stranger's row is left out"
    listed = listed_v3_pools()
    for state in v3_market.v3_pools():
        assert state.sqrt_price == state.reference
        token = next((t for t in state.pool.tokens if t != opened.weth), "")
        if opened.weth in state.pool.tokens and state.pool.fee != 100:
            assert state.pool.pool == listed[token, state.pool.fee]
    uni = opened.token("UNI")
    price = state_of(v3_market, "UNI", 500).sqrt_price ** 2 / 2**192  # both have 18 decimals, UNI is token0
    assert price == pytest.approx(uni.price_usd / opened.weth_price_usd, rel=1e-15)
    knc = next(pool for pool in opened.v3_pools_of(opened.token("KNC").address))
    assert read(chain.rpc, knc.pool, "slot0()", ["uint160", "int24", "uint16", "uint16", "uint16"])[4] == 100


def test_depth_is_that_of_a_v2_pool(opened: World, chain: Chain) -> None:
    lens = chain.deploy("V3Lens", sender=chain.account("deployer"))
    (knc,) = opened.v3_pools_of(opened.token("KNC").address)
    pool = read_pool(chain, lens, knc.pool)
    (segment, *_) = pool.segments(opened.weth)
    assert segment.reserve_in == pytest.approx(2000 * 10**18, rel=1e-9)
    for found in opened.v3_pools_of(opened.token("UNI").address):
        first = read_pool(chain, lens, found.pool).segments(opened.weth)[0]
        assert first.reserve_in == pytest.approx(10_000 * 10**18, rel=1e-9), "both positions are in range"


def test_ranges_are_ticks_from_the_price(opened: World, chain: Chain) -> None:
    lens = chain.deploy("V3Lens", sender=chain.account("deployer"))
    for found in opened.v3_pools_of(opened.token("UNI").address):
        spacing = V3_TICK_SPACINGS[found.fee]
        pool = read_pool(chain, lens, found.pool)
        lower, upper = pool.ticks
        assert pool.tick - 500 - spacing < lower <= pool.tick - 500
        assert pool.tick + 700 <= upper < pool.tick + 700 + spacing


@pytest.mark.parametrize("symbol", ["UNI", "KNC"])
@pytest.mark.parametrize("selling", [True, False])
def test_pool_rests_before_it_is_restored(chain: Chain, v3_market: Market, symbol: str, selling: bool) -> None:
    world = v3_market.world
    token = world.token(symbol).address
    before = state_of(v3_market, symbol, 3000)
    amount = 10**18 if not selling else 10**18 * world.weth_price_usd // world.token(symbol).price_usd
    sell(chain, v3_market, before, token if selling else world.weth, 100 * amount)
    touched = state_of(v3_market, symbol, 3000)
    assert (touched.off_by > 0) == (symbol == "KNC" if selling else symbol == "UNI")
    assert touched.last_touched == chain.now()

    chain.move_to(touched.last_touched + REST_S - 1)
    assert v3_market.arbitrage() == ()
    chain.move_to(touched.last_touched + REST_S)
    (done,) = v3_market.arbitrage()
    assert (done.symbol, done.venue, done.pair) == (symbol, "uniswap-v3", before.pool.pool)
    assert done.token_in == (world.weth if selling else token)
    assert min(done.amount_in, done.amount_out) > 0
    assert state_of(v3_market, symbol, 3000).sqrt_price == before.reference
    assert v3_market.arbitrage() == ()


def test_each_touch_begins_the_rest_anew(chain: Chain, v3_market: Market) -> None:
    token = v3_market.world.token("UNI").address
    first = state_of(v3_market, "UNI", 500)
    sell(chain, v3_market, first, token, 10**22)
    begun = chain.now()
    chain.move_to(begun + 400)
    sell(chain, v3_market, first, token, 10**22)
    again = chain.now()
    chain.move_to(begun + REST_S + 10)
    assert v3_market.arbitrage() == ()
    chain.move_to(again + REST_S)
    assert len(v3_market.arbitrage()) == 1


def test_a_pool_that_is_touched_after_the_time_of_a_call_has_not_rested(chain: Chain, v3_market: Market) -> None:
    token = v3_market.world.token("UNI").address
    sell(chain, v3_market, state_of(v3_market, "UNI", 500), token, 10**22)
    assert Market(Earlier(chain.rpc, chain.now() - 12), v3_market.world).arbitrage() == ()


def test_all_pools_follow_a_price_in_one_transaction(chain: Chain, v3_market: Market) -> None:
    world = v3_market.world
    token = world.token("UNI")
    for factor in (11, 8, 10):
        v3_market.set_price(token.address, token.price_usd * factor // 10)
        block = int(chain.rpc.request("eth_blockNumber"), 16)
        done = v3_market.arbitrage()
        # The arbitrageur's own swap a moment ago is no reason for it to wait.
        assert sorted(move.venue for move in done) == ["sushiswap", "uniswap"] + ["uniswap-v3"] * 5
        assert int(chain.rpc.request("eth_blockNumber"), 16) == block + 1
        assert all(state.sqrt_price == state.reference for state in v3_market.v3_pools())


UNI = "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["token_address,other_address,fee,lower,upper"], r"^column 'depth_weth': missing"),
        ([HEADER, "0x1,,500,,,5,"], r"^line 2: token_address: '0x1', expected an address$"),
        ([HEADER, f"{UNI},weth,500,,,5,"], r"^line 2: other_address: 'weth', expected an address$"),
        ([HEADER, f"{UNI},,30,,,5,"], r"^line 2: fee: '30', expected one of 100, 500, 3000, 10000"),
        ([HEADER, f"{UNI},,500,a,,5,"], r"^line 2: lower: 'a', expected a whole number from"),
        ([HEADER, f"{UNI},,500,10,10,5,"], r"^line 2: upper: 10, expected above lower, which is 10$"),
        ([HEADER, f"{UNI},,500,,,0,"], r"^line 2: depth_weth: '0', expected a number of whole WETH above 0"),
        ([HEADER, f"{UNI},,500,,,5,0"], r"^line 2: cardinality: '0', expected a whole number from 1 to 65535$"),
    ],
)
def test_broken_files_are_refused_with_the_reason(lines: list[str], message: str) -> None:
    with pytest.raises(ReservesError, match=message):
        list(parse_positions(lines))


def test_pools_of_one_token_are_refused(month: Month, world: World) -> None:
    with pytest.raises(ReservesError, match="both sides are the same token"):
        v3_pools_of(month, parse_positions([HEADER, f"{UNI},{UNI},500,,,5,"]), world.weth)
