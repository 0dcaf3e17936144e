"""Writes the ABIs that the keeper needs from the compiled contracts to keeper/abi, and what the timelock may call to
ballast/steering/owned.json: `python -m tools.export_abi`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from ballast.build import BUILD, ROOT
from ballast.steering.owner_abi import OWNED
from keeper.look.contracts import ABIS

TARGET = ROOT / "keeper" / "abi"
OWNED_TARGET = ROOT / "ballast" / "steering" / "owned.json"


def export() -> dict[str, str]:
    """Text of each ABI file by contract, as keeper/abi should have it. Raises FileNotFoundError, KeyError."""
    types: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    return {name: json.dumps(_sorted(types[name]["abi"]), indent=1) + "\n" for name in ABIS}


def export_owned() -> str:
    """Text of ballast/steering/owned.json. Raises FileNotFoundError, KeyError."""
    types: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    kept = {name: [bare(e) for e in _sorted(types[name]["abi"]) if _steers(e, name)] for name in OWNED}
    return json.dumps(kept, indent=1) + "\n"


def _steers(entry: dict[str, Any], contract: str) -> bool:
    """Whether it is an error, a function that changes something, or an event of the timelock."""
    if entry["type"] == "event":
        return contract == "Timelock"
    return entry["type"] == "error" or entry.get("stateMutability") in ("nonpayable", "payable")


def bare(entry: Any) -> Any:
    """The entry without fields that nobody reads."""
    if isinstance(entry, dict):
        return {key: bare(value) for key, value in entry.items() if key not in ("internalType", "anonymous")}
    return [bare(item) for item in entry] if isinstance(entry, list) else entry


def _sorted(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        (entry for entry in abi if entry["type"] != "constructor"),
        key=lambda entry: (entry["type"], entry.get("name", ""), len(entry.get("inputs", []))),
    )


def run(name: str, write: Callable[[], None]) -> int:
    """Runs `write`; if the build lacks something, prints one line; the exit code."""
    try:
        write()
    except FileNotFoundError:
        print(f"{name}: {BUILD} is missing, run 'make compile'", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"{name}: {BUILD} has no contract {error}, run 'make compile'", file=sys.stderr)
        return 1
    return 0


def write() -> None:
    """Write all these files. Raises FileNotFoundError, KeyError."""
    files = export()
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (TARGET / f"{name}.json").write_text(text)
    OWNED_TARGET.write_text(export_owned())


if __name__ == "__main__":
    sys.exit(run("export_abi", write))
