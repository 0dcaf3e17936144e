"""Runs scenarios, several at a time, and reports each outcome as it comes."""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from lab.chaos.catalogue import odd_months
from lab.chaos.odd import METHODS, SHAPES
from lab.chaos.scenario import Outcome, Scenario, run

Progress = Callable[[Outcome], None]
ODD_ROUNDS = 12


def run_all(scenarios: Sequence[Scenario], base: Path, work: Path, jobs: int, progress: Progress) -> list[Outcome]:
    """All outcomes in the scenarios' order; calls `progress` with each as it comes. Removes the folders of scenarios
    that passed."""
    found: dict[str, Outcome] = {}
    # Separate processes: each has its chain, proxies and keepers, and a fault in one reaches no other.
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


def run_odd(base: Path, work: Path, jobs: int, progress: Progress, methods: Sequence[str] = METHODS) -> list[Outcome]:
    """Runs months until each method has been answered in each odd shape, alone and beside a healthy endpoint, in at
    most ODD_ROUNDS rounds; a shape whose method is not called any more in a month comes in the next one."""
    left = {(method, endpoints): list(SHAPES) for method in methods for endpoints in (1, 2)}
    found: list[Outcome] = []
    for number in range(ODD_ROUNDS):
        done = run_all(list(odd_months(left)), base, work / f"round{number}", jobs, progress)
        found += done
        for case in (case for outcome in done for case in outcome.cases):
            left[case["method"], case["endpoints"]].remove(case["shape"])
        left = {key: shapes for key, shapes in left.items() if shapes}
        if not left:
            break
    return found


def odd_answers(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The result of each odd answer."""
    return [{**case, "month_done": outcome.month_done} for outcome in outcomes for case in outcome.cases]


def clients_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The months before each client, one row a client."""
    months: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.name.startswith("client-"):
            months[outcome.name.removeprefix("client-").removesuffix("-race")].append(outcome)
    return [
        {
            "client": name,
            "months": len(found),
            "passed": all(outcome.passed for outcome in found),
            "cancelled_needlessly": sum(outcome.cancelled_needlessly for outcome in found),
            "stalled_blocks": max(outcome.stalled_blocks for outcome in found),
            "worded": dict(sum((Counter(outcome.worded) for outcome in found), Counter[str]())),
        }
        for name, found in months.items()
    ]


def _run(scenario: Scenario, base: Path, folder: Path) -> Outcome:
    shutil.rmtree(folder, ignore_errors=True)
    return run(scenario, base, folder)


def report(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """Contents of out/chaos.json. `months_missed`: scenarios whose month was not done."""
    return {
        "scenarios": [outcome.to_json() for outcome in outcomes],
        "passed": sum(outcome.passed for outcome in outcomes),
        "failed": sum(not outcome.passed for outcome in outcomes),
        "months_missed": sum(not outcome.month_done for outcome in outcomes),
        "sent_twice": sum(outcome.sent_twice for outcome in outcomes),
        "wrong_nonce": sum(outcome.wrong_nonce for outcome in outcomes),
        "random": sum(outcome.seed is not None for outcome in outcomes),
        "seconds": round(seconds),
        "clients": clients_of(outcomes),
        "odd_answers": odd_answers(outcomes),
    }
