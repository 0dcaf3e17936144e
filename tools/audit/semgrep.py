"""semgrep with a folder of rules for Solidity, such as `solidity/security` of Decurity/semgrep-smart-contracts.

semgrep comes without rules, and no package of the registries that `make setup` uses carries those: who audits names the
folder. Without one this tool is not run, and the table says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.audit.findings import AuditError, Finding
from tools.audit.stage import program, run, sources


def detectors(folder: Path, rules: Path) -> list[Finding]:
    """All findings of the rules in a folder. Raises AuditError, also where a file could not be read."""
    if not any(rules.rglob("*.y*ml")):
        raise AuditError(f"--rules {rules}: expected a folder with semgrep's rules (*.yaml)")
    sources(folder)
    report = folder / "report.json"
    quiet = ("--metrics", "off", "--disable-version-check", "--no-git-ignore", "--quiet")
    command: list[str | Path] = [
        program("semgrep", "semgrep"),
        "scan",
        *quiet,
        "--config",
        rules.resolve(),
        "--json-output",
        report,
    ]
    said = run([*command, "contracts"], folder, {"SEMGREP_SETTINGS_FILE": str(folder / "settings.yml")})
    if not report.exists():
        raise AuditError(f"semgrep failed:\n{said}")
    document = json.loads(report.read_text())
    if document["errors"]:
        raise AuditError(f"semgrep: {len(document['errors'])} errors, such as {document['errors'][0]['message']}")
    return [read(raw) for raw in document["results"]]


def read(raw: dict[str, Any]) -> Finding:
    """A finding of semgrep's report. Its place is the file's name: semgrep names no function."""
    extra = raw["extra"]
    check = raw["check_id"].rsplit(".", 1)[-1]
    text = f"line {raw['start']['line']}: {extra['message']}"
    return Finding("semgrep", check, Path(raw["path"]).stem, extra["severity"], text)
