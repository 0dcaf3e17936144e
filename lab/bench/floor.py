"""The bare floor: the token transfers and pool swaps that any fund has to make, and nothing else."""

from __future__ import annotations

from ballast.units import DAY_S, WAD
from lab.bench.arena import HOLDER_SHARES, REDEEMED_SHARES, SHARES, Arena


def measure(arena: Arena) -> dict[str, int]:
    """Gas by operation."""
    return {**_shares(arena), "slice": _slice(arena)}


def _shares(arena: Arena) -> dict[str, int]:
    chain, holder = arena.chain, arena.holder
    fund = chain.deploy(arena.builder, "BareFund")
    units = [asset.component.unit for asset in arena.assets]
    for account in (arena.builder, holder):
        arena.fund(account, fund.address, SHARES, units)
    amounts = [SHARES * unit // WAD for unit in units]
    fund.send(arena.builder, "mint", SHARES, arena.builder, arena.tokens, amounts)
    amounts = [-(-HOLDER_SHARES * unit // WAD) for unit in units]
    gas = {}
    for op in ("mint_first", "mint"):
        chain.wait(DAY_S)
        gas[op] = fund.send(holder, "mint", HOLDER_SHARES, holder, arena.tokens, amounts)
    chain.wait(DAY_S)
    amounts = [REDEEMED_SHARES * unit // WAD for unit in units]
    gas["redeem"] = fund.send(holder, "redeem", REDEEMED_SHARES, holder, arena.tokens, amounts)
    return gas


def _slice(arena: Arena) -> int:
    """Swaps half of the assets into WETH and WETH into the other half, in one transaction; gas per swap, rounded up."""
    chain = arena.chain
    bare = chain.deploy(arena.builder, "BareSwaps")
    for asset in arena.assets:
        asset.token.send(arena.builder, "mint", bare.address, asset.component.unit * SHARES // WAD)
    chain.at("BenchToken", arena.weth).send(arena.builder, "transfer", bare.address, 10**20)
    swaps = []
    for asset in arena.assets:
        amount = abs(asset.component.unit - asset.component.target) * SHARES // WAD
        paid = amount if asset.component.sold else arena.in_weth(asset, amount)
        swap = arena.quote(asset, paid, sell=asset.component.sold)
        swaps.append((swap.pair, swap.token_in, swap.forward, swap.amount_in, swap.amount_out))
    chain.wait(DAY_S)
    gas = bare.send_listed(arena.builder, "swap", swaps)
    return -(-gas // len(swaps))
