"""Slither: its detectors' findings of high and medium impact, and its check of ERCs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tools.audit.findings import AuditError, Finding
from tools.audit.stage import FOUNDRY, build_info, program, run, sources

LOOKED_AT = ("High", "Medium")
ERCS = (("IndexToken", "erc20"),)
"""Contracts and the standards that they claim, among those that Slither knows."""
UNREAD = "not-analysed"
_COMPILED = ("--ignore-compile", "--compile-force-framework", "foundry", "--foundry-build-info-directory", "build")
_PATH = {"PATH": f"{FOUNDRY}{os.pathsep}{os.environ['PATH']}"}


def detectors(folder: Path) -> list[Finding]:
    """Findings of high and medium impact in the contracts' own files. Raises AuditError."""
    _stage(folder)
    report = folder / "report.json"
    quiet = ("--exclude-informational", "--exclude-low", "--exclude-optimization", "--filter-paths", "node_modules")
    said = run([program("slither", "slither"), ".", *_COMPILED, *quiet, "--json", report], folder, _PATH)
    if not report.exists():
        raise AuditError(f"slither failed:\n{said}")
    document = json.loads(report.read_text())
    if not document["success"]:
        raise AuditError(f"slither failed: {document['error']}")
    return unread(said) + [
        Finding("slither", raw["check"], place(raw), raw["impact"], raw["description"])
        for raw in document["results"].get("detectors", [])
        if raw["impact"] in LOOKED_AT
    ]


def ercs(folder: Path) -> list[Finding]:
    """Where a contract departs from the standard that it claims. Raises AuditError."""
    _stage(folder)
    found: list[Finding] = []
    for contract, erc in ERCS:
        report = folder / f"{contract}-{erc}.json"
        command: list[str | Path] = [
            program("slither", "slither-check-erc"),
            ".",
            contract,
            "--erc",
            erc,
            *_COMPILED,
            "--json",
            report,
        ]
        said = run(command, folder, _PATH)
        if not report.exists() or f"Check {contract}" not in said:
            raise AuditError(f"slither-check-erc failed:\n{said}")
        rows: dict[str, list[dict[str, Any]]] = json.loads(report.read_text())["results"].get("erc-conformance", {})
        found += [
            Finding("slither-check-erc", kind, contract, erc, row["description"])
            for kind, failed in rows.items()
            for row in failed
        ]
    return found


def unread(said: str) -> list[Finding]:
    """The functions that Slither could not read: its detectors find nothing in them."""
    names = dict.fromkeys(re.findall(r"Impossible to generate IR for (\w+\.\w+)", said))
    return [Finding("slither", UNREAD, name, "High", "Slither cannot read this function") for name in names]


def place(finding: dict[str, Any]) -> str:
    """Contract.function of a finding's first function, else its first element's name."""
    for element in finding["elements"]:
        if element["type"] == "function":
            return f"{element['type_specific_fields']['parent']['name']}.{element['name']}"
    return str(finding["elements"][0]["name"])


def _stage(folder: Path) -> None:
    if not (folder / "build").exists():
        sources(folder)
        build_info(folder)
