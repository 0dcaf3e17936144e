"""Mutation testing of the core contracts: `python -m lab.mutation [FILES] [--sample N]`; see docs/mutation.md.

Results are kept in out/mutation.json; a mutant in it is not tried again unless its code has changed or, for survivors
and timeouts, the tests. So an interrupted run continues where it was.
"""

from __future__ import annotations

import os
import queue
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import click

from ballast.build import ROOT
from lab.fuzz import forge
from lab.localnet.session import command
from lab.mutation import store
from lab.mutation.compiler import Artifact, Compiler, sources
from lab.mutation.operators import Mutant, mutants, sample
from lab.mutation.trial import Result, Sources, Worker, lay
from lab.solidity import suite
from lab.solidity.areas import CONTRACTS, FILES
from lab.solidity.errors import SolidityError

FOLDER = ROOT / ".cache" / "mutation"
"""Folder of the workers' artifacts: forge lets tests read nothing else."""
WRITE_EACH = 5.0
"""Seconds between two writes of the results."""


@click.command()
@click.argument("files", nargs=-1, type=click.Choice(sorted(FILES)))
@click.option("--sample", "size", type=click.IntRange(0), help="How many mutants; all if not given.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which ones, and the order.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="How many at a time.")
@click.option("--quick", is_flag=True, help="Without the invariants; what survives then is tried again.")
@click.option("--count", is_flag=True, help="Only say how many mutants there are.")
def main(files: tuple[str, ...], size: int | None, seed: int, jobs: int, quick: bool, count: bool) -> None:
    """Mutation testing of the core, or of these FILES of it. Succeeds if every mutant was tried, whatever the score."""
    with command("mutation"):
        found = Sources.of(sources())
        if quick:
            found = found.without_invariants()
        _main(found, files, size, seed, jobs, count)


def _main(found: Sources, files: Sequence[str], size: int | None, seed: int, jobs: int, count: bool) -> None:
    core = [file for file in found.texts if Path(file).stem in (files or FILES)]
    every = [mutant for file in core for mutant in mutants(file, found.texts[file])]
    if count:
        click.echo(f"{len(every)} mutants {dict(Counter(mutant.operator for mutant in every))}")
        return
    chosen = sample(every, len(every) if size is None else size, seed)
    codes = {file: store.code_digest(found, file) for file in found.texts if Path(file).stem in FILES}
    # A survivor without the invariants counts as tried with other tests.
    tests = store.tests_digest() + ("" if found.invariants else "-quick")
    done = store.known(codes, tests)
    left = [mutant for mutant in chosen if mutant.name not in done]
    click.echo(f"{len(every)} mutants, {len(chosen)} chosen, {len(left)} to try")
    if left:
        forge.build()
        suite.build()
        _try(left, found, codes, tests, done, jobs)
    click.echo(store.table([done[mutant.name] for mutant in chosen], store.equivalent()))


def _try(
    left: Sequence[Mutant],
    found: Sources,
    codes: Mapping[str, str],
    tests: str,
    done: dict[str, Result],
    jobs: int,
) -> None:
    """Judge the mutants, `jobs` at a time; write the results every few seconds, and at the end or when interrupted."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    originals = _originals(found)
    lock = threading.Lock()
    tried, written = 0, time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-mutation-", dir=FOLDER))
        workers: queue.Queue[Worker] = queue.Queue()
        for number in range(jobs):
            workers.put(stack.enter_context(Worker(found, originals, Path(folder) / str(number))))

        def judge(mutant: Mutant) -> None:
            nonlocal tried, written
            worker = workers.get()
            try:
                result = worker.judge(mutant, codes[mutant.file])
            finally:
                workers.put(worker)
            with lock:
                tried += 1
                done[mutant.name] = result
                if time.monotonic() - written > WRITE_EACH:
                    store.write(done.values(), tests)
                    written = time.monotonic()
                seen = f"{result.state:12} {store.line(result)} ({result.test or '-'}, {result.seconds:.1f} s)"
                click.echo(f"{tried}/{len(left)} {seen}")

        pool = ThreadPoolExecutor(jobs)
        try:
            for _ in pool.map(judge, left):
                pass
        finally:
            pool.shutdown(cancel_futures=True)
            store.write(done.values(), tests)


def _originals(found: Sources) -> dict[str, Artifact]:
    """Compile all that the tests deploy, unchanged, and run the tests on it. They must pass: one that fails anyway
    notices nothing. Raises SolidityError."""
    under_test = {name for names in CONTRACTS.values() for name in names}
    names = {*under_test, *suite.deployed_names(), *forge.deployed()}
    unknown = sorted(names - set(found.files))
    if unknown:
        raise SolidityError(f"no contract is named {', '.join(unknown)}, which tests/solidity or CONTRACTS names")
    with Compiler() as compiler:
        made = compiler.compile(found.texts, {found.files[name] for name in names})
    if made is None:
        raise SolidityError("the contracts do not compile without the optimizer")
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-originals-", dir=FOLDER) as folder:
        originals = {name: made[name] for name in names}
        for name, artifact in originals.items():
            lay(Path(folder), name, artifact)
        run = suite.test(artifacts=Path(folder))
    if run.failed is not None:
        raise SolidityError(f"{run.failed} fails without a mutant:\n{run.text}")
    return originals


if __name__ == "__main__":
    main()
