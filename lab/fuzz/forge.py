"""Runs forge on the harness, in this folder or in a copy of the tree, and parses its output."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ballast.build import BUILD, ROOT, is_current
from ballast.files import replace_json
from lab.fuzz.errors import FuzzError
from lab.localnet.anvil import dies_with_parent
from lab.localnet.artifacts import SOLC

FORGE = ROOT / ".tools" / "foundry" / "bin" / "forge"
CACHE = Path(".cache") / "forge"
CONTRACTS = CACHE / "contracts"
"""Artifacts that the harness deploys, in forge's layout."""
DEPLOYED = Path("lab") / "fuzz" / "deployed" / "Deployed.sol"
"""Imports what the harness deploys."""
SETUPS = ("FixedWeightInvariants", "MarketCapInvariants")
"""The test contracts: one fund of given weights, one by market cap."""

_VERDICT = re.compile(
    r"^(?:\[(?P<word>PASS|FAIL)(?:: (?P<reason>.*))?\])?\s*invariant_fund\(\) \(runs: \d+, calls: (?P<calls>\d+),"
)
_FAILED = re.compile(r"^\[FAIL: (?P<reason>.*?)\]")
_SUITE = re.compile(r"^Ran 1 test for \S+:(?P<setup>\w+)$")
_HANDLER = re.compile(
    r"^\| (?P<contract>\w+)\s+\| (?P<name>\w+)\s+\| (?P<calls>\d+)\s+\| \d+\s+\| (?P<discards>\d+)\s+\|$"
)


@dataclass(frozen=True)
class Handler:
    """One handler's calls: `made` went through and were checked, `discarded` were not possible at that point."""

    made: int
    discarded: int


@dataclass(frozen=True)
class Suite:
    """forge's result for one set-up. `failure`: message of the broken invariant, None where all held."""

    setup: str
    calls: int
    failure: str | None
    handlers: dict[str, Handler]


@dataclass(frozen=True)
class Report:
    """One run of forge, with its whole output."""

    suites: tuple[Suite, ...]
    text: str

    @property
    def calls(self) -> int:
        """Calls that were made and checked, over all set-ups."""
        return sum(suite.calls for suite in self.suites)

    @property
    def failures(self) -> tuple[str, ...]:
        """Messages of the broken invariants."""
        return tuple(suite.failure for suite in self.suites if suite.failure is not None)


def environment(root: Path, **settings: str) -> dict[str, str]:
    """Environment for forge at `root`; `settings` are fields of [invariant] in upper case."""
    variables = {f"FOUNDRY_INVARIANT_{name}": value for name, value in settings.items()}
    return {**os.environ, "FOUNDRY_CONFIG": str(root / "lab" / "fuzz" / "foundry.toml"), **variables}


def build(root: Path = ROOT) -> None:
    """Compile the harness. Raises FuzzError with the compiler's output where it fails."""
    _build(root, environment(root))


def build_contracts(root: Path) -> None:
    """Compile what the harness deploys, with ape-config.yaml's settings, in a changed copy of the tree.

    Raises FuzzError with the compiler's output where it fails.
    """
    _build(root, {**os.environ, "FOUNDRY_CONFIG": str(root / "lab" / "fuzz" / "contracts.toml")})


def lay_contracts(root: Path = ROOT, names: Iterable[str] | None = None) -> None:
    """Write the artifacts of what the harness deploys, or of `names`, from the build of `make compile`: deployed code,
    byte by byte.

    Raises FuzzError where the build is not current.
    """
    if not is_current():
        raise FuzzError("the contracts have changed since they were compiled: run `make compile`")
    types = json.loads(BUILD.read_text())["contractTypes"]
    for name in deployed() if names is None else names:
        lay(root / CONTRACTS, name, types[name]["abi"], types[name]["deploymentBytecode"]["bytecode"])


def lay(folder: Path, name: str, abi: Sequence[object], creation: str) -> None:
    """Write an artifact in forge's layout; `creation` is hex with 0x."""
    path = folder / f"{name}.sol" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_json(path, {"abi": abi, "bytecode": {"object": creation}})


def deployed() -> list[str]:
    """Names of the contracts that the harness deploys."""
    return re.findall(r"^import \{(\w+)\}", (ROOT / DEPLOYED).read_text(), re.MULTILINE)


def _build(root: Path, variables: dict[str, str]) -> None:
    done = run_forge(root, ["build"], variables)
    if done.returncode != 0:
        raise FuzzError(f"forge build failed:\n{done.stdout}{done.stderr}")


def test(
    root: Path = ROOT,
    *,
    seed: int,
    runs: int,
    depth: int = 500,
    setup: str | None = None,
    artifacts: Path | None = None,
    threads: int = len(SETUPS),
    limit: float | None = None,
) -> Report:
    """Make `runs` sequences of `depth` calls for each set-up (or the one named); needs `build` before.

    `artifacts` and `limit` as for `run_forge`. Raises FuzzError where forge gives no verdict, and TimeoutExpired.
    """
    # A thread for each set-up is enough: a sequence depends on the seed alone.
    arguments = ["test", "--threads", str(threads), "--fuzz-seed", hex(seed)]
    if setup is not None:
        arguments += ["--match-contract", f"^{setup}$"]
    done = run_forge(root, arguments, environment(root, RUNS=str(runs), DEPTH=str(depth)), limit, artifacts)
    suites = read(done.stdout)
    if not suites or (done.returncode != 0) != any(suite.failure is not None for suite in suites):
        raise FuzzError(f"forge test gave no verdict (exit code {done.returncode}):\n{done.stdout}{done.stderr}")
    return Report(suites, done.stdout)


def read(text: str) -> tuple[Suite, ...]:
    """Parse the suites in forge's report, up to its list of failing tests."""
    suites: list[Suite] = []
    setup, failure, calls = "", None, -1
    handlers: dict[str, Handler] = {}

    def flush() -> None:
        if setup and calls >= 0:
            suites.append(Suite(setup, calls, failure, dict(handlers)))

    for line in text.split("\nFailing tests:", maxsplit=1)[0].splitlines():
        if found := _SUITE.match(line):
            flush()
            setup, failure, calls = found["setup"], None, -1
            handlers.clear()
            continue
        if found := _FAILED.match(line):
            failure = found["reason"]
        if found := _VERDICT.match(line.strip()):
            calls = int(found["calls"])
        elif found := _HANDLER.match(line):
            tried, discarded = int(found["calls"]), int(found["discards"])
            handlers[found["name"]] = Handler(tried - discarded, discarded)
    flush()
    return tuple(suites)


def run_forge(
    root: Path,
    arguments: list[str],
    variables: dict[str, str],
    limit: float | None = None,
    artifacts: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run forge at `root`, for `limit` seconds at most. `artifacts`: a folder with what tests deploy, in place of the
    one of `lay_contracts`. Raises FuzzError where forge is missing, and TimeoutExpired."""
    if not FORGE.exists():
        raise FuzzError(f"{FORGE} is missing: run `make setup`")
    if artifacts is not None:
        variables = {**variables, "BALLAST_ARTIFACTS": str(artifacts)}
    command = [str(FORGE), *arguments, "--root", str(root), "--use", str(SOLC), "--offline"]
    return subprocess.run(
        command,
        cwd=root,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
        preexec_fn=dies_with_parent(),
    )
