"""A year of a fund on the fork, steered only by commands; what they show becomes docs/operations/steered-year.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from web3 import Web3

from lab.localnet.world import World
from tests.keeper.deployed_fund import PERIOD
from tests.scripts.steered_year import year
import time

def test_a_year(world: World, w3: Web3, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    t=time.time()
    def lap(what):
        nonlocal t
        with open("/tmp/w/year15.lap","a") as f: f.write(f"{what} {time.time()-t:.1f}\n")
        t=time.time()
    with year(world, w3, tmp_path, lambda: capsys.readouterr().out, "BAL") as fund:
        lap("deployed")
        fund.unchanged()
        fund.determined(PERIOD); lap("det")
        fund.started(PERIOD); lap("started")
        fund.traded(); lap("traded")
        print(fund.transcript.text())
    Path("/tmp/w/year15.md").write_text(fund.transcript.text())
