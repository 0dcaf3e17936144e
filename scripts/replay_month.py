"""Carries a fund through the month of the running local mainnet; started by `python -m replay`, which brings it up."""

from __future__ import annotations

from pathlib import Path

import click

# Ape takes the repository out of sys.path once it has loaded the scripts: the packages must have been found by then.
import localnet
import replay
from ballast.cli import FundCommand

__all__ = ["cli", "localnet", "replay"]


@click.command(cls=FundCommand)
@click.option("--demo", is_flag=True, help="A holder mints before and redeems after; writes out/demo.json.")
def cli(demo: bool) -> None:
    """Carry a fund through a published month on a local fork (see `make demo` and `make replay`)."""
    # Imported here: Ape loads every script for every command, and this one needs a lot.
    from replay.session import run_month  # noqa: PLC0415

    run_month(Path("out"), demo=demo)
