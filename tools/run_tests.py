"""Runs the tests: `python tools/run_tests.py [arguments for pytest]`.

Without a path among the arguments all tests run, in groups, two at a time; a group's output is printed when it has
ended, and a table of all at the end. Those of tests/unit need no chain. Each other group has a chain of its own: the
local mainnet of data/months/dpi-2021-04.json, which Ape forks and which is shut down afterwards.

With paths only those run, as one group; `tests/unit` or `tests/browser` alone runs in its groups.
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

from ballast.build import ROOT
from lab.localnet.anvil import dies_with_parent
from lab.localnet.errors import LocalnetError
from lab.localnet.session import NETWORK, fork_environment, interrupt_on_terminate, run_ape

TESTS = ROOT / "tests"
UNIT = "tests/unit"
SPLIT = {"browser": 2, "contracts": 2, "keeper": 4, "scripts": 3, "unit": 2}
"""Folders whose files are divided into several groups: one that takes long would end long after the others."""
SECONDS = {"lab": 180, "scripts": 130, "keeper": 100, "contracts": 80, "unit": 50}
"""Approximate seconds of a group of each folder while another runs beside it. The longest begin, so that both jobs end
at about the same time; nothing else depends on it."""
BY_NAME = ("browser",)
"""Folders that run only where they are named: these need a browser (`make test-page`)."""
ALONE = (UNIT, *(f"tests/{folder}" for folder in BY_NAME))
"""Folders that run in their groups when they are named alone."""
LONG = "long"
"""Folders of this name run only where they are named: `make nightly` does."""
JOBS = 2
NOTHING_SELECTED = 5
"""pytest's exit code for it."""
STEPS = "BALLAST_STEPS"
"""Environment variable with a file to which each folder's line is added in the format of tools/step.sh, for a table of
all steps."""


@dataclass(frozen=True)
class Group:
    """Tests that run in one process. `folder`: in tests/; `number` of `total` of that folder."""

    folder: str
    number: int
    total: int
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder, with the number where there are several."""
        return f"{self.folder} {self.number}/{self.total}" if self.total > 1 else self.folder


@dataclass(frozen=True)
class Running:
    """A running group, since `began` (monotonic seconds); its output goes to `output`."""

    group: Group
    began: float
    process: subprocess.Popen[bytes]
    output: IO[bytes]


@dataclass(frozen=True)
class Ended:
    """A group that has ended with pytest's exit code. Times are monotonic seconds."""

    group: Group
    began: float
    ended: float
    code: int

    @property
    def good(self) -> bool:
        """Whether all passed. A group in which nothing is selected passes."""
        return self.code in (0, NOTHING_SELECTED)

    @property
    def result(self) -> str:
        """The result in a word or two."""
        return {0: "passed", NOTHING_SELECTED: "nothing selected"}.get(self.code, f"FAILED ({self.code})")


def groups(folders: Sequence[str] | None = None) -> list[Group]:
    """The groups of these folders of tests/ (all but those that run by name): unit first, as it ends soon and needs the
    least, then the longest first."""
    found: list[Group] = []
    for folder in folders or sorted(path.name for path in TESTS.iterdir() if path.is_dir()):
        paths = [path.relative_to(ROOT) for path in sorted((TESTS / folder).rglob("test_*.py"))]
        files = [str(path) for path in paths if LONG not in path.parts]
        if not files or (folders is None and folder in BY_NAME):
            continue
        total = SPLIT.get(folder, 1)
        parts = [tuple(files[part::total]) for part in range(total)]
        found += [Group(folder, number, total, part) for number, part in enumerate(parts, 1)]
    return sorted(found, key=lambda group: (group.folder != "unit", -SECONDS.get(group.folder, 0)))


def run_one(arguments: Sequence[str], paths: Sequence[str]) -> int:
    """Runs pytest, on a chain of its own if any of these `paths` needs one; its exit code. Raises LocalnetError."""
    if all(path == UNIT or path.startswith(f"{UNIT}/") for path in paths):
        # Ape's plugin for pytest takes seconds to load and serves tests on a chain.
        command = [sys.executable, "-m", "pytest", "-p", "no:ape_test", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    with fork_environment() as environment:
        # tests/conftest.py isolates tests itself: with plain snapshots, and without swallowing errors.
        return run_ape(["test", "--network", NETWORK, "--disable-isolation", *arguments], environment)


def run_all(found: Sequence[Group], arguments: Sequence[str]) -> int:
    """Runs the groups, JOBS at a time; 0 if every group passed, else the exit code of the first that did not."""
    waiting, ended = list(found), list[Ended]()
    with contextlib.ExitStack() as stack:
        running: list[Running] = []
        while waiting or running:
            while waiting and len(running) < JOBS:
                running.append(stack.enter_context(_started(waiting.pop(0), arguments)))
            time.sleep(0.2)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                ended.append(Ended(one.group, one.began, time.monotonic(), one.process.returncode))
                one.output.seek(0)
                sys.stdout.flush()
                sys.stdout.buffer.write(one.output.read())
                sys.stdout.flush()
    print(table(ended), flush=True)
    if (path := os.environ.get(STEPS)) is not None:
        with Path(path).open("a") as out:
            out.writelines(steps(ended))
    return next((one.code for one in ended if not one.good), 0)


def table(ended: Sequence[Ended]) -> str:
    """A table of the groups in the order in which they ended: begin and end since the first began, and duration."""
    first = min((one.began for one in ended), default=0.0)
    lines = [f"{'group':<16}{'from':>8}{'to':>8}{'seconds':>9}  result"]
    for one in ended:
        times = (one.began - first, one.ended - first, one.ended - one.began)
        lines.append(f"{one.group.name:<16}{times[0]:>8.0f}{times[1]:>8.0f}{times[2]:>9.0f}  {one.result}")
    return "\n".join(lines)


def steps(ended: Sequence[Ended]) -> list[str]:
    """A line for each folder: name, seconds of its groups together, exit code; with tabs between."""
    lines = []
    for folder in dict.fromkeys(one.group.folder for one in ended):
        of_folder = [one for one in ended if one.group.folder == folder]
        code = next((one.code for one in of_folder if not one.good), 0)
        lines.append(f"{folder}\t{sum(one.ended - one.began for one in of_folder):.0f}\t{code}\n")
    return lines


@contextlib.contextmanager
def _started(group: Group, arguments: Sequence[str]) -> Iterator[Running]:
    """Starts this program for one group, and ends it with the block if it has not ended by itself."""
    print(f"tests: {group.name} ...", flush=True)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), *group.paths, *arguments],
            cwd=ROOT,
            env={key: value for key, value in os.environ.items() if key != STEPS},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread here; it must run in the child)
        )
        try:
            yield Running(group, time.monotonic(), process, output)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def main(arguments: Sequence[str]) -> int:
    """Runs the tests; the exit code."""
    interrupt_on_terminate()
    paths = [argument for argument in arguments if argument.startswith("tests")]
    try:
        if len(paths) == 1 and paths[0] in ALONE:
            return run_all(groups([Path(paths[0]).name]), [argument for argument in arguments if argument != paths[0]])
        if paths:
            return run_one(arguments, paths)
        return run_all(groups(), arguments)
    except LocalnetError as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
