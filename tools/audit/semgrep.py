"""semgrep: this project's own rules for its Solidity (`rules/ballast.yaml`), and others' rules from a folder, if given.

semgrep comes without rules for Solidity, and no package that we install carries those that others publish, such as
`solidity/security` of Decurity/semgrep-smart-contracts: an auditor names the folder.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.audit.findings import AuditError, Finding
from tools.audit.stage import program, run, sources

RULES = Path(__file__).with_name("rules")
"""The project's rules, and `broken/`: contracts in which each of them has to find exactly what is marked."""
OWN, OTHERS = "semgrep", "semgrep-others"
_MARK = re.compile(r"// found: ([\w-]+)$")
_FUNCTION = re.compile(r"^    (?:function (\w+)|(receive|constructor))\b")


def own(folder: Path) -> list[Finding]:
    """Findings of the project's rules. Raises AuditError, also where a rule does not find exactly what is marked."""
    shutil.copytree(RULES / "broken", folder / "broken")
    check(folder / "broken", _scan(folder / "broken", RULES / "ballast.yaml"))
    sources(folder)
    return [read(raw, folder) for raw in _scan(folder, RULES / "ballast.yaml")]


def others(folder: Path, rules: Path) -> list[Finding]:
    """All findings of the rules in a folder. Raises AuditError, also where a file could not be read."""
    if not any(rules.rglob("*.y*ml")):
        raise AuditError(f"--rules {rules}: expected a folder with semgrep's rules (*.yaml)")
    sources(folder)
    return [read(raw, folder, OTHERS) for raw in _scan(folder, rules.resolve())]


def check(folder: Path, found: Iterable[Mapping[str, Any]]) -> None:
    """Raises AuditError unless findings begin at exactly the lines of a folder's contracts that are marked for them."""
    marked = {
        (mark[1], file.name, number)
        for file in folder.rglob("*.sol")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (mark := _MARK.search(line))
    }
    seen = {(_rule(raw), Path(raw["path"]).name, int(raw["start"]["line"])) for raw in found}
    for words, cases in (("does not find", marked - seen), ("should not find", seen - marked)):
        for rule, name, line in sorted(cases):
            raise AuditError(f"semgrep: {rule} {words} line {line} of {name} in {RULES.name}/broken")


def read(raw: Mapping[str, Any], folder: Path, tool: str = OWN) -> Finding:
    """Reads a finding of semgrep's report. Its place: the file, and the last function that begins above its end."""
    extra, path = raw["extra"], folder / raw["path"]
    above = path.read_text().splitlines()[: raw["end"]["line"]]
    names = [found[1] or found[2] for line in above if (found := _FUNCTION.match(line))]
    where = f"{path.stem}.{names[-1]}" if names else path.stem
    return Finding(tool, _rule(raw), where, extra["severity"], f"line {raw['start']['line']}: {extra['message']}")


def _rule(raw: Mapping[str, Any]) -> str:
    return str(raw["check_id"]).rsplit(".", 1)[-1]


def _scan(folder: Path, rules: Path) -> list[dict[str, Any]]:
    """Findings of the rules in a folder's contracts. Raises AuditError where a rule or a file could not be read."""
    report = folder / "report.json"
    quiet = ("--metrics", "off", "--disable-version-check", "--no-git-ignore", "--quiet")
    command: list[str | Path] = [
        program("semgrep", "semgrep"),
        "scan",
        *quiet,
        "--config",
        rules,
        "--json-output",
        report,
    ]
    said = run([*command, "contracts"], folder, {"SEMGREP_SETTINGS_FILE": str(folder / "settings.yml")})
    if not report.exists():
        raise AuditError(f"semgrep failed:\n{said}")
    document = json.loads(report.read_text())
    if document["errors"]:
        raise AuditError(f"semgrep: {len(document['errors'])} errors, such as {document['errors'][0]['message']}")
    found: list[dict[str, Any]] = document["results"]
    return found
