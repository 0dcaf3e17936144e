"""`python -m lab.replay.year`: months in a row, each determined on chain as the rule in Python says."""

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


def test_two_months_agree_with_python(tmp_path: Path) -> None:
    """The second month knows the first one's supplies."""
    values = year(tmp_path)
    assert [month["label"] for month in values["months"]] == ["2021-01", "2021-02"]
    assert [month["what"] for month in values["months"]] == ["traded"] * 2
    assert all(month["agrees_with_python"] for month in values["months"])


def test_a_fund_of_quarters_rests_in_the_second_month(tmp_path: Path) -> None:
    values = year(tmp_path, "--quarterly")
    assert [month["what"] for month in values["months"]] == ["traded", "between"]
    first, second = values["months"]
    assert (second["batches"], second["transactions"]) == (0, 0)
    assert set(first["weights_held"]) == set(second["weights_held"])
    assert values["totals"]["tracking_error_pct"] > 0


def test_a_band_skips_what_is_near(tmp_path: Path) -> None:
    """The seed has the weights without their cap: it is more than 1 % and less than 10 % away."""
    values = year(tmp_path, "--band", "10 %", "--months", "1")
    (month,) = values["months"]
    assert (month["what"], month["batches"], month["agrees_with_python"]) == ("skipped", 0, True)
    assert 0 < month["residual_pct_nav"] < 20
