"""Carries a fund through a year on the running local mainnet; started by `python -m lab.replay.year`."""

from __future__ import annotations

import click

from ballast.cli import FundCommand
from lab.replay.year import run_year


@click.command(cls=FundCommand)
def cli() -> None:
    """Carry a fund through a year of monthly prices on a local fork (see `make year`)."""
    run_year()
