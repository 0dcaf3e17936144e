"""`python -m lab.prove run` proves properties and refutes broken variants; `list`, `snapshot` write what is found."""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console
from rich.table import Table

from ballast.build import ROOT
from ballast.files import replace_whole
from lab.localnet.session import interrupt_on_terminate
from lab.prove import proofs
from lab.prove.errors import ProveError
from lab.prove.halmos import Result
from lab.prove.manual import manual, seen
from lab.prove.property_list import SNAPSHOT

MANUAL = ROOT / "docs" / "security.md"


@click.group()
def main() -> None:
    """Proofs of the contracts with halmos."""


@main.command()
@click.argument("names", nargs=-1)
@click.option("--quick", is_flag=True, help="Those properties that take a few seconds alone.")
@click.option("--stale", is_flag=True, help="Those alone that the snapshot has no verdict of on the present sources.")
@click.option("--again", is_flag=True, help="Also what out/proofs.json has of the same sources.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="How many at once; default: cores."
)
def run(names: tuple[str, ...], quick: bool, stale: bool, again: bool, jobs: int) -> None:
    """Prove the NAMED properties, or all, first what the snapshot has no verdict of on the present sources.

    Fails unless each is proved and its broken variant refuted.
    """
    console = Console()
    wanted = proofs.chosen(names, quick=quick, stale=stale)

    def say(proof: proofs.Proof) -> None:
        console.print(f"{proof.result:8} {proof.name:40} {proof.seconds:6} s   broken: {proof.broken}")

    found = proofs.run(wanted, jobs, say, again=again)
    table = Table("property", "result", "seconds", "broken variant", "seconds")
    for proof in found:
        colour = "green" if proof.holds and proof.result == Result.PROVED else "yellow" if proof.holds else "red"
        row = (proof.name, f"[{colour}]{proof.result}", f"{proof.seconds}", proof.broken, f"{proof.broken_seconds}")
        table.add_row(*row)
    console.print(table)
    proved = sum(proof.result == Result.PROVED for proof in found)
    refuted = sum(proof.result == Result.PROVED and proof.broken == Result.REFUTED for proof in found)
    seconds = sum(proof.seconds + proof.broken_seconds for proof in found)
    console.print(
        f"{proved} of {len(found)} proved, {refuted} of them with the broken variant refuted; "
        f"{sum(proof.open for proof in found)} open; {seconds:.0f} s without the compiler"
    )
    wrong = [proof.name for proof in found if not proof.holds]
    if wrong:
        raise ProveError(f"not proved, or the broken variant not refuted: {', '.join(wrong)}")


@main.command(name="list")
def write_list() -> None:
    """Write the table of properties, with what the snapshot has of each, into docs/security.md."""
    replace_whole(MANUAL, manual(MANUAL.read_text(encoding="utf-8"), seen()))


@main.command()
def snapshot() -> None:
    """Keep what out/proofs.json has of the present sources in lab/prove/proofs.snapshot.json, and write the table."""
    proofs.snapshot(SNAPSHOT)
    replace_whole(MANUAL, manual(MANUAL.read_text(encoding="utf-8"), seen()))


if __name__ == "__main__":
    interrupt_on_terminate()
    try:
        main(standalone_mode=False)
    except (ProveError, click.ClickException) as error:
        click.echo(f"prove: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
