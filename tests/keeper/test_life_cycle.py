"""What becomes of a transaction on a real node: confirmed, lost, refused, outbid, cancelled; always at most once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import pytest
import requests
from eth_account import Account
from web3.types import RPCEndpoint

from ballast.units import GWEI
from keeper.errors import ChainError, RevertedError, SendError, SimulationError, UnknownPendingError
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.sending.broadcast import words_of
from keeper.sending.fees import Urgency
from keeper.sending.journal import CANCEL, Journal, Status
from keeper.sending.sender import Sender
from keeper.sending.tracker import LATE_BLOCKS
from lab.localnet.rpc import send
from tests.keeper.deployed_fund import Field, journal_rows
from tests.keeper.sending import (
    SEND,
    Killed,
    Node,
    determine,
    determined,
    head_seen,
    journal_of,
    losing_answers,
    mine,
    put_back,
    sender_of,
    statuses,
)

pytestmark = pytest.mark.usefixtures("due")


def stranger() -> str:
    """Another account that the node signs for."""
    return str(ape.accounts.test_accounts[5].address)


def left_open(field: Field, sender: Sender, **options: Any) -> str:
    """Sends the determination while nothing is mined; its hash."""
    field.rpc.request("evm_setAutomine", False)
    assert sender.send(determine(field, **options)) is None
    return sender._journal.open()[-1].hash


def by_another(field: Field) -> None:
    """Somebody else determines the month."""
    call = determine(field)
    field.rpc.request("evm_setAutomine", True)
    send(field.rpc, stranger(), call.to, call.data, gas=5_000_000)


def test_each_step_is_in_the_journal(field: Field, journal: Journal) -> None:
    node = Node(field.url)
    sender = sender_of(field, journal, node, confirmations=2)
    mined = sender.send(determine(field))
    assert mined is not None and [mined.hash] == determined(field)
    entry = journal.all()[0]
    receipt = field.w3.eth.get_transaction_receipt(mined.hash)  # type: ignore[arg-type]
    assert (entry.mined_block, entry.gas_used, entry.gas_price) == (
        receipt["blockNumber"],
        receipt["gasUsed"],
        receipt["effectiveGasPrice"],
    )
    steps = [Status.PENDING, Status.SENT, Status.SUBMITTED, Status.MINED]
    assert [status for status, _ in journal.changes(entry)] == steps
    mine(field)
    assert not head_seen(sender, field) and statuses(journal) == [Status.MINED]
    mine(field)
    assert not head_seen(sender, field) and statuses(journal) == [Status.CONFIRMED]
    # From here a look at a new block asks the node nothing.
    mine(field)
    before = len(node.asked)
    assert not head_seen(sender, field) and len(node.asked) == before


def test_reads_are_of_one_block(field: Field, journal: Journal) -> None:
    """Between the look at the head and the simulation somebody else determines the month: the call is judged by the
    block that was looked at, and cancelled in the next one."""
    node = Node(field.url)
    sender = sender_of(field, journal, node)
    field.rpc.request("evm_setAutomine", False)
    done: list[str] = []

    def meanwhile(method: str) -> None:
        if method == "eth_call" and not done:
            done.append(method)
            by_another(field)
            field.rpc.request("evm_setAutomine", False)

    node.before = meanwhile
    assert sender.send(determine(field)) is None
    assert [entry.action for entry in journal.all()] == ["determine", CANCEL]


def test_an_answer_that_was_lost_is_asked_for_with_the_same_bytes(field: Field, journal: Journal) -> None:
    node = Node(field.url)
    node.after = losing_answers(1)
    sender = sender_of(field, journal, node)
    field.rpc.request("evm_setAutomine", False)
    assert sender.send(determine(field)) is None
    assert node.asked.count(SEND) == 1 and statuses(journal) == [Status.SENT]
    field.rpc.request("anvil_dropTransaction", journal.all()[0].hash)
    mine(field)
    assert sender.settle() is None
    # Once for each block; no replacement was needed.
    assert node.asked.count(SEND) == 2 and statuses(journal) == [Status.SUBMITTED]
    mine(field)
    mined = sender.settle()
    assert mined is not None and determined(field) == [mined.hash]


def test_a_receipt_that_is_late_is_waited_for(field: Field, journal: Journal) -> None:
    """The nonce is used and the node has no receipt yet: nothing is sent for it and nothing else is signed."""
    node = Node(field.url)
    sender = sender_of(field, journal, node)
    node.without_receipts = True
    assert sender.send(determine(field)) is None
    mine(field, 6)  # a replacement would be due
    sent = node.asked.count(SEND)
    assert sender.settle() is None and sender.unresolved and node.asked.count(SEND) == sent
    node.without_receipts = False
    mined = sender.settle()
    assert mined is not None and determined(field) == [mined.hash] and len(journal.all()) == 1


def test_a_spike_of_the_base_fee_is_waited_out(field: Field, journal: Journal) -> None:
    cap = 300 * GWEI
    node = Node(field.url)
    sender = sender_of(field, journal, node, urgency=Urgency(cap, cap, 0), bump_blocks=1)
    digest = left_open(field, sender)
    for _ in range(3):
        field.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(2 * cap))
        mine(field)
        assert sender.settle() is None
    # Nothing dearer is signed above the cap: the same bytes go out in each block.
    assert [entry.hash for entry in journal.all()] == [digest]
    assert node.asked.count(SEND) == 4
    for _ in range(2):
        field.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
        mine(field)
        if sender.settle() is not None:
            break
    assert determined(field) and set(determined(field)) <= {entry.hash for entry in journal.all()}
    assert len(determined(field)) == 1 and {entry.nonce for entry in journal.all()} == {field.sent_by_keeper() - 1}


def test_somebody_was_faster_a_noop_takes_the_nonce(field: Field, journal: Journal) -> None:
    sender = sender_of(field, journal)
    digest = left_open(field, sender)
    field.rpc.request("anvil_dropTransaction", digest)
    by_another(field)
    assert field.sent_by_keeper() == journal.all()[0].nonce
    mined = sender.settle()
    assert mined is not None and mined.action == CANCEL
    call, noop = journal.all()
    assert (call.status, noop.status) == (Status.CANCELLED, Status.MINED)
    assert (noop.nonce, noop.recipient, noop.data) == (call.nonce, field.account.address, "0x")
    assert noop.max_fee * 8 >= call.max_fee * 9 and noop.tip * 8 >= call.tip * 9
    assert len(determined(field)) == 1 and field.sent_by_keeper() == call.nonce + 1
    with pytest.raises(SimulationError, match="NotDue"):
        sender.send(determine(field))


def test_too_dear_after_its_time_a_noop_takes_the_nonce(field: Field, journal: Journal) -> None:
    cap = 200 * GWEI
    sender = sender_of(field, journal, urgency=Urgency(cap, cap, 0))
    now = field.clock.latest()[1]
    field.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(150 * GWEI))
    mine(field)
    digest = left_open(field, sender, deadline=now + 600)
    field.rpc.request("anvil_dropTransaction", digest)

    def dear_block(time: int) -> None:
        field.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(350 * GWEI))
        field.rpc.request("evm_setNextBlockTimestamp", time)
        mine(field)

    dear_block(now + 600)
    assert sender.settle() is None and len(journal.all()) == 1
    dear_block(now + 601)
    field.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(350 * GWEI))
    assert sender.settle() is None
    assert [entry.action for entry in journal.all()] == ["determine", CANCEL]
    mine(field)
    mined = sender.settle()
    assert mined is not None and mined.action == CANCEL and determined(field) == []
    assert cap < journal.all()[1].max_fee <= 2 * cap


def test_an_operator_cancels(field: Field, journal: Journal) -> None:
    left_open(field, sender_of(field, journal))

    def mined() -> bool:
        mine(field)
        return False

    sender = sender_of(field, journal, pause=mined)
    (ended,) = sender.cancel()
    assert ended.action == CANCEL and determined(field) == []
    assert statuses(journal) == [Status.CANCELLED, Status.MINED]
    assert sender.cancel() == []


def test_what_is_cancelled_may_win(field: Field, journal: Journal) -> None:
    digest = left_open(field, sender_of(field, journal))

    def win() -> bool:
        noop = journal.all()[-1]
        assert noop.action == CANCEL
        field.rpc.request("anvil_dropTransaction", noop.hash)
        field.rpc.request(SEND, journal.all()[0].raw)
        mine(field)
        return False

    sender = sender_of(field, journal, pause=win)
    (ended,) = sender.cancel()
    assert ended.hash == digest and determined(field) == [digest]
    assert statuses(journal) == [Status.MINED, Status.REPLACED]


def test_a_revert_is_told(field: Field, journal: Journal) -> None:
    sender = sender_of(field, journal)
    left_open(field, sender)
    call = determine(field)
    request = {"from": stranger(), "to": call.to, "data": call.data, "gas": hex(5_000_000)}
    dear = {"maxFeePerGas": hex(900 * GWEI), "maxPriorityFeePerGas": hex(500 * GWEI)}
    field.rpc.request("eth_sendTransaction", request | dear)
    mine(field)
    with pytest.raises(RevertedError, match="mined and reverted"):
        sender.settle()
    assert statuses(journal) == [Status.REVERTED] and not sender.unresolved
    mine(field, 2)
    assert not head_seen(sender, field) and [entry.confirmed for entry in journal.all()] == [True]


def test_a_nonce_used_from_elsewhere_is_closed_late(field: Field, journal: Journal) -> None:
    sender = sender_of(field, journal)
    digest = left_open(field, sender)
    field.rpc.request("anvil_dropTransaction", digest)
    account = Account.from_key(field.account.private_key)
    nonce = journal.all()[0].nonce
    fees = {"gas": 21_000, "maxFeePerGas": 500 * GWEI, "maxPriorityFeePerGas": 300 * GWEI}
    own = {"chainId": 1, "type": 2, "nonce": nonce, "to": account.address, "value": 0}
    field.rpc.request(SEND, account.sign_transaction(own | fees).raw_transaction.to_0x_hex())
    mine(field)
    # Receipts may be late: until then the fate is open, and nothing is signed.
    for blocks in (1, LATE_BLOCKS - 2):
        assert sender.settle() is None and sender.unresolved
        with pytest.raises(SendError, match="still open"):
            sender.send(determine(field))
        mine(field, blocks)
    assert sender.settle() is None and sender.unresolved
    mine(field)
    assert sender.settle() is None and statuses(journal) == [Status.REPLACED]
    assert field.sent_by_keeper() == nonce + 1 and len(journal.all()) == 1


def test_another_chains_journal_is_not_believed(field: Field, journal: Journal) -> None:
    head = field.w3.eth.block_number
    for nonce, block in ((field.sent_by_keeper() + 1, head), (field.sent_by_keeper(), head - 65)):
        entry = journal.add(
            nonce=nonce,
            action="trade",
            period=1,
            recipient="0x",
            data="0x",
            gas=1,
            max_fee=1,
            tip=1,
            tx_hash=f"0x{nonce:064x}",
            raw="0x",
            block=block,
        )
        journal.mined(entry, succeeded=True, block=block, gas_used=1, gas_price=1)
        with pytest.raises(SendError, match="another chain"):
            sender_of(field, journal).send(determine(field))
    assert determined(field) == []


def test_a_stranger_in_the_pool_is_not_overtaken(field: Field, journal: Journal) -> None:
    field.rpc.request("evm_setAutomine", False)
    account = Account.from_key(field.account.private_key)
    own = {"chainId": 1, "type": 2, "nonce": field.sent_by_keeper(), "to": account.address, "value": 0, "gas": 21_000}
    fees = {"maxFeePerGas": 300 * GWEI, "maxPriorityFeePerGas": GWEI}
    field.rpc.request(SEND, account.sign_transaction(own | fees).raw_transaction.to_0x_hex())
    with pytest.raises(UnknownPendingError):
        sender_of(field, journal).send(determine(field))
    assert journal.all() == []


def test_what_this_node_refuses(field: Field) -> None:
    """Its own words, for each error that it can be made to give."""
    field.rpc.request("evm_setAutomine", False)
    account = Account.create()
    field.rpc.request("anvil_setBalance", account.address, hex(10**18))
    field.rpc.request("anvil_setNonce", account.address, hex(5))
    usual = {"gas": 21_000, "maxFeePerGas": 500 * GWEI, "maxPriorityFeePerGas": GWEI}
    own = {"chainId": 1, "type": 2, "nonce": 5, "to": account.address, "value": 0}

    def said(**changes: int) -> Refusal:
        raw = account.sign_transaction(own | usual | changes).raw_transaction
        answer = field.w3.provider.make_request(RPCEndpoint(SEND), [raw.to_0x_hex()])
        return refusal_of(words_of(answer["error"]))

    field.w3.eth.send_raw_transaction(account.sign_transaction(own | usual).raw_transaction)
    assert said() is Refusal.KNOWN
    assert said(nonce=4) is Refusal.NONCE_TOO_LOW
    assert said(gas=21_001) is Refusal.REPLACEMENT
    assert said(nonce=6, maxFeePerGas=GWEI) is Refusal.UNDERPRICED
    assert said(nonce=6, gas=10**7) is Refusal.FUNDS
    assert said(nonce=6, gas=20_000) is Refusal.REJECTED
    assert said(nonce=6, chainId=5) is Refusal.REJECTED


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_every_request(field: Field, tmp_path: Path, moment: str) -> None:
    """Whatever the last request before it died was: the next run determines the month once, with one nonce."""
    (tmp_path / "whole").mkdir()
    with put_back(field), journal_of(field, tmp_path / "whole") as journal:
        whole = Node(field.url)
        assert sender_of(field, journal, whole).send(determine(field)) is not None
    # Before the last read there is nothing in the journal, whatever comes next.
    reads = whole.asked.index(SEND) - 2
    for last in range(reads, len(whole.asked)):
        folder = tmp_path / str(last)
        folder.mkdir()
        with put_back(field):
            nonce = field.sent_by_keeper()
            node = Node(field.url)

            def die(method: str, node: Node = node, last: int = last) -> None:
                if len(node.asked) > last:
                    raise Killed(method)

            setattr(node, moment, die)
            with journal_of(field, folder) as journal, pytest.raises(Killed):
                sender_of(field, journal, node).send(determine(field))
            again(field, folder)
            assert len(determined(field)) == 1 and field.sent_by_keeper() == nonce + 1
            assert [row["status"] for row in journal_rows(folder)] == ["mined"]


@pytest.mark.parametrize("write", range(4))
def test_killed_at_every_write(field: Field, tmp_path: Path, write: int) -> None:
    left = [write]

    def clock() -> float:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return 1.0

    nonce = field.sent_by_keeper()
    with journal_of(field, tmp_path, clock=clock) as journal, pytest.raises(Killed):
        sender_of(field, journal).send(determine(field))
    again(field, tmp_path)
    assert len(determined(field)) == 1 and field.sent_by_keeper() == nonce + 1


def again(field: Field, folder: Path) -> None:
    """The next run's first step: what is open is settled, and what is then still due is sent."""
    with journal_of(field, folder) as journal:
        sender = sender_of(field, journal)
        assert len(journal.all()) <= 1
        if sender.unresolved:
            assert sender.settle() is not None
        elif not determined(field):
            assert sender.send(determine(field)) is not None


def test_no_answer_from_a_dead_node_is_an_error_of_its_own(field: Field, journal: Journal) -> None:
    node = Node(field.url)

    def dead(method: str) -> None:
        if method == "eth_call":
            raise requests.exceptions.ReadTimeout("dead")

    node.before = dead
    with pytest.raises(ChainError, match="simulating determine: the node does not answer"):
        sender_of(field, journal, node).send(determine(field))
    assert journal.all() == []
