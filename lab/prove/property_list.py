"""The properties that are proved, as properties.yaml lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.fuzz.mutant_list import Edit, Mutant

LIST = Path(__file__).with_name("properties.yaml")
SNAPSHOT = Path(__file__).with_name("proofs.snapshot.json")
"""What `make prove` has found, as `python -m lab.prove snapshot` kept it."""
SECONDS = 120


@dataclass(frozen=True)
class Property:
    """One statement. `group`: the part of the contracts it is of. `folder`, `contract`,
    `function`: where it stands in Solidity.

    `bound`: for which inputs it is proved. `broken`: the contracts changed so that it no longer holds. `loop`: how
    often a loop is followed. `seconds`: when to give up. `open`: it was tried, and not decided in that time. `quick`:
    it is among those of `--quick`. `blocks`: the assembly that it compares with plain Solidity, see assembly.py.
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
    blocks: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """The Solidity file, from the root of the tree."""
        return Path("lab") / "prove" / self.folder / f"{self.contract}.t.sol"


@cache
def every_property() -> tuple[Property, ...]:
    """All of them, in the list's order. Raises KeyError or TypeError where the list is not as it should be."""
    groups: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return tuple(_property(group, entry) for group in groups for entry in group["properties"])


def _property(group: dict[str, Any], entry: dict[str, Any]) -> Property:
    given = dict(entry)
    name, broken = given.pop("name"), given.pop("broken")
    edit = Edit(broken.get("file", group["file"]), broken["old"], broken["new"])
    contract = given.pop("contract", group.get("contract"))
    folder = group.get("folder", "parts")
    blocks = tuple(given.pop("blocks", ()))
    mutant = Mutant(name, "", (edit,))
    return Property(
        name=name, group=group["of"], contract=contract, folder=folder, broken=mutant, blocks=blocks, **given
    )
