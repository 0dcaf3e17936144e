"""Compares the model of years with the chain: some months with the real contracts and keeper, and again in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ballast.units import WAD
from lab.localnet.errors import LocalnetError
from lab.replay.year import NO_RESERVES, SEED_NAV
from lab.replay.year_chain import CAP_WEIGHT, TOP_N, Cadence
from lab.replay.year_data import Snapshot, Year, YearError, seed_units, write_month
from lab.replay.year_months import MonthResult, carry_year
from lab.replay.years_data import Years
from lab.replay.years_model import ModelMonth, Terms, Variant, carry
from lab.testbed.forked import forked, one_line


@dataclass(frozen=True)
class Apart:
    """A month on the chain and in the model: NAV after it, cost and turnover in percent of NAV, and how far the NAVs
    are apart, in hundredths of a percent. `decided_alike`: the same constituents at the same weights."""

    label: str
    decided_alike: bool
    nav_chain_usd: float
    nav_model_usd: float
    nav_apart_bps: float
    cost_chain_pct: float
    cost_model_pct: float
    turnover_chain_pct: float
    turnover_model_pct: float


def part_of(years: Years, first: str, months: int) -> Years:
    """Some of the months, with the tokens that are listed or frozen in them. Raises YearError."""
    labels = [snapshot.label for snapshot in years.year.snapshots]
    if first not in labels or labels.index(first) + months > len(labels):
        raise YearError(f"chain: {months} months from {first}, expected some from {labels[0]} to {labels[-1]}")
    begin = labels.index(first)
    every = [*years.year.snapshots, *([years.year.closing] if years.year.closing else [])]
    chosen = every[begin : begin + months]
    tokens = {
        symbol: token
        for symbol, token in years.year.tokens.items()
        if any(s.quotes[symbol].listed or s.quotes[symbol].frozen for s in chosen)
    }

    def only(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, quotes={symbol: snapshot.quotes[symbol] for symbol in tokens})

    closing = only(every[begin + months]) if len(every) > begin + months else None
    return replace(years, year=Year(tuple(only(s) for s in chosen), tokens, closing), migrations={})


def check(years: Years, terms: Terms, out: Path, console: Console) -> dict[str, Any]:
    """Runs these months on a fork and in the model, and reports how far they are apart. Raises LocalnetError and
    click's errors."""
    terms = replace(terms, seed=seed_units(years.year.snapshots[0], TOP_N, SEED_NAV))
    modelled, _ = carry(years, terms, Variant("monthly"))
    rows = compare(_on_chain(years, terms, out, console), modelled)
    return {
        "first": rows[0].label,
        "months": len(rows),
        "decided_alike": sum(row.decided_alike for row in rows),
        "largest_nav_apart_bps": max((row.nav_apart_bps for row in rows), key=abs),
        "rows": [asdict(row) for row in rows],
    }


def compare(on_chain: Sequence[MonthResult], modelled: Sequence[ModelMonth]) -> list[Apart]:
    """Compares month by month."""
    return [_apart(real, ours) for real, ours in zip(on_chain, modelled, strict=True)]


def _apart(real: MonthResult, ours: ModelMonth) -> Apart:
    total = real.shares * real.nav // WAD
    return Apart(
        label=real.label,
        decided_alike=real.weights == ours.weights or _near(real.weights, ours.weights),
        nav_chain_usd=round(real.nav_after / WAD, 4),
        nav_model_usd=round(ours.nav_after / WAD, 4),
        nav_apart_bps=round((ours.nav_after / real.nav_after - 1) * 10_000, 3),
        cost_chain_pct=round(real.cost * 100 / total, 4),
        cost_model_pct=round(ours.cost * 100 / ours.total, 4),
        turnover_chain_pct=round(real.turnover * 100 / total, 3),
        turnover_model_pct=round(ours.turnover * 100 / ours.total, 3),
    )


def _near(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether weights are equal up to 1e-6: they are divided by slightly different NAVs, and rounded."""
    return one.keys() == other.keys() and all(abs(one[s] - other[s]) <= WAD // 10**6 for s in one)


def _on_chain(years: Years, terms: Terms, out: Path, console: Console) -> list[MonthResult]:
    with tempfile.TemporaryDirectory(prefix="ballast-years-") as folder:
        month, none = Path(folder) / "month.json", Path(folder) / "reserves.csv"
        write_month(month, years.year, dict(terms.seed), terms.shares, CAP_WEIGHT)
        none.write_text(NO_RESERVES, encoding="utf-8")
        with forked(month, none) as on, one_line():
            found, _ = carry_year(
                on, years.year, terms.seed, terms.fee, Cadence(), out, console, terms.rule.max_supply_jump
            )
    if not all(month.agrees for month in found):
        raise LocalnetError("years: the chain determined otherwise than the rule in Python says")
    return found
