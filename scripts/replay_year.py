"""Carries a fund through a year on the running local mainnet; started by `python -m replay.year`."""

from __future__ import annotations

from pathlib import Path

import click

# Ape takes the repository out of sys.path once it has loaded the scripts: the packages must have been found by then.
import localnet
import replay
from ballast.cli import FundCommand

__all__ = ["cli", "localnet", "replay"]


@click.command(cls=FundCommand)
def cli() -> None:
    """Carry a fund through a year of monthly prices on a local fork (see `make year`)."""
    # Imported here: Ape loads every script for every command, and this one needs a lot.
    from replay.year import run_year  # noqa: PLC0415

    run_year(Path("out"))
