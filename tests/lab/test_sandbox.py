"""`python -m lab.sandbox`: a sandbox as a user makes it on a chain dressed as Sepolia, and a short month of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ballast.build import ROOT
from ballast.units import ETHER, HOUR_S
from sandbox.decide import POST_GAS

MAX_GAS = 80_000_000
MAX_WEI = ETHER // 4


def test_a_short_month_on_a_chain_dressed_as_sepolia(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "lab.sandbox", "run", "--node", "anvil", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads((tmp_path / "sandbox.json").read_text())["anvil"]

    up = found["up"]
    assert found["components"] == 10
    # The chain's own Uniswap is used. Each step once: nothing was sent twice, for nothing, or by anyone else.
    assert up["transactions"] == len(up["steps"]) == len({step["step"] for step in up["steps"]})
    assert all(step["succeeded"] for step in up["steps"])
    assert not {"factory", "router"} & {step["step"] for step in up["steps"]}
    assert up["gas"] <= MAX_GAS
    assert int(up["wei"]) <= MAX_WEI and int(up["wei_at_3_gwei"]) <= MAX_WEI
    assert up["prompts"] == 2

    month = found["month"]
    assert up["chain_seconds"] + month["chain_seconds"]["until_done"] < 2 * HOUR_S
    assert month["batches"] >= 1
    assert month["off_target_pct"]["before"] > 5
    assert month["off_target_pct"]["after"] < 0.1
    assert month["turnover_pct"] > 5
    assert 0 < month["cost_of_turnover_pct"] < 4, "the limits' widest tolerance"

    keeper, market = found["keeper"], found["market"]
    assert set(keeper["by_action"]) == {"determine", "start", "trade"}
    assert keeper["transactions"] == month["batches"] + 2
    assert keeper["reverted"] == market["reverted"] == 0
    # It was killed in the middle of a transaction, went on, and the pools stand where the feeds do.
    assert month["market_killed"] == 1
    assert market["by_action"]["move"]["transactions"] > 1
    # With its budget used up it said so, and made the one post that the heartbeat asked for, without any pool.
    assert market["by_action"]["post"] == {
        "transactions": 1,
        "gas": market["gas"] - market["gas_before_budget_used_up"],
    }
    assert market["by_action"]["post"]["gas"] < POST_GAS
    assert len(market["pools_off_pct"]) == 10
    assert max(market["pools_off_pct"].values()) <= 1.0
