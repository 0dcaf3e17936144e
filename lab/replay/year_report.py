"""Results of a year: out/year.json, a table, and a chart of NAV against the index."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import pstdev
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from ballast.rule.arithmetic import usd
from ballast.units import HOUR_S, WAD
from lab.replay import year_chain
from lab.replay.chart import INDEX_COLOUR, NAV_COLOUR, save
from lab.replay.report import percent
from lab.replay.year_data import Year
from lab.replay.year_months import MonthResult


def figures(
    year: Year, data: str, months: Sequence[MonthResult], closing: tuple[int, int] | None, seed_shares: int, fee: int
) -> dict[str, Any]:
    """The contents of out/year.json. USD and percent are rounded floats: for people, not for arithmetic."""
    turnover = sum(month.turnover for month in months)
    cost = sum(month.cost for month in months)
    nav, level = closing or (months[-1].nav_after, months[-1].index_after)
    return {
        "data": data,
        "candidates": list(year.tokens),
        "rule": {
            "top_n": year_chain.TOP_N,
            "cap_pct": percent(year_chain.CAP_WEIGHT),
            "floor_pct": percent(year_chain.FLOOR_WEIGHT),
            "entry_pct": percent(year_chain.ENTRY_WEIGHT),
            "max_supply_jump_pct": percent(year_chain.MAX_SUPPLY_JUMP),
        },
        "streaming_fee_pct": percent(fee),
        "months": [_month(month) for month in months],
        "totals": {
            "months": len(months),
            "months_done": sum(month.done for month in months),
            "months_agreeing": sum(month.agrees for month in months),
            "batches": sum(month.batches for month in months),
            "transactions": sum(month.transactions for month in months),
            "foreign_transactions": sum(month.foreign for month in months),
            "gas": sum(month.gas for month in months),
            "turnover_usd": _usd(turnover),
            "cost_usd": _usd(cost),
            "cost_bps": round(cost * 10_000 / turnover, 3) if turnover else 0.0,
            "closed_on": str(year.closing.day) if closing and year.closing else None,
            "nav_usd": _usd(nav),
            "index_level": _usd(level),
            "fee_paid_pct": percent((months[-1].shares - seed_shares) * WAD // months[-1].shares),
            "tracking_difference_pct": _difference(nav, level),
            "months_traded": sum(month.what == "traded" for month in months),
            "cost_pct_nav": percent(cost * WAD // _average(months)),
            "turnover_pct_nav": percent(turnover * WAD // _average(months)),
            "tracking_error_pct": _tracking_error(months, closing),
        },
    }


def _average(months: Sequence[MonthResult]) -> int:
    """USD of all shares, on average over the months."""
    return sum(usd(month.shares, month.nav, 18) for month in months) // len(months)


def _tracking_error(months: Sequence[MonthResult], closing: tuple[int, int] | None) -> float:
    """Standard deviation of the monthly differences between the fund's return and the index's, times the root of 12, in
    percent. The index is rebalanced each month at no cost; a month's return is from before one rebalance to before the
    next."""
    values = [(month.nav, month.index.level) for month in months] + ([closing] if closing else [])
    active = [
        nav / earlier_nav - level / earlier_level for (earlier_nav, earlier_level), (nav, level) in pairwise(values)
    ]
    return round(pstdev(active) * sqrt(12) * 100, 4) if active else 0.0


def show_cadences(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Prints cost against tracking error, by cadence."""
    table = Table(title="A year by cadence, of NAV; the index is rebalanced each month", title_justify="left")
    table.add_column("cadence", no_wrap=True)
    for column in ("months traded", "turnover %", "cost %", "gas, million", "tracking error %", "difference %"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row["cadence"],
            str(row["months_traded"]),
            f"{row['turnover_pct_nav']:.1f}",
            f"{row['cost_pct_nav']:.3f}",
            f"{row['gas'] / 1e6:.1f}",
            f"{row['tracking_error_pct']:.3f}",
            f"{row['tracking_difference_pct']:+.3f}",
        )
    console.print(table)


def _month(month: MonthResult) -> dict[str, Any]:
    nav_total = usd(month.shares, month.nav, 18)
    return {
        "label": month.label,
        "what": month.what,
        "constituents": list(month.weights),
        "weights": {symbol: percent(weight) for symbol, weight in month.weights.items()},
        "weights_held": {symbol: percent(weight) for symbol, weight in month.weights_held.items()},
        "index_weights": {symbol: percent(weight) for symbol, weight in month.index.weights.items()},
        "entries": list(month.entries),
        "exits": list(month.exits),
        "supplies_clamped": list(month.clamped),
        "agrees_with_python": month.agrees,
        "done": month.done,
        "batches": month.batches,
        "transactions": month.transactions,
        "foreign_transactions": month.foreign,
        "gas": month.gas,
        "hours": round(month.trading_s / HOUR_S, 2),
        "turnover_usd": _usd(month.turnover),
        "cost_usd": _usd(month.cost),
        "cost_pct_nav": round(month.cost * 100 / nav_total, 4),
        "residual_pct_nav": percent(month.residual),
        "nav_before_usd": _usd(month.nav),
        "nav_usd": _usd(month.nav_after),
        "index_level_before": _usd(month.index.level),
        "index_level": _usd(month.index_after),
        "tracking_difference_pct": _difference(month.nav_after, month.index_after),
    }


def show(console: Console, values: dict[str, Any]) -> None:
    """Prints the table."""
    table = Table(title="The year, per share after each rebalance; money in thousands of USD", title_justify="left")
    table.add_column("month", no_wrap=True)
    for column in ("NAV", "index", "diff %", "turnover", "cost", "resid. %", "txs"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("in, out")
    for month in values["months"]:
        moves = [f"+{symbol}" for symbol in month["entries"]] + [f"-{symbol}" for symbol in month["exits"]]
        table.add_row(
            month["label"],
            f"{month['nav_usd']:.2f}",
            f"{month['index_level']:.2f}",
            f"{month['tracking_difference_pct']:+.3f}",
            f"{month['turnover_usd'] / 1e3:,.1f}",
            f"{month['cost_usd'] / 1e3:,.2f}",
            f"{month['residual_pct_nav']:.3f}",
            str(month["transactions"]),
            " ".join(moves),
        )
    console.print(table)
    total = values["totals"]
    console.print(
        f"{total['months_done']} of {total['months']} months traded to the end, {total['months_agreeing']} determined "
        f"as Python does; difference at the end {total['tracking_difference_pct']:+.3f} %, of it the fee "
        f"{-total['fee_paid_pct']:.3f} %; {total['foreign_transactions']} transactions of others in the fund's months"
    )


def draw(path: Path, values: dict[str, Any]) -> None:
    """Draws NAV against the index, and below it their difference."""
    labels = [month["label"] for month in values["months"]]
    nav = [month["nav_usd"] for month in values["months"]]
    level = [month["index_level"] for month in values["months"]]
    difference = [month["tracking_difference_pct"] for month in values["months"]]
    total = values["totals"]
    if total["closed_on"]:
        labels, nav, level = (
            [*labels, total["closed_on"][:7]],
            [*nav, total["nav_usd"]],
            [*level, total["index_level"]],
        )
        difference = [*difference, total["tracking_difference_pct"]]
    figure = Figure(figsize=(10, 6), dpi=150, layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    places = range(len(labels))
    top.plot(places, level, color=INDEX_COLOUR, linewidth=4, alpha=0.6, label="index (no costs)")
    top.plot(places, nav, color=NAV_COLOUR, linewidth=1.6, marker="o", markersize=4, label="NAV of a share")
    top.set_ylabel("USD")
    top.set_title(
        f"{len(values['months'])} months: NAV {nav[-1]:,.2f} USD, index {level[-1]:,.2f}, "
        f"difference {difference[-1]:+.3f} %; {total['turnover_usd'] / 1e6:,.1f} million USD traded",
        loc="left",
        fontsize=11,
    )
    top.legend(frameon=False)
    bottom.bar(places, difference, color=NAV_COLOUR, width=0.6)
    bottom.axhline(0, color="#444444", linewidth=0.8)
    bottom.set_ylabel("NAV - index, %")
    bottom.set_xticks(places, labels, rotation=45, ha="right")
    save(figure, (top, bottom), path)


def _usd(amount: int) -> float:
    """18 decimals to USD, to a hundredth of a cent."""
    return round(amount / WAD, 4)


def _difference(nav: int, level: int) -> float:
    """By how much a share's NAV is above the index, in percent of the index."""
    return percent((nav - level) * WAD // level)
