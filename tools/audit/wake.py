"""Runs Wake's detectors (eth-wake)."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from eth_utils import keccak

from ballast.build import ROOT
from lab.localnet.artifacts import SOLC
from tools.audit.findings import AuditError, Finding
from tools.audit.stage import WITHOUT, program, run

COMPILER = "solc-linux-amd64-v0.8.30"
_FUNCTION = re.compile(r"\bfunction (\w+)")
REPORT = Path(".wake") / "detections.json"
_CONFIG = """[compiler.solc]
target_version = "0.8.30"
evm_version = "cancun"
include_paths = ["{packages}"]
[detectors]
exclude_paths = ["{packages}"]
ignore_paths = ["{packages}"]
"""


def detectors(folder: Path) -> list[Finding]:
    """All findings, of any impact and confidence, in the contracts' own files. Raises AuditError."""
    project = folder / "project"
    project.mkdir()
    # Wake takes every Solidity file under a project for its own: what is imported must be elsewhere.
    shutil.copytree(ROOT / "contracts", project / "contracts", ignore=WITHOUT)
    (project / "wake.toml").write_text(_CONFIG.format(packages=ROOT / "node_modules"))
    lay_compiler(folder / "data" / "wake" / "compilers")
    variables = {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("data", "cache", "config")}
    levels = ("--min-impact", "info", "--min-confidence", "low")
    command: list[str | Path] = [
        program("wake", "wake"),
        "detect",
        "--no-artifacts",
        "--export",
        "json",
        "all",
        *levels,
    ]
    said = run(command, project, variables)
    if not (project / REPORT).exists():
        raise AuditError(f"wake failed:\n{said}")
    return [read(raw) for raw in json.loads((project / REPORT).read_text())]


def read(raw: dict[str, Any]) -> Finding:
    """Reads a finding of Wake's report. Its place: the contract, and the last function that begins above its end."""
    found = raw["detection"]
    at = found["location"]
    above = Path(at["path"]).read_text().encode()[: at["end_offset"]].decode()
    names = _FUNCTION.findall(above)
    where = f"{at['contract']}.{names[-1]}" if names else str(at["contract"])
    text = f"{at['relative_path']}:{at['start_line']}: {found['message']}"
    return Finding("wake", raw["detector_name"], where, raw["impact"], text)


def lay_compiler(folder: Path) -> None:
    """Put the set-up's compiler where Wake keeps those that it downloads, with Wake's list of them."""
    path = folder / COMPILER / COMPILER
    path.parent.mkdir(parents=True)
    command = shlex.join([sys.executable, str(Path(__file__).with_name("native_ids.py")), str(SOLC)])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    build = {
        "path": COMPILER,
        "version": "0.8.30",
        "build": "",
        "longVersion": "0.8.30",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "keccak256": keccak(path.read_bytes()).hex(),
        "urls": [],
    }
    found = {"builds": [build], "releases": {"0.8.30": COMPILER}, "latestRelease": "0.8.30"}
    (folder / "solc.json").write_text(json.dumps(found))
