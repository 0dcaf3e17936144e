"""Writes the ABIs that the keeper needs from the compiled contracts to keeper/abi: `python tools/export_abi.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "__local__.json"
TARGET = ROOT / "keeper" / "abi"

# The filler is called by the rebalancer, never by the keeper: its errors are wanted, to name a revert.
CONTRACTS = ("IndexToken", "Rebalancer", "FundLens", "UniswapFiller", "V3Lens", "Opener", "MarketCap", "FixedWeight")


def export() -> dict[str, str]:
    """Text of each ABI file by contract, as it should stand in keeper/abi. Raises FileNotFoundError, KeyError."""
    types: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    return {name: json.dumps(_sorted(types[name]["abi"]), indent=1) + "\n" for name in CONTRACTS}


def _sorted(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        (entry for entry in abi if entry["type"] != "constructor"),
        key=lambda entry: (entry["type"], entry.get("name", ""), len(entry.get("inputs", []))),
    )


def main() -> int:
    """Write them; the exit code."""
    try:
        files = export()
    except FileNotFoundError:
        print(f"export_abi: {BUILD} is missing, run 'make compile'", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"export_abi: {BUILD} has no contract {error}, run 'make compile'", file=sys.stderr)
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (TARGET / f"{name}.json").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
