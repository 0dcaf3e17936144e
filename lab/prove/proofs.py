"""Proves properties, several at once, and each one's broken variant wrong; out/proofs.json keeps what was found."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ballast.build import ROOT
from ballast.files import replace_json
from lab.fuzz import mutants
from lab.fuzz.errors import FuzzError
from lab.localnet.session import RUNS
from lab.prove import halmos
from lab.prove.errors import ProveError
from lab.prove.halmos import Result
from lab.prove.property_list import Property, every_property

OUT = ROOT / "out" / "proofs.json"
_IMPORT = re.compile(r'from "(\.[^"]+)"')


@dataclass(frozen=True)
class Proof:
    """What was found of a property, and of its broken variant. `sources`: what they were found of, see `sources`."""

    name: str
    says: str
    result: str
    seconds: float
    bound: str
    broken: str
    broken_seconds: float
    open: bool
    sources: str

    @property
    def holds(self) -> bool:
        """Whether it was proved and its broken variant refuted; of an open one, that it was not refuted."""
        if self.open:
            return self.result in (Result.PROVED, Result.TIMEOUT) and self.broken in (Result.REFUTED, Result.TIMEOUT)
        return self.result == Result.PROVED and self.broken == Result.REFUTED


def chosen(names: Sequence[str], *, quick: bool) -> list[Property]:
    """The named properties, or all, or the quick ones. Raises ProveError for a name that is none."""
    unknown = set(names) - {proved.name for proved in every_property()}
    if unknown:
        raise ProveError(f"unknown properties: {', '.join(sorted(unknown))}; known: see lab/prove/properties.yaml")
    return [p for p in every_property() if (not names or p.name in names) and (p.quick or not quick)]


def check(root: Path = ROOT) -> None:
    """Raise ProveError unless every broken variant's pattern stands exactly once in its file."""
    try:
        mutants.check([proved.broken for proved in every_property()], root)
    except FuzzError as error:
        raise ProveError(str(error)) from error


def run(
    wanted: Sequence[Property], jobs: int, say: Callable[[Proof], None], *, again: bool, out: Path = OUT
) -> list[Proof]:
    """Prove what is wanted, `jobs` at once, but for what the file has of the same sources already, unless `again`.

    The file is written after each. Raises ProveError where halmos gives no result.
    """
    check()
    known = {} if again else _known(out)
    done: dict[str, Proof] = {}
    for proved in wanted:
        if proved.name in known and known[proved.name].sources == sources(proved):
            kept = known[proved.name]
            done[proved.name] = replace(kept, says=proved.says, bound=proved.bound, open=proved.open)
    left = [proved for proved in wanted if proved.name not in done]
    if left:
        RUNS.mkdir(exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="proofs-", dir=RUNS, ignore_cleanup_errors=True) as folder,
            ThreadPoolExecutor(jobs) as pool,
        ):
            trees: SimpleQueue[Path] = SimpleQueue()
            for tree in _trees(Path(folder), min(jobs, len(left))):
                trees.put(tree)
            running = [pool.submit(_prove, proved, trees) for proved in left]
            try:
                for future in as_completed(running):
                    proof = future.result()
                    done[proof.name] = proof
                    write(proof, out)
                    say(proof)
            finally:
                for future in running:
                    future.cancel()
    return [done[proved.name] for proved in wanted]


def sources(proved: Property, root: Path = ROOT) -> str:
    """SHA-256 over what a proof rests on: its Solidity with what that imports, its broken variant, and the solver."""
    digest = hashlib.sha256(repr((proved.function, proved.loop, proved.seconds, proved.broken)).encode())
    prover = root / "lab" / "prove"
    files = {prover / "halmos.lock", root / "package-lock.json", prover / f"{proved.folder}.toml"}
    files |= {prover / "solver" / "solve.py", prover / "solver" / "lemmas.py"}
    for path in sorted({*files, *imported(root / proved.file)}):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def imported(path: Path) -> set[Path]:
    """A Solidity file with all of the tree that it imports."""
    found, left = set[Path](), [path.resolve()]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += [(file.parent / name).resolve() for name in _IMPORT.findall(file.read_text(encoding="utf-8"))]
    return found


def _prove(proved: Property, trees: SimpleQueue[Path]) -> Proof:
    tree = trees.get()
    try:
        found, broken = halmos.run(proved, tree), _run_broken(proved, tree)
    finally:
        trees.put(tree)
    return Proof(
        name=proved.name,
        says=proved.says,
        result=found.result,
        seconds=found.seconds,
        bound=proved.bound,
        broken=broken.result,
        broken_seconds=broken.seconds,
        open=proved.open,
        sources=sources(proved),
    )


def _run_broken(proved: Property, tree: Path) -> halmos.Found:
    (edit,) = proved.broken.edits
    path = tree / edit.file
    kept = path.read_text(encoding="utf-8")
    try:
        path.write_text(kept.replace(edit.old, edit.new), encoding="utf-8")
        return halmos.run(proved, tree)
    finally:
        path.write_text(kept, encoding="utf-8")


def _trees(folder: Path, number: int) -> Iterator[Path]:
    """Copies of the tree, each to be broken for itself."""
    for i in range(number):
        tree = folder / str(i)
        for name in ("contracts", "lab/prove"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
        if (cache := ROOT / halmos.CACHE).exists():
            shutil.copytree(cache, tree / halmos.CACHE)
        for name in ("@openzeppelin", "solady"):
            # Not links: forge would see files outside of the tree, and compile everything again.
            shutil.copytree(ROOT / "node_modules" / name, tree / "node_modules" / name, copy_function=os.link)
        yield tree


def _known(out: Path) -> dict[str, Proof]:
    if not out.exists():
        return {}
    entries: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["properties"]
    return {entry["property"]: Proof(name=entry.pop("property"), **entry) for entry in entries}


def write(proof: Proof, out: Path) -> None:
    """Put a proof into the file, beside those of the other properties of the list."""
    known = {**_known(out), proof.name: proof}
    kept = [known[proved.name] for proved in every_property() if proved.name in known]
    replace_json(out, {"hold": sum(p.holds for p in kept), "properties": [_entry(p) for p in kept]}, indent=1)


def _entry(proof: Proof) -> dict[str, Any]:
    fields = asdict(proof)
    return {"property": fields.pop("name"), **fields}
