"""Slither over the contracts, against the list of explained findings: `python tools/slither.py`.

Every finding of high or medium impact must match an entry of tools/slither_triage.yaml, which says why it is no
fault; an entry that matches nothing is an error too. Writes out/slither.json. Slither has a Python of its own
(.tools/slither); it is given the compiler's syntax trees, because it knows no compiler that is an npm package.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ballast.build import ROOT
from lab.localnet.artifacts import SOLC

SLITHER = ROOT / ".tools" / "slither" / "bin" / "slither"
FOUNDRY = ROOT / ".tools" / "foundry" / "bin"
TRIAGE = ROOT / "tools" / "slither_triage.yaml"
OUT = ROOT / "out" / "slither.json"
APART = ("contracts/testing/",)
"""Folders that are never deployed for money."""
LOOKED_AT = ("High", "Medium")


class SlitherError(Exception):
    """Slither could not be run, or its findings are not those that are explained."""


@dataclass(frozen=True)
class Entry:
    """Findings of kind `check` where the place matches `where` whole, and why they are no fault."""

    check: str
    where: str
    reason: str

    def explains(self, check: str, where: str) -> bool:
        """Whether the finding is one of these."""
        return self.check == check and re.fullmatch(self.where, where) is not None


def triage(path: Path = TRIAGE) -> list[Entry]:
    """The explained findings. Raises SlitherError for an entry without a reason."""
    entries = [Entry(**raw) for raw in yaml.safe_load(path.read_text())]
    for entry in entries:
        if not entry.reason.strip():
            raise SlitherError(f"{path.name}: {entry.check} at {entry.where}: expected a reason")
    return entries


def unexplained(findings: list[dict[str, Any]], entries: list[Entry]) -> tuple[list[str], list[Entry]]:
    """Findings that no entry explains, as lines, and the entries that explain nothing."""
    used: set[Entry] = set()
    lines: list[str] = []
    for finding in findings:
        where = place(finding)
        found = [entry for entry in entries if entry.explains(finding["check"], where)]
        used.update(found)
        if not found:
            lines.append(f"{finding['impact']} {finding['check']} at {where}: {finding['description'].strip()}")
    return lines, [entry for entry in entries if entry not in used]


def place(finding: dict[str, Any]) -> str:
    """Contract.function of a finding's first function, else its first element's name."""
    for element in finding["elements"]:
        if element["type"] == "function":
            return f"{element['type_specific_fields']['parent']['name']}.{element['name']}"
    return str(finding["elements"][0]["name"])


def findings(root: Path = ROOT) -> list[dict[str, Any]]:
    """Findings of high and medium impact, in the contracts' own files."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        (stage / "contracts").symlink_to(root / "contracts")
        (stage / "node_modules").symlink_to(root / "node_modules")
        (stage / "foundry.toml").write_text("[profile.default]\n")
        info = stage / "build"
        info.mkdir()
        (info / "contracts.json").write_text(json.dumps(_compile(root)))
        report = stage / "report.json"
        done = subprocess.run(
            [
                *(str(SLITHER), ".", "--ignore-compile", "--compile-force-framework", "foundry"),
                *("--foundry-build-info-directory", "build", "--filter-paths", "node_modules", "--json", str(report)),
                *("--exclude-informational", "--exclude-low", "--exclude-optimization"),
            ],
            cwd=stage,
            env={**os.environ, "PATH": f"{FOUNDRY}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise SlitherError(f"slither failed:\n{done.stdout}{done.stderr}")
        document = json.loads(report.read_text())
        if not document["success"]:
            raise SlitherError(f"slither failed: {document['error']}")
    return [finding for finding in document["results"].get("detectors", []) if finding["impact"] in LOOKED_AT]


def _compile(root: Path) -> dict[str, Any]:
    """What forge calls build info, without bytecode: Slither reads the syntax trees."""
    files = [path.relative_to(root).as_posix() for path in sorted((root / "contracts").rglob("*.sol"))]
    sources = {name: {"content": (root / name).read_text()} for name in files if not name.startswith(APART)}
    given = {
        "language": "Solidity",
        "sources": sources,
        "settings": {"evmVersion": "cancun", "outputSelection": {"*": {"": ["ast"], "*": ["abi"]}}},
    }
    done = subprocess.run(
        [str(SOLC), "--standard-json", "--base-path", str(root)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(done.stdout)
    errors = [error["formattedMessage"] for error in output.get("errors", []) if error["severity"] == "error"]
    if errors:
        raise SlitherError("\n".join(errors))
    empty = {"object": "", "sourceMap": ""}
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": empty, "deployedBytecode": empty, "methodIdentifiers": {}}
    return {"solcVersion": "0.8.30", "solcLongVersion": "0.8.30", "input": given, "output": output}


def main() -> int:
    """Exit code: 0 where everything is explained."""
    try:
        entries, found = triage(), findings()
        lines, idle = unexplained(found, entries)
    except SlitherError as error:
        print(f"slither: {error}", file=sys.stderr)
        return 1
    counts = Counter((finding["impact"], finding["check"]) for finding in found)
    for (impact, check), count in sorted(counts.items()):
        print(f"{impact:8}{check:32}{count:4}")
    OUT.parent.mkdir(exist_ok=True)
    document = {
        "findings": [{"impact": impact, "check": check, "count": n} for (impact, check), n in sorted(counts.items())],
        "unexplained": lines,
    }
    OUT.write_text(json.dumps(document, indent=2) + "\n")
    for line in lines:
        print(f"not explained: {line}", file=sys.stderr)
    for entry in idle:
        print(f"explains nothing any more: {entry.check} at {entry.where}", file=sys.stderr)
    print(f"{len(found)} findings of high or medium impact, {len(lines)} not explained")
    return 1 if lines or idle else 0


if __name__ == "__main__":
    sys.exit(main())
