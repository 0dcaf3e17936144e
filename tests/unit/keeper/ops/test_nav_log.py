"""The log says once when NAV is without something, and when it is whole again."""

from __future__ import annotations

from dataclasses import replace

from structlog.testing import capture_logs

from keeper.ops.nav_log import NavLog
from tests.unit.keeper.simulated import Simulated


def test_each_change_is_one_line(april: Simulated) -> None:
    state = april.state
    first, second, *others = state.holdings
    one = replace(state, holdings=(replace(first, price=0), second, *others))
    two = replace(state, holdings=(replace(first, price=0), replace(second, sound=False), *others))
    nav = NavLog("fund", lambda token: token[:6])
    with capture_logs() as said:
        for seen in (state, one, one, two, state, state):
            nav.looked(seen)
    assert [(line["log_level"], line["event"]) for line in said] == [
        ("warning", "NAV is incomplete"),
        ("warning", "NAV is incomplete"),
        ("info", "NAV is complete again"),
    ]
    assert said[0]["without"] == (f"{first.token[:6]} (no price)",)
    assert len(said[1]["without"]) == 2
