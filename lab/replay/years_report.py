"""Results of years: out/years.json, tables, and a chart. USD and percent are rounded floats: for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import pstdev
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from ballast.units import WAD
from lab.replay.chart import INDEX_COLOUR, NAV_COLOUR, save
from lab.replay.report import percent
from lab.replay.years_model import ModelMonth

OTHERS = ("#6b8e23", "#9467bd", "#7f7f7f", "#c0504d")
COLUMNS: Mapping[str, str] = {
    "months_traded": "traded",
    "months_stopped": "stopped",
    "months_skipped": "skipped",
    "turnover_pct_a_year": "turnover %/a",
    "cost_pct_a_year": "cost %/a",
    "nav_usd": "NAV",
    "index_usd": "index",
    "difference_pct": "diff. %",
    "tracking_error_pct": "TE %/a",
}


def totals(months: Sequence[ModelMonth], closing: tuple[int, int] | None) -> dict[str, Any]:
    """A fund's figures over all months; turnover and cost as fractions of each month's NAV."""
    count = len(months)
    nav, level = closing or (months[-1].nav_after, months[-1].index_after)
    turnover = sum(month.turnover / month.total for month in months)
    cost = sum(month.cost / month.total for month in months)
    last = months[-1]
    heaviest = max(last.held, key=lambda symbol: last.held[symbol])
    return {
        "months": count,
        **{f"months_{what}": sum(month.what == what for month in months) for what in ("traded", "stopped", "skipped")},
        "stopped": [
            {"label": month.label, "why": month.why, "unsold_pct_nav": percent(month.unsold)}
            for month in months
            if month.what == "stopped"
        ],
        "batches": sum(month.batches for month in months),
        "gas_million": round(sum(month.gas for month in months) / 1e6, 1),
        "turnover_pct_a_year": round(turnover * 1200 / count, 2),
        "cost_pct_a_year": round(cost * 1200 / count, 3),
        "cost_pct_in_all": round(cost * 100, 3),
        "nav_usd": _usd(nav),
        "index_usd": _usd(level),
        "difference_pct": round((nav / level - 1) * 100, 3),
        "tracking_error_pct": tracking_error(months, closing),
        "tokens_at_the_end": len(last.held),
        "heaviest_at_the_end": f"{heaviest} {percent(last.held[heaviest]):.1f} %",
    }


def tracking_error(months: Sequence[ModelMonth], closing: tuple[int, int] | None) -> float:
    """Standard deviation of the monthly differences between the fund's return and the index's, times the root of 12, in
    percent. A month's return is from before one rebalance to before the next."""
    values = [(month.nav, month.index.level) for month in months] + ([closing] if closing else [])
    active = [nav / before - level / below for (before, below), (nav, level) in pairwise(values)]
    return round(pstdev(active) * sqrt(12) * 100, 3) if len(active) > 1 else 0.0


def month_figures(month: ModelMonth) -> dict[str, Any]:
    """A month's object in out/years.json."""
    return {
        "label": month.label,
        "what": month.what,
        "why": month.why,
        "weights": {symbol: percent(weight) for symbol, weight in month.weights.items()},
        "entries": list(month.entries),
        "exits": list(month.exits),
        "frozen": list(month.frozen),
        "supplies_clamped": list(month.clamped),
        "batches": month.batches,
        "gas": month.gas,
        "turnover_pct_nav": round(month.turnover * 100 / month.total, 3),
        "cost_pct_nav": round(month.cost * 100 / month.total, 4),
        "unsold_pct_nav": percent(month.unsold),
        "nav_usd": _usd(month.nav_after),
        "index_usd": _usd(month.index_after),
    }


def show(console: Console, funds: Sequence[Mapping[str, Any]], months: Sequence[Mapping[str, Any]]) -> None:
    """Prints the funds side by side, and what happened in the first one."""
    for month in months:
        moves = [f"+{s}" for s in month["entries"]] + [f"-{s}" for s in month["exits"]]
        moves += [f"{s} frozen" for s in month["frozen"]] + [f"{s} clamped" for s in month["supplies_clamped"]]
        if moves or month["why"]:
            console.print(f"{month['label']}  {'  '.join(moves)}  {month['why']}".rstrip(), soft_wrap=True)
    table = Table(
        title="Each fund over all months; the index is rebalanced each month at no cost", title_justify="left"
    )
    table.add_column("fund", no_wrap=True)
    for words in COLUMNS.values():
        table.add_column(words, justify="right")
    for fund in funds:
        table.add_row(fund["name"], *(_shown(fund["totals"][name]) for name in COLUMNS))
    console.print(table)


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def draw(path: Path, funds: Sequence[tuple[str, Sequence[ModelMonth]]]) -> None:
    """Draws NAV of the first fund with the index and the other funds (logarithmic); below it its difference from the
    index, and its trading cost so far."""
    _, first = funds[0]
    labels = [month.label for month in first]
    places = range(len(labels))
    figure = Figure(figsize=(11, 7), dpi=150, layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[4, 1.2, 1.2])
    index = [month.index_after / WAD for month in first]
    top.plot(places, index, color=INDEX_COLOUR, linewidth=4, alpha=0.6, label="index (no costs)")
    for (name, months), colour in zip(funds[1:], OTHERS, strict=False):
        top.plot(places, [month.nav_after / WAD for month in months], color=colour, linewidth=1, label=name)
    nav = [month.nav_after / WAD for month in first]
    top.plot(places, nav, color=NAV_COLOUR, linewidth=1.6, label=f"NAV of a share, {funds[0][0]}")
    top.set_yscale("log")
    top.set_ylabel("USD")
    top.set_title(f"{len(labels)} months: NAV {nav[-1]:,.2f} USD, index {index[-1]:,.2f}", loc="left", fontsize=11)
    top.legend(frameon=False)
    middle.plot(places, [(a / b - 1) * 100 for a, b in zip(nav, index, strict=True)], color=NAV_COLOUR)
    middle.axhline(0, color="#444444", linewidth=0.8)
    middle.set_ylabel("NAV - index, %")
    cost, spent = [], 0.0
    for month in first:
        spent += month.cost * 100 / month.total
        cost.append(spent)
    bottom.bar(places, cost, color=NAV_COLOUR, width=0.7)
    bottom.set_ylabel("trading cost\nso far, % of NAV")
    bottom.set_xticks(places[::3], labels[::3], rotation=45, ha="right")
    save(figure, (top, middle, bottom), path)


def _usd(amount: int) -> float:
    return round(amount / WAD, 4)
