"""Clean checkouts of one commit in folders of their own."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tools.release.errors import ReleaseError, run

LINKED = (".venv", ".tools", "node_modules")
"""What the lock files pin is installed once, and the checkouts share it."""


@dataclass(frozen=True)
class Commit:
    """The commit to release: its hash, and its time (Unix seconds), which replaces any other time in the files."""

    hash: str
    time: int


def head(root: Path) -> Commit:
    """The tree's commit. Raises ReleaseError where files differ from it: others could not check them out."""
    changed = run(["git", "status", "--porcelain"], root).splitlines()
    if changed:
        raise ReleaseError(f"uncommitted changes, such as {changed[0][3:]}: commit them, or put them away")
    found, time = run(["git", "log", "-1", "--format=%H %ct"], root).split()
    return Commit(found, int(time))


def check_out(root: Path, commit: Commit, folder: Path) -> None:
    """Write the commit's files into a new folder, with links to what is installed."""
    archive = subprocess.run(["git", "archive", "--format=tar", commit.hash], cwd=root, capture_output=True, check=True)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    for name in LINKED:
        (folder / name).symlink_to(root / name)
