"""What docs/security.md says of the proofs, written from the list of properties and the snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ballast.marked import filled
from lab.prove.assembly import blocks
from lab.prove.property_list import SNAPSHOT, every_property
from lab.prove.sources import sources

BEGIN = "<!-- properties: written by python -m lab.prove list -->"
END = "<!-- end of properties -->"
STALE = "stale"
"""Of what was found, where the sources have changed since."""


class Seen(NamedTuple):
    """What the snapshot has of a property and of its broken variant, with the seconds that each took."""

    result: str
    broken: str
    seconds: float
    broken_seconds: float


UNSEEN = Seen("unjudged", "unjudged", 0.0, 0.0)


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
    return [name for name, one in found.items() if STALE in (one.result, one.broken)]


def _seen(name: str, entry: dict[str, Any]) -> Seen:
    (proved,) = (p for p in every_property() if p.name == name)
    result, broken = entry["result"], entry["broken"]
    if result != UNSEEN.result and entry["sources"] != sources(proved):
        result = STALE
    if broken != UNSEEN.broken and entry["broken_sources"] != sources(proved, broken=True):
        broken = STALE
    return Seen(result, broken, entry["seconds"], entry["broken_seconds"])


def _figures(found: Mapping[str, Seen]) -> str:
    of = {p.name: found.get(p.name, UNSEEN) for p in every_property()}
    proved = {name: one for name, one in of.items() if one.result == "proved"}
    both = [name for name, one in proved.items() if one.broken == "refuted"]
    seconds = sum(one.seconds + one.broken_seconds for one in of.values())
    lines = [
        f"Of {len(of)} properties **{len(proved)} are proved, {len(both)} of them with the broken variant refuted**; "
        f"{seconds:,.0f} s without the compiler."
    ]
    rest = [f"`{name}` ({_why(one)})" for name, one in of.items() if name not in proved]
    empty = [f"`{name}` ({one.broken})" for name, one in proved.items() if name not in both]
    for told, names in (("Not proved", rest), ("Proved, the variant not refuted", empty)):
        if names:
            lines.append(f"- {told}: {', '.join(names)}.")
    return "\n".join(lines) if len(lines) == 1 else "\n".join([lines[0], "", *lines[1:]])


def _why(one: Seen) -> str:
    return one.result if one.result in (STALE, UNSEEN.result) else f"{one.result} after {one.seconds:.0f} s"


def _table(found: Mapping[str, Seen]) -> str:
    lines = ["| of | property | for | found | variant |", "|---|---|---|---|---|"]
    for proved in every_property():
        told = f"{proved.says} *(open)*" if proved.open else proved.says
        one = found.get(proved.name, UNSEEN)
        lines.append(f"| {proved.group} | {told} | {proved.bound} | {one.result} | {one.broken} |")
    return "\n".join(lines)


def _of_assembly(found: Mapping[str, Seen]) -> str:
    lines = ["| assembly in | compared with plain Solidity by | found |", "|---|---|---|"]
    for block in dict.fromkeys(blocks()):
        names = [p.name for p in every_property() if block in p.blocks]
        told = ", ".join(f"`{name}`" for name in names)
        results = ", ".join(dict.fromkeys(found.get(name, UNSEEN).result for name in names))
        lines.append(f"| `{block}` | {told} | {results} |")
    return "\n".join(lines)
