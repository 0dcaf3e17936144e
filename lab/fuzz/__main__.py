"""`python -m lab.fuzz run`: the invariants over random sequences of calls. `... mutants`: that they can fail."""

from __future__ import annotations

import sys

import click

from lab.fuzz import campaign, mutants
from lab.fuzz.errors import FuzzError
from lab.localnet.session import interrupt_on_terminate


@click.group()
def main() -> None:
    """Stateful fuzzing of the fund with forge."""


@main.command()
@click.option("--calls", type=click.IntRange(min=1), default=100_000, show_default=True, help="Calls to make at least.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the first chunk.")
def run(calls: int, seed: int) -> None:
    """Make random sequences of calls; fails where an invariant does. Adds to out/invariants.json."""
    done = campaign.run(calls, seed, click.echo)
    if done.failures:
        raise FuzzError(f"broken: {'; '.join(done.failures)}")


@main.command(name="mutants")
@click.argument("names", nargs=-1)
def judge(names: tuple[str, ...]) -> None:
    """Break the contracts in each of the listed ways, or those NAMED; fails where the named invariant holds on."""
    verdicts = mutants.run(names, click.echo)
    missed = [verdict.name for verdict in verdicts if not verdict.caught]
    click.echo(f"{len(verdicts) - len(missed)} of {len(verdicts)} caught")
    if missed:
        raise FuzzError(f"not caught by the named invariant: {', '.join(missed)}")


if __name__ == "__main__":
    interrupt_on_terminate()
    try:
        main(standalone_mode=False)
    except (FuzzError, click.ClickException) as error:
        click.echo(f"fuzz: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
