"""`python -m lab.replay.year`: months in a row, each determined on chain as the rule in Python says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lab.localnet.anvil import ROOT


def test_two_months_agree_with_python(tmp_path: Path) -> None:
    """The second month knows the first one's supplies."""
    ran = subprocess.run(
        [sys.executable, "-m", "lab.replay.year", "--months", "2", "--out", str(tmp_path)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    values = json.loads((tmp_path / "year.json").read_text())
    assert [month["label"] for month in values["months"]] == ["2021-01", "2021-02"]
    assert all(month["agrees_with_python"] for month in values["months"])
