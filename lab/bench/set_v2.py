"""Gas of Set Protocol V2, operation by operation: the peer for whose funds the rule was first written."""

from __future__ import annotations

from ballast.units import DAY_S, WAD
from lab.bench.arena import HOLDER_SHARES, MONTH_S, REDEEMED_SHARES, SHARES, Arena
from lab.bench.set_protocol import ADAPTER, Protocol, deploy

COOL_OFF_S = 600
PART_OF_TRADE = 4
"""A trade moves at most one part in PART_OF_TRADE of the amount, so that several rounds are left."""


def measure(arena: Arena) -> dict[str, int]:
    """Gas by operation."""
    protocol = _deploy(arena)
    gas = _shares(arena, protocol)
    # Targets change from month to month: writing the same ones again would cost less.
    gas["start_first"] = _start(arena, protocol, [asset.component.target * 99 // 100 for asset in arena.assets])
    arena.chain.wait(MONTH_S)
    gas["start"] = _start(arena, protocol, [asset.component.target for asset in arena.assets])
    gas["slice"] = _slice(arena, protocol)
    return gas


def _deploy(arena: Arena) -> Protocol:
    units = [asset.component.unit for asset in arena.assets]
    routers = {ADAPTER: arena.world.uniswap_router}
    protocol = deploy(arena.chain, arena.builder, arena.weth, routers, dict(zip(arena.tokens, units, strict=True)))
    _set_trading(arena, protocol)
    for account in (arena.builder, arena.holder):
        arena.fund(account, protocol.issuance.address, SHARES, units)
    protocol.issuance.send(arena.builder, "issue", protocol.token.address, SHARES, arena.builder)
    return protocol


def _set_trading(arena: Arena, protocol: Protocol) -> None:
    manager, tokens, token = arena.builder, arena.tokens, protocol.token.address
    sizes = []
    for asset in arena.assets:
        moved = abs(asset.component.unit - asset.component.target) * SHARES // WAD // PART_OF_TRADE
        # Buys are a little smaller than sells: the pools' fees come out of the WETH in between.
        sizes.append(moved if asset.component.sold else moved * 95 // 100)
    protocol.index.send(manager, "setTradeMaximums", token, tokens, sizes)
    protocol.index.send(manager, "setExchanges", token, tokens, [ADAPTER] * len(tokens))
    protocol.index.send(manager, "setCoolOffPeriods", token, tokens, [COOL_OFF_S] * len(tokens))
    protocol.index.send(manager, "setTraderStatus", token, [manager], [True])


def _shares(arena: Arena, protocol: Protocol) -> dict[str, int]:
    chain, holder, token = arena.chain, arena.holder, protocol.token.address
    gas = {}
    for op in ("mint_first", "mint"):
        chain.wait(DAY_S)
        gas[op] = protocol.issuance.send(holder, "issue", token, HOLDER_SHARES, holder)
    chain.wait(DAY_S)
    gas["redeem"] = protocol.issuance.send(holder, "redeem", token, REDEEMED_SHARES, holder)
    chain.wait(MONTH_S)
    protocol.fees.send(holder, "accrueFee", token)  # the recipient's first shares cost more
    chain.wait(MONTH_S)
    gas["accrue_fee"] = protocol.fees.send(holder, "accrueFee", token)
    return gas


def _start(arena: Arena, protocol: Protocol, units: list[int]) -> int:
    multiplier = protocol.token.read("positionMultiplier")
    targets = [unit * multiplier // WAD for unit in units]
    return protocol.index.send_listed(
        arena.builder, "startRebalance", protocol.token.address, [], [], targets, multiplier
    )


def _slice(arena: Arena, protocol: Protocol) -> int:
    """Trades every component once, sells before buys, after an uncounted first time; mean gas, rounded up."""
    ordered = sorted(arena.assets, key=lambda asset: not asset.component.sold)
    gas: list[int] = []
    for _ in range(2):
        arena.chain.wait(DAY_S)
        gas = []
        for asset in ordered:
            limit = 1 if asset.component.sold else 10**20
            gas.append(protocol.index.send_listed(arena.builder, "trade", protocol.token.address, asset.address, limit))
    return -(-sum(gas) // len(gas))
