"""One mutant's trial: compiles what it changes, and runs the tests in Solidity until one fails.

Each worker has a compiler and a folder of artifacts, in which a trial replaces the original's by the mutant's. The test
folders for the mutated file come first, then a few sequences of the invariants.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.fuzz import forge
from lab.mutation.compiler import Artifact, Compiler, imported
from lab.mutation.operators import Mutant
from lab.solidity import suite
from lab.solidity.areas import CONTRACTS, FILES

TIME_LIMIT = 120
"""Seconds for one run of tests. They take a few: a run that does not end has noticed the mutant."""
SEQUENCES = 2
"""Of 500 calls each, for each set-up of the invariants."""
SEED = 1
INVARIANTS = "invariants"
_CONTRACT = re.compile(r"^(?:abstract )?contract (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """`state`: killed, survived, same (the bytecode did not change), timeout, or not compiled. `test` killed it.

    `code`: digest of the sources that it was compiled from, see `store.code_digest`.
    """

    name: str
    file: str
    line: int
    operator: str
    old: str
    new: str
    state: str
    test: str | None
    seconds: float
    code: str


@dataclass(frozen=True)
class Sources:
    """The contracts: `texts` by path, `files` by the name of a contract. `invariants`: whether they are tried, too."""

    texts: Mapping[str, str]
    files: Mapping[str, str]
    invariants: bool = True

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Sources:
        """From the texts by path."""
        return cls(texts, {name: file for file, text in texts.items() for name in _CONTRACT.findall(text)})

    def stages(self, file: str) -> Iterator[tuple[str, list[str]]]:
        """The test stages for a mutated file, with the contracts under test that import it: the invariants last."""
        for folder in FILES[Path(file).stem]:
            yield folder, self.reaching(file, CONTRACTS[folder])
        if self.invariants:
            yield INVARIANTS, self.reaching(file, forge.deployed())

    def without_invariants(self) -> Sources:
        """The same without the invariants: only the folders of tests can notice a mutant."""
        return replace(self, invariants=False)

    def reaching(self, file: str, names: Iterable[str]) -> list[str]:
        """Those of the contracts whose sources import `file`."""
        return [name for name in names if file in imported(self.files[name], self.texts)]

    def first_contracts(self, file: str) -> list[str]:
        """The contracts that the first non-empty stage compiles."""
        return next((names for _, names in self.stages(file) if names), [])


class Worker:
    """Judges mutants one after the other; a context manager."""

    def __init__(self, sources: Sources, originals: Mapping[str, Artifact], folder: Path) -> None:
        self._sources, self._originals, self._folder = sources, originals, folder
        self._compiler = Compiler()
        for name, artifact in originals.items():
            lay(folder, name, artifact)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._compiler.__exit__(kind, error, at)
        shutil.rmtree(self._folder, ignore_errors=True)

    def judge(self, mutant: Mutant, code: str) -> Result:
        """Try a mutant; `code`: its digest, for the result."""
        began = time.monotonic()
        texts = {**self._sources.texts, mutant.file: mutant.apply(self._sources.texts[mutant.file])}
        state, test = "same", None
        laid: set[str] = set()
        try:
            for stage, names in self._sources.stages(mutant.file):
                new = [name for name in names if name not in laid]
                made = self._compiler.compile(texts, {self._sources.files[name] for name in new}) if new else {}
                if made is None:
                    state = "not compiled"
                    break
                laid |= set(new)
                changed = [name for name in new if made[name].creation != self._originals[name].creation]
                for name in changed:
                    lay(self._folder, name, made[name])
                if state == "same" and not changed:
                    continue
                state, test = self._run(stage)
                if state != "survived":
                    break
        finally:
            for name in laid:
                lay(self._folder, name, self._originals[name])
        seconds = round(time.monotonic() - began, 1)
        return Result(
            mutant.name, mutant.file, mutant.line, mutant.operator, mutant.old, mutant.new, state, test, seconds, code
        )

    def _run(self, stage: str) -> tuple[str, str | None]:
        """How a stage's tests ended, and which one failed."""
        try:
            if stage == INVARIANTS:
                report = forge.test(seed=SEED, runs=SEQUENCES, artifacts=self._folder, threads=1, limit=TIME_LIMIT)
                failed = report.failures[0] if report.failures else None
            else:
                failed = suite.test([stage], self._folder, threads=1, limit=TIME_LIMIT).failed
        except subprocess.TimeoutExpired:
            return "timeout", None
        return ("killed", f"{stage}: {failed}") if failed is not None else ("survived", None)


def lay(folder: Path, name: str, artifact: Artifact) -> None:
    """Write an artifact where the tests look for it."""
    forge.lay(folder, name, artifact.abi, "0x" + artifact.creation)
