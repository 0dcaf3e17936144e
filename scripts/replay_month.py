"""Carries a fund through the month of the running local mainnet; started by `python -m replay`, which brings it up."""

from __future__ import annotations

from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand
from rich.console import Console

from localnet.errors import LocalnetError
from replay import report
from replay.carry import ReplayError, carry, stage
from replay.keepers import KeeperError

OUT = Path("out")


@click.command(cls=ConnectedProviderCommand)
@click.option("--demo", is_flag=True, help="A holder mints before and redeems after; writes out/demo.json.")
def cli(demo: bool) -> None:
    """Carry a fund through a published month on a local fork (see `make demo` and `make replay`)."""
    console = Console()
    try:
        on = stage(ape.project, ape.accounts.test_accounts, ape.networks.active_provider)
        target = OUT / "demo.json" if demo else OUT / "replay" / f"{on.month.label}.json"
        outcome = carry(on, console, demo=demo, keeper_log=target.with_name(f"{target.stem}-keeper.log"))
    except (KeeperError, LocalnetError, ReplayError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    values = report.figures(outcome, on.world)
    report.save_json(target, values)
    picture = OUT / "demo-weights.png" if demo else target.with_suffix(".png")
    report.draw(picture, values)
    report.show(console, values)
    console.print(f"figures: {target}    picture: {picture}")
