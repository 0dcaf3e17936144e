"""A fund on the fork of the running local mainnet, for a keeper started by hand; started by `make fund`."""

from __future__ import annotations

from pathlib import Path

import ape
import click
from rich.console import Console

from ballast.cli import FundCommand
from lab.localnet.errors import LocalnetError
from lab.replay.carry import ReplayError, stage
from lab.replay.local_fund import FASTEST, SLOWEST, OtherSettingsError, stand


@click.command(cls=FundCommand)
@click.option("--env-file", type=click.Path(dir_okay=False, path_type=Path), default=Path(".env"), show_default=True)
@click.option(
    "--speed",
    type=click.IntRange(SLOWEST, FASTEST),
    default=600,
    show_default=True,
    help="Seconds of chain time that pass in one second while the month is traded.",
)
def cli(env_file: Path, speed: int) -> None:
    """Run a fund until Ctrl-C (see `make fund`)."""
    try:
        on = stage(ape.project, ape.accounts.test_accounts, ape.networks.active_provider)
        book = Path("deployments") / "local-fork" / f"{on.month.label}.json"
        stand(on, Console(), env_file, book, speed)
    except (LocalnetError, OtherSettingsError, ReplayError) as error:
        raise click.ClickException(str(error)) from error
