"""Runs scenarios, several at a time, and writes what they came to after each."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from lab.chaos.fork_server import ForkServer
from lab.chaos.scenario import Outcome, Scenario, run

Progress = Callable[[Outcome], None]


def run_all(scenarios: Sequence[Scenario], base: Path, work: Path, jobs: int, progress: Progress) -> list[Outcome]:
    """All outcomes in the scenarios' order; `progress` is told each as it comes. Folders of scenarios that passed are
    removed."""
    found: dict[str, Outcome] = {}
    # Processes of their own: each has its chain, proxies and keepers, and a fault in one reaches no other.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures: dict[Future[Outcome], Scenario] = {
            pool.submit(_run, scenario, base, work / scenario.name): scenario for scenario in scenarios
        }
        try:
            for future in as_completed(futures):
                outcome = future.result()
                found[outcome.name] = outcome
                if outcome.passed:
                    shutil.rmtree(work / outcome.name, ignore_errors=True)
                progress(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[scenario.name] for scenario in scenarios if scenario.name in found]


@cache
def _fork_server() -> ForkServer:
    """One for each process; it ends with it."""
    return ForkServer()


def _run(scenario: Scenario, base: Path, folder: Path) -> Outcome:
    shutil.rmtree(folder, ignore_errors=True)
    return run(scenario, base, folder, _fork_server())


def report(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """What goes into out/chaos.json. `months_missed`: scenarios whose month was not done."""
    return {
        "scenarios": [outcome.to_json() for outcome in outcomes],
        "passed": sum(outcome.passed for outcome in outcomes),
        "failed": sum(not outcome.passed for outcome in outcomes),
        "months_missed": sum(not outcome.month_done for outcome in outcomes),
        "sent_twice": sum(outcome.sent_twice for outcome in outcomes),
        "wrong_nonce": sum(outcome.wrong_nonce for outcome in outcomes),
        "random": sum(outcome.seed is not None for outcome in outcomes),
        "seconds": round(seconds),
    }
