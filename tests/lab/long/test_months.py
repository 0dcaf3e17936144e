"""Every published month from deployment to its end, and weights that add up to a little more or less than 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ballast.build import ROOT
from ballast.units import WAD
from tests.lab.test_replay import replay

MONTHS = ROOT / "data" / "months"


def carried(month: Path, out: Path) -> dict[str, Any]:
    """What a replay of the month writes."""
    ran = replay("month", "--month", str(month), "--out", str(out), seconds=1_200)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    values: dict[str, Any] = json.loads((out / "replay" / f"{month.stem}.json").read_text(encoding="utf-8"))
    return values


@pytest.mark.parametrize("path", sorted(MONTHS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_month(path: Path, tmp_path: Path) -> None:
    values = carried(path, tmp_path)
    assert values["units_exact"] == values["components"] == len(json.loads(path.read_text())["components"])
    assert values["residual_pct_nav"] <= values["cost_pct_nav"] + 0.01


@pytest.mark.parametrize("off", [2 * 10**13, -(10**14)])
def test_rounded_weights_to_the_wei(off: int, tmp_path: Path) -> None:
    """MVI's month with a first weight that is off; its published unit by the published arithmetic."""
    raw = json.loads((MONTHS / "mvi-2021-05.json").read_text(encoding="utf-8"))
    nav = sum(int(c["current_unit"]) * int(c["price_usd"]) // 10 ** c["decimals"] for c in raw["components"])
    first = raw["components"][0]
    first["weight"] = str(int(first["weight"]) + off)
    value = nav * int(first["weight"]) // WAD
    first["published_target_unit"] = str(10 ** first["decimals"] * value // int(first["price_usd"]))
    raw["label"] = "rounded-2021-05"
    path = tmp_path / "rounded-2021-05.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    values = carried(path, tmp_path)
    assert values["units_exact"] == values["components"] == 15
    # What is missing from the weights stays in what is sold.
    assert values["residual_pct_nav"] <= values["cost_pct_nav"] + max(0, -off * 100 / WAD) + 0.01
