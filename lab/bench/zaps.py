"""Gas of shares for ETH or a token, and back, in one transaction: the zap, the fund's two calls behind it, the floors.

The floor of a zap is one bare contract that gets every amount as an argument: it wraps or unwraps, makes the same
transfers and swaps, and mints or burns once. Both use the same pools in the same state, as deep as the benchmark's
others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from ballast.abi import call_data
from ballast.networks.exchanges import EXCHANGES, v3_pool_address
from ballast.units import DAY_S, ETHER, WAD
from ballast.values import NO_ADDRESS
from lab.bench.arena import FEE_DENOMINATOR, FEE_NUMERATOR, HOLDER_SHARES, POOL_VALUE, REDEEMED_SHARES, SHARES, Arena
from lab.bench.errors import BenchError
from lab.bench.ours import deploy
from lab.localnet.addresses import pair_address
from lab.localnet.rpc import read
from lab.localnet.v3 import MAX_TICK, V3Depth, open_v3, sqrt_price_of
from lab.testbed.chain import Contract

SIZES = (5, 10, 14)
FOREVER = 2**256 - 1
FEE = 3000
"""Fee of the V3 pools, millionths; the V2 pools take the same."""
V2, V3 = "v2", "v3"
ETH, USDC = "eth", "usdc"
WAYS = tuple((pay, venue) for pay in (ETH, USDC) for venue in (V2, V3))
"""What is paid or received, and the venue of all swaps."""
LEG = {V2: 1 << 24, V3: 3 << 24 | FEE}
OPS = (
    *(f"zap_mint_{pay}_{venue}" for pay, venue in WAYS),
    *(f"zap_redeem_{pay}_{venue}" for pay, venue in WAYS),
    "mint_with",
    "redeem_to",
)

Swap = tuple[str, str, bool, bool, int, int]
"""BareZap's argument: pool, token that goes in, whether that is token0, whether it is a V3 pool, amount in, amount
out."""
NO_SWAP: Swap = (NO_ADDRESS, NO_ADDRESS, False, False, 0, 0)


@dataclass(frozen=True)
class Stage:
    """The arena with a dollar token, and a V3 pool of each token against WETH."""

    arena: Arena
    dollar: Contract

    def pool(self, token: str, venue: str) -> str:
        world = self.arena.world
        if venue == V3:
            return v3_pool_address(world.uniswap_v3_factory, token, world.weth, FEE)
        return pair_address("uniswap", world.uniswap_factory, token, world.weth)

    def swap(self, token_in: str, token_out: str, venue: str, *, paid: int = 0, out: int = 0) -> Swap:
        """A swap of exactly `paid`, or for exactly `out`, at the pool's current state."""
        weth = self.arena.weth
        pool, forward = self.pool(token_out if token_in == weth else token_in, venue), _below(token_in, token_out)
        if venue == V3:
            return pool, token_in, forward, True, paid or -out, 0
        first, second, _ = read(self.arena.chain.rpc, pool, "getReserves()", ["uint112", "uint112", "uint32"])
        reserve_in, reserve_out = (first, second) if forward else (second, first)
        if paid:
            after_fee = paid * FEE_NUMERATOR
            out = after_fee * reserve_out // (reserve_in * FEE_DENOMINATOR + after_fee)
        else:
            paid = reserve_in * out * FEE_DENOMINATOR // ((reserve_out - out) * FEE_NUMERATOR) + 1
        return pool, token_in, forward, False, paid, out

    def balance(self, token: str, account: str) -> int:
        return int(self.arena.chain.at("BenchToken", token).read("balanceOf", account))


def _below(one: str, other: str) -> bool:
    return int(one, 16) < int(other, 16)


def prepare(arena: Arena) -> Stage:
    """Opens the pools that the arena lacks, swaps once in the dollar's V2 pool, and gives the holder dollars."""
    chain, builder, world = arena.chain, arena.builder, arena.world
    dollar = chain.deploy(builder, "BenchToken", "USDC")
    stage = Stage(arena, dollar)
    weth = chain.at("BenchToken", world.weth)
    reserve = POOL_VALUE * WAD // world.weth_price_usd
    chain.send(builder, world.weth, call_data("deposit()"), value=(len(arena.assets) + 3) * reserve)
    chain.send(builder, world.uniswap_factory, call_data("createPair(address,address)", dollar.address, world.weth))
    pair = stage.pool(dollar.address, V2)
    dollar.send(builder, "mint", pair, POOL_VALUE)
    weth.send(builder, "transfer", pair, reserve)
    weth.send(builder, "transfer", world.market, (len(arena.assets) + 2) * reserve)
    chain.send(builder, pair, call_data("mint(address)", builder))
    prices = [(asset.address, asset.component.price) for asset in arena.assets] + [(dollar.address, WAD)]
    open_v3(
        chain.rpc, builder, world.market, world.uniswap_v3_factory, world.weth, [_depth(stage, *row) for row in prices]
    )
    bare = chain.deploy(builder, "BareSwaps")
    dollar.send(builder, "mint", bare.address, 1000 * WAD)
    there = stage.swap(dollar.address, world.weth, V2, paid=1000 * WAD)
    bare.send(builder, "swap", [(there[0], there[1], there[2], there[4], there[5])])
    dollar.send(builder, "mint", arena.holder, POOL_VALUE)
    return stage


def _depth(stage: Stage, token: str, price: int) -> V3Depth:
    """A V3 pool as deep as those of V2, over all prices."""
    world = stage.arena.world
    rows = sorted(((token, (price, 18)), (world.weth, (world.weth_price_usd, 18))), key=lambda row: int(row[0], 16))
    first, second = (POOL_VALUE * WAD // row[1][0] for row in rows)
    root = sqrt_price_of(rows[0][1], rows[1][1])
    positions = ((-2 * MAX_TICK, 2 * MAX_TICK, isqrt(first * second)),)
    return V3Depth((rows[0][0], rows[1][0]), FEE, root, 1, positions)


def measure(arena: Arena, project: Any, account: Any) -> dict[str, int]:
    """Gas of ours by operation. `account`: the Ape account that deploys. No counted mint is its holder's first."""
    stage, fund, holder = prepare(arena), deploy(arena, project, account), arena.holder
    chain, index = arena.chain, fund.index
    zap = chain.deploy(arena.builder, "Zap", index.address, arena.weth, EXCHANGES[1])
    stage.dollar.send(holder, "approve", zap.address, FOREVER)
    index.send(holder, "approve", zap.address, FOREVER)
    n = len(arena.assets)

    def mint(pay: str, venue: str) -> int:
        token, most, value = _paid_with(stage, pay)
        legs, leg = LEG[venue].to_bytes(4) * n, LEG[venue]
        return zap.send(holder, "mint", HOLDER_SHARES, token, most, legs, leg, FOREVER, holder, value=value)

    def redeem(pay: str, venue: str) -> int:
        token, _, _ = _paid_with(stage, pay)
        legs, leg = LEG[venue].to_bytes(4) * n, LEG[venue]
        return zap.send(holder, "redeem", REDEEMED_SHARES, token, 1, arena.tokens, legs, leg, FOREVER, holder)

    mint(ETH, V2)
    gas = _each(arena, mint, redeem)
    minter = _minter(arena)
    minter.send(holder, "mint", index.address, HOLDER_SHARES)
    chain.wait(DAY_S)
    gas["mint_with"] = minter.send(holder, "mint", index.address, HOLDER_SHARES)
    chain.wait(DAY_S)
    pools = [asset.pair for asset in arena.assets]
    arguments = REDEEMED_SHARES, holder, arena.tokens, [0] * n, pools, 0
    gas["redeem_to"] = index.send(holder, "redeemTo", *arguments)
    return gas


def _paid_with(stage: Stage, pay: str) -> tuple[str, int, int]:
    """Token, limit and value of a mint: more than it takes, so that there is a refund."""
    return (NO_ADDRESS, 100 * ETHER, 100 * ETHER) if pay == ETH else (stage.dollar.address, POOL_VALUE, 0)


def _each(arena: Arena, mint: Callable[[str, str], int], redeem: Callable[[str, str], int]) -> dict[str, int]:
    """Every way in and every way out, each from the same state."""
    gas = {}
    for name, act in (("mint", mint), ("redeem", redeem)):
        for pay, venue in WAYS:
            before = arena.chain.cheats.snapshot()
            arena.chain.wait(DAY_S)
            gas[f"zap_{name}_{pay}_{venue}"] = act(pay, venue)
            arena.chain.cheats.revert(before)
    return gas


def _minter(arena: Arena) -> Contract:
    """Deploys a contract that holds the tokens that mints take."""
    minter = arena.chain.deploy(arena.builder, "BareMinter")
    for asset in arena.assets:
        asset.token.send(arena.builder, "mint", minter.address, SHARES * asset.component.unit // WAD)
    return minter


def floors(arena: Arena) -> dict[str, int]:
    """Gas of the same operations with the bare contracts."""
    stage, holder = prepare(arena), arena.holder
    chain, weth = arena.chain, arena.weth
    bare = chain.deploy(arena.builder, "BareZap", weth)
    units = [asset.component.unit for asset in arena.assets]
    for asset, unit in zip(arena.assets, units, strict=True):
        asset.token.send(arena.builder, "mint", bare.address, SHARES * unit // WAD)
    stage.dollar.send(holder, "approve", bare.address, FOREVER)

    def mint(pay: str, venue: str) -> int:
        swaps = [
            stage.swap(weth, asset.address, venue, out=-(-HOLDER_SHARES * unit // WAD))
            for asset, unit in zip(arena.assets, units, strict=True)
        ]

        def act(needed: int, by: str) -> int:
            paying = NO_SWAP if by == ETH else stage.swap(stage.dollar.address, weth, venue, out=needed)
            return bare.send(holder, "mint", HOLDER_SHARES, needed, paying, swaps, value=needed if by == ETH else 0)

        plenty = 100 * ETHER
        left = _probe(stage, bare, lambda: act(plenty, ETH))
        return act(plenty - left, pay)

    def redeem(pay: str, venue: str) -> int:
        swaps = [
            stage.swap(asset.address, weth, venue, paid=REDEEMED_SHARES * unit // WAD)
            for asset, unit in zip(arena.assets, units, strict=True)
        ]

        def act(got: int, by: str) -> int:
            receiving = NO_SWAP if by == ETH else stage.swap(weth, stage.dollar.address, venue, paid=got)
            return bare.send(holder, "redeem", REDEEMED_SHARES, got, swaps, receiving)

        return act(_probe(stage, bare, lambda: act(0, ETH)), pay)

    mint(ETH, V2)
    gas = _each(arena, mint, redeem)
    return gas | _plain_floors(stage, units)


def _probe(stage: Stage, bare: Contract, act: Callable[[], int]) -> int:
    """WETH left in the bare contract after a call, which is then reverted. Raises BenchError if it held any before."""
    chain = stage.arena.chain
    if stage.balance(stage.arena.weth, bare.address):
        raise BenchError("the bare zap holds WETH between two calls, so its figures are not those of the least")
    before = chain.cheats.snapshot()
    act()
    left = stage.balance(stage.arena.weth, bare.address)
    chain.cheats.revert(before)
    return left


def _plain_floors(stage: Stage, units: Sequence[int]) -> dict[str, int]:
    arena, holder = stage.arena, stage.arena.holder
    chain, tokens = arena.chain, arena.tokens
    fund, minter = chain.deploy(arena.builder, "BareFund"), _minter(arena)
    for account in (arena.builder, holder):
        arena.fund(account, fund.address, SHARES, units)
    fund.send(arena.builder, "mint", SHARES, arena.builder, tokens, [SHARES * unit // WAD for unit in units])
    amounts = [-(-HOLDER_SHARES * unit // WAD) for unit in units]
    gas: dict[str, int] = {}
    for _ in range(2):
        chain.wait(DAY_S)
        gas["mint_with"] = minter.send(holder, "mintBare", fund.address, HOLDER_SHARES, tokens, amounts)
    chain.wait(DAY_S)
    amounts = [REDEEMED_SHARES * unit // WAD for unit in units]
    # The pools are n accounts, so even the least contract needs them as an argument.
    pools = [asset.pair for asset in arena.assets]
    gas["redeem_to"] = fund.send(holder, "redeemTo", REDEEMED_SHARES, tokens, amounts, pools)
    return gas
