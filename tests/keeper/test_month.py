"""The keeper's process carries the fund through a month."""

from __future__ import annotations

from pathlib import Path

from keeper.state import WAD, Phase, Reason, Side
from tests.keeper.field import PERIOD, Field, journal_rows


def test_a_whole_month(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path) as keeper:
        assert keeper.look()["state"] == "idle" or field.state().period != PERIOD
        keeper.to_trading()
        opened = field.state()
        keeper.to_the_end()
        closed = keeper.look()
    state = field.state()
    assert (state.phase, state.reason) == (Phase.IDLE, Reason.DONE)
    assert closed["state"] == "idle" and closed["reason"] == "done"
    assert state.progress.surplus <= state.limits.dust

    # Every buy stands at the same part of its target: what the month cost is shared.
    shares = opened.shares
    parts = [
        (h.balance * WAD) // (o.unit * shares // WAD)
        for h, o in zip(state.holdings, opened.holdings, strict=True)
        if o.side is Side.BUY
    ]
    assert len(parts) == 13
    assert max(parts) - min(parts) < WAD // 10**5
    assert min(parts) > WAD - WAD * 15 // 1000

    rows = journal_rows(tmp_path)
    assert {row["status"] for row in rows} == {"mined"}
    assert [row["action"] for row in rows][-3:] == ["trade"] * 3
    assert len(rows) == field.sent_by_keeper() - before
    for name in ("Determined", "Started", "Closed"):
        assert [e["args"]["period"] for e in field.events(name)].count(PERIOD) == 1
