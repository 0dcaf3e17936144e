"""Pools of Uniswap V3 on a local chain: what a positions file names, at the month's reference prices.

The only other pools are those that `assumed` adds. Each row of a file is a position; the rows of one pool are its
liquidity. A position's depth is given as that of a Uniswap V2 pool: while the price is in its range, a swap moves it as
one with `depth_weth` WETH (or tokens of that value, where the pool has no WETH) on each side (Uniswap v3 white paper,
6.1: virtual reserves x = L / sqrt(P), y = L sqrt(P)). Ranges are ticks from the reference price, so a file fits any
prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

from eth_utils import to_checksum_address

from ballast.abi import call_data
from ballast.networks.exchanges import v3_pool_address
from ballast.units import WAD
from lab.localnet import table
from lab.localnet.addresses import listed_v3_pools
from lab.localnet.deployments import V3_TICK_SPACINGS
from lab.localnet.errors import LocalnetError, ReservesError
from lab.localnet.month_file import Month
from lab.localnet.reserves import PoolDepth
from lab.localnet.rpc import Rpc, read, send
from lab.localnet.world import V3Pool

COLUMNS = ("token_address", "other_address", "fee", "lower", "upper", "depth_weth")
MAX_TICK = 887_272
Q96 = 2**96
MAX_LIQUIDITY = 2**96
"""A bound well below what a tick may hold with any tick spacing (2^128 / number of ticks)."""
MAX_CARDINALITY = 65_535
MAX_DEPTH = 10**9 * WAD - 1
ASSUMED_FEE = 3_000
"""Fee of assumed pools, millionths."""

_OPEN = "openV3(address,address,address,address,uint24,uint160,uint16,(int24,int24,uint128)[])"
_OPEN_GAS = 28_000_000


@dataclass(frozen=True)
class PositionRow:
    """One position, as read from its line."""

    token: str
    """Checksummed address."""
    other: str | None
    """The same of the pool's second token; None: WETH."""
    fee: int
    """Millionths."""
    lower: int
    upper: int
    """Ticks from the reference price."""
    depth_wei: int
    """WETH wei on each side of a Uniswap V2 pool that is as deep."""
    cardinality: int
    """Observations that the pool is to keep."""


@dataclass(frozen=True)
class V3Depth:
    """A pool to open."""

    tokens: tuple[str, str]
    """Checksummed, ascending."""
    fee: int
    sqrt_price: int
    """Square root of the reference price, token1 wei for one token0 wei, x 2^96, rounded down."""
    cardinality: int
    positions: tuple[tuple[int, int, int], ...]
    """Lower and upper end in ticks from the pool's first tick, and liquidity."""


def load_positions(path: str | Path) -> tuple[PositionRow, ...]:
    """Read a positions file whole; every row is checked."""
    return table.load(path, "positions file", parse_positions)


def assumed(
    month: Month, pools: Iterable[PoolDepth], rows: Iterable[PositionRow], weth: str
) -> tuple[PositionRow, ...]:
    """Positions of the components that traded on Uniswap V3 and for which `rows` name no pool against WETH.

    A month file does not state the liquidity: the pool, at the fee `ASSUMED_FEE`, is assumed to be as deep at all
    prices as the component's deepest pair.
    """
    named = {row.token for row in rows if row.other in (None, weth)}
    deepest: dict[str, int] = {}
    for pool in pools:
        deepest[pool.token] = max(pool.weth_wei, deepest.get(pool.token, 0))
    return tuple(
        PositionRow(c.address, None, ASSUMED_FEE, -2 * MAX_TICK, 2 * MAX_TICK, deepest[c.address], 1)
        for c in month.components
        if c.exchange == "uniswap_v3" and c.address not in named
    )


def parse_positions(lines: Iterable[str]) -> Iterator[PositionRow]:
    """Rows of a positions CSV. Columns beyond those needed are allowed; `cardinality` is 1 where it is missing."""
    return map(_row, table.lines_of(lines, COLUMNS))


def _row(line: table.Row) -> PositionRow:
    def integer(name: str, default: int, least: int, most: int) -> int:
        try:
            number = int(line[name] or default)
        except ValueError:
            number = most + 1
        if not least <= number <= most:
            raise line.wrong(name, f"a whole number from {least} to {most}")
        return number

    lower = integer("lower", -2 * MAX_TICK, -2 * MAX_TICK, 2 * MAX_TICK)
    upper = integer("upper", 2 * MAX_TICK, -2 * MAX_TICK, 2 * MAX_TICK)
    if lower >= upper:
        raise ReservesError(f"line {line.number}: upper: {upper}, expected above lower, which is {lower}")
    if line["fee"] not in map(str, V3_TICK_SPACINGS):
        raise line.wrong("fee", f"one of {', '.join(map(str, V3_TICK_SPACINGS))} (millionths)")
    return PositionRow(
        token=line.address("token_address"),
        other=line.address("other_address") if line["other_address"] else None,
        fee=int(line["fee"]),
        lower=lower,
        upper=upper,
        depth_wei=line.wei("depth_weth", 1, MAX_DEPTH, "a number of whole WETH above 0 and below 1e9"),
        cardinality=integer("cardinality", 1, 1, MAX_CARDINALITY),
    )


def v3_pools_of(month: Month, rows: Iterable[PositionRow], weth: str) -> tuple[V3Depth, ...]:
    """The pools that the rows name, in the order of their first rows. Rows of tokens that are neither in the month nor
    WETH are left out, as in a reserves file."""
    worth = {component.address: (component.price_usd, component.decimals) for component in month.components}
    worth[weth] = month.weth_price_usd, 18
    by_pool: dict[tuple[str, str, int], list[PositionRow]] = {}
    for row in rows:
        low, high = sorted((row.token, row.other or weth), key=lambda address: int(address, 16))
        if low == high:
            raise ReservesError(f"positions of {row.token}: both sides are the same token, expected two")
        if low in worth and high in worth:
            by_pool.setdefault((low, high, row.fee), []).append(row)
    pools = []
    for (low, high, fee), mine in by_pool.items():
        sqrt_price = sqrt_price_of(worth[low], worth[high])
        positions = tuple(
            (row.lower, row.upper, _liquidity(row, worth[weth][0], worth[low], sqrt_price)) for row in mine
        )
        pools.append(V3Depth((low, high), fee, sqrt_price, max(row.cardinality for row in mine), positions))
    return tuple(pools)


def sqrt_price_of(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Square root of the price of the first token in the second, in wei, x 2^96, rounded down. Each token by its USD
    price (18 decimals) and its decimals."""
    numerator, denominator = first[0] * 10 ** second[1], second[0] * 10 ** first[1]
    return isqrt(int((numerator << 192) // denominator))


def _liquidity(row: PositionRow, weth_price: int, first: tuple[int, int], sqrt_price: int) -> int:
    """L = x sqrt(P), x being the virtual reserve of the first token that is worth the depth; rounded down."""
    # {tok0 wei} = {WETH wei} * {USD / WETH} * {tok0 wei / tok0} / ({USD / tok0} * {1e18})
    reserve: int = row.depth_wei * weth_price * 10 ** first[1] // (first[0] * WAD)
    liquidity: int = reserve * sqrt_price // Q96
    if not 0 < liquidity < MAX_LIQUIDITY:
        raise ReservesError(
            f"positions of {row.token}: depth_weth {row.depth_wei} wei comes to a liquidity of {liquidity}, "
            f"expected 1 to {MAX_LIQUIDITY - 1}"
        )
    return liquidity


def open_v3(
    rpc: Rpc, sender: str, market: str, factory: str, weth: str, depths: Iterable[V3Depth]
) -> tuple[V3Pool, ...]:
    """Open and fill pools through the factory; `sender` is an account that the node signs for, `market` the contract of
    `World.market`. Raises LocalnetError where a pool does not land on mainnet's address."""
    listed = listed_v3_pools()
    opened = []
    for depth in depths:
        low, high = depth.tokens
        arguments = (factory, weth, low, high, depth.fee, depth.sqrt_price, depth.cardinality, list(depth.positions))
        send(rpc, sender, market, call_data(_OPEN, *arguments), gas=_OPEN_GAS)
        answer: tuple[Any, ...] = read(
            rpc, factory, "getPool(address,address,uint24)", ["address"], low, high, depth.fee
        )
        pool = to_checksum_address(answer[0])
        expected = v3_pool_address(factory, low, high, depth.fee)
        if weth in depth.tokens:
            expected = listed.get((low if high == weth else high, depth.fee), expected)
        if pool != expected:
            raise LocalnetError(f"V3 pool of {low} and {high}, fee {depth.fee}: landed at {pool}, expected {expected}")
        opened.append(V3Pool(pool, depth.tokens, depth.fee))
    return tuple(opened)
