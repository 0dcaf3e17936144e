"""Figures of a benchmark as rows, table, JSON and picture, and the comparison with the committed snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ballast.files import replace_json
from lab.bench import zaps
from lab.bench.errors import BenchError

OPS = (
    "mint",
    "mint_first",
    "redeem",
    "accrue_fee",
    "determine",
    "determine_first",
    "start",
    "start_first",
    "slice",
    *zaps.OPS,
)
DRAWN = ("mint", "redeem", "accrue_fee", "start", "slice")

Gas = Mapping[int, Mapping[str, int]]
"""Gas by number of components and operation."""


@dataclass(frozen=True)
class Row:
    """Gas of one operation with n components; None where a competitor has no such operation."""

    op: str
    n: int
    ours: int
    set_v2: int | None
    floor: int | None


def rows_of(ours: Gas, set_v2: Gas, floor: Gas) -> list[Row]:
    """One row for each operation of ours, by operation and size."""
    return [
        Row(op, n, ours[n][op], set_v2.get(n, {}).get(op), floor.get(n, {}).get(op))
        for op in OPS
        for n in sorted(ours)
        if op in ours[n]
    ]


def show(console: Console, rows: Sequence[Row]) -> None:
    """Prints the table."""
    table = Table(
        title="Gas of the whole transaction (slice: of a batch, for each component), and ours over the others'"
    )
    table.add_column("operation", no_wrap=True)
    for name in ("n", "ours", "Set V2", "floor", "/ Set", "/ floor"):
        table.add_column(name, justify="right", no_wrap=True)
    previous = ""
    for row in rows:
        if previous and previous != row.op:
            table.add_section()
        numbers = [_number(value) for value in (row.ours, row.set_v2, row.floor)]
        table.add_row(row.op, str(row.n), *numbers, _ratio(row.ours, row.set_v2), _ratio(row.ours, row.floor))
        previous = row.op
    console.print(table)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _ratio(ours: int, other: int | None) -> str:
    return "" if other is None else f"{ours / other:.3f}"


def save(path: Path, rows: Sequence[Row]) -> None:
    """Puts the rows under `gas` into a JSON file and leaves its other keys as they are. Raises BenchError."""
    put(path, "gas", [asdict(row) for row in rows])


def put(path: Path, key: str, value: object) -> None:
    """Puts a value under a key of a JSON file and leaves the others as they are. Raises BenchError."""
    replace_json(path, {**load(path), key: value}, indent=1)


def load(path: Path) -> dict[str, Any]:
    """The figures measured so far, by key; none if there is no file. Raises BenchError."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BenchError(f"{path}: not JSON ({error}); remove it and measure again") from None
    if not isinstance(content, dict):
        raise BenchError(f"{path}: holds a {type(content).__name__}, expected an object; remove it")
    return content


def draw(path: Path, rows: Sequence[Row]) -> None:
    """Draws gas over the number of components, one panel for each main operation."""
    # Imported here: it takes a second, which a check need not wait for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(3.4 * len(DRAWN), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, op in zip(figure.subplots(1, len(DRAWN)), DRAWN, strict=True):
        for name, label in (("ours", "Ballast"), ("set_v2", "Set V2"), ("floor", "floor")):
            points = [(row.n, getattr(row, name)) for row in rows if row.op == op and getattr(row, name) is not None]
            if points:
                panel.plot(*zip(*points, strict=True), marker="o", markersize=4, label=label)
        panel.set_title(op)
        panel.set_xlabel("components")
        panel.set_ylim(bottom=0)
        panel.ticklabel_format(axis="y", style="plain")
        panel.yaxis.set_major_formatter(lambda value, _position: f"{value / 1000:,.0f}k")
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small")
    figure.supylabel("gas")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


# Snapshot


@dataclass(frozen=True)
class Change:
    """An operation whose gas differs from the snapshot's; None: not measured on that side."""

    op: str
    n: int
    before: int | None
    after: int | None

    @property
    def rose(self) -> bool:
        """Whether it costs more, or was measured before and no longer is."""
        return self.before is not None and (self.after is None or self.after > self.before)


def save_snapshot(path: Path, ours: Gas) -> None:
    """Writes the gas of our own operations."""
    snapshot = {op: {str(n): ours[n][op] for n in sorted(ours) if op in ours[n]} for op in OPS}
    replace_json(path, snapshot, indent=1)


def load_snapshot(path: Path) -> dict[int, dict[str, int]]:
    """Reads a snapshot, by size and operation. Raises BenchError."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        by_size: dict[int, dict[str, int]] = {}
        for op, sizes in raw.items():
            for n, gas in sizes.items():
                by_size.setdefault(int(n), {})[op] = int(gas)
    except FileNotFoundError:
        raise BenchError(f"{path}: no such file; write it with 'python -m lab.bench --snapshot'") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise BenchError(
            f"{path}: not a gas snapshot ({error}); write it with 'python -m lab.bench --snapshot'"
        ) from None
    return by_size


def changes(before: Gas, after: Gas) -> list[Change]:
    """Differences by operation and size; sizes that were not measured now are left out."""
    found = []
    for n in sorted(after):
        old = before.get(n, {})
        for op in sorted({*old, *after[n]}):
            if old.get(op) != after[n].get(op):
                found.append(Change(op, n, old.get(op), after[n].get(op)))
    return sorted(found, key=lambda change: (change.op, change.n))


def show_changes(console: Console, found: Sequence[Change], title: str) -> None:
    """Prints the differences."""
    table = Table(title=title)
    table.add_column("operation")
    for name in ("n", "snapshot", "now", "change"):
        table.add_column(name, justify="right")
    for change in found:
        difference = "" if change.before is None or change.after is None else f"{change.after - change.before:+,}"
        table.add_row(change.op, str(change.n), _number(change.before), _number(change.after), difference)
    console.print(table)
