"""`python -m lab.nightly [NAMES]`: runs what takes longer than tests may, one after the other, and prints a table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ballast.build import ROOT
from ballast.files import replace_json
from lab.localnet.session import interrupt_on_terminate

OUT = ROOT / "out"
LONG = ("tests/lab/long", "tests/scripts/long")
"""Folders of tests that run only here."""


@dataclass(frozen=True)
class Run:
    """A long run: its make target and variables, and a summary of its figures in `out/`."""

    name: str
    make: tuple[str, ...]
    figures: str = ""
    words: Callable[[dict[str, Any]], str] = lambda _: ""


@dataclass(frozen=True)
class Ran:
    """The outcome of a run."""

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


def _coverage(found: dict[str, Any]) -> str:
    core = found["core"]
    return f"core: {core['lines_percent']} % of lines, {core['branches_percent']} % of branches"


def _sandbox(found: dict[str, Any]) -> str:
    kinds = [kind for kind in ("anvil", "hardhat") if kind in found]
    return "; ".join(
        f"{kind}: up {found[kind]['up']['gas'] / 1e6:.1f} million gas, month done after "
        f"{found[kind]['month']['chain_seconds']['until_done'] // 60} min, {found[f'{kind}_stops']['stops']} stops"
        for kind in kinds
    )


def _years(found: dict[str, Any]) -> str:
    first, chain = found["funds"][0]["totals"], found["chain"]
    return (
        f"{found['months']} months of {len(found['funds'])} funds; NAV {first['difference_pct']:+.2f} % of the index; "
        f"model off the chain by {abs(chain['largest_nav_apart_bps']):.2f} bps at most"
    )


def _invariants(found: dict[str, Any]) -> str:
    last = found["campaigns"][-1]
    return f"{last['calls']:,} calls, seeds {last['first_seed']} to {last['first_seed'] + last['seeds'] - 1}"


def _keeper(found: dict[str, Any]) -> str:
    quiet = found["keeper"]
    return (
        f"{quiet['round_trips_per_tick']:.2f} round trips and {quiet['tick_ms']:.1f} ms a tick, "
        f"{quiet['rss_growth_kib']:+,} KiB of memory"
    )


def _proofs(found: dict[str, Any]) -> str:
    results = [entry["result"] for entry in found["properties"]]
    return f"{results.count('proved')} of {len(results)} proved, {results.count('timeout')} not decided in their time"


def _mutation(found: dict[str, Any]) -> str:
    states = Counter(entry["state"] for entry in found["mutants"])
    return f"{len(found['mutants'])} mutants tried, {states['survived']} not noticed (docs/mutation.md judges them)"


RUNS = (
    Run("long", ("test", f"ONLY={' '.join(LONG)}")),
    Run("years", ("years",), "years.json", _years),
    Run("sandbox", ("sandbox", "ARGS=--stops"), "sandbox.json", _sandbox),
    Run("chaos", ("chaos",), "chaos.json", _chaos),
    Run("invariants", ("invariants", "CALLS=10000000"), "invariants.json", _invariants),
    Run("mutants", ("mutants",)),
    Run("mutation", ("mutation",), "mutation.json", _mutation),
    Run("gas", ("bench", "ARGS=--check")),
    Run("keeper", ("bench", "ARGS=--keeper"), "bench.json", _keeper),
    Run("coverage", ("coverage",), "coverage.json", _coverage),
    Run("proofs", ("prove",), "proofs.json", _proofs),
    Run("audit", ("audit",)),
    Run("release", ("release",)),
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
        made = subprocess.run(command(run), cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False)
    said = last_line(log.read_text(encoding="utf-8", errors="replace"))
    if run.figures and not made.returncode:
        said = run.words(json.loads((OUT / run.figures).read_text(encoding="utf-8")))
    return Ran(run.name, made.returncode == 0, round(time.monotonic() - began), said)


def command(run: Run) -> list[str]:
    """The make command of a run. A make hands its own variables on to those that it starts: here ARGS names the runs to
    make, and must not reach them."""
    return ["make", "--no-print-directory", "ARGS=", *run.make]


def last_line(log: str) -> str:
    """The last line of a run with content: not make's message about a failure, nor the edge of a table."""
    lines = [line.strip() for line in log.splitlines() if re.search(r"\w", line)]
    return next((line[:160] for line in reversed(lines) if not re.match(r"make(\[\d+\])?: ", line)), "")


if __name__ == "__main__":
    main()
