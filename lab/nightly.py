"""`python -m lab.nightly [NAMES]`: what takes longer than tests may, one run after the other, and a table of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ballast.files import replace_json
from lab.localnet.anvil import ROOT
from lab.localnet.session import interrupt_on_terminate

OUT = Path("out")


@dataclass(frozen=True)
class Run:
    """A long run: its make target and variables, and what its figures in `out/` come to in a few words."""

    name: str
    make: tuple[str, ...]
    figures: str = ""
    words: Callable[[dict[str, Any]], str] = lambda _: ""


@dataclass(frozen=True)
class Ran:
    """What became of a run."""

    name: str
    passed: bool
    seconds: int
    said: str


def _chaos(found: dict[str, Any]) -> str:
    clients, odd = found["clients"], found["odd_answers"]
    return (
        f"{found['passed']} of {found['passed'] + found['failed']} months passed; "
        f"{sum(row['passed'] for row in clients)} of {len(clients)} clients; {len(odd)} odd answers, "
        f"the process ended in {sum(case['process_ended'] for case in odd)}"
    )


def _proofs(found: dict[str, Any]) -> str:
    results = [entry["result"] for entry in found["properties"]]
    return f"{results.count('proved')} of {len(results)} proved, {results.count('timeout')} not decided in their time"


RUNS = (
    Run("long", ("test", "ONLY=tests/scripts/long")),
    Run("chaos", ("chaos",), "chaos.json", _chaos),
    Run("invariants", ("invariants", "CALLS=10000000")),
    Run("mutants", ("mutants",)),
    Run("mutation", ("mutation", "SAMPLE=60")),
    Run("gas", ("bench", "ARGS=--check")),
    Run("keeper", ("bench", "ARGS=--keeper")),
    Run("slither", ("slither",)),
    Run("proofs", ("prove",), "proofs.json", _proofs),
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([run.name for run in RUNS]))
def main(names: tuple[str, ...]) -> None:
    """Runs what is named, or all; the table also goes to out/nightly.json, each run's output to out/nightly/."""
    interrupt_on_terminate()
    console, done = Console(), []
    for run in RUNS:
        if names and run.name not in names:
            continue
        with console.status(run.name):
            done.append(_run(run))
        replace_json(OUT / "nightly.json", {"runs": [asdict(ran) for ran in done]}, indent=1)
        console.print(f"{'passed' if done[-1].passed else 'FAILED'} {run.name} ({done[-1].seconds} s)")
    table = Table("run", "passed", "seconds", "figures")
    for ran in done:
        table.add_row(ran.name, "yes" if ran.passed else "[red]no[/red]", str(ran.seconds), ran.said)
    console.print(table)
    sys.exit(0 if all(ran.passed for ran in done) else 1)


def _run(run: Run) -> Ran:
    log = OUT / "nightly" / f"{run.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("wb") as out:
        made = subprocess.run(["make", *run.make], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False)
    said = _last_line(log)
    if run.figures and not made.returncode:
        said = run.words(json.loads((OUT / run.figures).read_text(encoding="utf-8")))
    return Ran(run.name, made.returncode == 0, round(time.monotonic() - began), said)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else ""


if __name__ == "__main__":
    main()
