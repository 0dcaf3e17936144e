"""Compiles a tree, runs halmos on one property of it, and reads what it found."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from lab.localnet.artifacts import SOLC
from lab.prove.errors import ProveError
from lab.prove.processes import Processes
from lab.prove.property_list import Property

PROVER = ROOT / ".tools" / "prove" / "bin"
FORGE = ROOT / ".tools" / "foundry" / "bin"
SOLVER = Path("lab") / "prove" / "solver" / "solve.py"
SMALL_WORDS = Path("lab") / "prove" / "solver" / "small_words.py"
DRAWN = 60
"""Questions on small words by which the solver is compared with z3."""
CACHE = Path(".cache") / "prove"
MISSING = f"{PROVER} lacks the prover: run `make .tools/prove.stamp`"
SPARE = 120
"""Seconds beyond a property's own for the paths that halmos follows."""
COMPILE = 900
"""Seconds for the compiler."""
PANICS = "0x01,0x11,0x12,0x32,0x41"
"""What counts as a counterexample beside a failed assertion: overflow, division by zero, index or size out of bounds.
Not a number that is no enum's: storage holds none."""


class Result(StrEnum):
    """What became of a property.

    PARTLY: no counterexample, but a loop was longer than it was followed. FAILED: halmos could not follow a path, or
    every path reverts. ERROR: no verdict, as where the tree does not compile. UNJUDGED: not yet tried.
    """

    PROVED = "proved"
    REFUTED = "refuted"
    TIMEOUT = "timeout"
    PARTLY = "partly"
    FAILED = "failed"
    ERROR = "error"
    UNJUDGED = "unjudged"


RESULTS = {0: Result.PROVED, 1: Result.REFUTED, 2: Result.TIMEOUT}
"""By halmos' code; any other: FAILED."""


@dataclass(frozen=True)
class Found:
    """A result, the seconds it took without the compiler, and what halmos printed."""

    result: Result
    seconds: float
    text: str


def check_solver(processes: Processes, script: Path = ROOT / SMALL_WORDS) -> None:
    """Raise ProveError where the solver refutes, of drawn questions on small words, what z3 does not."""
    if not (PROVER / "python").exists():
        raise ProveError(MISSING)
    command = [str(PROVER / "python"), str(script), "1", str(DRAWN), str(PROVER / "yices-smt2")]
    code, text = processes.run(command, cwd=ROOT, env=os.environ, seconds=COMPILE)
    if code != 0:
        raise ProveError(f"the solver is wrong:\n{text}")


def compile_tree(tree: Path, folder: str, processes: Processes) -> None:
    """Compile what has changed in `tree` of the properties in `folder`. Raises ProveError where it does not compile."""
    if not (PROVER / "halmos").exists():
        raise ProveError(MISSING)
    command = [
        str(FORGE / "forge"),
        "build",
        "--ast",
        "--root",
        str(tree),
        "--extra-output",
        "storageLayout",
        "metadata",
    ]
    code, text = processes.run(command, cwd=tree, env=_environment(tree, folder), seconds=COMPILE)
    if code != 0:
        raise ProveError(f"the tree does not compile{' in time' if code is None else ''}:\n{text}")


def run(proved: Property, tree: Path, processes: Processes) -> Found:
    """Try to prove a property of a tree that is compiled. Raises ProveError where halmos gives no verdict."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halmos-") as folder:
        report = Path(folder) / "report.json"
        # halmos has forge build at first. All is built, and forge would write its cache, which others read.
        (Path(folder) / "forge").symlink_to(shutil.which("true") or "/bin/true")
        env = _environment(tree, proved.folder)
        env |= {"PATH": f"{folder}:{PROVER}:{env['PATH']}", "TMPDIR": folder}
        command = _command(proved, tree, report)
        code, text = processes.run(command, cwd=tree, env=env, seconds=proved.seconds + SPARE)
        if code is None:
            return Found(Result.TIMEOUT, round(time.monotonic() - began, 1), text)
        if not report.exists():
            raise ProveError(f"halmos gave no verdict on {proved.name} (exit code {code}):\n{text}")
        return _read(json.loads(report.read_text()), text)


def _read(report: dict[str, Any], text: str) -> Found:
    results = [result for suite in report["test_results"].values() for result in suite]
    if len(results) != 1:
        raise ProveError(f"expected one verdict of halmos, got {len(results)}:\n{text}")
    (found,) = results
    result = RESULTS.get(found["exitcode"], Result.FAILED)
    if result is Result.PROVED and found["num_bounded_loops"]:
        result = Result.PARTLY
    # What ends in an error has no time.
    return Found(result, round(found["time"][0], 1) if found["time"] else 0.0, text)


def _command(proved: Property, tree: Path, report: Path) -> list[str]:
    solver = f"{PROVER / 'python'} {tree / SOLVER} {proved.seconds}"
    return [
        *(
            str(PROVER / "halmos"),
            "--root",
            str(tree),
            "--forge-build-out",
            str(CACHE / proved.folder / "out"),
            "--no-status",
        ),
        *("--match-contract", f"^{proved.contract}$", "--match-test", f"^{proved.function}\\b"),
        *("--loop", str(proved.loop), "--solver-command", solver, "--solver-threads", "1"),
        *("--solver-timeout-assertion", f"{proved.seconds}s", "--panic-error-codes", PANICS, "--statistics"),
        *("--json-output", str(report), "--early-exit"),
    ]


def _environment(tree: Path, folder: str) -> dict[str, str]:
    return {
        **os.environ,
        "FOUNDRY_CONFIG": str(tree / "lab" / "prove" / f"{folder}.toml"),
        "FOUNDRY_SOLC": str(SOLC),
        "FOUNDRY_OFFLINE": "true",
    }
