"""What was executed, as lines and branches of the sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.coverage.compiled import Range, places, sources
from tools.coverage.tracing import Hits

BOTH = 2
"""Ways out of a decision."""


@dataclass(frozen=True)
class Reached:
    """A file's lines and branches: their numbers, and the lines of those that nothing reached.

    `no_jump`: lines of decisions for which the compiler made no jump that its map names; their branches do not count.
    """

    file: str
    lines: int
    lines_left: tuple[int, ...]
    branches: int
    branches_left: tuple[int, ...]
    no_jump: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        left = {"lines_left": self.lines_left, "branches_left": self.branches_left, "no_jump": self.no_jump}
        return {**figures([self]), **{name: list(lines) for name, lines in left.items()}}


def reached(output: Mapping[str, Any], hits: Hits) -> list[Reached]:
    """The coverage of each file that has code, by name.

    A line counts where it has code of its own in any contract, and is reached where that of any contract was executed.
    A decision counts where it has a jump in any contract; both branches are reached where one jump went both ways.
    """
    files = sources(output)
    lines: dict[str, dict[int, bool]] = defaultdict(dict)
    ways: dict[str, dict[Range, int]] = defaultdict(dict)
    for contract in output["contracts"]:
        done = hits.get(contract, {})
        for place in places(output, contract):
            file = files.get(place.file)
            if file is None:
                continue
            seen = done.get(place.pc, 0)
            if place.range not in file.whole:
                line = file.line(place.range[0])
                lines[file.name][line] = lines[file.name].get(line, False) or bool(seen)
            if place.decides and place.range in file.decisions:
                decision = file.decisions[place.range]
                count = (seen & 6).bit_count()
                ways[file.name][decision] = max(ways[file.name].get(decision, 0), count)
    return [
        Reached(
            name,
            len(lines[name]),
            tuple(sorted(line for line, there in lines[name].items() if not there)),
            BOTH * len(ways[name]),
            tuple(sorted(files[name].line(at) for (at, _), count in ways[name].items() for _ in range(BOTH - count))),
            tuple(sorted(files[name].line(at) for at, _ in {*files[name].decisions.values()} - {*ways[name]})),
        )
        for name in sorted(lines)
    ]


def merged(parts: Iterable[Mapping[str, Any]]) -> Hits:
    """Merges what several processes have written."""
    found: Hits = {}
    for part in parts:
        for contract, places_ in part["hits"].items():
            into = found.setdefault(contract, {})
            for pc, seen in places_.items():
                into[int(pc)] = into.get(int(pc), 0) | seen
    return found


def figures(found: Iterable[Reached]) -> dict[str, Any]:
    """Totals of the files: whole lines and branches, and percent rounded down to a tenth."""
    every = list(found)
    counts = {"lines": sum(one.lines for one in every), "branches": sum(one.branches for one in every)}
    left = {
        "lines": sum(len(one.lines_left) for one in every),
        "branches": sum(len(one.branches_left) for one in every),
    }
    said: dict[str, Any] = {"decisions_without_jump": sum(len(one.no_jump) for one in every)}
    for name, count in counts.items():
        there = count - left[name]
        said |= {
            name: count,
            f"{name}_reached": there,
            f"{name}_percent": there * 1000 // count / 10 if count else 100.0,
        }
    return said


def table(found: Iterable[Reached]) -> str:
    """A line for each file, with its lines that are not reached, or not in each way."""
    rows = [f"{'file':44}{'lines':>12}{'branches':>12}  not reached"]
    for one in found:
        lines = f"{one.lines - len(one.lines_left)}/{one.lines}"
        branches = f"{one.branches - len(one.branches_left)}/{one.branches}"
        left = ", ".join(str(line) for line in sorted({*one.lines_left, *one.branches_left}))
        rows.append(f"{one.file.removeprefix('contracts/'):44}{lines:>12}{branches:>12}  {left}".rstrip())
    return "\n".join(rows)
