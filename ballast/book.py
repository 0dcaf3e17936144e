"""The address book of a deployed fund: the deployment writes it, scripts and keeper read it.

One JSON file per fund and chain. It contains addresses and what a keeper needs to trade, no secrets.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ballast.errors import UserError
from ballast.files import replace_json
from ballast.values import checked_address

CONTRACTS = (
    "index_token",
    "rebalancer",
    "opener",
    "calendar",
    "oracle",
    "methodology",
    "timelock",
    "filler",
    "lens",
)
OPTIONAL = ("posted_supply", "locked_supply", "v3_lens", "first_oracle", "upkeep", "fee_split", "zap", "nav_feed")
"""Supplies: only if the fund's weights come from them. V3 lens: only if the fund names pools of Uniswap V3. First
oracle: only if the fund's own adds anchors to it. Fee split: if a part of the streaming fee pays for the upkeep. Upkeep
and NAV feed: every fund deployed now; zap: those on chains of `EXCHANGES`, or whose file names a factory of Uniswap V2;
older funds have none of these three."""


class BookError(UserError, ValueError):
    """An unusable address book; the message names the file, the field and what is expected."""


@dataclass(frozen=True)
class BookPool:
    """A pool of a token against WETH, or against the candidate `other` (its address). `venue` is "uniswap", "sushiswap"
    or "uniswap-v3"; the fee is in basis points."""

    venue: str
    pair: str
    fee_bps: int = 30
    other: str | None = None


@dataclass(frozen=True)
class BookCandidate:
    """A token that the fund may hold, with the pools that a keeper may use for it."""

    symbol: str
    token: str
    decimals: int
    pools: tuple[BookPool, ...]


@dataclass(frozen=True)
class Book:
    """Addresses of one fund on one chain. `contracts`: has all keys of CONTRACTS, and those of OPTIONAL that exist.
    `timelock_delay`: delay in seconds with which the timelock was deployed; None in books without it.
    `uniswap_v2_factory`: of the zap's pairs; None if the zap uses the chain's known exchanges."""

    fund: str
    chain_id: int
    deployed_block: int
    contracts: dict[str, str]
    weth: str
    candidates: tuple[BookCandidate, ...]
    timelock_delay: int | None = None
    uniswap_v2_factory: str | None = None

    def __getitem__(self, name: str) -> str:
        return self.contracts[name]

    @property
    def called(self) -> tuple[str, ...]:
        """The contracts to which a keeper sends the month's steps."""
        return tuple(self.contracts[name] for name in ("rebalancer", "upkeep") if name in self.contracts)

    def candidate(self, token: str) -> BookCandidate | None:
        """The candidate with this token address, or None."""
        return next((c for c in self.candidates if c.token == token), None)

    def symbol(self, token: str) -> str:
        """The symbol of the candidate with this address; the address if there is none."""
        candidate = self.candidate(token)
        return candidate.symbol if candidate else token

    def save(self, path: Path) -> None:
        """Writes the book atomically: a reader sees the old file or the whole new one."""
        replace_json(path, asdict(self), indent=2)

    def pools(self, *venues: str) -> tuple[tuple[str, BookPool], ...]:
        """All pools of these venues, each with its token."""
        return tuple((c.token, pool) for c in self.candidates for pool in c.pools if pool.venue in venues)

    @classmethod
    def load(cls, path: Path) -> Book:
        """Reads and checks a book. Raises BookError."""
        try:
            raw = json.loads(path.read_text())
        except FileNotFoundError:
            raise BookError(f"address book {path}: no such file; deploy the fund first") from None
        except json.JSONDecodeError as error:
            raise BookError(f"address book {path}: not JSON ({error})") from None
        except (OSError, UnicodeDecodeError) as error:
            raise BookError(f"address book {path}: cannot be read ({error})") from None
        try:
            return cls._from_json(raw)
        except KeyError as error:
            raise BookError(f"address book {path}: field {error} is missing; deploy again") from None
        except (TypeError, ValueError) as error:
            raise BookError(f"address book {path}: {error}") from None

    @classmethod
    def _from_json(cls, raw: dict[str, Any]) -> Book:
        present = [name for name in OPTIONAL if name in raw["contracts"]]
        contracts = {name: checked_address(raw["contracts"][name], name) for name in (*CONTRACTS, *present)}
        candidates = tuple(
            BookCandidate(
                symbol=str(c["symbol"]),
                token=checked_address(c["token"], "token"),
                decimals=int(c["decimals"]),
                pools=tuple(_pool(p) for p in c["pools"]),
            )
            for c in raw["candidates"]
        )
        return cls(
            fund=str(raw["fund"]),
            chain_id=int(raw["chain_id"]),
            deployed_block=int(raw["deployed_block"]),
            contracts=contracts,
            weth=checked_address(raw["weth"], "weth"),
            candidates=candidates,
            timelock_delay=None if raw.get("timelock_delay") is None else int(raw["timelock_delay"]),
            uniswap_v2_factory=None
            if (factory := raw.get("uniswap_v2_factory")) is None
            else checked_address(factory, "uniswap_v2_factory"),
        )


def _pool(raw: dict[str, Any]) -> BookPool:
    other = raw.get("other")
    return BookPool(
        str(raw["venue"]),
        checked_address(raw["pair"], "pair"),
        int(raw["fee_bps"]),
        None if other is None else checked_address(other, "other"),
    )
