"""Compares a contract's code with this keeper's release.

Code on the chain differs from the compiler's in its immutables, which the constructor fills in: the compiler leaves 32
zero bytes after a PUSH32. A fingerprint stores their positions, and hashing blanks them. It also cuts off the metadata
at the end, which changes with every comment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from eth_utils import keccak

from keeper.look import contracts

KINDS = {
    "index_token": ("IndexToken",),
    "rebalancer": ("Rebalancer",),
    "opener": ("Opener",),
    "calendar": ("Calendar",),
    "oracle": ("ChainlinkOracle", "AnchoredOracle"),
    "first_oracle": ("ChainlinkOracle",),
    "methodology": ("MarketCap", "FixedWeight"),
    "timelock": ("Timelock",),
    "filler": ("UniswapFiller",),
    "lens": ("FundLens",),
    "v3_lens": ("V3Lens",),
    "posted_supply": ("PostedSupply",),
    "locked_supply": ("LockedSupply",),
    "upkeep": ("Upkeep",),
    "fee_split": ("FeeSplit",),
    "zap": ("Zap",),
    "nav_feed": ("NavFeed",),
}
"""By name in the address book: the release's contracts that it may be."""
CONTRACTS = tuple(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))
CODES = Path(__file__).with_name("codes.json")

_HOLE = re.compile(rb"\x7f\x00{32}")
_WORD = 32


@dataclass(frozen=True)
class Fingerprint:
    """Code without immutables and metadata: its size, the immutables' positions (both in bytes), and its hash."""

    size: int
    immutables: tuple[int, ...]
    hash: str

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "immutables": list(self.immutables), "hash": self.hash}

    def fits(self, code: bytes) -> bool:
        """Whether the code on the chain matches."""
        body = _body(code)
        if len(body) != self.size:
            return False
        for at in self.immutables:
            body = body[:at] + bytes(_WORD) + body[at + _WORD :]
        return keccak(body).hex() == self.hash


def fingerprint_of(code: bytes) -> Fingerprint:
    """The fingerprint of compiled code."""
    body = _body(code)
    holes = tuple(match.start() + 1 for match in _HOLE.finditer(body))
    return Fingerprint(len(body), holes, keccak(body).hex())


@cache
def known() -> dict[str, Fingerprint]:
    """Fingerprints of this release's contracts by name."""
    raw = json.loads(resources.files("keeper.check").joinpath("codes.json").read_text())
    return {name: Fingerprint(row["size"], tuple(row["immutables"]), row["hash"]) for name, row in raw.items()}


def kind_of(code: bytes) -> str:
    """Name of this release's contract with this code on the chain; "" for none."""
    return next((name for name, fingerprint in known().items() if code and fingerprint.fits(code)), "")


def missing_functions(name: str, code: bytes) -> tuple[str, ...]:
    """Functions of the contract's ABI whose selectors the code lacks; empty if the keeper has no ABI."""
    if name not in contracts.ABIS:
        return ()
    wanted = contracts.selectors(name)
    # The compiler pushes a selector without its leading zeros.
    return tuple(sorted(function for function, selector in wanted.items() if selector.lstrip(b"\0") not in code))


def _body(code: bytes) -> bytes:
    """The code without its metadata, CBOR whose length is in the last two bytes."""
    length = int.from_bytes(code[-2:], "big") + 2
    return code[:-length] if length < len(code) else code
