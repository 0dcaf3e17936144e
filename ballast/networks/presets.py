"""The networks that a fund may stand on: what is known of each, read from networks.json.

The file says for each figure where it was found and when; what is not known is null there and None here. The contracts
have the list of test networks too (`contracts/libraries/TestChains.sol`); a test holds the two together.
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
"""Most gas of a transaction where EIP-7825 does not hold: Arbitrum One's blocks hold 32 million beside the data."""

FILE = Path(__file__).with_name("networks.json")

Rollup = Literal["op-stack", "arbitrum"]


@dataclass(frozen=True)
class Exchange:
    """A Uniswap's factory and router (of V3: SwapRouter02)."""

    factory: str
    router: str


@dataclass(frozen=True)
class Network:
    """A chain. `slug` is its name in a fund's file; `block_ms` milliseconds between two blocks; `explorer` a URL, no
    slash at its end; `transaction_gas` the most gas of a transaction (EIP-7825), None where that does not hold;
    `etherscan` and `sourcify` whether they verify its contracts; `feeds` Chainlink's, by pair; `sequencer_feed`
    Chainlink's of the sequencer's uptime; `faucet` says where test ether comes from; `source` keys of the file's
    sources, by field."""

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
        """The least seconds between two blocks with different dates; Ethereum's where it is not known."""
        return BLOCK_S if self.block_ms is None else max(1, self.block_ms // 1_000)

    @property
    def most_gas(self) -> int:
        """The most gas that we give a transaction there: EIP-7825's where it holds, else about Arbitrum's block."""
        return UNCAPPED_GAS if self.transaction_gas is None else self.transaction_gas

    def blocks(self, count: int) -> int:
        """How many of this chain's blocks take about as long as `count` of Ethereum's."""
        return count if self.block_ms is None else -(-count * BLOCK_S * 1_000 // self.block_ms)

    def transaction_url(self, digest: str) -> str | None:
        """Of a transaction in the explorer, None where there is none. `digest`: its hash as 0x..."""
        return None if self.explorer is None else f"{self.explorer}/tx/{digest}"

    def address_url(self, address: str) -> str | None:
        """Of an account or contract in the explorer, None where there is none."""
        return None if self.explorer is None else f"{self.explorer}/address/{address}"


def capped_by(gas: int) -> str:
    """In brackets, what rule makes this the most gas of a transaction; nothing where none does."""
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
"""The ids of the test networks, local chains among them: as the contracts list them."""


def network_of(chain_id: int) -> Network:
    """What is known of a chain; of one that is not listed nothing but its id, and Ethereum's rules are assumed."""
    return NETWORKS.get(chain_id) or Network(chain_id, f"chain-{chain_id}", f"chain {chain_id}")


def by_slug(slug: str) -> Network | None:
    """The network of this name, None where there is none."""
    return next((network for network in NETWORKS.values() if network.slug == slug), None)
