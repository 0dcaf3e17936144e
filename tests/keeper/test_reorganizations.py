"""What a reorganization takes away is found, and sent again with the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from web3.types import RPCEndpoint

from keeper.errors import SendError
from keeper.sending.journal import CANCEL, Journal, Status
from tests.keeper.deployed_fund import Field
from tests.keeper.sending import (
    SEND,
    Node,
    determine,
    determined,
    head_seen,
    journal_of,
    mine,
    reorganized,
    sender_of,
    start,
    statuses,
)

pytestmark = pytest.mark.usefixtures("due")


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reorganization_brings_it_back(field: Field, journal: Journal, depth: int) -> None:
    sender = sender_of(field, journal, confirmations=5)
    with reorganized(field, depth):
        first = sender.send(determine(field))
        mine(field, depth - 1)
        assert not head_seen(sender, field)
    assert first is not None
    nonce = journal.all()[0].nonce
    assert determined(field) == [] and field.sent_by_keeper() == nonce
    # Whoever looks at the block first opens it again; the same bytes are mined.
    assert head_seen(sender, field) and statuses(journal) == [Status.SENT]
    second = sender.settle()
    assert second is not None and second.hash == first.hash
    assert determined(field) == [first.hash] and field.sent_by_keeper() == nonce + 1
    assert statuses(journal) == [Status.MINED]


def test_a_reorganization_of_what_was_confirmed(field: Field, journal: Journal) -> None:
    sender = sender_of(field, journal, confirmations=2)
    with reorganized(field, 4):
        first = sender.send(determine(field))
        mine(field, 3)
        assert not head_seen(sender, field) and statuses(journal) == [Status.CONFIRMED]
    # No look asks for it any more, but what is due again is not signed again.
    assert not head_seen(sender, field)
    assert sender.send(determine(field)) is None
    assert statuses(journal) == [Status.SENT]
    second = sender.settle()
    assert first is not None and second is not None and determined(field) == [first.hash] == [second.hash]
    assert len(journal.all()) == 1


def test_mined_again_in_another_block(field: Field, journal: Journal) -> None:
    """A reorganization that keeps the transaction: the receipt's new block counts, and its age begins there."""
    sender = sender_of(field, journal, confirmations=3)
    with reorganized(field, 2):
        assert sender.send(determine(field)) is not None
        mine(field)
        assert not head_seen(sender, field)
    lost = journal.all()[0]
    Node(field.url).make_request(RPCEndpoint(SEND), [lost.raw])
    assert len(determined(field)) == 1
    assert not head_seen(sender, field) and statuses(journal) == [Status.MINED]
    assert lost.mined_block is not None and journal.all()[0].mined_block == lost.mined_block + 2
    mine(field, 2)
    assert not head_seen(sender, field) and statuses(journal) == [Status.MINED]
    mine(field)
    assert not head_seen(sender, field) and statuses(journal) == [Status.CONFIRMED]


def test_after_a_restart_a_lost_one_is_found_at_once(field: Field, tmp_path: Path) -> None:
    with reorganized(field, 2), journal_of(field, tmp_path) as journal:
        sender = sender_of(field, journal, confirmations=0)
        assert sender.send(determine(field)) is not None and not head_seen(sender, field)
        mine(field)
        assert not head_seen(sender, field) and statuses(journal) == [Status.CONFIRMED]
    with journal_of(field, tmp_path) as journal:
        assert head_seen(sender_of(field, journal), field)


def test_several_nonces_come_back_in_order(field: Field, journal: Journal) -> None:
    sender = sender_of(field, journal, confirmations=9)
    with reorganized(field, 1):
        assert sender.send(determine(field)) is not None
        field.to_execution()
        assert sender.send(start(field)) is not None
    assert head_seen(sender, field) and statuses(journal) == [Status.SENT] * 2
    first, second = journal.all()
    mined = sender.settle()
    assert mined is not None and mined.hash == first.hash
    assert [entry.nonce for entry in journal.open()] == [second.nonce]
    with pytest.raises(SendError, match="still open"):
        sender.send(start(field))
    # In the new blocks' time it is too early to start: a no-op takes that nonce, and the start comes when it is due.
    mined = sender.settle()
    assert mined is not None and mined.action == CANCEL
    assert statuses(journal) == [Status.MINED, Status.CANCELLED, Status.MINED]


def test_a_confirmed_one_is_missed_below_one_that_is_open(field: Field, journal: Journal) -> None:
    """The open one cannot be mined before it, however often it is sent."""
    sender = sender_of(field, journal, confirmations=1)
    with reorganized(field, 4):
        assert sender.send(determine(field)) is not None
        mine(field, 2)
        assert not head_seen(sender, field) and statuses(journal) == [Status.CONFIRMED]
        field.to_execution()
        field.rpc.request("evm_setAutomine", False)
        assert sender.send(start(field)) is None
        field.rpc.request("anvil_dropAllTransactions")
        field.rpc.request("evm_setAutomine", True)
    first, second = journal.all()
    assert journal.open() == [second]
    assert head_seen(sender, field)
    assert [entry.nonce for entry in journal.open()] == [first.nonce, second.nonce]
    mined = sender.settle()
    assert mined is not None and mined.hash == first.hash and determined(field) == [first.hash]
