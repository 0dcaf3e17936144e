"""`python -m lab.replay demo | month | fund`: a local mainnet, Ape's fork of it, and a month on that fork."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from lab.localnet.errors import LocalnetError
from lab.localnet.session import DEFAULT_MONTH, NETWORK, fork_environment, interrupt_on_terminate, run_ape

SCRIPT = "replay_month"


def _run(month: Path, reserves: Path | None, out: Path, *, demo: bool, positions: Path | None = None) -> int:
    """Runs the month; the exit code."""
    options = ["--out", str(out.resolve()), *(["--demo"] if demo else [])]
    return _script(SCRIPT, options, month, reserves, positions)


def _script(name: str, options: Sequence[str], month: Path, reserves: Path | None, positions: Path | None) -> int:
    """Runs a script on a fork of the month's local mainnet; the exit code."""
    interrupt_on_terminate()
    try:
        with fork_environment(month, reserves, positions=positions) as environment:
            code = run_ape(["run", name, "--network", NETWORK, "--verbosity", "WARNING", *options], environment)
    except LocalnetError as error:
        click.echo(f"replay: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        code = 130
    if code == 130:
        click.echo("replay: interrupted, everything is stopped", err=True)
    return code


_reserves = click.option(
    "--reserves", type=click.Path(path_type=Path), help="CSV with pool reserves; default: the project's own."
)
_out = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True, help="Folder."
)


@click.group()
def main() -> None:
    """Carry a fund through a published month on a local fork."""


@main.command()
@_reserves
@_out
def demo(reserves: Path | None, out: Path) -> None:
    """One fund, one month (DPI, April 2021), from deployment to redemption; writes out/demo.json."""
    sys.exit(_run(DEFAULT_MONTH, reserves, out, demo=True))


@main.command()
@click.option("--month", type=click.Path(path_type=Path), default=DEFAULT_MONTH, show_default=True, help="Month file.")
@_reserves
@click.option("--positions", type=click.Path(path_type=Path), help="CSV of Uniswap V3 positions; default: no V3 pools.")
@_out
def month(month: Path, reserves: Path | None, positions: Path | None, out: Path) -> None:
    """A published month; writes out/replay/<label>.json."""
    sys.exit(_run(month, reserves, out, demo=False, positions=positions))


@main.command()
@click.option("--month", type=click.Path(path_type=Path), default=DEFAULT_MONTH, show_default=True, help="Month file.")
@_reserves
@click.option("--speed", type=int, default=600, show_default=True, help="Chain seconds a second while trading.")
def fund(month: Path, reserves: Path | None, speed: int) -> None:
    """A fund that stands until Ctrl-C, with time that waits for your keeper; writes .env for it."""
    sys.exit(_script("local_fund", ["--speed", str(speed)], month, reserves, None))


if __name__ == "__main__":
    main()
