"""`python -m lab.replay.year`: twelve months of a fund on a local fork, from a CSV of monthly prices and supplies.

The fund is seeded with the first month's ten largest candidates at their market-cap weights. Each month the market goes
to that month's prices before its period begins and stays there while the keeper determines, starts and trades; the
owner has posted the supplies and the candidates' states through the timelock. From determination to the end of the
trading only the keeper (and the market's arbitrageur) sends transactions.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from ballast.files import replace_json
from ballast.units import WAD
from lab.localnet.anvil import ROOT
from lab.localnet.errors import LocalnetError
from lab.localnet.reserves import load_reserves
from lab.localnet.session import interrupt_on_terminate
from lab.replay import year_report
from lab.replay.carry import ReplayError
from lab.replay.year_chain import CAP_WEIGHT, TOP_N
from lab.replay.year_data import Year, YearError, read_year, seed_units, write_month
from lab.replay.year_months import carry_year
from lab.testbed.forked import forked, one_line
from lab.testbed.keepers import KeeperRunError

DEFAULT_DATA = ROOT / "data" / "year" / "invented.csv"
SEED_NAV = 100 * WAD
"""USD of one share in the beginning, 18 decimals."""
FEE = 95 * WAD // 10_000
"""Streaming fee a year."""
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
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "out", show_default=True, help="Folder.")
def main(data: Path, first: str, months: int, shares: int, tokens: str, reserves: Path | None, out: Path) -> None:
    """Carry a fund through a year; writes out/year.json and out/year.png."""
    interrupt_on_terminate()
    chosen = tuple(token.strip() for token in tokens.split(",") if token.strip())
    try:
        rows = load_reserves(reserves) if reserves else ()
        year = read_year(data, first, months, chosen, rows)
        _run(year, data.name, shares * WAD, out.resolve())
    except (LocalnetError, YearError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("year: interrupted, everything is stopped", err=True)
        sys.exit(130)


def _run(year: Year, data: str, shares: int, out: Path) -> None:
    """Carries the year on a fork of its first month's local mainnet and writes what came of it. `shares`: at the start,
    18 decimals. Raises LocalnetError, YearError and click's errors."""
    units = seed_units(year.snapshots[0], TOP_N, SEED_NAV)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="ballast-year-") as folder:
        month, none = Path(folder) / "month.json", Path(folder) / "reserves.csv"
        write_month(month, year, units, shares, CAP_WEIGHT)
        # The pools' depths are set month by month, those of the first too.
        none.write_text(NO_RESERVES, encoding="utf-8")
        with forked(month, none) as on, one_line():
            console.print(
                f"{len(year.snapshots)} months from {year.snapshots[0].label}, "
                f"candidates: {', '.join(sorted(year.tokens))}"
            )
            try:
                months, closing = carry_year(on, year, units, FEE, out, console)
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
