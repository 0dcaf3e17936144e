"""`python -m lab.localnet up`: run a month's local mainnet in the foreground."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from ballast.build import ROOT
from lab.localnet.session import DEFAULT_MONTH, DEFAULT_RESERVES, command, running_mainnet

_FILE = click.Path(path_type=Path)


@click.group()
def main() -> None:
    """A local Ethereum mainnet for one month."""


@main.command()
@click.option("--month", type=_FILE, default=DEFAULT_MONTH, show_default=True, help="A month file.")
@click.option("--reserves", type=_FILE, default=DEFAULT_RESERVES, show_default=True, help="A reserves CSV.")
@click.option("--positions", type=_FILE, help="A CSV of Uniswap V3 positions; default: no V3 pools.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port to listen on; 0: a free one.")
@click.option("--world", type=_FILE, default=ROOT / ".run" / "world.json", help="Where to write what stands where.")
def up(month: Path, reserves: Path, positions: Path | None, port: int, world: Path) -> None:
    """Run it in the foreground until Ctrl-C."""
    with command("localnet"), running_mainnet(month, reserves, positions=positions, port=port) as on:
        on.world.save(world)
        click.echo(f"local mainnet of {on.month.label} at {on.url} (chain id 1, {on.world.reserves_note})")
        click.echo(f"world: {world}\nCtrl-C ends it")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("stopped")


if __name__ == "__main__":
    main()
