"""Proves properties, several at once, and each one's broken variant wrong; out/proofs.json keeps what was found, and
out/proofs/ what halmos printed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from ballast.files import replace_json
from lab.fuzz import mutants
from lab.fuzz.errors import FuzzError
from lab.localnet.session import RUNS
from lab.prove import halmos
from lab.prove.errors import ProveError
from lab.prove.halmos import Found, Result
from lab.prove.processes import Processes
from lab.prove.property_list import SNAPSHOT, Property, every_property
from lab.prove.sources import alone, sources

OUT = ROOT / "out" / "proofs.json"


@dataclass(frozen=True)
class Proof:
    """What was found of a property, and of its broken variant. `sources`, `broken_sources`: of what they were found,
    see `sources`."""

    name: str
    says: str
    result: str
    seconds: float
    bound: str
    broken: str
    broken_seconds: float
    open: bool
    sources: str
    broken_sources: str

    @property
    def holds(self) -> bool:
        """Whether it was proved and its broken variant refuted; of an open one, that it was not refuted."""
        if self.open:
            return self.result in (Result.PROVED, Result.TIMEOUT) and self.broken in (Result.REFUTED, Result.TIMEOUT)
        return self.result == Result.PROVED and self.broken == Result.REFUTED


def chosen(names: Sequence[str], *, quick: bool, stale: bool = False) -> list[Property]:
    """The named properties, or all, or the quick ones, or those of which the snapshot has no verdict on the present
    sources. Raises ProveError for a name that is none."""
    unknown = set(names) - {proved.name for proved in every_property()}
    if unknown:
        raise ProveError(f"unknown properties: {', '.join(sorted(unknown))}; known: see lab/prove/properties.yaml")
    wanted = [p for p in every_property() if (not names or p.name in names) and (p.quick or not quick)]
    kept = _known(SNAPSHOT) if stale else {}
    return [p for p in wanted if not stale or Result.UNJUDGED in _verdicts(_begun(p, kept.get(p.name)))]


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

    The file is written after each property and each broken variant. What halmos gives no verdict on is tried again by
    the next run. Raises ProveError where the tree as it stands does not compile.
    """
    check()
    known = {} if again else _known(out)
    done = {proved.name: _begun(proved, known.get(proved.name)) for proved in wanted}
    left = [(p, False) for p in wanted if done[p.name].result == Result.UNJUDGED]
    left += [(p, True) for p in wanted if done[p.name].broken == Result.UNJUDGED]
    # What the snapshot has no verdict of first; what takes long last: open ones, then variants of whole contracts.
    snapshot_ = _known(SNAPSHOT)
    kept = {p.name: _verdicts(_begun(p, snapshot_.get(p.name))) for p in wanted}
    left.sort(
        key=lambda task: (
            kept[task[0].name][task[1]] != Result.UNJUDGED,
            task[0].open,
            task[0].folder,
            task[1],
            task[0].seconds,
        )
    )
    if left:
        RUNS.mkdir(exist_ok=True)
        processes = Processes()
        halmos.check_solver(processes)
        with (
            tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-proofs-", dir=RUNS, ignore_cleanup_errors=True) as run_,
            ThreadPoolExecutor(jobs) as pool,
        ):
            running: dict[Future[Found], tuple[Property, bool]] = {}
            try:
                tree = _tree(Path(run_), {proved.folder for proved, _ in left}, processes)
                for task in left:
                    running[pool.submit(_try, *task, tree, processes)] = task
                for future in as_completed(running):
                    proved, broken = running[future]
                    proof = _with(done[proved.name], future.result(), broken=broken)
                    done[proved.name] = proof
                    write(proof, out)
                    _log(proved, future.result(), out, broken=broken)
                    if Result.UNJUDGED not in (proof.result, proof.broken):
                        say(proof)
            finally:
                for future in running:
                    future.cancel()
                processes.stop()
    return [done[proved.name] for proved in wanted]


def _begun(proved: Property, known: Proof | None) -> Proof:
    """What is known of the same sources, the rest unjudged."""
    begun = Proof(
        name=proved.name,
        says=proved.says,
        result=Result.UNJUDGED,
        seconds=0.0,
        bound=proved.bound,
        broken=Result.UNJUDGED,
        broken_seconds=0.0,
        open=proved.open,
        sources=sources(proved),
        broken_sources=sources(proved, broken=True),
    )
    if known is not None and known.sources == begun.sources and known.result != Result.ERROR:
        begun = replace(begun, result=known.result, seconds=known.seconds)
    if known is not None and known.broken_sources == begun.broken_sources and known.broken != Result.ERROR:
        begun = replace(begun, broken=known.broken, broken_seconds=known.broken_seconds)
    return begun


def _verdicts(proof: Proof) -> tuple[str, str]:
    """Of the property, and of its broken variant."""
    return proof.result, proof.broken


def _with(proof: Proof, found: Found, *, broken: bool) -> Proof:
    if broken:
        return replace(proof, broken=found.result, broken_seconds=found.seconds)
    return replace(proof, result=found.result, seconds=found.seconds)


def _try(proved: Property, broken: bool, tree: Path, processes: Processes) -> Found:
    try:
        if not broken:
            return halmos.run(proved, tree, processes)
        with tempfile.TemporaryDirectory(prefix="broken-", dir=tree.parent, ignore_cleanup_errors=True) as folder:
            return halmos.run(proved, _broken_tree(proved, tree, Path(folder), processes), processes)
    except ProveError as error:
        return Found(Result.ERROR, 0.0, str(error))


def _tree(folder: Path, properties: set[str], processes: Processes) -> Path:
    """A copy of the tree, compiled; what was compiled is kept for the next one."""
    tree, cache = folder / "tree", ROOT / halmos.CACHE
    for name in ("contracts", "lab/prove"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
    _copy_libraries(ROOT, tree)
    for part in sorted(properties):
        if (cache / part).exists():
            shutil.copytree(cache / part, tree / halmos.CACHE / part)
        halmos.compile_tree(tree, part, processes)
        shutil.rmtree(cache / part, ignore_errors=True)
        shutil.copytree(tree / halmos.CACHE / part, cache / part)
    return tree


def _broken_tree(proved: Property, tree: Path, folder: Path, processes: Processes) -> Path:
    """A copy of a compiled tree with the broken variant, compiled, and this property alone in it: that is quicker."""
    for name in ("contracts", "lab/prove"):
        shutil.copytree(tree / name, folder / name)
    _copy_libraries(tree, folder)
    shutil.copytree(tree / halmos.CACHE / proved.folder, folder / halmos.CACHE / proved.folder)
    for file in (folder / "lab" / "prove" / proved.folder).glob("*.t.sol"):
        if file != folder / proved.file:
            file.unlink()
    stated = folder / proved.file
    stated.write_text(alone(stated.read_text(encoding="utf-8"), proved.function), encoding="utf-8")
    for edit in proved.broken.edits:
        path = folder / edit.file
        path.write_text(path.read_text(encoding="utf-8").replace(edit.old, edit.new), encoding="utf-8")
    halmos.compile_tree(folder, proved.folder, processes)
    return folder


def _copy_libraries(source: Path, target: Path) -> None:
    for name in ("@openzeppelin", "solady"):
        # Not links: forge would see files outside of the tree, and compile everything again.
        path = Path("node_modules") / name
        shutil.copytree(source / path, target / path, copy_function=os.link)


def _log(proved: Property, found: Found, out: Path, *, broken: bool) -> None:
    folder = out.with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / f"{proved.name}{'-broken' if broken else ''}.txt").write_text(found.text, encoding="utf-8")


def _known(out: Path) -> dict[str, Proof]:
    if not out.exists():
        return {}
    entries: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["properties"]
    return {entry["property"]: Proof(name=entry.pop("property"), **entry) for entry in entries}


def snapshot(to: Path, out: Path = OUT) -> None:
    """Keep in a file what was found of the present sources, there already if not now; the rest is unjudged there."""
    known, kept = _known(out), _known(to)
    current = [_either(_begun(p, known.get(p.name)), _begun(p, kept.get(p.name))) for p in every_property()]
    replace_json(to, {"hold": sum(p.holds for p in current), "properties": [_entry(p) for p in current]}, indent=1)


def _either(found: Proof, kept: Proof) -> Proof:
    """What was found of a property, or was kept of it where nothing was."""
    if found.result == Result.UNJUDGED:
        found = replace(found, result=kept.result, seconds=kept.seconds)
    if found.broken == Result.UNJUDGED:
        found = replace(found, broken=kept.broken, broken_seconds=kept.broken_seconds)
    return found


def write(proof: Proof, out: Path) -> None:
    """Put a proof into the file, beside those of the other properties of the list."""
    known = {**_known(out), proof.name: proof}
    kept = [known[proved.name] for proved in every_property() if proved.name in known]
    replace_json(out, {"hold": sum(p.holds for p in kept), "properties": [_entry(p) for p in kept]}, indent=1)


def _entry(proof: Proof) -> dict[str, Any]:
    fields = asdict(proof)
    return {"property": fields.pop("name"), **fields}
