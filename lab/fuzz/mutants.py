"""Breaks the contracts on purpose, one way at a time, and checks that the named invariant fails."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from ballast.files import replace_json
from lab.fuzz import forge
from lab.fuzz.campaign import contracts_hash
from lab.fuzz.errors import FuzzError
from lab.fuzz.mutant_list import Mutant, every_mutant
from lab.localnet.session import RUNS

OUT = ROOT / "out" / "mutants.json"
SEED = 1
SEQUENCES = 100
"""Most sequences (of 500 calls) in which a mutant must be caught."""
UNCOMPILED = "does not compile"
"""Reported in place of an invariant for a mutant that does not compile: its pattern must be corrected."""


@dataclass(frozen=True)
class Verdict:
    """`found`: the message of the invariant that failed, None where none did."""

    name: str
    invariant: str
    found: str | None
    caught: bool
    calls: int
    seconds: float


def check(mutants: Iterable[Mutant] | None = None, root: Path = ROOT) -> None:
    """Raise FuzzError unless every pattern of these mutants, or of all, occurs exactly once in its file."""
    for mutant in every_mutant() if mutants is None else mutants:
        for edit in mutant.edits:
            count = (root / edit.file).read_text().count(edit.old)
            if count != 1:
                raise FuzzError(
                    f"mutant {mutant.name}: pattern stands {count} times in {edit.file}, expected once: {edit.old!r}"
                )


def run(names: Sequence[str], say: Callable[[str], None], *, out: Path = OUT) -> list[Verdict]:
    """Judge the named mutants, or all, each in the same copy of the tree; writes the verdicts after each."""
    unknown = set(names) - {mutant.name for mutant in every_mutant()}
    if unknown:
        raise FuzzError(f"unknown mutants: {', '.join(sorted(unknown))}")
    chosen = [mutant for mutant in every_mutant() if not names or mutant.name in names]
    check()
    forge.build()
    RUNS.mkdir(exist_ok=True)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=RUNS) as folder:
        tree = Path(folder)
        _copy(tree)
        say("compiling what the harness deploys, once ...")
        forge.build_contracts(tree)
        for mutant in chosen:
            verdict = judge(mutant, tree)
            verdicts.append(verdict)
            _write(verdict, out)
            word = "caught" if verdict.caught else "MISSED"
            say(f"{word:7} {mutant.name:28} {mutant.invariant:36} {verdict.found or '-'} ({verdict.seconds:.0f} s)")
    return verdicts


def judge(mutant: Mutant, tree: Path) -> Verdict:
    """Apply the mutant, compile, run until an invariant fails, and restore the files."""
    began = time.monotonic()
    kept = {edit.file: (tree / edit.file).read_text() for edit in mutant.edits}
    shutil.rmtree(tree / forge.CACHE / "failures", ignore_errors=True)
    try:
        for edit in mutant.edits:
            path = tree / edit.file
            path.write_text(path.read_text().replace(edit.old, edit.new))
        report = _broken(mutant, tree)
    finally:
        for file, text in kept.items():
            (tree / file).write_text(text)
    if report is None:
        return Verdict(mutant.name, mutant.invariant, UNCOMPILED, False, 0, round(time.monotonic() - began, 1))
    found = report.failures[0] if report.failures else None
    # Details follow the invariant's name in brackets.
    caught = found is not None and found.split(" (")[0] == mutant.invariant
    return Verdict(mutant.name, mutant.invariant, found, caught, report.calls, round(time.monotonic() - began, 1))


def _broken(mutant: Mutant, tree: Path) -> forge.Report | None:
    """forge's report on the tree with the mutant in it; None if that does not compile."""
    try:
        forge.build_contracts(tree)
    except FuzzError:
        return None
    return forge.test(tree, seed=SEED, runs=SEQUENCES, setup=mutant.setup)


def _copy(tree: Path) -> None:
    for name in ("contracts", "lab/fuzz"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
    shutil.copytree(ROOT / forge.CACHE, tree / forge.CACHE, ignore=shutil.ignore_patterns("contracts"))
    for name in ("@openzeppelin", "solady"):
        # No links: forge would see files outside of the tree, and compile everything again.
        shutil.copytree(ROOT / "node_modules" / name, tree / "node_modules" / name)


def _write(verdict: Verdict, out: Path) -> None:
    """Add the verdict to the file, which keeps those of other mutants on the same contracts and harness."""
    code = contracts_hash()
    known: dict[str, dict[str, Any]] = {}
    if out.exists():
        earlier = json.loads(out.read_text())
        if earlier["contracts"] == code:
            known = {entry["name"]: entry for entry in earlier["mutants"]}
    known[verdict.name] = asdict(verdict)
    document = {
        "contracts": code,
        "seed": SEED,
        "caught": sum(entry["caught"] for entry in known.values()),
        "mutants": [known[mutant.name] for mutant in every_mutant() if mutant.name in known],
    }
    replace_json(out, document, indent=2)
