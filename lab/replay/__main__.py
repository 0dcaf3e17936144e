"""`python -m lab.replay demo | month | fund`: a local mainnet, Ape's fork of it, and a month on that fork."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from ballast.files import replace_json
from lab.localnet.errors import LocalnetError
from lab.localnet.session import DEFAULT_MONTH, command
from lab.replay import report
from lab.replay.carry import carry_month
from lab.replay.local_fund import FASTEST, SLOWEST, stand
from lab.testbed.forked import ForkedChain, forked, one_line

BOOKS = Path("deployments") / "local-fork"
SETTINGS = Path(".env")
"""Both relative to the repository."""


def run_month(on: ForkedChain, out: Path, *, demo: bool) -> None:
    """Runs the month and writes its figures under `out`; prints the tables."""
    console = Console()
    target = out / "demo.json" if demo else out / "replay" / f"{on.month.label}.json"
    outcome = carry_month(on, console, demo=demo, keeper_log=target.with_name(f"{target.stem}-keeper.log"))
    values = report.figures(outcome, on.world)
    replace_json(target, values, indent=1)
    picture = out / "demo-weights.png" if demo else target.with_suffix(".png")
    report.draw(picture, values)
    report.show(console, values)
    console.print(f"figures: {target}    picture: {picture}", soft_wrap=True)


def _on_fork(
    use: Callable[[ForkedChain], None], month: Path, reserves: Path | None = None, positions: Path | None = None
) -> None:
    """Runs `use` on a fork of the month's local mainnet. Raises click's one-line errors."""
    with command("replay"), forked(month, reserves, positions=positions) as on, one_line():
        try:
            use(on)
        except LocalnetError as error:
            raise click.ClickException(str(error)) from error


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
    folder = out.resolve()
    _on_fork(lambda on: run_month(on, folder, demo=True), DEFAULT_MONTH, reserves)


@main.command()
@click.option("--month", type=click.Path(path_type=Path), default=DEFAULT_MONTH, show_default=True, help="Month file.")
@_reserves
@click.option(
    "--positions",
    type=click.Path(path_type=Path),
    help="CSV of Uniswap V3 positions beside those assumed.",
)
@_out
def month(month: Path, reserves: Path | None, positions: Path | None, out: Path) -> None:
    """A published month; writes out/replay/<label>.json."""
    folder = out.resolve()
    _on_fork(lambda on: run_month(on, folder, demo=False), month, reserves, positions)


@main.command()
@click.option("--month", type=click.Path(path_type=Path), default=DEFAULT_MONTH, show_default=True, help="Month file.")
@_reserves
@click.option(
    "--speed",
    type=click.IntRange(SLOWEST, FASTEST),
    default=600,
    show_default=True,
    help="Chain seconds a second while trading.",
)
def fund(month: Path, reserves: Path | None, speed: int) -> None:
    """A fund that stands until Ctrl-C, with time that waits for your keeper; writes .env for it."""

    def standing(on: ForkedChain) -> None:
        stand(on, Console(), SETTINGS, BOOKS / f"{on.month.label}.json", speed)
        raise KeyboardInterrupt  # which ended it

    _on_fork(standing, month, reserves)


if __name__ == "__main__":
    main()
