"""Writes the fingerprints of the compiled contracts to keeper/check/codes.json: `python -m tools.export_codes`."""

from __future__ import annotations

import json
import sys
from typing import Any

from ballast.build import BUILD
from keeper.check.codes import CODES, CONTRACTS, fingerprint_of
from tools.export_abi import run


def export() -> str:
    """Text of the file as it should be. Raises FileNotFoundError, KeyError."""
    types: dict[str, Any] = json.loads(BUILD.read_text())["contractTypes"]
    codes = {name: bytes.fromhex(types[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")) for name in CONTRACTS}
    return json.dumps({name: fingerprint_of(code).to_json() for name, code in codes.items()}, indent=1) + "\n"


def write() -> None:
    """Write the file. Raises FileNotFoundError, KeyError."""
    CODES.write_text(export())


if __name__ == "__main__":
    sys.exit(run("export_codes", write))
