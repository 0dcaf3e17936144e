"""Runs the published months through both engines, a process for each month, and merges their figures."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Manager, get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ballast.build import ROOT
from lab.bench import month_run
from lab.bench.errors import BenchError

MONTHS = ROOT / "data" / "months"
AT_ONCE = min(2, os.cpu_count() or 1)
"""Each month runs two chains, and for a while a keeper."""

MonthFigures = dict[str, Any]
"""A month's object in out/bench.json."""


def files(label: str | None) -> list[Path]:
    """The published months in order of their labels, or the one with this label. Raises BenchError."""
    found = sorted(MONTHS.glob("*.json"))
    if label is None:
        return found
    chosen = [file for file in found if file.stem == label]
    if not chosen:
        known = ", ".join(file.stem for file in found)
        raise BenchError(f"--months {label}: no such month, expected one of {known}")
    return chosen


def merged(before: Iterable[MonthFigures], found: Iterable[MonthFigures]) -> list[MonthFigures]:
    """Months by label: new figures replace old ones; months that were not measured now keep theirs."""
    by_label = {month["label"]: month for month in (*before, *found)}
    return [by_label[label] for label in sorted(by_label)]


def measure(months: Sequence[Path], logs: Path, console: Console) -> list[MonthFigures]:
    """Runs the months, AT_ONCE at a time. Raises BenchError where one fails."""
    logs.mkdir(parents=True, exist_ok=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    # A process for each month, because Ape binds to a chain once per process.
    processes = ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with Manager() as manager, processes as pool, Progress(*columns, console=console, transient=True) as bar:
        said = manager.Queue()
        tasks = {file: bar.add_task(f"{file.stem}: waiting", total=None) for file in months}
        futures = [pool.submit(month_run.measure, file, logs, said) for file in months]
        try:
            while not all(future.done() for future in futures):
                try:
                    file, words = said.get(timeout=0.2)
                except queue.Empty:
                    continue
                bar.update(tasks[file], description=f"{file.stem}: {words}")
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
