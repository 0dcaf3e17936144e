"""The keeper's process carries the fund through a month, and what it computes beside it is what the contracts do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ballast.units import WAD
from keeper.plan import bucket
from keeper.state import FundState, Phase, Reason, Side
from tests.keeper.deployed_fund import PERIOD, SUCCEEDED, Field, check_counts, journal_rows


@dataclass(frozen=True)
class Done:
    """A month that the keeper has carried. `batches`: the fund before and after each, and the contract's event."""

    folder: Path
    first_nonce: int
    opened: FundState
    closed: FundState
    pulse: dict[str, Any]
    batches: list[tuple[FundState, FundState, Any]]


@pytest.fixture(scope="module")
def done(field: Field, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("month")
    nonce = field.sent_by_keeper()
    with field.keeper(folder) as keeper:
        keeper.to_trading()
        opened = field.state()
        keeper.to_the_end()
        pulse = keeper.look()
    chain = field.chain
    batches = [
        (chain.read(event["blockNumber"] - 1)[0], chain.read(event["blockNumber"])[0], event)
        for event in field.events("Traded")
    ]
    yield Done(folder, nonce, opened, field.state(), pulse, batches)


def test_the_month_is_done(done: Done) -> None:
    assert (done.closed.phase, done.closed.reason) == (Phase.IDLE, Reason.DONE)
    assert (done.pulse["state"], done.pulse["reason"], done.pulse["possible_from"]) == ("idle", "done", None)
    assert done.closed.progress.surplus <= done.closed.limits.dust


def test_every_buy_ends_at_the_same_part_of_its_target(done: Done) -> None:
    shares = done.opened.shares
    parts = [
        h.balance * WAD // (o.unit * shares // WAD)
        for h, o in zip(done.closed.holdings, done.opened.holdings, strict=True)
        if o.side is Side.BUY
    ]
    assert len(parts) == 13
    # But for what hardly lacked anything when the last batch came.
    assert max(parts) - min(parts) < 2 * WAD // 1_000
    assert WAD * 985 // 1000 < min(parts) < WAD


def test_each_step_is_made_once(field: Field, done: Done) -> None:
    rows = journal_rows(done.folder)
    assert {row["status"] for row in rows} <= set(SUCCEEDED)
    assert [row["action"] for row in rows] == ["determine", "start"] + ["trade"] * len(done.batches)
    assert [row["nonce"] for row in rows] == list(range(done.first_nonce, field.sent_by_keeper()))
    for name in ("Determined", "Started", "Closed"):
        assert [event["args"]["period"] for event in field.events(name)].count(PERIOD) == 1


def test_the_gas_of_the_batches_is_read_from_their_receipts(field: Field, done: Done) -> None:
    chain = field.chain
    past = chain.history.past(chain.head(), done.closed)
    spent = [row["gas_used"] for row in journal_rows(done.folder) if row["action"] == "trade"]
    assert past.gas_spent == sum(spent) and len(spent) == len(done.batches)
    assert past.last_trade == field.w3.eth.get_block(done.batches[-1][2]["blockNumber"])["timestamp"]


def test_settlement_counts_as_the_contract_does(field: Field, done: Done) -> None:
    assert len(done.batches) >= 5
    for before, after, event in done.batches:
        time = field.w3.eth.get_block(event["blockNumber"])["timestamp"]
        check_counts(replace(before, time=time), after, event)


def test_bucket_is_the_lens(done: Done) -> None:
    states = [state for before, after, _ in done.batches for state in (before, after) if state.phase is Phase.TRADING]
    assert len({state.tolerance for state in states}) > 1
    for state in states:
        idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
        assert idle // bucket.SCALE == state.idle
        assert bucket.capacity(idle, state.limits) == state.capacity
        assert bucket.tolerance(idle, state.limits, state.progress) == state.tolerance
