"""Findings of the tools, and the list of those that are explained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

TRIAGE = Path(__file__).with_name("triage.yaml")


class AuditError(Exception):
    """A tool could not be run, or its findings are not those that are explained."""


@dataclass(frozen=True)
class Finding:
    """A tool's finding. `where`: Contract.function, or the name of what it concerns."""

    tool: str
    check: str
    where: str
    impact: str
    text: str

    def __str__(self) -> str:
        return f"{self.tool} {self.impact} {self.check} at {self.where}: {' '.join(self.text.split())}"


@dataclass(frozen=True)
class Entry:
    """Findings of a tool's kind `check` where the whole place matches `where`, and why they are no defect."""

    tool: str
    check: str
    where: str
    reason: str

    def explains(self, finding: Finding) -> bool:
        """Whether the finding is one of these."""
        same = (self.tool, self.check) == (finding.tool, finding.check)
        return same and re.fullmatch(self.where, finding.where) is not None


def triage(path: Path = TRIAGE) -> list[Entry]:
    """The explained findings. Raises AuditError for an entry without a reason."""
    entries = [Entry(tool, **raw) for tool, raws in yaml.safe_load(path.read_text()).items() for raw in raws]
    for entry in entries:
        if not entry.reason.strip():
            raise AuditError(f"{path.name}: {entry.tool} {entry.check} at {entry.where}: expected a reason")
    return entries


def judged(findings: Iterable[Finding], entries: Sequence[Entry]) -> tuple[list[Finding], list[Entry]]:
    """Findings that no entry explains, and the entries that explain nothing."""
    used: set[Entry] = set()
    left: list[Finding] = []
    for finding in findings:
        found = [entry for entry in entries if entry.explains(finding)]
        used.update(found)
        if not found:
            left.append(finding)
    return left, [entry for entry in entries if entry not in used]
