"""The contracts of a fund as the tools' input: sources, and the compiler's output for tools that cannot run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from lab.localnet.artifacts import SOLC
from tools.audit.findings import AuditError
from tools.audit.native_ids import native

FOUNDRY = ROOT / ".tools" / "foundry" / "bin"
WITHOUT = shutil.ignore_patterns("testing", ".cache")
"""Folders of `contracts` that are never deployed for money."""


def program(tool: str, name: str) -> Path:
    """The path of a program in a tool's own Python. Raises AuditError where it is not installed."""
    path = ROOT / ".tools" / tool / "bin" / name
    if not path.exists():
        raise AuditError(f"{path.relative_to(ROOT)} is missing: run `make .tools/{tool}.stamp`")
    return path


def run(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """A program's output; its exit code is ignored, as findings make it an error. No network is needed."""
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def sources(folder: Path, root: Path = ROOT) -> None:
    """Copy the contracts into a folder, with a link to what they import."""
    shutil.copytree(root / "contracts", folder / "contracts", ignore=WITHOUT)
    (folder / "node_modules").symlink_to(root / "node_modules")


def build_info(folder: Path, root: Path = ROOT) -> None:
    """Also write what forge calls build info, without bytecode: Slither reads the syntax trees."""
    (folder / "foundry.toml").write_text("[profile.default]\n")
    (folder / "build").mkdir()
    (folder / "build" / "contracts.json").write_text(json.dumps(_compile(folder, root)))


def _compile(folder: Path, root: Path) -> dict[str, Any]:
    names = [path.relative_to(folder).as_posix() for path in sorted((folder / "contracts").rglob("*.sol"))]
    given = {
        "language": "Solidity",
        "sources": {name: {"content": (folder / name).read_text()} for name in names},
        "settings": {"evmVersion": "cancun", "outputSelection": {"*": {"": ["ast"], "*": ["abi"]}}},
    }
    done = subprocess.run(
        [str(SOLC), "--standard-json", "--base-path", str(root)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(native(done.stdout))
    errors = [error["formattedMessage"] for error in output.get("errors", []) if error["severity"] == "error"]
    if errors:
        raise AuditError("\n".join(errors))
    empty = {"object": "", "sourceMap": ""}
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": empty, "deployedBytecode": empty, "methodIdentifiers": {}}
    return {"solcVersion": "0.8.30", "solcLongVersion": "0.8.30", "input": given, "output": output}
