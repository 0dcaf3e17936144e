"""The contents of a local mainnet: addresses and reference prices, as data that goes to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, TypeAdapter

from lab.localnet.errors import LocalnetError

Price = Annotated[int, PlainSerializer(str, when_used="json")]
"""USD for one whole token, 18 decimals; a string in JSON, where many readers lose digits of large numbers."""


@dataclass(frozen=True)
class WorldPool:
    """A pool of one token against WETH with Uniswap V2's code."""

    venue: str
    """uniswap or sushiswap."""
    pair: str
    fee_bps: int


@dataclass(frozen=True)
class V3Pool:
    """A pool of Uniswap V3."""

    pool: str
    tokens: tuple[str, str]
    """Checksummed, ascending: token0 and token1 of the pool."""
    fee: int
    """Millionths of the amount in."""


@dataclass(frozen=True)
class Token:
    """A token with its USD feed and its pools."""

    symbol: str
    address: str
    decimals: int
    feed: str
    feed_on_mainnet: bool
    """Whether the feed is at mainnet's address for it, or at a stand-in address."""
    price_usd: Price
    pools: tuple[WorldPool, ...]


@dataclass(frozen=True)
class World:
    """One month's local mainnet."""

    month: str
    """The month's label."""
    head: int
    """Time of the last block when it was built, Unix seconds."""
    reserves_note: str
    """Where the pools' depths come from."""
    weth: str
    weth_price_usd: Price
    eth_feed: str
    uniswap_factory: str
    uniswap_router: str
    sushiswap_factory: str
    sushiswap_router: str
    uniswap_v3_factory: str
    market: str
    """The contract that posts prices and trades against stale pools."""
    trader: str
    """The account that calls `market`; it holds ether and nobody has its key."""
    tokens: tuple[Token, ...]
    v3_pools: tuple[V3Pool, ...] = ()
    """Pools of Uniswap V3, if any."""

    @property
    def prices(self) -> dict[str, int]:
        """USD for one whole token, 18 decimals, by address; WETH included."""
        return {token.address: token.price_usd for token in self.tokens} | {self.weth: self.weth_price_usd}

    @property
    def decimals(self) -> dict[str, int]:
        """Decimals by address; WETH included."""
        return {token.address: token.decimals for token in self.tokens} | {self.weth: 18}

    def v3_pools_of(self, token: str) -> tuple[V3Pool, ...]:
        """V3 pools of a token (address) against WETH."""
        return tuple(pool for pool in self.v3_pools if set(pool.tokens) == {token, self.weth})

    def token(self, key: str) -> Token:
        """A token by symbol or address."""
        for token in self.tokens:
            if key == token.symbol or key.lower() == token.address.lower():
                return token
        known = ", ".join(token.symbol for token in self.tokens)
        raise LocalnetError(f"token {key!r}: not in the world of {self.month}, which has {known}")

    def router(self, venue: str) -> str:
        """The router of a venue."""
        return {"uniswap": self.uniswap_router, "sushiswap": self.sushiswap_router}[venue]

    def to_json(self) -> str:
        return _WORLD.dump_json(self, indent=1).decode()

    @staticmethod
    def from_json(text: str) -> World:
        return _WORLD.validate_json(text)

    @staticmethod
    def load(path: str | Path) -> World:
        """Read a world that `save` wrote."""
        return World.from_json(Path(path).read_text(encoding="utf-8"))

    def save(self, path: str | Path) -> None:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.to_json() + "\n", encoding="utf-8")


_WORLD = TypeAdapter(World)
