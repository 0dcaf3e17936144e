"""One run on the connected fork: from the stage to table, JSON and picture."""

from __future__ import annotations

from pathlib import Path

import ape
import click
from rich.console import Console

from ballast.files import replace_json
from lab.localnet.errors import LocalnetError
from lab.replay import report
from lab.replay.carry import ReplayError, carry, stage
from lab.testbed.keepers import KeeperError


def run_month(out: Path, *, demo: bool) -> None:
    """Carries the month and writes what came of it under `out`; prints the tables. Raises click's one-line errors."""
    console = Console()
    try:
        on = stage(ape.project, ape.accounts.test_accounts, ape.networks.active_provider)
        target = out / "demo.json" if demo else out / "replay" / f"{on.month.label}.json"
        outcome = carry(on, console, demo=demo, keeper_log=target.with_name(f"{target.stem}-keeper.log"))
    except (KeeperError, LocalnetError, ReplayError) as error:
        raise click.ClickException(str(error)) from error
    values = report.figures(outcome, on.world)
    replace_json(target, values, indent=1)
    picture = out / "demo-weights.png" if demo else target.with_suffix(".png")
    report.draw(picture, values)
    report.show(console, values)
    console.print(f"figures: {target}    picture: {picture}", soft_wrap=True)
