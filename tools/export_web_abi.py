"""Writes what the holder page calls, runs, decodes and explains from the compiled contracts to web/src/abi.ts:
`python -m tools.export_web_abi`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from ballast.build import BUILD, ROOT
from ballast.steering.owner_abi import OWNED
from tools.export_abi import bare, run

TARGET = ROOT / "web" / "src" / "abi.ts"

USED = {
    "IndexToken": (
        "name symbol balanceOf allowance approve previewMint previewRedeem mint redeem streamingFee supplyCap "
        "Transfer Minted Redeemed RedeemedTo nonces eip712Domain"
    ),
    "Rebalancer": "methodology TimetableSet Determined Started Skipped Traded Closed MonthEnded Vetoed",
    "FundLens": "fund fundAndPools constituents",
    "MarketCap": "rule",
    "Timelock": "getTimestamp getMinDelay CallScheduled CallExecuted Cancelled",
    "Zap": "mint mintWithPermit redeem redeemWithPermit ZapMinted ZapRedeemed",
    "V3Quoter": "quotes",
}
"""Functions and events by contract; those that a contract does not have yet are left out."""
RUN = ("V3Quoter",)
"""Contracts that the page runs within a call, by their creation code."""
REFUSING = (*OWNED, "Opener", "Calendar", "UniswapFiller", "Zap", "NavFeed")
"""Contracts whose errors a user may meet."""

Entry = dict[str, Any]


def export() -> str:
    """The text of the file. Raises FileNotFoundError, KeyError."""
    types: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    lists = {
        _variable(name): [e for e in types[name]["abi"] if e.get("name") in names.split()]
        for name, names in USED.items()
        if name in types
    }
    owned = [entry for name in OWNED for entry in types[name]["abi"] if entry["type"] == "function"]
    lists["ownerCalls"] = _distinct(e for e in owned if e["stateMutability"] not in ("view", "pure"))
    refusing = [entry for name in REFUSING if name in types for entry in types[name]["abi"]]
    lists["errors"] = _distinct(e for e in refusing if e["type"] == "error")
    text = ["// Written by `python -m tools.export_web_abi` from the compiled contracts; not by hand.", ""]
    for name, entries in lists.items():
        text.append(f"export const {name} = [")
        text += [f"  {json.dumps(bare(entry))}," for entry in entries]
        text += ["] as const;", ""]
    for name in RUN:
        code = "0x" + types[name]["deploymentBytecode"]["bytecode"].removeprefix("0x")
        text += [f"export const {_variable(name)}Code =", f'  "{code}";', ""]
    return "\n".join(text)


def _variable(contract: str) -> str:
    return contract[0].lower() + contract[1:]


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each signature, by name."""
    found = {(e["name"], *_types(e["inputs"])): e for e in entries}
    return [found[key] for key in sorted(found)]


def _types(inputs: list[Entry]) -> tuple[str, ...]:
    return tuple(f"{i['type']}{_types(i.get('components', []))}" for i in inputs)


def write() -> None:
    """Write the file. Raises FileNotFoundError, KeyError."""
    TARGET.write_text(export())


if __name__ == "__main__":
    sys.exit(run("export_web_abi", write))
