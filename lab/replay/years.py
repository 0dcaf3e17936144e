"""`python -m lab.replay.years`: years of funds in memory, month by month, against the index; docs/years.md.

Some of the months also run on a local fork with the real contracts and keeper, to measure how far the model is off.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ballast.build import ROOT
from ballast.files import replace_json
from ballast.parts import LimitsConfig
from ballast.rule.calendar import MONTH, QUARTER
from ballast.rule.methodology import Cap, Rule
from ballast.units import DAY_S, WAD
from lab.localnet.errors import LocalnetError
from lab.localnet.session import interrupt_on_terminate
from lab.replay import years_report
from lab.replay.year import DEFAULT_DATA, FEE, SEED_NAV
from lab.replay.year_chain import CAP_WEIGHT, ENTRY_WEIGHT, FLOOR_WEIGHT, TOP_N
from lab.replay.year_data import DEPTH, YearError, seed_units
from lab.replay.years_check import check, part_of
from lab.replay.years_data import Policy, Years, read_years, span
from lab.replay.years_model import NEVER, ModelMonth, Terms, Variant, carry

JUMP = 25 * WAD // 100
"""Largest change of a supply that the rule accepts at once, as in funds/dpi.yaml."""
NO_CLAMP = 10 * WAD
WIDTH = 130
"""Line width of output that goes to a file."""
AT_ONCE = min(2, os.cpu_count() or 1)
USUAL_SAMPLE = "2021-01"


@dataclass(frozen=True)
class Scenario:
    """A fund to run, with the assumptions on gaps and supplies for it and its index."""

    variant: Variant
    policy: Policy = field(default_factory=Policy)
    jump: int = JUMP

    @property
    def name(self) -> str:
        return self.variant.name


DEPTHS = {"0.02": DEPTH // 25, "0.1": DEPTH // 5, "1": 2 * DEPTH}
"""A pool's WETH as a fraction of the token's market cap (18 decimals), by its percentage as text."""
SCENARIOS = (
    Scenario(Variant("monthly")),
    Scenario(Variant("quarterly", QUARTER)),
    *(Scenario(Variant(f"monthly, band {part} %", band=part * WAD // 100)) for part in (1, 2, 5)),
    Scenario(Variant("never rebalanced", NEVER)),
    *(Scenario(Variant(f"monthly, depth {words} %", depth=depth)) for words, depth in DEPTHS.items()),
    Scenario(Variant("monthly, supplies as they jump"), jump=NO_CLAMP),
    *(
        Scenario(Variant(f"{words}, the gone at {kept} %", months), Policy(kept=kept * WAD // 100))
        for words, months in (("monthly", MONTH), ("never", NEVER))
        for kept in (0, 100)
    ),
)


@dataclass(frozen=True)
class Given:
    """The input of all scenarios. `shares`: whole ones."""

    data: Path
    first: str
    months: int
    tokens: tuple[str, ...]
    shares: int

    def years(self, policy: Policy) -> Years:
        return read_years(self.data, self.first, self.months, policy, self.tokens)


def terms_of(years: Years, shares: int, jump: int) -> Terms:
    """The year's rule, with the first month's largest candidates as the seed."""
    rule = Rule(Cap.HARD, CAP_WEIGHT, FLOOR_WEIGHT, ENTRY_WEIGHT, TOP_N, False, 100 * DAY_S, jump)
    return Terms(rule, LimitsConfig(), seed_units(years.year.snapshots[0], TOP_N, SEED_NAV), shares * WAD, FEE)


def run(given: Given, scenario: Scenario) -> tuple[list[ModelMonth], tuple[int, int] | None]:
    """Runs one scenario, in a process of its own."""
    years = given.years(scenario.policy)
    return carry(years, terms_of(years, given.shares, scenario.jump), scenario.variant)


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=DEFAULT_DATA, show_default=True, help="CSV: see data/year."
)
@click.option("--first", default="", help="First month, YYYY-MM; default: 2020-09, or the file's first.")
@click.option("--months", type=click.IntRange(1, 240), default=None, help="Default: as long as the file has them.")
@click.option("--shares", type=click.IntRange(1), default=100_000, show_default=True, help="Whole shares of 100 USD.")
@click.option("--tokens", default="", help="Candidates, separated by commas; default: as for a year.")
@click.option(
    "--chain", type=click.IntRange(0, 120), default=6, show_default=True, help="Months that the chain is asked too."
)
@click.option("--chain-first", default="", help="The first of these; default: 2021-01, or the first month.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "out", show_default=True, help="Folder.")
def main(
    data: Path,
    first: str,
    months: int | None,
    shares: int,
    tokens: str,
    chain: int,
    chain_first: str,
    out: Path,
) -> None:
    """Carry funds through years in memory; writes out/years.json and out/years.png."""
    interrupt_on_terminate()
    try:
        start, count = span(data, first, months)
        named = tuple(token.strip() for token in tokens.split(",") if token.strip())
        _run(Given(data, start, count, named, shares), chain, chain_first, out.resolve())
    except (LocalnetError, YearError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("years: interrupted, everything is stopped", err=True)
        sys.exit(130)


def _run(given: Given, chain: int, chain_first: str, out: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    years = given.years(Policy())
    console.print(f"{given.months} months from {given.first}, candidates: {', '.join(sorted(years.year.tokens))}")
    part = _part(years, chain, chain_first) if chain else None
    with console.status(f"{len(SCENARIOS)} funds in memory"), ProcessPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(run, [given] * len(SCENARIOS), SCENARIOS))
    funds = _funds(done)
    values: dict[str, Any] = {
        "data": given.data.name,
        "first": given.first,
        "months": given.months,
        "candidates": sorted(years.year.tokens),
        "assumptions": _assumptions(given.shares),
        "funds": funds,
        "chain": None,
    }
    replace_json(out / "years.json", values, indent=1)
    beside = [(scenario.name, months) for scenario, (months, _) in zip(SCENARIOS, done, strict=True)]
    shown = ("monthly", "quarterly", "monthly, band 5 %", "never rebalanced")
    years_report.draw(out / "years.png", [row for row in beside if row[0] in shown])
    years_report.show(console, funds, funds[0]["months"])
    if part is not None:
        values["chain"] = check(part, terms_of(part, given.shares, JUMP), out, console)
        replace_json(out / "years.json", values, indent=1)
        console.print(
            f"{values['chain']['months']} months on a chain: NAV of the model at most "
            f"{abs(values['chain']['largest_nav_apart_bps']):.2f} hundredths of a percent off"
        )
    console.print(f"figures: {out / 'years.json'}    picture: {out / 'years.png'}", soft_wrap=True)


def _part(years: Years, months: int, first: str) -> Years:
    """The months for the chain: at most as many as there are, unless `first` is given."""
    labels = [snapshot.label for snapshot in years.year.snapshots]
    begin = first or (USUAL_SAMPLE if USUAL_SAMPLE in labels else labels[0])
    left = len(labels) - labels.index(begin) if begin in labels else 0
    return part_of(years, begin, months if first else min(months, left))


def _funds(done: Sequence[tuple[list[ModelMonth], tuple[int, int] | None]]) -> list[dict[str, Any]]:
    return [
        {
            "name": scenario.name,
            "totals": years_report.totals(months, closing),
            "months": [years_report.month_figures(month) for month in months],
        }
        for scenario, (months, closing) in zip(SCENARIOS, done, strict=True)
    ]


def _assumptions(shares: int) -> dict[str, Any]:
    usual = Policy()
    return {
        "shares": shares,
        "top_n": TOP_N,
        "cap_pct": CAP_WEIGHT * 100 / WAD,
        "floor_pct": FLOOR_WEIGHT * 100 / WAD,
        "entry_pct": ENTRY_WEIGHT * 100 / WAD,
        "max_supply_jump_pct": JUMP * 100 / WAD,
        "fee_pct_a_year": FEE * 100 / WAD,
        "depth_pct_of_market_cap": DEPTH * 100 / WAD,
        "season_months": usual.season,
        "patience_months": usual.patience,
        "kept_of_last_price_pct": usual.kept * 100 / WAD,
    }


if __name__ == "__main__":
    main()
