"""Health and metrics, from given facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ballast.units import GWEI, WAD
from keeper.errors import ChainError
from keeper.ops.facts import Facts
from keeper.ops.health import health, ills_of
from keeper.ops.metrics import Metrics
from keeper.ops.troubles import Defect, Trouble
from keeper.sending.journal import Status
from keeper.state import Phase
from tests.unit.keeper.ops.facts import BOUNDS, NOW, entry, facts_of, fund_facts, pulse_of, view_of
from tests.unit.keeper.simulated import Simulated


def body(facts: Facts) -> tuple[int, dict[str, Any]]:
    response = health(facts, BOUNDS)
    return response.status, json.loads(response.body)


def test_well(april: Simulated) -> None:
    status, said = body(facts_of(fund_facts(april)))
    assert (status, said["ok"], said["reasons"]) == (200, True, [])
    assert said["funds"][0]["block"] == april.state.block
    # Before the first look too.
    status, said = body(facts_of(replace(fund_facts(april), view=None, pulse=None, looked_at=None)))
    assert status == 200 and "block" not in said["funds"][0]


@pytest.mark.parametrize(
    ("of_keeper", "of_fund", "expected"),
    [
        ({"beat_s": 300.0}, {}, "the loop has shown no sign of life for 300 s"),
        ({"tick_s": 360.0}, {}, "the loop has ended no step for 360 s"),
        ({}, {"silent_s": 200.0}, "fund: no look has succeeded for 200 s"),
        ({}, {"overdue_s": 3_600}, "fund: trade is due and not done for 3600 s"),
    ],
)
def test_ill(april: Simulated, of_keeper: dict[str, Any], of_fund: dict[str, Any], expected: str) -> None:
    facts = facts_of(fund_facts(april, **of_fund), **of_keeper)
    status, said = body(facts)
    assert (status, said["ok"], said["reasons"]) == (503, False, [expected])
    just_below = {name: value - 1 for name, value in of_fund.items()}
    before = facts_of(fund_facts(april, **just_below), **{name: value - 1 for name, value in of_keeper.items()})
    assert ills_of(before, BOUNDS) == ()


def test_what_keeps_it_from_starting_is_ill_once_it_lasts(april: Simulated) -> None:
    def ills(age: int, **changes: Any) -> tuple[str, ...]:
        trouble = replace(Trouble("start", "no node", NOW - age), **changes)
        return ills_of(facts_of(fund_facts(april), troubles=(trouble,)), BOUNDS)

    assert (ills(29), ills(30)) == ((), ("cannot start: no node",))
    assert ills(0, final=True) == ("cannot start: no node",)
    # Who cannot be asked is no worse a keeper.
    assert ills(30, kind="http") == ()


def test_a_keeper_that_stops_does_not_hang(april: Simulated) -> None:
    assert ills_of(facts_of(fund_facts(april, silent_s=900.0), beat_s=900.0, stopping=True), BOUNDS) == ()


def metrics_of(facts: Facts) -> tuple[Metrics, dict[str, float]]:
    metrics = Metrics(lambda: facts)
    return metrics, read(metrics)


def read(metrics: Metrics) -> dict[str, float]:
    lines = metrics.response().body.decode().splitlines()
    found = [re.fullmatch(r"(\S+) (\S+)", line) for line in lines if not line.startswith("#")]
    return {match[1]: float(match[2]) for match in found if match is not None}


@dataclass(frozen=True)
class Node:
    name: str
    healthy: bool
    reason: str = ""
    requests: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)


def test_metrics_are_the_facts(april: Simulated) -> None:
    budget = april.state.limits.loss_budget
    progress = replace(april.state.progress, spent=budget // 4, surplus=WAD // 8)
    fund = fund_facts(april, progress=progress, overdue_s=77)
    facts = facts_of(
        fund,
        transactions=(
            entry(1, Status.CONFIRMED, gas_used=100, gas_price=GWEI),
            entry(2, Status.CONFIRMED, gas_used=50, gas_price=GWEI),
            entry(3, Status.SUBMITTED),
        ),
        endpoints=(Node("one.example", True), Node("two.example", False, "time-out", 7, {"time-out": 2})),
        tick_s=3.5,
        troubles=(Trouble("http", "taken", NOW),),
        defects=(
            Defect("fund", "KeyError", "keeper.view:1", NOW, NOW, 2),
            Defect("fund", "KeyError", "keeper.view:2", NOW, NOW, 3),
        ),
    )
    _, found = metrics_of(facts)
    assert found['ballast_loss_budget_used_ratio{fund="fund"}'] == 0.25
    assert found['ballast_residual_ratio{fund="fund"}'] == 0.125
    assert found['ballast_overdue_seconds{fund="fund"}'] == 77
    assert found['ballast_silent_seconds{fund="fund"}'] == 4
    assert found['ballast_head_number{fund="fund"}'] == april.state.block
    assert found['ballast_head_timestamp_seconds{fund="fund"}'] == april.state.time
    assert found['ballast_total_value_usd{fund="fund"}'] == pytest.approx(april.state.total_value / WAD)
    assert found["ballast_account_balance_wei"] == 10 * 10**18
    assert found["ballast_fees_paid_wei_total"] == 150 * GWEI
    assert found['ballast_transactions{status="confirmed"}'] == 2
    assert found['ballast_transactions{status="submitted"}'] == 1
    assert found['ballast_transactions{status="reverted"}'] == 0
    assert (found['ballast_endpoint_healthy{endpoint="one.example"}'], found["ballast_beat_age_seconds"]) == (1, 0.5)
    assert found['ballast_endpoint_healthy{endpoint="two.example"}'] == 0
    assert found['ballast_endpoint_requests_total{endpoint="two.example"}'] == 7
    assert found['ballast_endpoint_errors_total{endpoint="two.example",reason="time-out"}'] == 2
    assert found["ballast_tick_age_seconds"] == 3.5
    assert found['ballast_unforeseen_errors_total{error="KeyError",where="fund"}'] == 5
    assert (found['ballast_trouble{kind="http"}'], found['ballast_trouble{kind="start"}']) == (1, 0)


def test_what_is_not_known_is_left_out(april: Simulated) -> None:
    _, found = metrics_of(facts_of(fund_facts(april, phase=Phase.IDLE), balance=None))
    assert 'ballast_total_value_usd{fund="fund"}' in found
    for name in ("ballast_loss_budget_used_ratio", "ballast_residual_ratio", "ballast_account_balance_wei"):
        assert not any(key.startswith(name) for key in found)


def test_looks_steps_and_alerts_are_counted(april: Simulated) -> None:
    metrics, _ = metrics_of(facts_of(fund_facts(april)))
    for state in ("waiting", "waiting", "sent"):
        metrics.looked("fund", view_of(april), pulse_of(april.state, state=state))
    metrics.failed("fund", ChainError("the node does not answer"))
    metrics.alert_sent("low_balance")
    found = read(metrics)
    assert found['ballast_looks_total{fund="fund"}'] == 4
    assert found['ballast_steps_total{action="trade",fund="fund",result="waiting"}'] == 2
    assert found['ballast_steps_total{action="trade",fund="fund",result="sent"}'] == 1
    assert found['ballast_steps_total{action="none",fund="fund",result="ChainError"}'] == 1
    metrics.pinged("fail", "time-out")
    found = read(metrics)
    assert found['ballast_alerts_sent_total{kind="low_balance"}'] == 1
    assert found['ballast_pings_total{result="time-out",signal="fail"}'] == 1
    failing = []
    for signal, result in (("fail", "time-out"), ("start", "ok"), ("success", "ok"), ("start", "HTTP 404")):
        metrics.pinged(signal, result)
        failing.append(read(metrics)["ballast_ping_failing"])
    assert failing == [1, 1, 0, 0]
    # Each has a registry of its own.
    assert 'ballast_looks_total{fund="fund"}' not in metrics_of(facts_of(fund_facts(april)))[1]
