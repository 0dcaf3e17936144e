"""Carries a fund through the month of the running local mainnet; started by `lab.replay`, which brings it up."""

from __future__ import annotations

from pathlib import Path

import click

from ballast.cli import FundCommand
from lab.replay.session import run_month


@click.command(cls=FundCommand)
@click.option("--demo", is_flag=True, help="A holder mints before and redeems after; writes out/demo.json.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder to write to."
)
def cli(demo: bool, out: Path) -> None:
    """Carry a fund through a published month on a local fork (see `make demo` and `make replay`)."""
    run_month(out, demo=demo)
