"""A month's results, for people and for programs: a table, a JSON file, and a chart of the weights."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ballast.rule.arithmetic import Position, part, residual, weights_of, worst_short
from ballast.units import GWEI, HOUR_S, WAD
from ballast.values import time_text
from lab.localnet.world import World
from lab.replay.measure import MonthOutcome
from lab.testbed.clock import GAS_PRICE_GWEI


def dollars(amount: int) -> float:
    """USD with 18 decimals to dollars and cents."""
    return float(round(Decimal(amount) / WAD, 2))


def percent(fraction: int, places: int = 4) -> float:
    """An 18-decimal fraction in per cent."""
    return float(round(Decimal(fraction) * 100 / WAD, places))


def figures(outcome: MonthOutcome, world: World, **more: Any) -> dict[str, Any]:
    """The month's figures as in its JSON file: USD and per cent as numbers, units as strings."""
    cost, after = outcome.cost, [component.held_after() for component in outcome.components]
    gas_usd = outcome.gas * GAS_PRICE_GWEI * GWEI * world.weth_price_usd // WAD
    return {
        "label": outcome.label,
        "components": len(outcome.components),
        "units_exact": sum(component.target == component.published for component in outcome.components),
        "batches": outcome.batches,
        "transactions": outcome.transactions,
        "hours": round((outcome.ended_at - outcome.started_at) / HOUR_S, 2),
        "gas_total": outcome.gas,
        "gas_price_gwei": GAS_PRICE_GWEI,
        "gas_usd": dollars(gas_usd),
        "turnover_usd": dollars(cost.turnover),
        "cost_usd": dollars(cost.cost),
        "fees_usd": dollars(cost.fees),
        "impact_usd": dollars(cost.impact),
        "cost_bps": float(round(Decimal(part(cost.cost, cost.turnover)) * 10_000 / WAD, 2)),
        "cost_pct_nav": percent(part(cost.cost, outcome.nav_before)),
        "residual_pct_nav": percent(residual(after)),
        "worst_short_pct": percent(worst_short(after)),
        "nav_before_usd": dollars(outcome.nav_before),
        "nav_after_usd": dollars(outcome.nav_after),
        "started_at": time_text(outcome.started_at),
        "ended_at": time_text(outcome.ended_at),
        "reserves": world.reserves_note,
        **more,
        "weights": _weights(outcome),
    }


def _weights(outcome: MonthOutcome) -> list[dict[str, Any]]:
    rows = []
    for component, before, target, after in _weight_rows(outcome):
        units = {name: str(value) for name, value in asdict(component).items() if name not in ("symbol", "token")}
        rows.append(
            {
                "symbol": component.symbol,
                "token": component.token,
                "before_pct": percent(before),
                "target_pct": percent(target),
                "after_pct": percent(after),
                **{f"unit_{name}": units[name] for name in ("before", "target", "published", "after")},
            }
        )
    return rows


def _weight_rows(outcome: MonthOutcome) -> list[tuple[Any, int, int, int]]:
    """Components with their weights before, on target and after, the heaviest target first."""
    before = weights_of([component.held_before() for component in outcome.components])
    after = weights_of([component.held_after() for component in outcome.components])
    goals = [Position(c.published, c.published, c.price, c.decimals) for c in outcome.components]
    target = weights_of(goals)
    rows = list(zip(outcome.components, before, target, after, strict=True))
    return sorted(rows, key=lambda row: -row[2])


def show(console: Console, values: dict[str, Any]) -> None:
    """Prints the tables."""
    weights = Table(title=f"{values['label']}: weights in % of NAV", title_justify="left")
    weights.add_column("component")
    for column in ("before", "published target", "after", "after vs target"):
        weights.add_column(column, justify="right")
    for row in values["weights"]:
        target, after = int(row["unit_published"]), int(row["unit_after"])
        off = f"{(after - target) * 100 / target:+.3f} %" if target else "-"
        exact = "" if row["unit_target"] == row["unit_published"] else " (differs on chain)"
        weights.add_row(
            row["symbol"], f"{row['before_pct']:.2f}", f"{row['target_pct']:.2f}{exact}", f"{row['after_pct']:.2f}", off
        )
    console.print(weights)
    console.print(_cost_table(values))


def _cost_table(values: dict[str, Any]) -> Table:
    table = Table(title="What the month cost", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    money = "{:,.0f} USD".format
    rows = [
        ("targets equal to the published ones", f"{values['units_exact']} of {values['components']}"),
        ("batches / transactions", f"{values['batches']} / {values['transactions']}"),
        ("from start to end", f"{values['hours']:.2f} hours"),
        ("NAV before", money(values["nav_before_usd"])),
        ("NAV after", money(values["nav_after_usd"])),
        ("turnover (one way)", money(values["turnover_usd"])),
        ("cost", f"{money(values['cost_usd'])} = {values['cost_bps']:.1f} bps, {values['cost_pct_nav']:.3f} % of NAV"),
        ("  pool fees", money(values["fees_usd"])),
        ("  impact", money(values["impact_usd"])),
        ("gas", f"{values['gas_total']:,} = {money(values['gas_usd'])} at {values['gas_price_gwei']} gwei"),
        ("residual", f"{values['residual_pct_nav']:.3f} % of NAV"),
        ("worst short", f"{values['worst_short_pct']:.3f} % of its target"),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


COLOURS = {"before": "#b8c4ce", "published target": "#1f4e79", "after": "#e08a1e"}


def draw(path: Path, values: dict[str, Any]) -> None:
    """Draws the weights before, on target and after."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load, and whoever measures need not wait for it)

    rows = values["weights"]
    figure = Figure(figsize=(max(8.0, 0.85 * len(rows) + 2), 5.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    width = 0.27
    for k, (name, field) in enumerate(
        [("before", "before_pct"), ("published target", "target_pct"), ("after", "after_pct")]
    ):
        places = [i + (k - 1) * width for i in range(len(rows))]
        axes.bar(places, [row[field] for row in rows], width, label=name, color=COLOURS[name])
    for i, row in enumerate(rows):
        axes.annotate(
            f"{row['after_pct']:.1f}",
            (i + width, row["after_pct"]),
            ha="center",
            va="bottom",
            fontsize=8,
            color="#444444",
            xytext=(0, 2),
            textcoords="offset points",
        )
    axes.set_xticks(range(len(rows)), [row["symbol"] for row in rows])
    axes.set_ylabel("weight, % of NAV")
    axes.set_title(
        f"{values['label']}: {values['turnover_usd'] / 1e6:,.1f} million USD traded in {values['batches']} batches, "
        f"cost {values['cost_pct_nav']:.3f} % of NAV, residual {values['residual_pct_nav']:.3f} %",
        loc="left",
        fontsize=11,
    )
    axes.grid(axis="y", color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
