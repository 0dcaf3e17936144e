"""A determination beside the fund."""

from __future__ import annotations

from dataclasses import replace

from ballast.rule.types import Decision, Flag, Status
from ballast.units import WAD
from ballast.values import percent
from keeper.guard.changes import MAX_NAMED, Change, changes, summary, supply_change
from keeper.output.tables import weight
from keeper.state import FundState
from tests.unit.keeper.simulated import Simulated


def kept(state: FundState) -> list[Decision]:
    """A determination that gives what the fund holds the weight that it has."""
    weights = [(h.token, weight(state, h, h.balance)) for h in state.holdings if h.balance]
    return [Decision(token, 100, Status.INCLUDED, Flag(0), WAD, w, 100, True) for token, w in weights]


def test_weights_now_and_then(april: Simulated) -> None:
    rows = kept(april.state)
    heaviest = max(rows, key=lambda d: d.weight)
    found = changes(rows, april.state)
    assert found[0].token == heaviest.token and {c.move for c in found} == {0}
    assert not any(c.comes or c.leaves for c in found)
    assert summary(found, str) == "no weight changes by a tenth of a percent"


def test_who_comes_and_who_leaves(april: Simulated) -> None:
    rows = kept(april.state)
    state = replace(april.state, holdings=tuple(h for h in april.state.holdings if h.token != rows[0].token))
    newcomer, leaver, frozen = rows[0].token, rows[1].token, rows[2].token
    rows[0] = replace(rows[0], weight=WAD // 10)
    rows[1] = replace(rows[1], status=Status.OUTSIDE, weight=0, flags=Flag.BELOW_FLOOR | Flag.STALE)
    rows[2] = replace(rows[2], status=Status.FROZEN, weight=0)
    stranger = Decision("0x99", 0, Status.OUTSIDE, Flag(0), WAD, 0)
    outside = replace(stranger, token="0x98", flags=Flag.BELOW_RANK)
    found = {c.token: c for c in changes([*rows, stranger, outside], state)}
    assert "0x99" not in found and not found["0x98"].leaves, "what is not held does not leave"
    assert {c.token for c in found.values() if c.comes} == {newcomer}
    assert {c.token for c in found.values() if c.leaves} == {leaver}
    assert (found[frozen].then, found[frozen].move) == (None, 0)
    text = summary(tuple(found.values()), str)
    assert f"comes in: {newcomer} (10.00 %)" in text
    assert f"leaves: {leaver} ({percent(found[leaver].now)})" in text and f"frozen: {frozen}" in text
    assert f"{leaver} stale, below floor" in text


def test_only_the_largest_moves_are_named(april: Simulated) -> None:
    rows = [
        Change(f"0x{n}", Status.INCLUDED, True, WAD // 2, WAD // 2 + n * WAD // 1000, 1, 1, Flag(0)) for n in range(8)
    ]
    text = summary(rows, str)
    assert text.startswith("0x7 50.00 % to 50.70 %; 0x6 ") and len(text.split("; ")) == MAX_NAMED


def test_supplies_against_the_last_month() -> None:
    row = Change("0x1", Status.INCLUDED, True, 0, 0, 125, 100, Flag.CLAMPED)
    assert supply_change(row) == "+25.00 %"
    assert supply_change(replace(row, supply=100)) == "+0.00 %"
    assert supply_change(replace(row, supply=10**6 - 1, before=10**6)) == "-0.00 %"
    assert supply_change(replace(row, supply=75)) == "-25.00 %"
    assert supply_change(replace(row, before=0)) == "new"
