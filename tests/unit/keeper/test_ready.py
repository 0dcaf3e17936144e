"""What a keeper says where it cannot run: one line, and no trace."""

from __future__ import annotations

import subprocess
import sys

from ballast.build import ROOT
from keeper.ready import missing_packages


def test_an_older_python_is_named_with_the_right_ones() -> None:
    text = missing_packages((3, 10))
    assert text is not None
    assert text.startswith("this is Python 3.10; the keeper needs 3.11 to 3.13") and "uv python install 3.11" in text
    assert missing_packages() is None


def test_without_its_packages() -> None:
    """As a Python without the environment that set-up made finds it."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); "
         "runpy.run_module('keeper', run_name='__main__')"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("keeper: not installed for ") and "click" in line and ". .venv/bin/activate" in line
