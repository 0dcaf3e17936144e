"""Mutation testing of the core contracts: `python -m lab.mutation [--sample N] [--seed S]`; see docs/mutation.md.

Results stand in out/mutation.json; what stands there is not tried again unless contracts or tests have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from ballast.build import ROOT
from ballast.files import replace_json
from lab.localnet.session import RUNS, command
from lab.mutation.operators import OPERATORS, mutants, sample
from lab.mutation.trial import BUILD, FIRST, FOLDERS, Result, copy, judge, sources

OUT = ROOT / "out" / "mutation.json"
STATES = ("killed", "survived", "timeout", "same", "not compiled")


def score(results: Sequence[Result]) -> tuple[int, int]:
    """How many were noticed (killed, or without end), of how many that could have been."""
    states = Counter(result.state for result in results)
    noticed = states["killed"] + states["timeout"]
    return noticed, noticed + states["survived"]


def table(results: Sequence[Result]) -> str:
    """Counts by operator, the survivors, and the score."""
    lines = ["operator  " + "  ".join(f"{state:>12}" for state in STATES)]
    for operator in OPERATORS:
        states = Counter(result.state for result in results if result.operator == operator)
        if states:
            lines.append(f"{operator:10}" + "  ".join(f"{states[state]:12}" for state in STATES))
    lines += [f"survived: {line(result)}" for result in results if result.state == "survived"]
    noticed, of = score(results)
    share = f" ({noticed / of:.0%})" if of else ""
    return "\n".join([*lines, f"score: {noticed} of {of}{share}"])


def line(result: Result) -> str:
    """One mutant in one line."""
    old, new = (" ".join(text.split()) or "nothing" for text in (result.old, result.new))
    return f"{result.file}:{result.line} {result.operator}: {old} -> {new}"


def digest(folders: Sequence[str], suffix: str, root: Path = ROOT) -> str:
    """Of the files in some folders."""
    found = hashlib.sha256()
    for path in sorted(path for folder in folders for path in (root / folder).rglob(f"*{suffix}")):
        found.update(str(path.relative_to(root)).encode() + bytes(1) + path.read_bytes() + bytes(1))
    return found.hexdigest()


def known(out: Path, state: Mapping[str, str]) -> dict[str, Result]:
    """What the file says of the same contracts, by the mutant's name. With other tests, survivors are tried again."""
    document = json.loads(out.read_text()) if out.exists() else {}
    if document.get("contracts") != state["contracts"]:
        return {}
    results = (Result(**entry) for entry in document["mutants"])
    again = () if document["tests"] == state["tests"] else ("survived", "timeout")
    return {result.name: result for result in results if result.state not in again}


@click.command()
@click.option("--sample", "size", type=click.IntRange(0), default=30, show_default=True, help="How many mutants.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which ones.")
@click.option("--count", is_flag=True, help="Only say how many mutants there are.")
def main(size: int, seed: int, count: bool) -> None:
    """Mutation testing of the core. Succeeds if every mutant of the sample was tried, whatever the score."""
    with command("mutation"):
        _run(size, seed, count)


def _run(size: int, seed: int, count: bool) -> None:
    texts = sources()
    every = [mutant for file in texts if Path(file).stem in FIRST for mutant in mutants(file, texts[file])]
    if count:
        print(f"{len(every)} mutants", dict(Counter(mutant.operator for mutant in every)))
        return
    state = {"contracts": digest(["contracts"], ".sol"), "tests": digest(FOLDERS, ".py")}
    original = (ROOT / BUILD).read_text()
    done = known(OUT, state)
    chosen = sample(every, size, seed)
    RUNS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-mutation-", dir=RUNS) as folder:
        tree = Path(folder) / "tree"
        copy(tree)
        for mutant in chosen:
            if mutant.name in done:
                continue
            result = judge(mutant, texts, original, tree)
            done[mutant.name] = result
            document = {**state, "mutants": [asdict(entry) for entry in done.values()]}
            replace_json(OUT, document, indent=2)
            print(f"{result.state:12} {line(result)} ({result.test or '-'}, {result.seconds:.0f} s)", flush=True)
    print(f"{len(every)} mutants, sample {len(chosen)}, seed {seed}")
    print(table([done[mutant.name] for mutant in chosen]))


if __name__ == "__main__":
    main()
