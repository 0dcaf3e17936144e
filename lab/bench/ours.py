"""Gas of this fund, deployed by the same code as any other, over two months: market-cap weights with a hard cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.parts import Component, Feed, FundPool, Methodology, RolesConfig, Upkeep
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import DAY_S, WAD
from ballast.values import DEPLOYER
from keeper.plan.order import HopFlag, data_of, hop_word
from keeper.pools.venues import PoolKind
from lab.bench.arena import HOLDER_SHARES, MONTH_S, REDEEMED_SHARES, SHARES, Arena, Asset
from lab.bench.basket import CAP
from lab.bench.errors import BenchError
from lab.testbed.chain import Contract

FEED_MAX_AGE = 8 * DAY_S
SLACK = 10**6
"""Limits of mint are one part in SLACK above the preview, which is of an earlier block."""
PART_OF_OFF_TARGET = 2
"""The batch trades one part in PART_OF_OFF_TARGET of what is off target, so that it does not end the month."""


@dataclass(frozen=True)
class Fund:
    """A deployed fund. `traces`: hash of the measured transaction by operation."""

    config: FundConfig
    book: Book
    index: Contract
    rebalancer: Contract
    traces: dict[str, str]


def measure(arena: Arena, project: Any, account: Any) -> tuple[dict[str, int], dict[str, str]]:
    """Gas by operation, and the hash of each measured transaction. `account`: the Ape account that deploys."""
    fund = deploy(arena, project, account)
    gas = _shares(arena, fund)
    period = int(fund.rebalancer.read("currentPeriod")) + 1
    gas |= open_month(arena, fund, "_first", period)
    close_month(arena, fund, period)
    gas |= open_month(arena, fund, "", period + 1)
    gas["slice"] = _slice(arena, fund)
    gas["accrue_fee"] = _accrue_fee(arena, fund)
    return gas, fund.traces


def config_of(arena: Arena, recipient: str) -> FundConfig:
    """Configuration of the arena's fund."""
    components = tuple(
        Component(
            symbol=f"T{i}",
            token=asset.address,
            decimals=18,
            feed=Feed(address=asset.feed.address, max_age=FEED_MAX_AGE),
            supply=asset.component.supply,
            seed_unit=asset.component.unit,
            pools=(FundPool(venue="uniswap", pair=asset.pair),),
        )
        for i, asset in enumerate(arena.assets)
    )
    return FundConfig(
        name="Bench Fund",
        symbol="BENCH",
        slug="bench",
        chain_id=1,
        weth=arena.weth,
        eth_feed=Feed(address=arena.world.eth_feed, max_age=FEED_MAX_AGE),
        methodology=Methodology(kind="market_cap", cap="hard", cap_weight=CAP),
        components=components,
        seed_shares=SHARES,
        supply_cap=1_000_000,
        roles=RolesConfig(guardian=DEPLOYER, proposers=(DEPLOYER,), fee_recipient=recipient),
        upkeep=Upkeep(least_sale=WAD // 1000),  # the batch moves little
    )


def deploy(arena: Arena, project: Any, account: Any) -> Fund:
    """The fund of an arena, seeded; its holder can pay for mints. `account`: the Ape account that deploys."""
    chain = arena.chain
    config = config_of(arena, chain.account("recipient"))
    for asset, amount in zip(arena.assets, config.seed_amounts(), strict=True):
        asset.token.send(arena.builder, "mint", account.address, amount)
    book = deploy_fund(project, account, config, unsafe=True)
    index, rebalancer = chain.at("IndexToken", book["index_token"]), chain.at("Rebalancer", book["rebalancer"])
    fund = Fund(config, book, index, rebalancer, {})
    arena.fund(arena.holder, book["index_token"], SHARES, [asset.component.unit for asset in arena.assets])
    return fund


def _note(arena: Arena, fund: Fund, op: str, gas: int) -> int:
    fund.traces[op] = arena.chain.sent
    return gas


def _shares(arena: Arena, fund: Fund) -> dict[str, int]:
    chain, holder = arena.chain, arena.holder
    gas = {}
    for op in ("mint_first", "mint"):
        tokens, amounts, _ = fund.index.read("previewMint", HOLDER_SHARES)
        most = [amount + amount // SLACK + 1 for amount in amounts]
        chain.wait(DAY_S)
        gas[op] = _note(arena, fund, op, fund.index.send(holder, "mint", HOLDER_SHARES, holder, tokens, most))
    tokens, amounts, _ = fund.index.read("previewRedeem", REDEEMED_SHARES)
    least = [amount - amount // 1000 for amount in amounts]
    chain.wait(DAY_S)
    spent = fund.index.send(holder, "redeem", REDEEMED_SHARES, holder, tokens, least, 0)
    return {**gas, "redeem": _note(arena, fund, "redeem", spent)}


def _accrue_fee(arena: Arena, fund: Fund) -> int:
    arena.chain.wait(MONTH_S)
    fund.index.send(arena.holder, "collectFee")  # the recipient's first shares cost more
    arena.chain.wait(MONTH_S)
    return _note(arena, fund, "accrue_fee", fund.index.send(arena.holder, "collectFee"))


def open_month(arena: Arena, fund: Fund, suffix: str, period: int) -> dict[str, int]:
    """Determines and starts, each with feeds that were just posted; gas by operation."""
    begins = period_start(period, fund.config.timetable.notice)
    gas = {}
    for action, time in (("determine", begins), ("start", execution_time(period))):
        arena.chain.move_to(time)
        arena.post_feeds()
        op = action + suffix
        gas[op] = _note(arena, fund, op, fund.rebalancer.send_listed(arena.holder, action))
    return gas


def close_month(arena: Arena, fund: Fund, period: int) -> None:
    arena.chain.move_to(period_start(period + 1, fund.config.timetable.notice))
    fund.rebalancer.send(arena.holder, "close")


def _slice(arena: Arena, fund: Fund) -> int:
    """One batch over all components, the bucket full; gas per component, rounded up."""
    trade = order_of(arena, fund)
    arena.chain.wait(fund.config.limits.max_idle)
    spent = _note(arena, fund, "slice", fund.rebalancer.send_listed(arena.holder, "trade", trade))
    if not fund.rebalancer.read("trading"):
        raise BenchError("slice: the batch ended the month, so its gas is not that of a batch in between")
    return -(-spent // len(arena.assets))


def order_of(arena: Arena, fund: Fund) -> tuple[Any, ...]:
    """A batch with one pool hop for each component, in which each sell pays for one buy: half of what the lesser of the
    two would move. With an odd number the last two sells pay for the last buy together."""
    sells = [i for i, asset in enumerate(arena.assets) if asset.component.sold]
    buys = [i for i, asset in enumerate(arena.assets) if not asset.component.sold]
    worth = [_off_target(asset) for asset in arena.assets]
    amounts, hops = [], []
    for leg, i in enumerate(sells):
        buy = buys[min(leg, len(buys) - 1)]
        payers = sum(min(other, len(buys) - 1) == buys.index(buy) for other in range(len(sells)))
        value = min(worth[i], worth[buy] // payers) // PART_OF_OFF_TARGET
        amounts.append(value * SHARES // arena.assets[i].component.price)
        hops.append(hop_word(arena.assets[i].pair, PoolKind.V2, HopFlag.PAID | _forward(arena, i, sell=True), leg))
        if payers == 1 or leg == len(sells) - 1:
            taken = HopFlag.CHAINED if payers == 1 else HopFlag.POT
            hops.append(
                hop_word(arena.assets[buy].pair, PoolKind.V2, taken | HopFlag.HOME | _forward(arena, buy, sell=False))
            )
    pairs = [arena.assets[i].pair for i in sells]
    return sells, amounts, pairs, buys, 0, fund.book["filler"], data_of(hops)


def _off_target(asset: Asset) -> int:
    """USD (18 decimals) per share by which a component is off its target."""
    component = asset.component
    return abs(component.unit - component.target) * component.price // WAD


def _forward(arena: Arena, i: int, *, sell: bool) -> HopFlag:
    """FORWARD where the pool's token0 goes in."""
    return HopFlag.FORWARD if (int(arena.assets[i].address, 16) < int(arena.weth, 16)) == sell else HopFlag(0)
