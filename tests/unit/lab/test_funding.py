"""A fund as a file: what the lab writes is read as what it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ballast.build import ROOT
from ballast.fund_file import FundConfig, load_fund
from ballast.parts import Anchor
from ballast.timetable import TimetableConfig
from ballast.units import DAY_S, WAD
from lab.testbed.funding import as_yaml


def written(config: FundConfig, tmp_path: Path) -> FundConfig:
    file = tmp_path / "fund.yaml"
    file.write_text(yaml.safe_dump(as_yaml(config)), encoding="utf-8")
    return load_fund(file)


@pytest.mark.parametrize("name", ["dpi", "sepolia"])
def test_a_fund_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    config = load_fund(ROOT / "funds" / f"{name}.yaml")
    assert written(config, tmp_path) == config


@pytest.mark.parametrize(
    "timetable",
    [
        TimetableConfig(period=3),
        TimetableConfig(period=7 * DAY_S, notice=DAY_S, min_notice=DAY_S, begins=1_800_000_000),
    ],
)
def test_cadence_and_band_go_along(timetable: TimetableConfig, tmp_path: Path) -> None:
    config = load_fund(ROOT / "funds" / "dpi.yaml")
    limits = config.limits.model_copy(update={"band": WAD // 100, "loss_budget": WAD // 1000, "max_step": WAD // 10})
    first, *rest = config.components
    anchored = first.model_copy(update={"anchor": Anchor(pool=first.token)})
    change = {
        "timetable": timetable,
        "limits": limits,
        "components": (anchored, *rest),
        "uniswap_v3_factory": config.weth,
    }
    config = config.model_copy(update=change)
    assert written(config, tmp_path) == config
