"""USDC's stand-in on a local chain, at its mainnet address, with pools against WETH on Uniswap V2 and V3.

The months' worlds have no dollar, which a fund does not need; code that pays or is paid in dollars adds it.
"""

from __future__ import annotations

from math import isqrt

from ballast.abi import call_data
from ballast.networks.exchanges import EXCHANGES, USDC
from ballast.units import ETHER, WAD
from lab.localnet.addresses import pair_address, stand_in
from lab.localnet.anvil import Cheats
from lab.localnet.rpc import Rpc, send
from lab.localnet.v3 import MAX_TICK, V3Depth, open_v3, sqrt_price_of

DOLLAR = USDC[1]
ONE = 10**6
DEPTH = 5_000 * ETHER
"""WETH wei on each side of a pool."""
FEE = 500
"""Fee of V3 pools, millionths."""


def open_dollar(rpc: Rpc, code: bytes, weth: str, weth_price: int) -> None:
    """Places the token and opens its pools. `code`: runtime code of `ReferenceDollar`; `weth_price`: USD for one ETH,
    18 decimals. Raises LocalnetError."""
    builder, cheats, factory = stand_in("builder"), Cheats(rpc), EXCHANGES[1].uniswap_v2
    # {USDC wei} = {WETH wei} * {USD / WETH} * {USDC wei / USDC} / ({1e18} * {1e18}), down
    dollars = DEPTH * weth_price * ONE // (WAD * WAD)
    cheats.set_code(DOLLAR, code)

    def call(to: str, signature: str, *arguments: object, value: int = 0) -> None:
        send(rpc, builder, to, call_data(signature, *arguments), gas=5_000_000, value=value)

    with cheats.acting_as(builder, 2 * DEPTH):
        call(DOLLAR, "init(string,string,uint8)", "USD Coin", "USDC", 6)
        call(factory, "createPair(address,address)", DOLLAR, weth)
        pair = pair_address("uniswap", factory, DOLLAR, weth)
        call(weth, "deposit()", value=DEPTH)
        call(weth, "transfer(address,uint256)", pair, DEPTH)
        call(DOLLAR, "mint(address,uint256)", pair, dollars)
        call(pair, "mint(address)", builder)
    open_v3_pool(rpc, weth, weth_price, DOLLAR, WAD, 6, DEPTH)


def open_v3_pool(rpc: Rpc, weth: str, weth_price: int, token: str, price: int, decimals: int, depth: int) -> None:
    """Opens a V3 pool of a token and WETH with liquidity at every price, as deep as a V2 pool with `depth` WETH wei on
    each side, and twice that within 6 %. Prices are USD for a whole token, 18 decimals. Raises LocalnetError."""
    (first, low), (second, high) = sorted(
        (((price, decimals), token), ((weth_price, 18), weth)), key=lambda side: int(side[1], 16)
    )
    # {tok wei} = {WETH wei} * {USD / WETH} * {tok wei / tok} / ({USD / tok} * {1e18}), down
    liquidity = isqrt(depth * weth_price * 10**decimals // (price * WAD) * depth)
    ranges = ((-2 * MAX_TICK, 2 * MAX_TICK, liquidity), (-600, 600, liquidity))
    pool = V3Depth((low, high), FEE, sqrt_price_of(first, second), 1, ranges)
    builder = stand_in("builder")
    with Cheats(rpc).acting_as(builder, DEPTH):
        open_v3(rpc, builder, stand_in("market"), EXCHANGES[1].uniswap_v3, weth, [pool])


def give_dollars(rpc: Rpc, account: str, amount: int) -> None:
    """Mints USDC wei to an account that the node signs for."""
    send(rpc, account, DOLLAR, call_data("mint(address,uint256)", account, amount), gas=200_000)
