"""The properties that are proved, as properties.yaml lists them, and the table of them in docs/security.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.fuzz.mutant_list import Edit, Mutant
from tools.marked import filled

LIST = Path(__file__).with_name("properties.yaml")
SNAPSHOT = Path(__file__).with_name("proofs.snapshot.json")
"""What `make prove` has found, as `python -m lab.prove snapshot` kept it."""
BEGIN = "<!-- properties: written by python -m lab.prove list -->"
END = "<!-- end of properties -->"
SECONDS = 120


@dataclass(frozen=True)
class Property:
    """One statement. `group`: the part of the contracts it is of. `folder`, `contract`,
    `function`: where it stands in Solidity.

    `bound`: for which inputs it is proved. `broken`: the contracts changed so that it no longer holds. `loop`: how
    often a loop is followed. `seconds`: when to give up. `open`: it was tried, and not decided in that time. `quick`:
    it is among those of `--quick`.
    """

    name: str
    group: str
    says: str
    bound: str
    contract: str
    function: str
    broken: Mutant
    loop: int = 8
    seconds: int = SECONDS
    folder: str = "parts"
    open: bool = False
    quick: bool = False

    @property
    def file(self) -> Path:
        """The Solidity file, from the root of the tree."""
        return Path("lab") / "prove" / self.folder / f"{self.contract}.t.sol"


@cache
def every_property() -> tuple[Property, ...]:
    """All of them, in the list's order. Raises KeyError or TypeError where the list is not as it should be."""
    groups: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return tuple(_property(group, entry) for group in groups for entry in group["properties"])


def manual(text: str, found: Mapping[str, tuple[str, str]]) -> str:
    """The text of docs/security.md with the table as it should be. Raises ValueError without the marks.

    `found`: the result of each property, and of its broken variant.
    """
    return filled(text, BEGIN, END, _table(found))


def seen() -> dict[str, tuple[str, str]]:
    """The snapshot's results of each property and of its broken variant."""
    entries = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["properties"] if SNAPSHOT.exists() else []
    return {entry["property"]: (entry["result"], entry["broken"]) for entry in entries}


def _table(found: Mapping[str, tuple[str, str]]) -> str:
    lines = ["| of | property | for | found | variant |", "|---|---|---|---|---|"]
    for proved in every_property():
        told = f"{proved.says} *(open)*" if proved.open else proved.says
        result, broken = found.get(proved.name, ("unjudged", "unjudged"))
        lines.append(f"| {proved.group} | {told} | {proved.bound} | {result} | {broken} |")
    return "\n".join(lines)


def _property(group: dict[str, Any], entry: dict[str, Any]) -> Property:
    given = dict(entry)
    name, broken = given.pop("name"), given.pop("broken")
    edit = Edit(broken.get("file", group["file"]), broken["old"], broken["new"])
    contract = given.pop("contract", group.get("contract"))
    folder = group.get("folder", "parts")
    mutant = Mutant(name, "", (edit,))
    return Property(name=name, group=group["of"], contract=contract, folder=folder, broken=mutant, **given)
