"""The contracts of a fund: which ones, in what order, and how each is created."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils import keccak, to_checksum_address

from ballast.fund_file import FundConfig
from ballast.networks.exchanges import exchanges_of
from ballast.parts import STATES, Feed
from ballast.values import DEPLOYER, NO_ADDRESS

ANYONE = NO_ADDRESS
ETH = ANYONE
SUPPLIES = ("posted_supply", "locked_supply")
"""Sources of supplies, only of market-cap funds."""
ORDER = (
    "timelock",
    "opener",
    "calendar",
    "lens",
    "v3_lens",
    "filler",
    "first_oracle",
    "oracle",
    *SUPPLIES,
    "methodology",
    "index_token",
    "rebalancer",
    "upkeep",
    "fee_split",
    "zap",
    "nav_feed",
)
"""Every contract that a fund may have, in the order of deployment. A contract may reference earlier ones, and later
ones whose address is predicted: the rebalancer, and for the index token its fee recipient."""
PLAIN = {"opener": "Opener", "calendar": "Calendar", "lens": "FundLens", "v3_lens": "V3Lens"}
"""Contracts without constructor arguments."""


def order(config: FundConfig) -> tuple[str, ...]:
    """The contracts of a fund in the order of the deployer's nonces."""
    left_out = set() if config.methodology.kind == "market_cap" else set(SUPPLIES)
    left_out |= set() if config.names_v3_pools else {"v3_lens"}
    left_out |= set() if config.anchored() else {"first_oracle"}
    left_out |= set() if config.upkeep.part else {"fee_split"}
    left_out |= set() if exchanges_of(config.chain_id, config.uniswap_v2_factory) else {"zap"}
    return tuple(name for name in ORDER if name not in left_out)


def created_address(deployer: str, nonce: int) -> str:
    """Address of the contract that `deployer` creates with `nonce` (CREATE)."""
    return str(to_checksum_address(keccak(rlp.encode([bytes.fromhex(deployer[2:]), nonce]))[12:]))


def predicted(deployer: str, nonce: int, names: Collection[str]) -> dict[str, str]:
    """Addresses of these contracts if `deployer` creates them in the order of ORDER, from `nonce` on."""
    ordered = [name for name in ORDER if name in names]
    return {name: created_address(deployer, nonce + place) for place, name in enumerate(ordered)}


def creation(
    name: str, config: FundConfig, at: Mapping[str, str], account: Any, dated: int | None = None
) -> tuple[str, tuple[Any, ...]]:
    """The compiled contract for a name of ORDER in this fund, and its constructor arguments. `at`: the addresses of all
    contracts of the fund; `dated`: date of the first supplies, Unix seconds; None: the latest block's time."""

    def who(role: str) -> str:
        return str(account.address) if role == DEPLOYER else role

    arguments: tuple[Any, ...] = ()
    match name:
        case "timelock":
            contract = "Timelock"
            arguments = config.timelock_delay, [who(role) for role in config.roles.proposers], [ANYONE]
        case "filler":
            contract, arguments = "UniswapFiller", (config.weth,)
        case "oracle" if config.anchored():
            contract = "AnchoredOracle"
            sources = at["first_oracle"], config.uniswap_v3_factory, config.weth, config.block_time
            arguments = at["timelock"], at["rebalancer"], *sources, anchor_rows(config)
        case "oracle" | "first_oracle":
            contract = "ChainlinkOracle"
            arguments = at["timelock"], at["rebalancer"], *sequencer_of(config), feed_rows(config)
        case "posted_supply":
            contract = "PostedSupply"
            date = account.provider.web3.eth.get_block("latest")["timestamp"] if dated is None else dated
            first = [(c.token, c.supply, date) for c in config.constituents() if c.supply]
            poster = ANYONE if config.roles.poster is None else who(config.roles.poster)
            arguments = at["timelock"], at["rebalancer"], poster, first
        case "locked_supply":
            contract, locked = "LockedSupply", [c for c in config.constituents() if c.lockers is not None]
            lockers = [sorted(c.lockers or (), key=lambda locker: int(locker, 16)) for c in locked]
            arguments = at["timelock"], [c.token for c in locked], lockers
        case "methodology" if config.methodology.kind == "market_cap":
            contract = "MarketCap"
            arguments = at["timelock"], config.methodology.as_tuple(), candidate_rows(config, at)
        case "methodology":
            contract, tokens = "FixedWeight", [component.token for component in config.constituents()]
            arguments = at["timelock"], list(zip(tokens, config.weights(), strict=True))
        case "index_token":
            recipient = at["fee_split"] if config.upkeep.part else who(config.roles.fee_recipient)
            contract, fee = "IndexToken", (recipient, config.streaming_fee)
            arguments = config.name, config.symbol, at["rebalancer"], at["timelock"], *fee, config.supply_cap
        case "rebalancer":
            contract = "Rebalancer"
            parts = [at[part] for part in ("index_token", "oracle", "opener", "calendar", "methodology", "timelock")]
            rules = config.limits.as_tuple(), config.limits.band, config.timetable.as_tuple()
            arguments = *parts, who(config.roles.guardian), *rules
        case _ if name in PLAIN:
            contract = PLAIN[name]
        case _:
            contract, arguments = _around(name, config, at, who(config.roles.fee_recipient))
    return contract, arguments


def _around(name: str, config: FundConfig, at: Mapping[str, str], recipient: str) -> tuple[str, tuple[Any, ...]]:
    """`creation` of upkeep, fee split, zap and NAV feed. `recipient`: of the streaming fee, or of what the fee split
    leaves of it."""
    match name:
        case "upkeep":
            return "Upkeep", (at["rebalancer"], at["timelock"], config.upkeep.as_tuple())
        case "fee_split":
            return "FeeSplit", (at["index_token"], at["upkeep"], recipient, config.upkeep.part)
        case "zap":
            exchanges = exchanges_of(config.chain_id, config.uniswap_v2_factory)
            return "Zap", (at["index_token"], config.weth, exchanges)
        case _:
            return "NavFeed", (at["rebalancer"], at.get("first_oracle", at["oracle"]))


def candidate_rows(config: FundConfig, at: Mapping[str, str]) -> list[tuple[str, str, int, int]]:
    """The methodology's candidates with the sources of their supplies."""
    sources = {False: at["posted_supply"], True: at["locked_supply"]}
    return [
        (c.token, sources[c.lockers is not None], STATES.index(c.state), c.given_supply) for c in config.constituents()
    ]


def sequencer_of(config: FundConfig) -> tuple[str, int]:
    """The sequencer's feed and the grace period as the oracle's arguments."""
    return (ANYONE, 0) if config.sequencer is None else (config.sequencer.address, config.sequencer.grace)


def feed_rows(config: FundConfig) -> list[tuple[str, str, int, int, int, int, int]]:
    """The oracle's feeds: ETH/USD first, as feeds quoted in ETH need it."""
    sources = [(ETH, config.eth_feed), *((component.token, component.feed) for component in config.ordered())]
    return [_feed_row(token, feed) for token, feed in sources]


def _feed_row(token: str, feed: Feed) -> tuple[str, str, int, int, int, int, int]:
    return token, feed.address, feed.max_age, int(feed.quoted_in_eth), 0, *feed.band


def anchor_rows(config: FundConfig) -> list[tuple[str, str, int, int]]:
    """The anchors as the oracle's arguments."""
    return [(component.token, a.pool, a.window, a.bound) for component, a in config.anchored()]
