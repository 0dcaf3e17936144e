"""The keeper under each Python that it is released for: installed as an operator would, and its unit tests.

The tests import keeper and ballast from the installed wheel, not from the tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.release.errors import ReleaseError, run
from tools.release.wheel import LOCK, install

TESTS = ("tests/unit/keeper",)
VERSIONS = ("3.11", "3.12", "3.13")
INSTALLED = ("ballast", "keeper")
"""The packages of the wheel."""
TESTERS = ("pytest", "hypothesis", "coincurve")
"""What the tests need besides the keeper, with the versions of requirements.lock."""
_PASSED = re.compile(r"(\d+) passed")


@dataclass(frozen=True)
class Tested:
    """A Python's full version ("" if it is not installed here), and the results of the keeper's tests under it."""

    wanted: str
    found: str
    passed: int
    said: str

    @property
    def good(self) -> bool:
        """Whether the keeper was installed and all its tests passed."""
        return bool(self.passed) and not self.said


def test(root: Path, wheel: Path, folder: Path, wanted: str, tests: Sequence[str] = TESTS) -> Tested:
    """Install under the Python of this version, and run tests of `root`, a tree with its build; all goes into `folder`.

    Raises ReleaseError where uv fails.
    """
    python = find(wanted)
    if python is None:
        return Tested(wanted, "", 0, "not found on this machine")
    environment = folder / wanted
    folder.mkdir(exist_ok=True)
    command = install(wheel, root / LOCK, environment, str(python))
    inside = environment / "bin" / "python"
    run([command, "--help"], folder)
    found = run([inside, "-c", "import platform; print(platform.python_version())"], folder).strip()
    run(["uv", "pip", "install", "-q", "--python", inside, "-c", root / "requirements.lock", *TESTERS], folder)
    place = folder / f"tree-{wanted}"
    lay(root, environment, place)
    # Nothing of the real tree is on the path, wherever pytest looks for tests.
    variables = {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}
    of = run([inside, "-c", "import keeper, ballast; print(keeper.__file__, ballast.__file__)"], folder, variables)
    if not all(Path(file).is_relative_to(place.resolve()) for file in of.split()):
        raise ReleaseError(f"Python {wanted}: the tests would not run on the wheel but on {' and '.join(of.split())}")
    done = subprocess.run(
        [environment / "bin" / "pytest", "-p", "no:cacheprovider", "-q", "--import-mode=importlib", *tests],
        cwd=place,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = _PASSED.search(done.stdout)
    said = "" if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]
    return Tested(wanted, found, int(passed[1]) if passed else 0, said)


def lay(root: Path, environment: Path, place: Path) -> None:
    """Make a tree of links to all of the tree at `root` but the wheel's packages, which are copied from where they are
    installed: the tests find the files that they need beside them, but no other keeper and ballast."""
    place.mkdir()
    for path in root.iterdir():
        if path.name not in INSTALLED:
            (place / path.name).symlink_to(path)
    (installed,) = environment.glob("lib/python*/site-packages")
    for name in INSTALLED:
        shutil.copytree(installed / name, place / name)


def find(version: str) -> Path | None:
    """A Python of this version ("3.12") that is installed here, pyenv's among them, or None; downloads nothing."""
    command = ["uv", "python", "find", "--no-project", "--no-python-downloads", "--system", version]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Path(done.stdout.strip())
    # pyenv's shims find only the versions that it has selected.
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return max(versions.glob(f"{version}.*/bin/python"), default=None)
