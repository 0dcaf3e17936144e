"""Runs `python -m lab.replay.year` for its tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ballast.build import ROOT


def year(folder: Path, *arguments: str) -> dict[str, Any]:
    """What the command writes of two months."""
    ran = subprocess.run(
        [sys.executable, "-m", "lab.replay.year", "--months", "2", "--out", str(folder), *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    values: dict[str, Any] = json.loads((folder / "year.json").read_text())
    return values
