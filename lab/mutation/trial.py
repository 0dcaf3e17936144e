"""One mutant's trial: compile what it changes, put that into a copy of the tree, and run the tests until one fails.

Only the contracts whose sources reach the mutated file are compiled; their bytecode goes into the copy's build. The
copy's sources stay as they are, so that nothing there compiles anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from lab.localnet.anvil import dies_with_parent
from lab.mutation.operators import Mutant

BUILD = Path(".build") / "__local__.json"
LINKED = (".venv", ".tools", "node_modules")
LEFT_OUT = (".git", ".ape", ".cache", ".run", "out", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")
FOLDERS = ("tests/contracts",)
"""The tests of the contracts. Those of the keeper, the scripts and the local mainnet are not run."""
TIME_LIMIT = 600
"""Seconds for the tests of one mutant."""
FIRST: Mapping[str, Sequence[str]] = {
    "IndexToken": ("index_token/",),
    "Rebalancer": ("rebalancer/test_start", "rebalancer/test_trade", "rebalancer/test_close", "rebalancer/"),
    "RebalancerState": ("rebalancer/",),
    "RebalancerBrakes": ("rebalancer/",),
    "RebalancerSetters": ("rebalancer/test_setters", "rebalancer/"),
    "Opener": ("rebalancer/test_opener", "rebalancer/test_start"),
    "Calendar": ("libraries/schedule/",),
    "Periods": ("libraries/schedule/",),
    "PackedPeriod": ("libraries/schedule/test_calendar", "rebalancer/test_setters"),
    "Bounds": ("libraries/schedule/test_calendar", "rebalancer/test_setters"),
    "MonthTargets": ("rebalancer/test_band", "rebalancer/test_start", "rebalancer/test_opener"),
    "PlanMerge": ("rebalancer/test_opener", "rebalancer/test_start"),
    "PlanMeasure": ("rebalancer/test_opener", "rebalancer/test_start"),
    "PlanChoice": ("rebalancer/test_dropping", "rebalancer/test_room", "rebalancer/test_opener"),
    "Settlement": ("rebalancer/test_trade", "rebalancer/test_batches", "rebalancer/test_shares", "rebalancer/"),
    "Bucket": ("rebalancer/test_bucket", "rebalancer/test_batches"),
    "StreamingFee": ("index_token/test_fee", "rebalancer/test_fee"),
    "ProRata": ("index_token/", "rebalancer/test_shares"),
    "Value": ("rebalancer/test_trade", "rebalancer/test_opener"),
    "Targets": ("libraries/packed/test_targets",),
    "Constituents": ("libraries/packed/test_constituents",),
    "Lists": ("libraries/packed/test_lists",),
    "MarketCapMath": ("methodologies/test_differential", "methodologies/"),
    "MarketCap": ("methodologies/",),
    "Choice": ("methodologies/test_choice", "methodologies/"),
    "Circulating": ("methodologies/test_supplies", "methodologies/"),
    "PostedSupply": ("flow/test_poster", "methodologies/test_sources"),
    "Upkeep": ("upkeep/",),
    "GasTable": ("upkeep/test_attacks", "upkeep/test_payment"),
    "FeeSplit": ("upkeep/test_payment",),
    "Holdings": ("methodologies/test_choice", "methodologies/"),
}
"""Which tests to run first for a file: beginnings of paths below tests/contracts, in this order."""

_SETTINGS: Mapping[str, Any] = {
    "optimizer": {"enabled": True, "runs": 600},
    "viaIR": True,
    "evmVersion": "cancun",
}
"""As in ape-config.yaml."""
_IMPORT = re.compile(r"^import [^;]*?\"([^\"]+)\";", re.MULTILINE | re.DOTALL)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """`state`: killed, survived, same (the bytecode did not change), timeout, or not compiled. `test` killed it."""

    name: str
    file: str
    line: int
    operator: str
    old: str
    new: str
    state: str
    test: str | None
    seconds: float


def sources(root: Path = ROOT) -> dict[str, str]:
    """All contracts by path."""
    return {str(path.relative_to(root)): path.read_text() for path in sorted((root / "contracts").rglob("*.sol"))}


def reached(file: str, texts: Mapping[str, str]) -> set[str]:
    """The files that import `file`, directly or not, and itself."""
    imports = {
        name: {os.path.normpath(Path(name).parent / path) for path in _IMPORT.findall(text) if path.startswith(".")}
        for name, text in texts.items()
    }
    found: set[str] = set()
    new = {file}
    while new:
        found |= new
        new = {name for name, used in imports.items() if used & new} - found
    return found


def ordered(file: str, tests: Iterable[str]) -> list[str]:
    """The test files, those first that are most likely to fail for a mutant of `file`."""
    first = FIRST.get(Path(file).stem, ())

    def rank(test: str) -> int:
        return next((place for place, word in enumerate(first) if f"/{word}" in test), len(first))

    # Flow tests are whole months: last.
    return sorted(tests, key=lambda test: (rank(test), test.startswith("tests/contracts/flow"), test))


def copy(tree: Path, root: Path = ROOT) -> None:
    """A working copy of the repository with a build of its own."""
    shutil.copytree(root, tree, ignore=shutil.ignore_patterns(*LEFT_OUT, *LINKED))
    for name in LINKED:
        (tree / name).symlink_to(root / name)


def compiled(texts: Mapping[str, str], files: Iterable[str], root: Path = ROOT) -> dict[str, tuple[str, str]] | None:
    """Creation and runtime bytecode of the files' contracts by name, or None if they do not compile."""
    selection = {file: {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]} for file in files}
    task = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items()},
        "settings": {**_SETTINGS, "outputSelection": selection},
    }
    answer = subprocess.run(
        ["node", str(root / "tools" / "solc.js"), "--standard-json", "--base-path", str(root)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(answer.stdout)
    if any(error["severity"] == "error" for error in output.get("errors", ())):
        return None
    return {
        name: (contract["evm"]["bytecode"]["object"], contract["evm"]["deployedBytecode"]["object"])
        for file in files
        for name, contract in output["contracts"].get(file, {}).items()
    }


def code(bytecode: str) -> str:
    """Bytecode without the metadata at its end, of which the last two bytes give the length."""
    return bytecode[: -2 * (int(bytecode[-4:], 16) + 2)] if len(bytecode) > 4 else bytecode


def judge(mutant: Mutant, texts: Mapping[str, str], original: str, tree: Path) -> Result:
    """Try a mutant in a copy of the tree; `original` is the text of the build without it."""
    began = time.monotonic()

    def result(state: str, test: str | None = None) -> Result:
        seconds = round(time.monotonic() - began, 1)
        return Result(
            mutant.name, mutant.file, mutant.line, mutant.operator, mutant.old, mutant.new, state, test, seconds
        )

    build = json.loads(original)
    changed = {**texts, mutant.file: mutant.apply(texts[mutant.file])}
    contracts = compiled(changed, sorted(reached(mutant.file, texts)))
    if contracts is None:
        return result("not compiled")
    same = True
    for name, codes in contracts.items():
        for field, new in zip(("deploymentBytecode", "runtimeBytecode"), codes, strict=True):
            entry = build["contractTypes"][name].get(field) or {}
            old = entry.get("bytecode") or ""
            same = same and code(old.removeprefix("0x")) == code(new)
            if old:
                entry["bytecode"] = "0x" + new
    if same:
        return result("same")
    (tree / BUILD).write_text(json.dumps(build))
    python = str(tree / ".venv" / "bin" / "python")
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    marked = [python, "-c", "from ballast.build import mark_current; mark_current()"]
    subprocess.run(marked, cwd=tree, env=environment, check=True)
    files = (str(path.relative_to(tree)) for folder in FOLDERS for path in (tree / folder).rglob("test_*.py"))
    return result(*_tests([python, "tools/run_tests.py", *ordered(mutant.file, files), "-x", "-q"], tree, environment))


def _tests(command: Sequence[str], tree: Path, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """How the tests end, and which one failed."""
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread here; it must run in the child)
    )
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return "timeout", None
    finally:
        if process.poll() is None:
            process.terminate()  # it takes down its chain
            process.communicate()
    if process.returncode == 0:
        return "survived", None
    failed = _FAILED.search(output)
    if failed is None:
        raise RuntimeError(f"tests ended with {process.returncode} and no failed test:\n{output[-2000:]}")
    return "killed", failed[1]
