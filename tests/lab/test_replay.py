"""`python -m lab.replay`: a whole month with the keeper as a process of its own, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ballast.build import ROOT

FIGURES = {
    "label",
    "components",
    "units_exact",
    "batches",
    "transactions",
    "hours",
    "gas_total",
    "turnover_usd",
    "cost_usd",
    "fees_usd",
    "impact_usd",
    "cost_bps",
    "cost_pct_nav",
    "residual_pct_nav",
    "worst_short_pct",
    "nav_before_usd",
    "nav_after_usd",
}


def replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.replay", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_month_of_fixed_weights(tmp_path: Path) -> None:
    month = ROOT / "data" / "months" / "mvi-2021-05.json"
    ran = replay("month", "--month", str(month), "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    values = json.loads((tmp_path / "replay" / "mvi-2021-05.json").read_text())
    assert values.keys() >= FIGURES
    assert values["label"] == "mvi-2021-05"
    assert values["units_exact"] == values["components"] == 15
    # determine, start, and each batch once: nothing was sent twice or for nothing
    assert values["transactions"] == values["batches"] + 2
    assert 0 < values["residual_pct_nav"] <= values["cost_pct_nav"] + 0.01
    assert 0 < values["worst_short_pct"] <= 1.5
    assert 0 < values["hours"] <= 14.5
    assert values["fees_usd"] + values["impact_usd"] == pytest.approx(values["cost_usd"], abs=0.02)
    assert values["nav_before_usd"] - values["nav_after_usd"] == pytest.approx(values["cost_usd"], abs=0.02)
    # both legs of every trade pay 0.3 %
    assert values["fees_usd"] == pytest.approx(values["turnover_usd"] * 0.006, rel=0.02)
    assert (tmp_path / "replay" / "mvi-2021-05.png").stat().st_size > 10_000


def test_bad_month_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    raw = json.loads((ROOT / "data" / "months" / "dpi-2021-04.json").read_text())
    del raw["components"][1]["supply"]
    bad.write_text(json.dumps(raw))
    for path, words in ((bad, "components[1] (COMP).supply: missing"), (tmp_path / "none.json", "cannot be read")):
        ran = replay("month", "--month", str(path), "--out", str(tmp_path / "out"))
        assert ran.returncode == 1
        assert ran.stderr.count("\n") == 1
        assert ran.stderr.startswith("replay: ")
        assert words in ran.stderr
        assert not (tmp_path / "out").exists()
