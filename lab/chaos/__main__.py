"""`python -m lab.chaos list | run`: the keeper under faults."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ballast.files import replace_json
from lab.chaos.base_chain import build
from lab.chaos.catalogue import kills, named
from lab.chaos.drawn import drawn
from lab.chaos.runner import clients_of, odd_answers, report, run_all, run_odd
from lab.chaos.scenario import Outcome, Scenario
from lab.chaos.steps import count_steps
from lab.localnet.session import RUNS, command

ODD = "odd"
"""Names the months of odd answers, in place of a scenario."""


@click.group()
def main() -> None:
    """Whole months of the keeper with things going wrong; see docs/faults.md."""


@main.command(name="list")
def list_() -> None:
    """Names of the scenarios and their faults."""
    for scenario in named():
        click.echo(f"{scenario.name}: {'; '.join(fault.words() for fault in scenario.faults)}")


@main.command(name="run")
@click.argument("names", nargs=-1)
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Scenarios at a time.")
@click.option("--random", "count", type=click.IntRange(0), default=0, help="Random combinations, beside those named.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the first combination.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out/chaos.json"), show_default=True, help="Figures."
)
@click.option("--base", type=click.Path(path_type=Path), help="A saved chain; built anew unless given.")
def run_(names: tuple[str, ...], jobs: int, count: int, seed: int, out: Path, base: Path | None) -> None:
    """Run the scenarios named (a beginning is enough), or all; and random combinations of faults. `odd`: the odd
    answers.

    With --random and no names only the combinations are run, unless NAMES is `all`.
    """
    console = Console()
    began = time.monotonic()
    RUNS.mkdir(exist_ok=True)
    with command("chaos"), tempfile.TemporaryDirectory(prefix="chaos-", dir=RUNS) as folder:
        if base is None:
            base = Path(folder)
            with console.status("deploying the fund"):
                build(base)
        chosen = [*_chosen(names, count, base, Path(folder)), *drawn(seed, count)]
        odd = ODD in names or names == ("all",) or not (names or count)
        outcomes = _show(console, chosen, base, jobs, out, began, odd)
    sys.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def _chosen(names: tuple[str, ...], count: int, base: Path, folder: Path) -> list[Scenario]:
    every = named()
    if not names and count:
        return []
    if not names or any(name.startswith("kill-") or name == "all" for name in names):
        every += kills(count_steps(base, folder))
    if names == ("all",) or (not names and not count):
        return every
    chosen = [scenario for scenario in every if any(scenario.name.startswith(name) for name in names)]
    for name in names:
        if name != ODD and not any(scenario.name.startswith(name) for scenario in every):
            raise click.ClickException(f"NAMES: {name!r} is no scenario; `python -m lab.chaos list` names them")
    return chosen


def _show(
    console: Console, scenarios: list[Scenario], base: Path, jobs: int, out: Path, began: float, odd: bool
) -> list[Outcome]:
    """Runs them with a bar, writes the figures after each, and prints the table."""
    done: list[Outcome] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("scenarios", total=len(scenarios))

        def progress(outcome: Outcome) -> None:
            done.append(outcome)
            replace_json(out, report(done, time.monotonic() - began), indent=1)
            bar.update(task, advance=1, description=outcome.name)
            if not outcome.passed:
                bar.console.print(f"[red]failed[/red] {outcome.name}: {'; '.join(outcome.problems)}", soft_wrap=True)
            elif not console.is_terminal:
                bar.console.print(f"passed {outcome.name} ({outcome.wall_s:.0f} s)")

        outcomes = run_all(scenarios, base, RUNS / "chaos", jobs, progress)
        if odd:
            bar.update(task, total=None)
            outcomes += run_odd(base, RUNS / "chaos", jobs, progress)
    seconds = time.monotonic() - began
    replace_json(out, report(outcomes, seconds), indent=1)
    console.print(_table(outcomes))
    if rows := clients_of(outcomes):
        console.print(_clients(rows))
    if cases := odd_answers(outcomes):
        ended = sum(case["process_ended"] for case in cases)
        missed = sum(not case["month_done"] for case in cases)
        console.print(f"odd answers: {len(cases)}; the process ended in {ended}, the month was not done in {missed}")
    passed = sum(outcome.passed for outcome in outcomes)
    console.print(f"{passed} of {len(outcomes)} passed in {seconds:.0f} s; figures: {out}")
    return outcomes


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("scenario", "passed", "recovery s", "batches", "sent twice", "wrong nonce", "reverted", "wall s")
    for o in outcomes:
        figures = (o.recovery_s, o.batches, o.sent_twice, o.wrong_nonce, o.reverted_duplicates, o.wall_s)
        table.add_row(o.name, "yes" if o.passed else "[red]no[/red]", *map(str, figures))
    return table


def _clients(rows: list[dict[str, Any]]) -> Table:
    table = Table("client", "passed", "cancelled needlessly", "stalled blocks", "own words heard")
    for row in rows:
        heard = ", ".join(f"{kind} {count}" for kind, count in sorted(row["worded"].items()))
        figures = (row["cancelled_needlessly"], row["stalled_blocks"], heard)
        table.add_row(row["client"], "yes" if row["passed"] else "[red]no[/red]", *map(str, figures))
    return table


if __name__ == "__main__":
    main()
