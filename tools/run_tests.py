"""Runs the tests on forks of the local mainnet: `python tools/run_tests.py [arguments for pytest]`.

Starts the local mainnet of data/months/dpi-2021-04.json, lets Ape fork it, and takes everything down again. Without a
path among the arguments all tests run, in groups, each on a chain of its own: a chain that has been turned back many
times no longer answers every question about its past, which the keeper asks. Two groups run at a time; what a group
says is printed when it has ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lab.localnet.anvil import ROOT, dies_with_parent
from lab.localnet.errors import LocalnetError
from lab.localnet.session import NETWORK, fork_environment, interrupt_on_terminate, run_ape

TESTS = ROOT / "tests"
HALVED = ("keeper",)
"""Folders that take so long that each half of their files is a group."""
BY_NAME = ("browser",)
"""Folders that run only where they are named: these need a browser (`make test-page`)."""
JOBS = 2
NOTHING_SELECTED = 5
"""pytest's exit code."""


@dataclass(frozen=True)
class Running:
    """A group at work; what it says goes to `output`."""

    paths: list[str]
    process: subprocess.Popen[bytes]
    output: IO[bytes]


def groups() -> list[list[str]]:
    """The paths of each run over all tests, those that take longest first."""
    folders = {path.name: path for path in sorted(TESTS.iterdir()) if path.is_dir() and any(path.rglob("test_*.py"))}
    halves: list[list[str]] = []
    for name in HALVED:
        files = [str(path.relative_to(ROOT)) for path in sorted(folders[name].rglob("test_*.py"))]
        halves += [files[0::2], files[1::2]]
    return [*halves, *([f"tests/{name}"] for name in folders if name not in (*HALVED, *BY_NAME))]


def run_one(arguments: Sequence[str]) -> int:
    """pytest's exit code, on a chain of its own. Raises LocalnetError."""
    with fork_environment() as environment:
        # Isolation is tests/conftest.py's own: plain snapshots, with nothing swallowed.
        return run_ape(["test", "--network", NETWORK, "--disable-isolation", *arguments], environment)


def run_all(arguments: Sequence[str]) -> int:
    """0 if every group passed, else the exit code of the first that did not. A group in which nothing is selected
    passes."""
    waiting, codes = groups(), []
    with contextlib.ExitStack() as stack:
        running: list[Running] = []
        while waiting or running:
            while waiting and len(running) < JOBS:
                running.append(stack.enter_context(_started(waiting.pop(0), arguments)))
            time.sleep(0.2)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                one.output.seek(0)
                sys.stdout.flush()
                sys.stdout.buffer.write(one.output.read())
                sys.stdout.flush()
                codes.append(one.process.returncode)
    return next((code for code in codes if code not in (0, NOTHING_SELECTED)), 0)


@contextlib.contextmanager
def _started(paths: list[str], arguments: Sequence[str]) -> Iterator[Running]:
    """This program for one group, ended with the block if it has not ended by itself."""
    print(f"tests: {paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''} ...", flush=True)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), *paths, *arguments],
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread here; it must run in the child)
        )
        try:
            yield Running(paths, process, output)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    interrupt_on_terminate()
    try:
        if any(argument.startswith("tests") for argument in arguments):
            return run_one(arguments)
        return run_all(arguments)
    except LocalnetError as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
