"""`python -m lab.replay.year`: twelve months of a fund on a local fork, from a CSV of monthly prices and supplies.

The fund is seeded with the first month's ten largest candidates at their market-cap weights. Each month the market goes
to that month's prices before its period begins and stays there while the keeper determines, starts and trades; the
owner has posted the supplies and the candidates' states through the timelock. From determination to the end of the
trading only the keeper (and the market's arbitrageur) sends transactions.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console

from ballast.files import replace_json
from ballast.parts import Limits
from ballast.rule.calendar import MONTH, QUARTER
from ballast.units import WAD
from lab.localnet.anvil import ROOT
from lab.localnet.errors import LocalnetError
from lab.localnet.reserves import load_reserves
from lab.localnet.session import interrupt_on_terminate
from lab.replay import year_report
from lab.replay.carry import ReplayError
from lab.replay.year_chain import CAP_WEIGHT, TOP_N, Cadence
from lab.replay.year_data import Year, YearError, read_year, seed_units, write_month
from lab.replay.year_months import MonthResult, carry_year
from lab.testbed.forked import forked, one_line
from lab.testbed.keepers import KeeperRunError

DEFAULT_DATA = ROOT / "data" / "year" / "invented.csv"
SEED_NAV = 100 * WAD
"""USD of one share in the beginning, 18 decimals."""
FEE = 95 * WAD // 10_000
"""Streaming fee a year."""
CADENCES = (Cadence(), Cadence(QUARTER), *(Cadence(band=part * WAD // 100) for part in (1, 2, 5)))
"""What `--cadences` compares."""
NO_RESERVES = "date,venue,token_address,weth_reserve\n"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=DEFAULT_DATA, show_default=True, help="CSV: see data/year."
)
@click.option("--first", default="2021-01", show_default=True, help="First month.")
@click.option("--months", type=click.IntRange(1, 120), default=12, show_default=True)
@click.option("--shares", type=click.IntRange(1), default=100_000, show_default=True, help="Whole shares of 100 USD.")
@click.option(
    "--tokens",
    default="",
    help="Candidates, separated by commas; default: the DeFi tokens that the CSV has, or all of its tokens if none.",
)
@click.option("--reserves", type=click.Path(path_type=Path), help="CSV of pairs' reserves, as for a replay.")
@click.option("--quarterly", is_flag=True, help="Rebalance every three months.")
@click.option(
    "--band", default="0", show_default=True, help='Skip a month whose weights are off by less, such as "2 %".'
)
@click.option("--cadences", is_flag=True, help="Carry the year once for each of several cadences, and compare them.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "out", show_default=True, help="Folder.")
def main(
    data: Path,
    first: str,
    months: int,
    shares: int,
    tokens: str,
    reserves: Path | None,
    quarterly: bool,
    band: str,
    cadences: bool,
    out: Path,
) -> None:
    """Carry a fund through a year; writes out/year.json and out/year.png, with --cadences also out/cadences.json."""
    interrupt_on_terminate()
    chosen = tuple(token.strip() for token in tokens.split(",") if token.strip())
    try:
        rows = load_reserves(reserves) if reserves else ()
        year = read_year(data, first, months, chosen, rows)
        own = Cadence(QUARTER if quarterly else MONTH, _band(band))
        _run(year, data.name, shares * WAD, list(dict.fromkeys((own, *CADENCES))) if cadences else [own], out.resolve())
    except (LocalnetError, YearError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("year: interrupted, everything is stopped", err=True)
        sys.exit(130)


def _band(text: str) -> int:
    try:
        return Limits.model_validate({"band": text}).band
    except ValidationError as error:
        raise click.BadParameter(f"{text!r}, expected a fraction from 0 to 10 %", param_hint="--band") from error


def _run(year: Year, data: str, shares: int, cadences: Sequence[Cadence], out: Path) -> None:
    """Carries the year once for each cadence and writes what came of it, of the first one in full. `shares`: at the
    start, 18 decimals. Raises LocalnetError, YearError and click's errors."""
    console = Console()
    console.print(
        f"{len(year.snapshots)} months from {year.snapshots[0].label}, candidates: {', '.join(sorted(year.tokens))}"
    )
    rows: list[dict[str, Any]] = []
    differing: list[str] = []
    for cadence in cadences:
        if len(cadences) > 1:
            console.print(f"[bold]{cadence.name}[/]")
        months, closing = _carry(year, shares, cadence, out, console)
        values = year_report.figures(year, data, months, closing, shares, FEE)
        if not rows:
            replace_json(out / "year.json", values, indent=1)
            year_report.draw(out / "year.png", values)
            year_report.show(console, values)
        rows.append({"cadence": cadence.name, **values["totals"]})
        differing += [f"{cadence.name} {month.label}" for month in months if not month.agrees]
    if len(rows) > 1:
        replace_json(out / "cadences.json", rows, indent=1)
        year_report.show_cadences(console, rows)
    console.print(f"figures: {out / 'year.json'}    picture: {out / 'year.png'}", soft_wrap=True)
    if differing:
        raise click.ClickException(f"{', '.join(differing)}: determined otherwise than the rule in Python says")


def _carry(
    year: Year, shares: int, cadence: Cadence, out: Path, console: Console
) -> tuple[list[MonthResult], tuple[int, int] | None]:
    """The year on a fork of its first month's local mainnet."""
    units = seed_units(year.snapshots[0], TOP_N, SEED_NAV)
    with tempfile.TemporaryDirectory(prefix="ballast-year-") as folder:
        month, none = Path(folder) / "month.json", Path(folder) / "reserves.csv"
        write_month(month, year, units, shares, CAP_WEIGHT)
        # The pools' depths are set month by month, those of the first too.
        none.write_text(NO_RESERVES, encoding="utf-8")
        with forked(month, none) as on, one_line():
            try:
                return carry_year(on, year, units, FEE, cadence, out, console)
            except (KeeperRunError, ReplayError) as error:
                raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
