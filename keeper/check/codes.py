"""Which code a contract has, held against the release that this keeper was made with.

A contract's code on the chain differs from the compiler's in its immutables, which the constructor writes into it: the
compiler leaves 32 zero bytes behind a PUSH32 there. Their places are kept beside the hash and blanked before hashing.
So is the metadata at the end, which changes with every comment.
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

CONTRACTS = (
    "IndexToken",
    "Rebalancer",
    "Opener",
    "ChainlinkOracle",
    "AnchoredOracle",
    "MarketCap",
    "FixedWeight",
    "Timelock",
    "UniswapFiller",
    "FundLens",
    "V3Lens",
    "PostedSupply",
    "LockedSupply",
    "Upkeep",
)
CODES = Path(__file__).with_name("codes.json")

_HOLE = re.compile(rb"\x7f\x00{32}")
_WORD = 32


@dataclass(frozen=True)
class Fingerprint:
    """Code without immutables and metadata: its bytes, where immutables stand (bytes from the start), and its hash."""

    size: int
    immutables: tuple[int, ...]
    hash: str

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "immutables": list(self.immutables), "hash": self.hash}

    def fits(self, code: bytes) -> bool:
        """Whether code on the chain is this one."""
        body = _body(code)
        if len(body) != self.size:
            return False
        for at in self.immutables:
            body = body[:at] + bytes(_WORD) + body[at + _WORD :]
        return keccak(body).hex() == self.hash


def fingerprint_of(code: bytes) -> Fingerprint:
    """The fingerprint of a contract as the compiler gave it."""
    body = _body(code)
    holes = tuple(match.start() + 1 for match in _HOLE.finditer(body))
    return Fingerprint(len(body), holes, keccak(body).hex())


@cache
def known() -> dict[str, Fingerprint]:
    """Of each contract of this release."""
    raw = json.loads(resources.files("keeper.check").joinpath("codes.json").read_text())
    return {name: Fingerprint(row["size"], tuple(row["immutables"]), row["hash"]) for name, row in raw.items()}


def missing_functions(name: str, code: bytes) -> tuple[str, ...]:
    """Functions of the contract's ABI whose selectors the code does not contain; empty where the keeper has no ABI."""
    if name not in contracts.ABIS:
        return ()
    wanted = contracts.selectors(name)
    # Leading zeros of a selector are not pushed.
    return tuple(sorted(function for function, selector in wanted.items() if selector.lstrip(b"\0") not in code))


def _body(code: bytes) -> bytes:
    """The code without its metadata: CBOR whose length stands in the last two bytes."""
    length = int.from_bytes(code[-2:], "big") + 2
    return code[:-length] if length < len(code) else code
