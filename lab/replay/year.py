"""`python -m lab.replay.year`: twelve months of a fund on a local fork, from a CSV of monthly prices and supplies.

The fund is seeded with the first month's ten largest candidates at their market-cap weights. Each month the market
moves to that month's prices before its period begins and stays there while the keeper determines, starts and trades;
before that the owner posts the supplies and the candidates' states through the timelock. From determination to the end
of the trading only the keeper (and the market's arbitrageur) sends transactions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console

from ballast.build import ROOT
from ballast.files import replace_json
from ballast.parts import LimitsConfig
from ballast.rule.calendar import MONTH, QUARTER
from ballast.units import WAD
from lab.localnet.errors import LocalnetError
from lab.localnet.reserves import load_reserves
from lab.localnet.session import interrupt_on_terminate
from lab.replay import year_report
from lab.replay.carry import ReplayError
from lab.replay.year_chain import CAP_WEIGHT, TOP_N, Cadence
from lab.replay.year_data import Year, YearError, read_year, seed_units, write_month
from lab.replay.year_months import carry_year
from lab.testbed.forked import forked, one_line
from lab.testbed.keepers import KeeperRunError

DEFAULT_DATA = ROOT / "data" / "year" / "invented.csv"
SEED_NAV = 100 * WAD
"""USD of one share at the beginning, 18 decimals."""
FEE = 95 * WAD // 10_000
"""Streaming fee a year."""
CADENCES = (Cadence(), Cadence(QUARTER), *(Cadence(band=part * WAD // 100) for part in (1, 2, 5)))
"""The cadences that `--cadences` compares."""
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
        _run(year, data.name, shares * WAD, own, out.resolve())
        if cadences:
            _compare(own, out.resolve())
    except (LocalnetError, YearError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("year: interrupted, everything is stopped", err=True)
        sys.exit(130)


def _compare(done: Cadence, out: Path) -> None:
    """Runs the same year for each of `CADENCES` except the one that is done, each in a process of its own, because Ape
    is bound to one local mainnet in a process. They inherit this run's options, except cadence, band and folder."""
    console, rows = Console(), []
    given = click.get_current_context().params
    same = [f"--{name}={given[name]}" for name in ("data", "first", "months", "shares", "tokens")]
    if given["reserves"]:
        same.append(f"--reserves={given['reserves']}")
    for cadence in CADENCES:
        if cadence == done:
            rows.append(_totals(cadence, out))
            continue
        folder = out / "cadences" / cadence.name.replace(" %", "").replace(", ", "-").replace(" ", "-")
        own = [f"--band={Decimal(cadence.band) / WAD}", f"--out={folder}"]
        own += ["--quarterly"] if cadence.months == QUARTER else []
        folder.mkdir(parents=True, exist_ok=True)
        child = subprocess.run([sys.executable, "-m", "lab.replay.year", *same, *own], cwd=ROOT, check=False)
        if child.returncode:
            raise click.ClickException(f"{cadence.name}: the year ended with status {child.returncode}, see above")
        rows.append(_totals(cadence, folder))
    replace_json(out / "cadences.json", rows, indent=1)
    year_report.show_cadences(console, rows)


def _totals(cadence: Cadence, folder: Path) -> dict[str, Any]:
    return {"cadence": cadence.name, **json.loads((folder / "year.json").read_text(encoding="utf-8"))["totals"]}


def _band(text: str) -> int:
    try:
        return LimitsConfig.model_validate({"band": text}).band
    except ValidationError as error:
        raise click.BadParameter(f"{text!r}, expected a fraction from 0 to 10 %", param_hint="--band") from error


def _run(year: Year, data: str, shares: int, cadence: Cadence, out: Path) -> None:
    """Runs the year on a fork of its first month's local mainnet and writes the results. `shares`: at the start, 18
    decimals. Raises LocalnetError, YearError and click's errors."""
    units = seed_units(year.snapshots[0], TOP_N, SEED_NAV)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="ballast-year-") as folder:
        month, none = Path(folder) / "month.json", Path(folder) / "reserves.csv"
        write_month(month, year, units, shares, CAP_WEIGHT)
        # No reserves: the first month's depths follow from its slices, and `turn` sets those of later months.
        none.write_text(NO_RESERVES, encoding="utf-8")
        with forked(month, none) as on, one_line():
            console.print(
                f"{len(year.snapshots)} months from {year.snapshots[0].label}, {cadence.name}, "
                f"candidates: {', '.join(sorted(year.tokens))}"
            )
            try:
                months, closing = carry_year(on, year, units, FEE, cadence, out, console)
            except (KeeperRunError, ReplayError) as error:
                raise click.ClickException(str(error)) from error
    values = year_report.figures(year, data, months, closing, shares, FEE)
    replace_json(out / "year.json", values, indent=1)
    year_report.draw(out / "year.png", values)
    year_report.show(console, values)
    console.print(f"figures: {out / 'year.json'}    picture: {out / 'year.png'}", soft_wrap=True)
    differing = [month.label for month in months if not month.agrees]
    if differing:
        raise click.ClickException(f"{', '.join(differing)}: determined otherwise than the rule in Python says")


if __name__ == "__main__":
    main()
