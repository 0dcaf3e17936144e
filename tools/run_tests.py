"""Runs the tests on a fork of the local mainnet: `python tools/run_tests.py [arguments for pytest]`.

Starts the local mainnet of data/months/dpi-2021-04.json, lets Ape fork it, and takes everything down again. Without a
path among the arguments all tests run, each group on a chain of its own: a chain that has been turned back many times
no longer answers every question about its past, which the keeper asks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from localnet.errors import LocalnetError
from localnet.session import NETWORK, fork_environment, interrupt_on_terminate, run_ape

TESTS = Path(__file__).resolve().parent.parent / "tests"
APART = ("keeper", "scripts")
"""Folders that need a fresh chain."""
BY_NAME = ("page",)
"""Folders that run only where they are named: these need a browser (`make test-page`)."""


def groups(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments of each run."""
    if any(argument.startswith("tests") for argument in arguments):
        return [list(arguments)]
    folders = sorted(path.name for path in TESTS.iterdir() if path.is_dir() and any(path.rglob("test_*.py")))
    together = [f"tests/{name}" for name in folders if name not in (*APART, *BY_NAME)]
    return [[*together, *arguments], *([f"tests/{name}", *arguments] for name in APART if name in folders)]


def main(arguments: Sequence[str]) -> int:
    """Run them all; the exit code of the first group that failed, or 0. A group in which nothing is selected passes."""
    interrupt_on_terminate()
    runs = groups(arguments)
    codes = []
    try:
        for run in runs:
            with fork_environment() as environment:
                # Isolation is tests/conftest.py's own: plain snapshots, with nothing swallowed.
                code = run_ape(["test", "--network", NETWORK, "--disable-isolation", *run], environment)
                codes.append(0 if code == 5 and len(runs) > 1 else code)
    except LocalnetError as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
