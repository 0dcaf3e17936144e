"""What docs/security.md says of the proofs, written from the list of properties and the snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lab.prove.assembly import blocks
from lab.prove.property_list import SNAPSHOT, every_property
from lab.prove.sources import sources
from tools.marked import filled

BEGIN = "<!-- properties: written by python -m lab.prove list -->"
END = "<!-- end of properties -->"
STALE = "stale"
"""Of what was found, where the sources have changed since."""


class Seen(NamedTuple):
    """What the snapshot has of a property and of its broken variant, with the seconds that both took."""

    result: str
    broken: str
    seconds: float


UNSEEN = Seen("unjudged", "unjudged", 0.0)


def manual(text: str, found: Mapping[str, Seen]) -> str:
    """The text of docs/security.md with figures and table as they should be. Raises ValueError without the marks."""
    return filled(text, BEGIN, END, f"{_figures(found)}\n\n{_table(found)}\n\n{_of_assembly(found)}")


def seen() -> dict[str, Seen]:
    """What the snapshot has of each property, "stale" where that was of other sources."""
    entries = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["properties"] if SNAPSHOT.exists() else []
    kept = {entry["property"]: entry for entry in entries}
    return {p.name: _seen(p.name, kept[p.name]) for p in every_property() if p.name in kept}


def stale(found: Mapping[str, Seen]) -> list[str]:
    """The names of properties that were judged of other sources, or whose variant was."""
    return [name for name, (result, broken, _) in found.items() if STALE in (result, broken)]


def _seen(name: str, entry: dict[str, Any]) -> Seen:
    (proved,) = (p for p in every_property() if p.name == name)
    result, broken = entry["result"], entry["broken"]
    if result != UNSEEN.result and entry["sources"] != sources(proved):
        result = STALE
    if broken != UNSEEN.broken and entry["broken_sources"] != sources(proved, broken=True):
        broken = STALE
    return Seen(result, broken, entry["seconds"] + entry["broken_seconds"])


def _figures(found: Mapping[str, Seen]) -> str:
    of = [found.get(p.name, UNSEEN) for p in every_property()]
    proved = [one for one in of if one.result == "proved"]
    both = [one for one in proved if one.broken == "refuted"]
    rest = {name: sum(one.result == name for one in of) for name in sorted({one.result for one in of} - {"proved"})}
    others = "".join(f"; {count} {name}" for name, count in rest.items())
    seconds = sum(one.seconds for one in of)
    return (
        f"Of {len(of)} properties **{len(proved)} are proved, {len(both)} of them with the broken variant refuted**"
        f"{others}. {seconds:,.0f} s without the compiler."
    )


def _table(found: Mapping[str, Seen]) -> str:
    lines = ["| of | property | for | found | variant |", "|---|---|---|---|---|"]
    for proved in every_property():
        told = f"{proved.says} *(open)*" if proved.open else proved.says
        result, broken, _ = found.get(proved.name, UNSEEN)
        lines.append(f"| {proved.group} | {told} | {proved.bound} | {result} | {broken} |")
    return "\n".join(lines)


def _of_assembly(found: Mapping[str, Seen]) -> str:
    lines = ["| assembly in | compared with plain Solidity by | found |", "|---|---|---|"]
    for block in dict.fromkeys(blocks()):
        names = [p.name for p in every_property() if block in p.blocks]
        told = ", ".join(f"`{name}`" for name in names)
        results = ", ".join(dict.fromkeys(found.get(name, UNSEEN).result for name in names))
        lines.append(f"| `{block}` | {told} | {results} |")
    return "\n".join(lines)
