"""Mainnet addresses from data/addresses, and the documented stand-ins for what has none."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from eth_utils import keccak, to_checksum_address

from ballast.build import ROOT
from ballast.networks.exchanges import SUSHISWAP_CODE_HASH, V2_CODE_HASH, v2_pool_address
from lab.localnet.errors import LocalnetError

FOLDER = ROOT / "data" / "addresses"

PAIR_CODE_HASH = {"uniswap": V2_CODE_HASH, "sushiswap": SUSHISWAP_CODE_HASH}
"""Hash of each factory's pair creation code, from which a pair's address can be computed before the pair exists."""


@dataclass(frozen=True)
class Origin:
    """Deployer and nonce of a mainnet contract, and the address that follows from them."""

    contract: str
    deployer: str
    nonce: int
    address: str


def origins(path: Path = FOLDER / "mainnet_deployments.json") -> dict[str, Origin]:
    """The deployments known to the project, by contract name."""
    found: dict[str, Origin] = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        address = to_checksum_address(entry["address"])
        origin = Origin(entry["contract"], to_checksum_address(entry["deployer"]), int(entry["nonce"]), address)
        found[origin.contract] = origin
    return found


def usd_feeds(path: Path = FOLDER / "mainnet_usd_feeds.csv") -> dict[str, str]:
    """Chainlink's TOKEN/USD proxies on mainnet, by symbol. All answer in 8 decimals."""
    feeds: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["decimals"] != "8":
                raise LocalnetError(f"{path.name}: decimals of {row['symbol']}: {row['decimals']}, expected 8")
            feeds[row["symbol"]] = to_checksum_address(row["proxy"])
    return feeds


def feed_of(symbol: str, listed: dict[str, str]) -> tuple[str, bool]:
    """The address of the TOKEN/USD feed, and whether that is its mainnet address.

    A token without a mainnet feed gets the last 20 bytes of keccak256("ballast.localnet.feed." + symbol).
    """
    address = listed.get(symbol)
    if address is not None:
        return address, True
    return stand_in(f"feed.{symbol}"), False


def stand_in(name: str) -> str:
    """An address nobody has: the last 20 bytes of keccak256("ballast.localnet." + name)."""
    return to_checksum_address(keccak(text=f"ballast.localnet.{name}")[-20:])


def listed_pairs(path: Path = FOLDER / "mainnet_pairs.csv") -> dict[tuple[str, str], str]:
    """Mainnet addresses of pairs against WETH, by venue and token."""
    pairs: dict[tuple[str, str], str] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            token = to_checksum_address(row["token"])
            pairs["uniswap", token] = to_checksum_address(row["uniswap_v2_pair_weth"])
            pairs["sushiswap", token] = to_checksum_address(row["sushiswap_pair_weth"])
    return pairs


def pair_address(venue: str, factory: str, token_a: str, token_b: str) -> str:
    """The address at which the factory creates the pair of two tokens (CREATE2)."""
    return v2_pool_address(factory, PAIR_CODE_HASH[venue], token_a, token_b)


def listed_v3_pools(path: Path = FOLDER / "mainnet_v3_pools.csv") -> dict[tuple[str, int], str]:
    """Mainnet addresses of V3 pools against WETH, by token and fee in millionths."""
    pools: dict[tuple[str, int], str] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for fee in (500, 3000, 10_000):
                pools[to_checksum_address(row["token_address"]), fee] = to_checksum_address(row[f"pool_weth_{fee}"])
    return pools
