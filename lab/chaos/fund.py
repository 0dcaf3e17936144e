"""The scenarios' fund: small, and due to trade a few batches."""

from __future__ import annotations

from ballast.fund_file import FundConfig
from ballast.parts import Component, Feed, FundPool, Methodology, RolesConfig
from ballast.units import WAD
from ballast.values import DEPLOYER
from lab.localnet.world import World

HELD = {"UNI": 285, "AAVE": 275, "SUSHI": 225, "SNX": 215}
"""Thousandths of NAV at the start; the fund aims at a quarter of each."""
NAV_USD = 2_000_000
SHARES = 10_000
FEED_MAX_AGE_S = 7_200


def fund_config(world: World) -> FundConfig:
    """Four components of the local mainnet, with 6 % of NAV to trade for equal weights."""
    components = []
    for symbol, held in HELD.items():
        token = world.token(symbol)
        components.append(
            Component(
                symbol=symbol,
                token=token.address,
                decimals=token.decimals,
                feed=Feed(address=token.feed, max_age=FEED_MAX_AGE_S),
                weight=WAD // len(HELD),
                seed_unit=NAV_USD * WAD * held // 1_000 * 10**token.decimals // (SHARES * token.price_usd),
                pools=tuple(FundPool.model_validate({"venue": pool.venue, "pair": pool.pair}) for pool in token.pools),
            )
        )
    return FundConfig(
        name="Ballast Faults",
        symbol="BALF",
        slug="faults",
        chain_id=1,
        weth=world.weth,
        eth_feed=Feed(address=world.eth_feed, max_age=FEED_MAX_AGE_S),
        methodology=Methodology(kind="fixed_weight"),
        components=tuple(components),
        seed_shares=SHARES * WAD,
        supply_cap=10 * SHARES,
        streaming_fee=0,
        roles=RolesConfig(guardian=DEPLOYER, proposers=(DEPLOYER,), fee_recipient=DEPLOYER),
    )
