"""The configuration of a fund in the published state of a month, and the tokens that its seed takes.

Tokens of the local mainnet have an open `mint`, so whatever a holder needs is minted.
"""

from __future__ import annotations

from typing import Any

from ballast.abi import encode_call
from ballast.fund_file import FundConfig
from ballast.parts import Component, Feed, FundPool, LimitsConfig, Methodology, RolesConfig
from ballast.rule.calendar import MONTH, QUARTER
from ballast.timetable import TimetableConfig
from ballast.units import WAD
from ballast.values import DEPLOYER, decimal_text
from lab.localnet.market import V3_VENUE
from lab.localnet.month_file import Month
from lab.localnet.world import Token, World

FEED_MAX_AGE = 7_200
"""Seconds; the local feeds are posted at least each hour of chain time."""


def month_config(
    month: Month,
    world: World,
    *,
    seed_shares: int | None = None,
    streaming_fee: int = 0,
    limits: LimitsConfig | None = None,
    timetable: TimetableConfig | None = None,
    guardian: str = DEPLOYER,
    fee_recipient: str = DEPLOYER,
    max_age: int = FEED_MAX_AGE,
) -> FundConfig:
    """The fund of a published month before its rebalance: `current_unit` of each component per share.

    `seed_shares` (18 decimals) defaults to the published total supply. The streaming fee is 0 unless given, because the
    published units are the real holdings at start.
    """
    shares = month.total_supply if seed_shares is None else seed_shares
    fixed = month.cap == "fixed"
    components = []
    for published in month.components:
        token = world.token(published.address)
        components.append(
            Component(
                symbol=published.symbol,
                token=published.address,
                decimals=published.decimals,
                feed=Feed(address=token.feed, max_age=max_age),
                supply=None if fixed else published.supply,
                # A published weight of 0 means that the component leaves.
                weight=(published.weight or None) if fixed else None,
                seed_unit=published.current_unit,
                pools=_pools(world, token),
            )
        )
    return FundConfig(
        name=f"Ballast {month.label}",
        symbol="BAL" + month.label[:3].upper(),
        slug=month.label.lower(),
        chain_id=1,
        weth=world.weth,
        eth_feed=Feed(address=world.eth_feed, max_age=max_age),
        methodology=Methodology(
            kind="fixed_weight" if fixed else "market_cap",
            cap="hard" if month.cap == "hard" else "none",
            cap_weight=month.cap_weight,
            nav_floor=month.nav_floor,
        ),
        components=tuple(components),
        seed_shares=shares,
        supply_cap=shares // WAD * 10 + 1_000,
        streaming_fee=streaming_fee,
        roles=RolesConfig(guardian=guardian, proposers=(DEPLOYER,), fee_recipient=fee_recipient),
        limits=limits or LimitsConfig(),
        timetable=timetable or TimetableConfig(),
    )


def _pools(world: World, token: Token) -> tuple[FundPool, ...]:
    """All of the token's pools in the world: against WETH, and under the first of two tokens those between them."""
    named: list[dict[str, object]] = [{"venue": pool.venue, "pair": pool.pair} for pool in token.pools]
    for v3 in world.v3_pools_of(token.address):
        named.append({"venue": V3_VENUE, "pair": v3.pool, "fee_bps": v3.fee // 100})
    for v3 in world.v3_pools:
        if v3.tokens[0] == token.address and world.weth not in v3.tokens:
            named.append({"venue": V3_VENUE, "pair": v3.pool, "fee_bps": v3.fee // 100, "other": v3.tokens[1]})
    return tuple(FundPool.model_validate(pool) for pool in named)


def as_yaml(config: FundConfig) -> dict[str, Any]:
    """The fund as in its YAML file. Every scalar is read as a string there, so fractions are written as decimal strings
    and calendar months as words; other integers are exact as they are."""
    raw: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    limits, methodology, upkeep, timetable = (raw[part] for part in ("limits", "methodology", "upkeep", "timetable"))
    for group, names in (
        (raw, ("streaming_fee", "seed_shares")),
        (limits, ("first_tolerance", "last_tolerance", "batch_cap", "loss_budget", "max_step", "dust", "band")),
        (methodology, ("cap_weight", "floor_weight", "entry_weight", "max_supply_jump")),
        (upkeep, ("part", "premium", "least_sale", "max_base_fee", "monthly")),
        *((component, ("weight",)) for component in raw["components"]),
        *((component.get("anchor", {}), ("bound",)) for component in raw["components"]),
        *((feed, ("lowest", "highest")) for feed in (raw["eth_feed"], *(c["feed"] for c in raw["components"]))),
    ):
        group.update({name: decimal_text(group[name]) for name in names if name in group})
    for name in ("max_base_fee", "monthly"):
        upkeep[name] += " ether"
    timetable["period"] = {MONTH: "1 month", QUARTER: "3 months"}.get(timetable["period"], timetable["period"])
    if not timetable["begins"]:
        del timetable["begins"]
    return raw


def deal(account: Any, token: str, to: str, amount: int) -> None:
    """Mints `amount` wei of a local token to `to`; sent by an Ape account."""
    account.transfer(token, value=0, data=encode_call("mint(address,uint256)", to, amount))


def deal_seed(account: Any, config: FundConfig) -> None:
    """Mints the tokens that the seed of this fund takes to the account."""
    for component, amount in zip(config.seeded(), config.seed_amounts(), strict=True):
        deal(account, component.token, account.address, amount)
