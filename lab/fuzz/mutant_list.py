"""The deliberate defects of the contracts that mutants.yaml lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LIST = Path(__file__).with_name("mutants.yaml")
FIXED = "FixedWeightInvariants"


@dataclass(frozen=True)
class Edit:
    """Replaces `old`, which occurs exactly once in `file`, by `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """`invariant`: name of the invariant that must fail first. `setup`: the test contract to run."""

    name: str
    invariant: str
    edits: tuple[Edit, ...]
    setup: str = FIXED


@cache
def every_mutant() -> tuple[Mutant, ...]:
    """All mutants, in the list's order."""
    return tuple(_mutant(entry) for entry in yaml.safe_load(LIST.read_text(encoding="utf-8")))


def _mutant(entry: dict[str, Any]) -> Mutant:
    edits = tuple(Edit(edit["file"], edit["old"], edit["new"]) for edit in entry.get("edits", (entry,)))
    return Mutant(entry["name"], entry["invariant"], edits, entry.get("setup", FIXED))
