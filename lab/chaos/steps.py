"""Counts the steps that the keeper takes for an action, from its start until the journal has the action's outcome."""

from __future__ import annotations

from pathlib import Path

from lab.chaos.catalogue import DUE
from lab.chaos.faults import Fault
from lab.chaos.proxy import SEND
from lab.chaos.scenario import Scenario, run
from lab.localnet.errors import LocalnetError


def count_steps(base: Path, folder: Path) -> dict[str, int]:
    """Steps of each action in which scenarios kill the keeper. Raises LocalnetError if the month fails without any
    kill."""
    found = {}
    for action, (at, wait_s) in DUE.items():
        trace = (folder / f"{action}.trace").resolve()
        scenario = Scenario(f"trace-{action}", (Fault("step", at, more={"trace": str(trace), "wait_s": wait_s}),))
        outcome = run(scenario, base, folder / scenario.name)
        if not outcome.passed:
            raise LocalnetError(f"{scenario.name}: {'; '.join(outcome.problems)}")
        found[action] = last_step(trace.read_text())
    return found


def last_step(trace: str) -> int:
    """The step after the one that commits the outcome of the first transaction: a keeper killed before it has done
    everything."""
    lines = trace.splitlines()
    sent = next(place for place, line in enumerate(lines) if SEND in line)
    written = next(place for place, line in enumerate(lines) if place > sent and line.endswith("journal COMMIT"))
    return written + 2
