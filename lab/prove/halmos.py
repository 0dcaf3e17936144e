"""Runs halmos on one property of a tree, and reads what it found."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from lab.localnet.artifacts import SOLC
from lab.prove.errors import ProveError
from lab.prove.property_list import Property

PROVER = ROOT / ".tools" / "prove" / "bin"
FORGE = ROOT / ".tools" / "foundry" / "bin"
SOLVER = Path("lab") / "prove" / "solver" / "solve.py"
CACHE = Path(".cache") / "prove"
SPARE = 120
"""Seconds beyond a property's own for the compiler."""
PANICS = "0x01,0x11,0x12,0x32,0x41"
"""What counts as a counterexample beside a failed assertion: overflow, division by zero, index or size out of bounds.
Not a number that is no enum's: storage holds none."""


class Result(StrEnum):
    """What became of a property. PARTLY: no counterexample, but a loop was longer than it was followed."""

    PROVED = "proved"
    REFUTED = "refuted"
    TIMEOUT = "timeout"
    PARTLY = "partly"
    FAILED = "failed"


RESULTS = {0: Result.PROVED, 1: Result.REFUTED, 2: Result.TIMEOUT}
"""By halmos' code; any other: a path that it could not follow, or none that does not revert."""


@dataclass(frozen=True)
class Found:
    """A result, the seconds it took without the compiler, and what halmos printed."""

    result: Result
    seconds: float
    text: str


def run(proved: Property, tree: Path) -> Found:
    """Compile what has changed in `tree` and try to prove a property.

    Raises ProveError where there is no result, as where the tree does not compile.
    """
    if not (PROVER / "halmos").exists():
        raise ProveError(f"{PROVER / 'halmos'} is missing: run `make .tools/prove.stamp`")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halmos-") as folder:
        report = Path(folder) / "report.json"
        code, text = _run(proved, _command(proved, tree, report), tree, folder)
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
    return Found(result, round(found["time"][0], 1), text)


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
        *("--json-output", str(report)),
    ]


def _run(proved: Property, command: list[str], tree: Path, folder: str) -> tuple[int | None, str]:
    """Exit code, None where it took too long, and all that was printed; leaves no solver behind."""
    environment = {
        **os.environ,
        "FOUNDRY_CONFIG": str(tree / "lab" / "prove" / f"{proved.folder}.toml"),
        "FOUNDRY_SOLC": str(SOLC),
        "FOUNDRY_OFFLINE": "true",
        "PATH": f"{PROVER}:{FORGE}:{os.environ['PATH']}",
        "TMPDIR": folder,
    }
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(timeout=proved.seconds + SPARE)
        return process.returncode, text
    except subprocess.TimeoutExpired:
        return None, ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
