"""Builds the tests in Solidity and runs folders of them on the artifacts in a folder."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ballast.build import ROOT
from lab.fuzz import forge
from lab.solidity.errors import SolidityError

TESTS = Path("tests") / "solidity"
_FAILED = re.compile(r"^\[FAIL.*\] (?P<test>\w+)\(", re.MULTILINE)
_SUITE = re.compile(r"^Ran \d+ tests? for \S+:(?P<suite>\w+)$", re.MULTILINE)
_PASSED = re.compile(r"(\d+) tests passed, (\d+) failed")


@dataclass(frozen=True)
class Run:
    """The result of a run: `failed` is the first test that failed, None where none did."""

    passed: int
    failed: str | None
    text: str


def environment() -> dict[str, str]:
    """The environment for forge on these tests."""
    return {**os.environ, "FOUNDRY_CONFIG": str(ROOT / TESTS / "foundry.toml")}


def build() -> None:
    """Compile the tests. Raises SolidityError with the compiler's output where it fails."""
    done = forge.run_forge(ROOT, ["build"], environment())
    if done.returncode != 0:
        raise SolidityError(f"forge build failed:\n{done.stdout}{done.stderr}")


def deployed_names() -> list[str]:
    """Names of the contracts that the tests and the harness of the invariants deploy."""
    texts = [path.read_text() for folder in (TESTS, Path("lab") / "fuzz") for path in (ROOT / folder).rglob("*.sol")]
    return sorted({name for text in texts for name in re.findall(r"\bdeploy\(\s*\"(\w+)\"", text)})


def test(folders: Sequence[str] = (), artifacts: Path | None = None, *, threads: int = 0, limit: float = 600) -> Run:
    """Run the tests of these folders, or all, up to the first that fails; needs `build` before.

    `threads`: 0 for one for each core. `limit`, `artifacts`: as for `run_forge`. Raises SolidityError where forge gives
    no verdict, and TimeoutExpired.
    """
    pattern = f"{TESTS}/{{{','.join(folders)},_}}/**" if folders else f"{TESTS}/**"
    arguments = ["test", "--fail-fast", "--match-path", pattern, "--threads", str(threads)]
    done = forge.run_forge(ROOT, arguments, environment(), limit, artifacts)
    return read(done)


def read(done: subprocess.CompletedProcess[str]) -> Run:
    """Parses forge's output. Raises SolidityError where that is no verdict."""
    failed = _FAILED.search(done.stdout)
    sums = _PASSED.search(done.stdout)
    if sums is None or (done.returncode != 0) != (failed is not None):
        raise SolidityError(f"forge test gave no verdict (exit code {done.returncode}):\n{done.stdout}{done.stderr}")
    if failed is None:
        return Run(int(sums[1]), None, done.stdout)
    suites = [found["suite"] for found in _SUITE.finditer(done.stdout, 0, failed.start())]
    return Run(int(sums[1]), f"{suites[-1] if suites else '?'}.{failed['test']}", done.stdout)
