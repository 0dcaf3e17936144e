"""Builds the keeper as a wheel, and installs it into an environment of its own as an operator would."""

from __future__ import annotations

from pathlib import Path

from tools.release.errors import ReleaseError, run

LOCK = "requirements-keeper.lock"


def build(root: Path, folder: Path, time: int) -> Path:
    """Build the wheel of the tree at `root` into a folder; its path. `time` (Unix seconds): that of every file in it.

    Raises ReleaseError.
    """
    backend = root / ".tools" / "release" / "bin" / "python"
    if not backend.exists():
        raise ReleaseError(f"{backend.relative_to(root)} is missing: run `make .tools/release.stamp`")
    command: list[str | Path] = [
        "uv",
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        backend,
        "--out-dir",
        folder,
        root,
    ]
    run(command, root, {"SOURCE_DATE_EPOCH": str(time)})
    (found,) = folder.glob("ballast_keeper-*.whl")
    (folder / ".gitignore").unlink(missing_ok=True)
    return found


def install(wheel: Path, lock: Path, folder: Path, python: str) -> Path:
    """Make an environment with `python` (a path or version) and install the wheel with the lock's versions; the path of
    its `ballast-keeper`. Raises ReleaseError, also where the lock lacks something that the wheel needs."""
    run(["uv", "venv", "--quiet", "--python", python, folder], wheel.parent)
    inside: list[str | Path] = ["--quiet", "--python", folder / "bin" / "python"]
    run(["uv", "pip", "install", *inside, "--no-deps", "-r", lock, wheel], wheel.parent)
    run(["uv", "pip", "check", *inside], wheel.parent)
    return folder / "bin" / "ballast-keeper"
