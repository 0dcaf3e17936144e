"""Errors of making a release."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ReleaseError(Exception):
    """The release cannot be made, or would not be the same elsewhere."""


def run(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a program; its output. `environment` is added to this process's.

    Raises ReleaseError with all its output where it fails.
    """
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = " ".join(str(part) for part in command[:4])
        raise ReleaseError(f"{words} ... failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout
