"""The published months through both engines as table, Markdown and picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.bench.month_bench import Leaf

COLUMNS = (
    "transactions",
    "gas, million",
    "hours",
    "pool fees, USD",
    "impact, USD",
    "gas, USD",
    "cost, % NAV",
    "residual, % NAV",
    "worst short, %",
    "gas / Set",
    "impact / Set",
    "both / Set",
)
COLOURS = {"Set V2": "#8c8c8c", "same slices": "#b8c4ce", "fewest": "#1f4e79", "cheapest": "#e08a1e"}


def engines(month: dict[str, Any]) -> dict[str, Leaf]:
    """Figures by the name that tables give them, the peer first."""
    same = month["same_slices"]
    return {
        "Set V2": same["set_v2"],
        "same slices": same["ours"],
        "fewest": month["fewest"],
        "cheapest": month["cheapest"],
    }


def both(found: Leaf) -> float:
    """The costs that an engine can influence, USD: impact and gas."""
    return found["impact_usd"] + found["gas_usd_at_100_gwei"]


def cells(found: Leaf, peer: Leaf) -> list[str]:
    """One row of a table, without its name. The last three are ratios to the peer's figures."""
    shares = (
        found["gas"] / peer["gas"],
        found["impact_usd"] / peer["impact_usd"],
        both(found) / both(peer),
    )
    return [
        f"{found['transactions']:,}",
        f"{found['gas'] / 1e6:.2f}",
        f"{found['hours']:.2f}",
        f"{found['fees_usd']:,.0f}",
        f"{found['impact_usd']:,.0f}",
        f"{found['gas_usd_at_100_gwei']:,.0f}",
        f"{found['cost_pct_nav']:.4f}",
        f"{found['residual_pct_nav']:.4f}",
        f"{found['worst_short_pct']:.2f}",
        *("" if found is peer else f"{share:.3f}" for share in shares),
    ]


def show(console: Console, months: Sequence[dict[str, Any]]) -> None:
    """Prints the table."""
    table = Table(title="Published months through both engines; gas at 100 gwei")
    table.add_column("", no_wrap=True)
    for name in COLOURS:
        table.add_column(name, justify="right", no_wrap=True)
    for month in months:
        found = engines(month)
        rows = zip(*(cells(figures, found["Set V2"]) for figures in found.values()), strict=True)
        table.add_section()
        table.add_row(f"[bold]{month['label']}[/bold]")
        for column, row in zip(COLUMNS, rows, strict=True):
            table.add_row(column, *row)
    console.print(table)


def markdown(months: Sequence[dict[str, Any]]) -> str:
    """The same table as Markdown."""
    lines = [
        "| month | engine | " + " | ".join(COLUMNS) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for month in months:
        found = engines(month)
        lines += [
            f"| {month['label']} | {name} | " + " | ".join(cells(figures, found["Set V2"])) + " |"
            for name, figures in found.items()
        ]
    return "\n".join(lines) + "\n"


def draw(path: Path, months: Sequence[dict[str, Any]]) -> None:
    """Draws transactions, gas, and impact with gas in USD, for each month and engine."""
    # Imported here: it takes a second.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(15, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    width = 0.8 / len(COLOURS)
    for k, (name, colour) in enumerate(COLOURS.items()):
        found = [engines(month)[name] for month in months]
        places = [i + (k - (len(COLOURS) - 1) / 2) * width for i in range(len(months))]
        impact = [leaf["impact_usd"] / 1000 for leaf in found]
        panels[0].bar(places, [leaf["transactions"] for leaf in found], width, color=colour, label=name)
        panels[1].bar(places, [leaf["gas"] / 1e6 for leaf in found], width, color=colour, label=name)
        panels[2].bar(places, impact, width, color=colour, label=name)
        gas = [leaf["gas_usd_at_100_gwei"] / 1000 for leaf in found]
        panels[2].bar(places, gas, width, bottom=impact, color=colour, alpha=0.45, hatch="///", edgecolor="white")
    titles = ("transactions", "gas, million", "impact, and gas at 100 gwei (hatched), thousand USD")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, loc="left", fontsize=11)
        panel.set_xticks(range(len(months)), [month["label"] for month in months])
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
