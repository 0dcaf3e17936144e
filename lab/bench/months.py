"""The published months through both engines: a process for each month, and what they found together."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lab.bench.errors import BenchError
from lab.localnet.anvil import ROOT, dies_with_parent, stop

MONTHS = ROOT / "data" / "months"
AT_ONCE = min(2, os.cpu_count() or 1)
"""Each month runs two chains, and for a while a keeper."""
LONGEST_ERROR = 400

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
    """Months by label: new figures in place of old ones, months that were not measured now as they were."""
    by_label = {month["label"]: month for month in (*before, *found)}
    return [by_label[label] for label in sorted(by_label)]


@dataclass(frozen=True)
class _Job:
    """A running month."""

    file: Path
    out: Path
    errors: Path
    process: subprocess.Popen[bytes]
    task: TaskID


def measure(months: Sequence[Path], logs: Path, console: Console) -> list[MonthFigures]:
    """Runs the months, a few at once. Raises BenchError with the last words of the first that fails."""
    waiting = list(months)
    running: list[_Job] = []
    ended: queue.Queue[_Job] = queue.Queue()
    logs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bar = stack.enter_context(_bar(console))
        stack.callback(_stop_all, running)
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                job = _begin(waiting.pop(0), folder, logs, bar)
                running.append(job)
                threading.Thread(target=_follow, args=(job, bar, ended), daemon=True).start()
            job = ended.get()
            running.remove(job)
            if job.process.wait() != 0:
                raise BenchError(_last_words(job))
            bar.update(job.task, description=f"{job.file.stem}: done")
        return [json.loads((folder / f"{file.stem}.json").read_text(encoding="utf-8")) for file in months]


def _stop_all(running: list[_Job]) -> None:
    for job in running:
        stop(job.process)


def _bar(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _begin(file: Path, folder: Path, logs: Path, bar: Progress) -> _Job:
    out, errors = folder / f"{file.stem}.json", folder / f"{file.stem}.err"
    with errors.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.bench.month_run", str(file), "--out", str(out), "--logs", str(logs)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            # The main thread starts it, so it ends with this process and not with a helper's thread.
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )
    return _Job(file, out, errors, process, bar.add_task(file.stem, total=None))


def _follow(job: _Job, bar: Progress, ended: queue.Queue[_Job]) -> None:
    """Shows what the month is doing until its process ends."""
    assert job.process.stdout is not None
    for line in job.process.stdout:
        bar.update(job.task, description=f"{job.file.stem}: {line.decode(errors='replace').strip()}")
    ended.put(job)


def _last_words(job: _Job) -> str:
    lines = job.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1][:LONGEST_ERROR] if lines else f"ended with code {job.process.returncode}"
    return said if said.startswith(job.file.stem) else f"{job.file.stem}: {said}"
