"""Data of the networks on which a fund may be deployed, from networks.json.

The file has source and date of each figure; unknown values are null there and None here. The contracts have their own
list of test networks (`contracts/libraries/TestChains.sol`); a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ballast.units import BLOCK_S, MAX_TX_GAS

UNCAPPED_GAS = 2**25
"""Most gas of a transaction where EIP-7825 does not apply: Arbitrum One's blocks have 32 million, without the data."""

FILE = Path(__file__).with_name("networks.json")

Rollup = Literal["op-stack", "arbitrum"]


@dataclass(frozen=True)
class Exchange:
    """Factory and router of a Uniswap version (for V3: SwapRouter02)."""

    factory: str
    router: str


@dataclass(frozen=True)
class Network:
    """A chain. `slug`: its name in a fund file; `block_ms`: milliseconds between two blocks; `explorer`: a URL without
    trailing slash; `transaction_gas`: most gas of a transaction (EIP-7825), None if that does not apply; `etherscan`,
    `sourcify`: whether they verify its contracts; `feeds`: Chainlink's, by pair; `sequencer_feed`: Chainlink's
    sequencer uptime feed; `faucet`: text, where to get test ether; `source`: keys of the file's sources, by field."""

    chain_id: int
    slug: str
    name: str
    test: bool = False
    rollup: Rollup | None = None
    block_ms: int | None = None
    transaction_gas: int | None = MAX_TX_GAS
    explorer: str | None = None
    etherscan: bool = False
    sourcify: bool = False
    weth: str | None = None
    uniswap_v2: Exchange | None = None
    uniswap_v3: Exchange | None = None
    feeds: Mapping[str, str] = field(default_factory=dict, hash=False)
    sequencer_feed: str | None = None
    faucet: str | None = None
    source: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def date_s(self) -> int:
        """Least seconds between two blocks with different timestamps; Ethereum's if unknown."""
        return BLOCK_S if self.block_ms is None else max(1, self.block_ms // 1_000)

    @property
    def most_gas(self) -> int:
        """Highest gas limit for our transactions: EIP-7825's where it applies, else about Arbitrum's block."""
        return UNCAPPED_GAS if self.transaction_gas is None else self.transaction_gas

    def blocks(self, count: int) -> int:
        """Number of this chain's blocks that take about as long as `count` Ethereum blocks, rounded up."""
        return count if self.block_ms is None else -(-count * BLOCK_S * 1_000 // self.block_ms)

    def transaction_url(self, digest: str) -> str | None:
        """URL of a transaction in the explorer, None without one. `digest`: its hash as 0x hex."""
        return None if self.explorer is None else f"{self.explorer}/tx/{digest}"

    def address_url(self, address: str) -> str | None:
        """URL of an account or contract in the explorer, None without one."""
        return None if self.explorer is None else f"{self.explorer}/address/{address}"


def capped_by(gas: int) -> str:
    """Text in brackets: the rule that sets this gas limit of a transaction; empty if there is none."""
    return " (EIP-7825)" if gas == MAX_TX_GAS else ""


def _exchange(raw: Any) -> Exchange | None:
    return None if raw is None else Exchange(raw["factory"], raw["router"])


def _network(raw: dict[str, Any]) -> Network:
    made = {name: _exchange(raw[name]) for name in ("uniswap_v2", "uniswap_v3")}
    maps = {name: MappingProxyType(raw[name]) for name in ("feeds", "source")}
    return Network(**{**raw, **made, **maps})


def load_networks(path: Path = FILE) -> Mapping[int, Network]:
    """The networks of a file, by chain id."""
    raw = json.loads(path.read_text(encoding="utf-8"))["networks"]
    return MappingProxyType({one["chain_id"]: _network(one) for one in raw})


NETWORKS = load_networks()
"""By chain id."""
TEST_CHAINS = tuple(network.chain_id for network in NETWORKS.values() if network.test)
"""Ids of the test networks, including local chains, as in the contracts' list."""


def network_of(chain_id: int) -> Network:
    """The network of a chain; for one that is not listed, one with Ethereum's rules and no other data."""
    return NETWORKS.get(chain_id) or Network(chain_id, f"chain-{chain_id}", f"chain {chain_id}")


def by_slug(slug: str) -> Network | None:
    """The network with this slug, None if there is none."""
    return next((network for network in NETWORKS.values() if network.slug == slug), None)
