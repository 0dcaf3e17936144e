"""A keeper that is killed at a bad moment and started again sends nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keeper.state import Phase
from tests.keeper.field import PERIOD, Field, Running, journal_rows


@pytest.fixture(autouse=True)
def mining(field: Field, test_isolation: None) -> Iterator[None]:
    """Mining by itself again, whatever a test did."""
    yield
    field.rpc.request("evm_setAutomine", True)


def wait_for(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"{what}: did not come to pass")


def in_pool(field: Field) -> int:
    """Transactions of the keeper that wait to be mined."""
    account = field.account.address
    return field.w3.eth.get_transaction_count(account, "pending") - field.sent_by_keeper()


def pending_batch(keeper: Running) -> str:
    """Brings the keeper to a batch that it has sent and that is not mined; its hash."""
    keeper.to_trading()
    keeper.until_possible()
    wait_for(lambda: in_pool(keeper.field) == 1, "a batch in the pool")
    row = journal_rows(keeper.folder)[-1]
    assert (row["action"], row["status"]) == ("trade", "signed")
    return str(row["hash"])


def mine(field: Field) -> None:
    field.rpc.request("evm_mine")


def check_finished_once(field: Field, folder: Path, before: int) -> None:
    """The month is done, each step was made once, and the journal agrees with the chain."""
    assert field.state().phase is Phase.IDLE
    for name in ("Determined", "Started", "Closed"):
        assert [event["args"]["period"] for event in field.events(name)].count(PERIOD) == 1
    rows = [row for row in journal_rows(folder) if row["status"] == "mined"]
    nonces = [row["nonce"] for row in rows]
    assert nonces == list(range(before, field.sent_by_keeper()))
    trades = [event["transactionHash"].to_0x_hex() for event in field.events("Traded")]
    assert trades == [row["hash"] for row in rows if row["action"] == "trade"]


def test_killed_with_a_batch_in_the_pool(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path) as keeper:
        sent = pending_batch(keeper)
        keeper.kill()
    with field.keeper(tmp_path) as keeper:
        # It finds the open transaction, sends nothing else, and goes on once that is mined.
        wait_for(lambda: "resolving an open transaction" in keeper.log(), "a look at the journal")
        assert in_pool(field) == 1
        assert len(field.events("Traded")) == 0
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        keeper.to_the_end()
    rows = journal_rows(tmp_path)
    assert [row["hash"] for row in rows if row["action"] == "trade"][0] == sent
    check_finished_once(field, tmp_path, before)


def test_killed_between_journal_and_wire(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path) as keeper:
        sent = pending_batch(keeper)
        keeper.kill()
    # As if it had died after writing the transaction down and before sending it.
    field.rpc.request("anvil_dropTransaction", sent)
    assert in_pool(field) == 0
    with field.keeper(tmp_path) as keeper:
        wait_for(lambda: in_pool(field) == 1, "the same transaction in the pool again")
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: len(field.events("Traded")) == 1, "the batch")
        assert field.events("Traded")[0]["transactionHash"].to_0x_hex() == sent
        keeper.to_the_end()
    check_finished_once(field, tmp_path, before)


def test_killed_while_its_batch_was_mined(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path) as keeper:
        sent = pending_batch(keeper)
        keeper.kill()
    mine(field)
    field.rpc.request("evm_setAutomine", True)
    assert [event["transactionHash"].to_0x_hex() for event in field.events("Traded")] == [sent]
    with field.keeper(tmp_path) as keeper:
        keeper.to_the_end()
    check_finished_once(field, tmp_path, before)


def test_replaces_what_is_not_mined(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path, BALLAST_BUMP_BLOCKS="2") as keeper:
        sent = pending_batch(keeper)
        # Taken out of the pool, so that blocks can pass without it.
        field.rpc.request("anvil_dropTransaction", sent)
        mine(field)
        mine(field)
        wait_for(lambda: in_pool(field) == 1, "a replacement")
        first, second = journal_rows(tmp_path)[-2:]
        assert first["hash"] == sent
        assert (first["nonce"], first["data"]) == (second["nonce"], second["data"])
        assert int(second["max_fee"]) * 8 >= int(first["max_fee"]) * 9
        assert int(second["tip"]) * 8 >= int(first["tip"]) * 9
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: journal_rows(tmp_path)[-1]["status"] == "mined", "the replacement's receipt")
        assert journal_rows(tmp_path)[-2]["status"] == "replaced"
        keeper.to_the_end()
    check_finished_once(field, tmp_path, before)


def test_stops_between_steps_when_asked(field: Field, tmp_path: Path) -> None:
    with field.keeper(tmp_path) as keeper:
        keeper.to_trading()
        keeper.process.terminate()
        assert keeper.process.wait(10) == 0
        assert "stopped" in keeper.log()
    assert all(row["status"] == "mined" for row in journal_rows(tmp_path))
