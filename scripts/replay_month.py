"""Carries a fund through the month of the running local mainnet; started by `python -m replay`, which brings it up."""

from __future__ import annotations

from pathlib import Path

import click

from ballast.cli import FundCommand
from replay.session import run_month


@click.command(cls=FundCommand)
@click.option("--demo", is_flag=True, help="A holder mints before and redeems after; writes out/demo.json.")
def cli(demo: bool) -> None:
    """Carry a fund through a published month on a local fork (see `make demo` and `make replay`)."""
    run_month(Path("out"), demo=demo)
