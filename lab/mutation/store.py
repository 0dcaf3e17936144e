"""Results of earlier trials, in out/mutation.json, and which of them still hold."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import yaml

from ballast.build import ROOT
from ballast.files import replace_json
from lab.mutation.compiler import imported
from lab.mutation.operators import OPERATORS
from lab.mutation.trial import Result, Sources
from lab.prove.sources import code

OUT = ROOT / "out" / "mutation.json"
EQUIVALENT = ROOT / "lab" / "mutation" / "equivalent.yaml"
STATES = ("killed", "timeout", "survived", "equivalent", "same", "not compiled")


def tests_digest() -> str:
    """Digest of the tests in Solidity and of the invariants' harness."""
    found = hashlib.sha256()
    for path in sorted(path for folder in ("tests/solidity", "lab/fuzz") for path in (ROOT / folder).rglob("*.sol")):
        found.update(str(path.relative_to(ROOT)).encode() + bytes(1) + path.read_bytes() + bytes(1))
    return found.hexdigest()[:16]


def code_digest(sources: Sources, file: str) -> str:
    """Digest of the sources that the first tests of a file's mutants are compiled from, without comments and spaces."""
    files = {file}.union(*(imported(sources.files[name], sources.texts) for name in sources.first_contracts(file)))
    found = hashlib.sha256()
    for name in sorted(files):
        found.update(name.encode() + bytes(1) + code(sources.texts[name]).encode() + bytes(1))
    return found.hexdigest()[:16]


def known(codes: Mapping[str, str], tests: str, out: Path = OUT) -> dict[str, Result]:
    """Results that still hold, by the mutant's name: of the same code and, for survivors and timeouts, of the same
    tests.

    `codes`: digest of the code by file.
    """
    document = json.loads(out.read_text()) if out.exists() else {}
    results = (Result(**entry) for entry in document.get("mutants", ()))
    again = () if document.get("tests") == tests else ("survived", "timeout")
    return {
        result.name: result for result in results if result.code == codes.get(result.file) and result.state not in again
    }


def write(results: Iterable[Result], tests: str, out: Path = OUT) -> None:
    """Replace the file."""
    replace_json(out, {"tests": tests, "mutants": [asdict(result) for result in results]}, indent=1)


def equivalent(path: Path = EQUIVALENT) -> dict[str, str]:
    """Mutants without an observable effect, by name, each with the reason."""
    document = yaml.safe_load(path.read_text()) if path.exists() else []
    return {name: entry["why"] for entry in document or () for name in entry["mutants"]}


def score(results: Sequence[Result], judged: Mapping[str, str]) -> tuple[int, int]:
    """How many were noticed (killed or timed out), and how many could have been."""
    states = Counter(_state(result, judged) for result in results)
    noticed = states["killed"] + states["timeout"]
    return noticed, noticed + states["survived"]


def _state(result: Result, judged: Mapping[str, str]) -> str:
    return "equivalent" if result.state == "survived" and result.name in judged else result.state


def table(results: Sequence[Result], judged: Mapping[str, str]) -> str:
    """Counts by operator and by file, the survivors, and the score."""
    lines = []
    for title, keys, key in (
        ("operator", list(OPERATORS), lambda result: result.operator),
        ("file", sorted({Path(result.file).stem for result in results}), lambda result: Path(result.file).stem),
    ):
        lines.append(f"{title:18}" + "  ".join(f"{state:>12}" for state in STATES))
        for name in keys:
            states = Counter(_state(result, judged) for result in results if key(result) == name)
            if states:
                lines.append(f"{name:18}" + "  ".join(f"{states[state]:12}" for state in STATES))
    lines += [f"survived: {line(result)}" for result in results if _state(result, judged) == "survived"]
    noticed, of = score(results, judged)
    share = f" ({noticed / of:.1%})" if of else ""
    return "\n".join([*lines, f"score: {noticed} of {of}{share}"])


def line(result: Result) -> str:
    """One mutant in one line."""
    return f"{result.line}: {result.name.removeprefix('contracts/')}"
