"""Components that go bad while a month is open: the keeper goes on with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ballast.abi import call_data
from ballast.units import WAD
from keeper.state import FundState, Holding, Phase, Reason, Side
from lab.localnet.rpc import send
from tests.helpers.spoiled import unreadable
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import SUCCEEDED, Field, Running, journal_rows
from tests.keeper.test_ops import ask

WATCHED = {"BALLAST_HTTP_PORT": "0", "BALLAST_LOG": "json"}
ENOUGH = WAD * 97 // 100
"""Part of its target at which a buy has got what there is for it."""

Own = Callable[..., None]


@pytest.fixture
def own(field: Field) -> Own:
    """Calls the rebalancer as its owner, without the timelock's delay."""
    owner = field.book["timelock"]
    field.rpc.request("anvil_impersonateAccount", owner)
    field.rpc.request("anvil_setBalance", owner, hex(10**20))

    def call(signature: str, *args: Any) -> None:
        send(field.rpc, owner, field.book["rebalancer"], call_data(signature, *args), gas=10_000_000)

    return call


def symbol(field: Field, holding: Holding) -> str:
    found = field.book.candidate(holding.token)
    assert found is not None
    return found.symbol


def to_a_batch(keeper: Running) -> tuple[FundState, Holding]:
    """Into trading and through the first batch; the fund, and the buy that lacks most."""
    keeper.to_trading()
    keeper.until(lambda: bool(keeper.field.events("Traded")))
    state = keeper.field.state()
    lacks = {h.index: h.value(state.target_balance(h) - h.balance) for h in state.holdings if h.side is Side.BUY}
    return state, state.holdings[max(lacks, key=lambda index: lacks[index])]


def parts(state: FundState, opened: FundState, without: Holding) -> list[int]:
    """Part of its target that each other buy has."""
    return [
        h.balance * WAD // (o.unit * state.shares // WAD if state.shares else o.unit * opened.shares // WAD)
        for h, o in zip(state.holdings, opened.holdings, strict=True)
        if o.side is Side.BUY and o.index != without.index
    ]


def page(keeper: Running) -> dict[str, Any]:
    """What the status page tells of the latest block."""
    block, _ = keeper.field.clock.latest()

    def told() -> dict[str, Any]:
        (fund,) = ask(keeper, "/state.json").json()["funds"]
        return {**(fund["data"] or {"block": 0}), "notes": fund["notes"]}

    keeper.look()
    # The page hears of a look a moment after the pulse.
    wait_for(lambda: told()["block"] >= block, "the page")
    return told()


def component(told: dict[str, Any], holding: Holding) -> dict[str, Any]:
    """A row of it."""
    row: dict[str, Any] = next(row for row in told["components"] if row["token"] == holding.token)
    return row


def events(told: dict[str, Any]) -> list[str]:
    return [event["text"] for event in told["events"]]


def test_a_component_that_is_suspended_goes_out_of_the_open_month(field: Field, own: Own, tmp_path: Path) -> None:
    with field.keeper(tmp_path, **WATCHED) as keeper:
        opened, gone = to_a_batch(keeper)
        own("suspend(address)", gone.token)
        assert field.state().holdings[gone.index].side is Side.HELD
        name, held = symbol(field, gone), field.state().holdings[gone.index].balance
        shown = page(keeper)
        row = component(shown, gone)
        assert row["condition"] == "suspended until the owner ends it" and row["weight"] == "0"
        told = [f"{name} suspended until the owner ends it", f"{name} taken out of this month's trading"]
        keeper.until(lambda: events(page(keeper)) == told)
        assert [note["text"] for note in shown["notes"]] == [
            f"{name} is suspended until the owner ends it: not traded, out of NAV, and nobody can mint"
        ]
        assert all(keeper.lines(text) for text in told)
        keeper.to_the_end()
        closed = field.state()
        assert (closed.phase, closed.reason) == (Phase.IDLE, Reason.DONE)
    assert closed.holdings[gone.index].balance == held
    assert min(parts(closed, opened, gone)) > ENOUGH
    assert {row["status"] for row in journal_rows(tmp_path)} <= set(SUCCEEDED)


def test_a_component_that_cannot_be_read_stops_none_of_the_others(field: Field, own: Own, tmp_path: Path) -> None:
    with field.keeper(tmp_path, **WATCHED) as keeper:
        opened, bad = to_a_batch(keeper)
        batches = len(field.events("Traded"))
        unreadable(field.rpc, bad.token, field.book["index_token"])
        state = field.state()
        assert not state.holdings[bad.index].sound and state.holdings[bad.index].side is Side.BUY
        keeper.until(lambda: min(parts(field.state(), opened, bad)) > ENOUGH)
        assert len(field.events("Traded")) > batches
        shown = page(keeper)
        assert component(shown, bad)["condition"] == "balance not readable"
        assert any("cannot be relied on (balance not readable)" in note["text"] for note in shown["notes"])
        assert field.state().phase is Phase.TRADING
        # What is left of the sells was for it: once it is out, the month has nothing left to do.
        own("suspend(address)", bad.token)
        keeper.to_the_end()
        assert not keeper.lines("step failed") and not keeper.lines("could not act")
    assert {row["status"] for row in journal_rows(tmp_path)} <= set(SUCCEEDED)


def test_an_ended_month_is_told_as_such(field: Field, own: Own, tmp_path: Path) -> None:
    with field.keeper(tmp_path, **WATCHED) as keeper:
        to_a_batch(keeper)
        own("endMonth()")
        assert field.state().phase is Phase.IDLE
        keeper.until(lambda: page(keeper)["standing"] == "April 2021 was ended as it stood")
        assert keeper.lines(f"ended as it stood by {field.book['timelock']}: what was traded stays traded")


def test_a_keeper_started_later_knows_what_was_done(field: Field, own: Own, tmp_path: Path) -> None:
    with field.keeper(tmp_path, **WATCHED) as keeper:
        _, gone = to_a_batch(keeper)
    own("suspend(address)", gone.token)
    (tmp_path / "pulse.json").unlink()
    with field.keeper(tmp_path, **WATCHED) as keeper:
        name = symbol(field, gone)
        told = [f"{name} suspended until the owner ends it", f"{name} taken out of this month's trading"]
        keeper.until(lambda: events(page(keeper)) == told)
