"""A keeper that is killed at a bad moment and started again sends nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from keeper.state import Phase
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.keeper.deployed_fund import PERIOD, SUCCEEDED, Field, Running, journal_rows
from tests.keeper.sending import reorganized


@pytest.fixture(autouse=True)
def mining(field: Field, test_isolation: None) -> Iterator[None]:
    """Mining by itself again, whatever a test did."""
    yield
    field.rpc.request("evm_setAutomine", True)


def in_pool(field: Field) -> int:
    """Transactions of the keeper that wait to be mined."""
    account = field.account.address
    return field.w3.eth.get_transaction_count(account, "pending") - field.sent_by_keeper()


def pending_batch(keeper: Running) -> str:
    """Brings a keeper that trades to a batch that it has sent and that is not mined; its hash."""
    keeper.until_possible()
    wait_for(lambda: in_pool(keeper.field) == 1, "a batch in the pool")
    # The node has it before the journal says so.
    wait_for(lambda: journal_rows(keeper.folder)[-1]["status"] == "submitted", "a note that the node has it")
    row = journal_rows(keeper.folder)[-1]
    assert row["action"] == "trade"
    return str(row["hash"])


def mine(field: Field) -> None:
    field.rpc.request("evm_mine")


def check_finished_once(field: Field, folder: Path, before: int) -> None:
    """The month is done, each step was made once, and the journal agrees with the chain."""
    assert field.state().phase is Phase.IDLE
    for name in ("Determined", "Started", "Closed"):
        assert [event["args"]["period"] for event in field.events(name)].count(PERIOD) == 1
    rows = [row for row in journal_rows(folder) if row["status"] in SUCCEEDED]
    nonces = [row["nonce"] for row in rows]
    assert nonces == list(range(before, field.sent_by_keeper()))
    assert traded(field) == [row["hash"] for row in rows if row["action"] == "trade"]


def traded(field: Field) -> list[str]:
    """Hashes of the batches on the chain."""
    return [event["transactionHash"].to_0x_hex() for event in field.events("Traded")]


def test_killed_three_times_in_a_month(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    with field.keeper(tmp_path) as keeper:
        keeper.to_trading()
        first = pending_batch(keeper)
        keeper.kill()

    # 1. With a batch in the pool: it finds the open transaction and sends nothing else until that is mined.
    with field.keeper(tmp_path) as keeper:
        wait_for(lambda: "resolving an open transaction" in keeper.log(), "a look at the journal")
        assert (in_pool(field), traded(field)) == (1, [])
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: journal_rows(tmp_path)[-1]["status"] in SUCCEEDED, "its receipt")
        assert traded(field) == [first]
        second = pending_batch(keeper)
        keeper.kill()

    # 2. As if it had died after writing a transaction down and before sending it: the same bytes go out.
    field.rpc.request("anvil_dropTransaction", second)
    assert in_pool(field) == 0
    with field.keeper(tmp_path) as keeper:
        wait_for(lambda: in_pool(field) == 1, "the same transaction in the pool again")
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: len(traded(field)) == 2, "the batch")
        assert traded(field) == [first, second]
        third = pending_batch(keeper)
        keeper.kill()

    # 3. The batch is mined while it is down.
    mine(field)
    field.rpc.request("evm_setAutomine", True)
    assert traded(field) == [first, second, third]
    with field.keeper(tmp_path) as keeper:
        keeper.to_the_end()
    check_finished_once(field, tmp_path, before)


def test_replaces_what_is_not_mined(field: Field, tmp_path: Path) -> None:
    with field.keeper(tmp_path, BALLAST_BUMP_BLOCKS="2") as keeper:
        keeper.to_trading()
        sent = pending_batch(keeper)
        # Taken out of the pool, so that blocks can pass without it.
        field.rpc.request("anvil_dropTransaction", sent)
        mine(field)
        mine(field)
        wait_for(lambda: in_pool(field) == 1, "a replacement")
        first, second = journal_rows(tmp_path)[-2:]
        assert first["hash"] == sent
        assert (first["nonce"], first["data"]) == (second["nonce"], second["data"])
        listed = [TypedTransaction.from_bytes(HexBytes(row["raw"])).as_dict()["accessList"] for row in (first, second)]
        assert listed[0] == listed[1] and len(listed[0]) > 10
        assert int(second["max_fee"]) * 8 >= int(first["max_fee"]) * 9
        assert int(second["tip"]) * 8 >= int(first["tip"]) * 9
        mine(field)
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: journal_rows(tmp_path)[-1]["status"] in SUCCEEDED, "the replacement's receipt")
        assert journal_rows(tmp_path)[-2]["status"] == "replaced"
        assert traded(field) == [second["hash"]]


def test_a_reorganization_while_it_runs(field: Field, tmp_path: Path) -> None:
    before = field.sent_by_keeper()
    field.to_determination()
    with field.keeper(tmp_path) as keeper:
        with reorganized(field, 2):
            wait_for(lambda: field.state().phase is Phase.DETERMINED, "the determination")
            first = journal_rows(tmp_path)[0]["hash"]
            mine(field)
            keeper.look()
        wait_for(lambda: field.state().phase is Phase.DETERMINED, "the determination again")
        assert [event["transactionHash"].to_0x_hex() for event in field.events("Determined")] == [first]
        mine(field)
        wait_for(lambda: journal_rows(tmp_path)[0]["status"] in SUCCEEDED, "its receipt")
        assert len(journal_rows(tmp_path)) == 1 and field.sent_by_keeper() == before + 1
        for _ in range(3):
            mine(field)
        wait_for(lambda: journal_rows(tmp_path)[0]["status"] == "confirmed", "its confirmation")


def test_stops_between_steps_when_asked(field: Field, tmp_path: Path) -> None:
    field.to_determination()
    with field.keeper(tmp_path) as keeper:
        keeper.look()
        keeper.process.terminate()
        assert keeper.process.wait(PATIENCE_S) == 0
        assert "stopped" in keeper.log()
