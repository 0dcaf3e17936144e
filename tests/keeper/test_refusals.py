"""Refusals in the words of other clients, put before a real node: each arrives, and the month goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from structlog.testing import capture_logs

from keeper.errors import CancelledError
from keeper.sending.journal import CANCEL, Journal, Status
from keeper.sending.sender import Sender
from tests.keeper.deployed_fund import Field
from tests.keeper.endpoints import SEND, EndpointProxy, endpoint
from tests.keeper.sending import Node, determine, determined, mine, sender_of, statuses

pytestmark = pytest.mark.usefixtures("due")


@pytest.fixture
def front(field: Field) -> Iterator[EndpointProxy]:
    """What stands before the node."""
    with endpoint(field.url) as found:
        yield found


def sender_behind(front: EndpointProxy, field: Field, journal: Journal) -> Sender:
    """Each wait of it takes a block."""

    def block() -> bool:
        mine(field)
        return False

    return sender_of(field, journal, Node(front.url), patience=8, pause=block)


def test_a_fee_cap_is_kept_within(field: Field, journal: Journal, front: EndpointProxy) -> None:
    offered: list[int] = []

    def capped(raw: str) -> str | None:
        sent = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        offered.append(sent["maxFeePerGas"])
        most = offered[0] * 7 // 10
        if sent["maxFeePerGas"] <= most:
            return None
        cost, cap = (sent["gas"] * fee / 10**18 for fee in (sent["maxFeePerGas"], most))
        return f"tx fee ({cost:.2f} ether) exceeds the configured cap ({cap:.2f} ether)"

    front.refuses = capped
    with capture_logs() as said:
        mined = sender_behind(front, field, journal).send(determine(field))
    assert mined is not None and [mined.hash] == determined(field)
    assert [entry["kind"] for entry in said if entry["event"] == "not accepted by the node"] == ["fee_cap"] * 2
    assert offered == [entry.max_fee for entry in journal.all()] and len(offered) == 3
    assert statuses(journal) == [Status.REPLACED, Status.REPLACED, Status.MINED]


def test_a_full_pool_is_waited_for(field: Field, journal: Journal, front: EndpointProxy) -> None:
    left = ["txpool is full", "pending sub-pool is full"]
    front.refuses = lambda _: left.pop() if left else None
    mined = sender_behind(front, field, journal).send(determine(field))
    assert mined is not None and [mined.hash] == determined(field)
    assert front.methods.count(SEND) == 3 and len(journal.all()) == 1


def test_what_is_above_a_limit_of_gas_is_cancelled_by_a_transfer(
    field: Field, journal: Journal, front: EndpointProxy
) -> None:
    noop = 21_000

    def limited(raw: str) -> str | None:
        gas = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["gas"]
        return None if gas == noop else f"transaction gas limit too high (cap: 16777216, tx: {gas})"

    front.refuses = limited
    sender = sender_behind(front, field, journal)
    assert sender.cancel() == []
    with pytest.raises(CancelledError, match="the no-op"):
        sender.send(determine(field))
    call, last = journal.all()
    assert (call.status, last.status, last.action) == (Status.CANCELLED, Status.MINED, CANCEL)
    assert (last.gas, last.gas_used, determined(field)) == (noop, noop, [])
