"""What the charts of years have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

NAV_COLOUR = "#1f4e79"
INDEX_COLOUR = "#e08a1e"


def save(figure: Figure, axes: Iterable[Axes], path: Path) -> None:
    """Writes the chart, its plots with horizontal lines and without top and right borders. Raises OSError."""
    for one in axes:
        one.grid(axis="y", color="#e6e6e6")
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
