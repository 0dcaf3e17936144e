"""What follows from each refusal, block by block; when a call is judged; which nonce is signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ballast.units import ETHER, GWEI, MAX_TX_GAS
from keeper.errors import (
    ChainError,
    FeeTooHighError,
    InsufficientFundsError,
    RejectedError,
    SimulationError,
    UnknownPendingError,
)
from keeper.look.rpc.refusals import Refusal
from keeper.sending.journal import CANCEL, Journal, Status
from keeper.sending.open_nonces import DEAD_BLOCKS, DEAR_BLOCKS
from keeper.sending.tracker import LATE_BLOCKS
from tests.unit.keeper.look.test_refusals import SAID
from tests.unit.keeper.sending.node import ACCOUNT, CALL, CAP, REVERTS, Node, journal_in, sender_before

FIRST = 41 * GWEI
"""What the first transaction offers: room for the base fee to double, and the tip."""


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with journal_in(tmp_path) as found:
        yield found


def fees_sent(node: Node) -> list[int]:
    """What each transaction that the node was sent offers, gwei."""
    return [each["maxFeePerGas"] // GWEI for each in node.sent]


# The fees (gwei) that a node is sent which says the same to everything: at first, in the same block once more, in the
# next one, and five blocks later.
FOLLOWS = {
    Refusal.KNOWN: ([41], [41], [41], [41, 46]),
    Refusal.NONCE_TOO_LOW: ([41], [41], [41, 41], [41, 41, 46]),
    Refusal.NONCE_TOO_HIGH: ([41], [41], [41, 41], [41, 41, 46]),
    Refusal.POOL_FULL: ([41], [41], [41, 41], [41, 41, 46]),
    Refusal.UNKNOWN: ([41], [41], [41, 41], [41, 41, 46]),
    Refusal.REVERTED: ([41], [41], [41, 41], [41, 41, 46]),
    Refusal.UNAVAILABLE: ([41], [41], [41, 41], [41, 41, 41]),
    Refusal.UNDERPRICED: ([41], [41], [41, 46], [41, 46, 51]),
    Refusal.REPLACEMENT: ([41], [41], [41, 46], [41, 46, 51]),
    Refusal.FEE_CAP: ([41], [41], [41, 30], [41, 30, 23]),
}


@pytest.mark.parametrize("kind", list(FOLLOWS))
def test_what_follows_from_each_kind(node: Node, journal: Journal, kind: Refusal) -> None:
    sender = sender_before(node, journal)
    node.says = lambda _: SAID[kind][0]
    seen = []
    for at in (100, 100, 101, 106):
        node.number = at
        assert (sender.settle() if journal.all() else sender.send(CALL)) is None
        seen.append(fees_sent(node))
    assert tuple(seen) == FOLLOWS[kind]
    assert {entry.action for entry in journal.all()} == {"trade"} and {entry.nonce for entry in journal.all()} == {7}


def test_every_kind_has_something_that_follows() -> None:
    assert {*FOLLOWS, Refusal.FUNDS, Refusal.GAS_LIMIT, Refusal.REJECTED} == set(Refusal)


@pytest.mark.parametrize("kind", [Refusal.GAS_LIMIT, Refusal.REJECTED])
def test_what_no_node_takes_gives_its_nonce_to_a_noop(node: Node, journal: Journal, kind: Refusal) -> None:
    sender = sender_before(node, journal)
    node.says = lambda sent: SAID[kind][0] if sent["data"] else None
    sender.send(CALL)
    sender.settle()
    call, noop = journal.all()
    assert (noop.action, noop.nonce, noop.gas, noop.recipient) == (CANCEL, call.nonce, 21_000, ACCOUNT)
    # The same is not tried in each block, at the price of a no-op each time.
    journal.mined(noop, succeeded=True, block=node.number, gas_used=21_000, gas_price=GWEI)
    node.answers["eth_getTransactionCount"] = "0x8"
    with pytest.raises(RejectedError, match=f"trade: no node took it in block 100; again after {DEAD_BLOCKS} blocks"):
        sender.send(CALL)
    sender.send(replace(CALL, action="close"))
    assert journal.all()[-1].action == "close"


def test_without_funds_the_same_bytes_wait(node: Node, journal: Journal) -> None:
    sender = sender_before(node, journal)
    node.says = lambda _: SAID[Refusal.FUNDS][0]
    with pytest.raises(InsufficientFundsError, match="fund it"):
        sender.send(CALL)
    sender.settle()
    assert len(node.sent) == 1
    node.says = lambda _: None
    node.number += 1
    sender.settle()
    assert fees_sent(node) == [41, 41]


def let_through(wei: int) -> object:
    """A node with a fee cap, as geth words it."""

    def says(sent: dict[str, int]) -> str | None:
        cost = sent["gas"] * sent["maxFeePerGas"]
        if cost <= wei:
            return None
        return f"tx fee ({cost / ETHER:.2f} ether) exceeds the configured cap ({wei / ETHER:.2f} ether)"

    return says


def test_below_a_nodes_fee_cap_the_call_goes_on(node: Node, journal: Journal) -> None:
    node.says = let_through(25 * GWEI * 1_000_000)  # type: ignore[assignment]
    sender = sender_before(node, journal)
    sender.send(CALL)
    for _ in range(3):
        node.number += 1
        sender.settle()
    assert fees_sent(node) == [41, 30, 23]  # taken
    # Later more is due, but no more than what was refused: the same bytes again.
    for _ in range(12):
        node.number += 1
        sender.settle()
    assert max(fees_sent(node)[3:]) < 30 and [entry.action for entry in journal.all()] == ["trade"] * len(journal.all())


def test_above_a_nodes_fee_cap_a_noop_frees_the_nonce_once(node: Node, journal: Journal) -> None:
    """The chain asks for more than the node lets through: the nonce is given back, and the same is not tried again."""
    node.says = let_through(19 * GWEI * 1_000_000)  # type: ignore[assignment]
    sender = sender_before(node, journal)
    sender.send(CALL)
    for _ in range(4):
        node.number += 1
        sender.settle()
    assert [(sent["gas"], bool(sent["data"])) for sent in node.sent] == [(10**6, True)] * 3 + [(21_000, False)]
    node.answers["eth_getTransactionCount"] = "0x8"
    noop = journal.all()[-1]
    journal.mined(noop, succeeded=True, block=node.number, gas_used=21_000, gas_price=GWEI)
    with pytest.raises(FeeTooHighError, match=r"lets at most 17\.\d\d gwei through for 1000000 gas"):
        sender.send(CALL)
    node.base_fee = 5 * GWEI
    sender.send(CALL)
    assert node.sent[-1]["maxFeePerGas"] == 11 * GWEI and len(node.sent) == 5


def test_a_fee_cap_is_forgotten_after_a_while(node: Node, journal: Journal) -> None:
    node.says = let_through(19 * GWEI * 1_000_000)  # type: ignore[assignment]
    sender = sender_before(node, journal)
    sender.send(CALL)
    journal.mined(journal.all()[0], succeeded=True, block=100, gas_used=1, gas_price=1)
    node.answers["eth_getTransactionCount"] = "0x8"
    sender.send(CALL)
    assert fees_sent(node) == [41, 30]
    journal.mined(journal.all()[1], succeeded=True, block=100, gas_used=1, gas_price=1)
    node.answers["eth_getTransactionCount"] = "0x9"
    node.number += DEAR_BLOCKS + 1
    sender.send(CALL)
    assert fees_sent(node)[-1] == 41


def test_a_call_is_judged_in_no_older_block_than_it_was_estimated_in(node: Node, journal: Journal) -> None:
    sender = sender_before(node, journal)
    sender.send(CALL)
    node.answers["eth_call"] = REVERTS
    node.number = 98  # an endpoint that lags
    for each in (sender, sender_before(node, journal)):
        each.settle()
    assert [entry.action for entry in journal.all()] == ["trade"]
    node.answers["eth_call"] = "0x"
    node.number = 104
    sender.settle()
    node.answers["eth_call"] = REVERTS
    node.number = 103  # older than where it was found good
    sender.settle()
    assert [entry.action for entry in journal.all()] == ["trade"]
    node.number = 105
    sender.settle()
    assert [entry.action for entry in journal.all()] == ["trade", CANCEL]


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32000, "message": "header not found", "data": None},
        {"code": -32000, "message": "missing trie node d67bc5 (path 0a) <nil>", "data": None},
        {"code": -32005, "message": "daily request count exceeded", "data": {"see": "https://infura.io/dashboard"}},
        {"code": -32603, "message": "Internal error", "data": "database is corrupt: 0x12 at 5"},
        {"code": -32000, "message": "", "data": None},
    ],
)
def test_no_other_error_is_taken_for_a_revert(node: Node, journal: Journal, error: dict[str, object]) -> None:
    sender = sender_before(node, journal)
    node.answers["eth_call"] = error
    if error["message"]:
        with pytest.raises(ChainError, match="simulating trade"):
            sender.send(CALL)
    node.answers["eth_call"] = "0x"
    sender.send(CALL)
    node.answers["eth_call"] = error
    node.number += 1
    if error["message"]:
        with pytest.raises(ChainError):
            sender.settle()
    assert [entry.action for entry in journal.all()] == ["trade"]


def test_a_revert_without_data_is_one(node: Node, journal: Journal) -> None:
    node.answers["eth_call"] = {"code": -32000, "message": "execution reverted"}
    with pytest.raises(SimulationError, match="no reason"):
        sender_before(node, journal).send(CALL)


@pytest.mark.parametrize(
    ("estimate", "gas"),
    [
        (hex(21_000), 21_000),
        (hex(300_000), 375_000),  # a chain whose gas includes data
        (hex(900_000), 10**6),  # no more than the call had
        (hex(21_000_000), 21_000),
        (hex(5), 21_000),
        (None, 21_000),
        ("nonsense", 21_000),
        ({"code": -32000, "message": "header not found"}, 21_000),
    ],
)
def test_no_node_steers_the_gas_of_a_noop(node: Node, journal: Journal, estimate: object, gas: int) -> None:
    def nothing() -> int:
        raise ChainError("priority fee: method not found")

    sender_before(node, journal).send(CALL)
    node.answers |= {"eth_estimateGas": estimate, "eth_call": {"code": -32000, "message": "internal error"}}
    assert sender_before(node, journal, tip=nothing).cancel() == []
    call, noop = journal.all()
    assert (noop.action, noop.gas) == (CANCEL, gas) and noop.max_fee * 8 >= call.max_fee * 9 and noop.tip > call.tip


def test_a_noop_that_is_too_small_grows_to_what_the_call_had(node: Node, journal: Journal) -> None:
    """The node of a chain whose gas includes data gives no estimate."""
    sender = sender_before(node, journal)
    sender.send(CALL)
    node.answers["eth_estimateGas"] = None
    node.says = lambda sent: "intrinsic gas too low" if sent["gas"] < 400_000 else None
    sender.cancel()
    node.number += 1
    sender.cancel()
    assert [entry.gas for entry in journal.all()] == [10**6, 21_000, 10**6]
    node.says = lambda _: "intrinsic gas too low"
    node.number += 5
    with pytest.raises(RejectedError, match="no node takes a no-op of 1000000 gas"):
        sender.cancel()


def test_no_batch_is_signed_above_the_gas_of_a_transaction(node: Node, journal: Journal) -> None:
    sender = sender_before(node, journal)
    node.answers["eth_estimateGas"] = hex(MAX_TX_GAS + 1)
    with pytest.raises(RejectedError, match="takes 16777217 gas, a transaction may take 16777216"):
        sender.send(CALL)
    node.answers["eth_estimateGas"] = hex(MAX_TX_GAS - 1)
    sender.send(CALL)
    assert [entry.gas for entry in journal.all()] == [MAX_TX_GAS]


def counts(latest: int, pending: int, deep: int | None = None) -> object:
    """A node's counts: in a block by its hash, with the pending ones, in a block by its number."""

    def answer(params: list[object]) -> str:
        block = params[1]
        if block == "pending":
            return hex(pending)
        return hex(latest if isinstance(block, dict) or deep is None else deep)

    return answer


def test_a_nonce_that_does_not_fit_is_not_signed(node: Node, journal: Journal) -> None:
    sender = sender_before(node, journal)
    node.answers["eth_getTransactionCount"] = counts(9, 7)
    with pytest.raises(ChainError, match="counts 9 transactions in block 100 and 7 with the pending ones"):
        sender.send(CALL)
    node.answers["eth_getTransactionCount"] = counts(7, 8)
    with pytest.raises(UnknownPendingError):
        sender.send(CALL)
    assert journal.all() == []


def test_a_gap_to_the_journal_must_last(node: Node, journal: Journal) -> None:
    sender = sender_before(node, journal)
    sender.send(CALL)
    journal.mined(journal.all()[0], succeeded=True, block=90, gas_used=1, gas_price=1)
    journal.confirmed(journal.all()[0])
    node.answers["eth_getTransactionCount"] = counts(12, 12, deep=8)
    with pytest.raises(ChainError, match=f"in block 100 is 12, the journal's 8; .* {LATE_BLOCKS} blocks"):
        sender.send(CALL)
    assert len(journal.all()) == 1
    node.answers["eth_getTransactionCount"] = counts(12, 12, deep=12)
    sender.send(CALL)
    assert [entry.nonce for entry in journal.all()] == [7, 12]


def test_a_gap_below_an_open_nonce_is_filled_when_asked_for(node: Node, journal: Journal) -> None:
    """Signed once with a nonce that the node had told too high: nothing else frees it."""
    node.answers["eth_getTransactionCount"] = "0x9"
    sender_before(node, journal).send(CALL)
    node.answers["eth_getTransactionCount"] = "0x7"
    assert sender_before(node, journal).cancel() == []
    _, *noops = journal.all()
    assert [(entry.action, entry.nonce, entry.gas) for entry in noops] == [(CANCEL, 7, 21_000), (CANCEL, 8, 21_000)]
    assert [sent["nonce"] for sent in node.sent] == [9, 7]
    node.answers["eth_getTransactionCount"] = "0x8"
    journal.mined(noops[0], succeeded=True, block=node.number, gas_used=21_000, gas_price=GWEI)
    sender_before(node, journal).cancel()
    assert [sent["nonce"] for sent in node.sent] == [9, 7, 8] and len(journal.all()) == 3


def test_words_and_kind_of_a_refusal_are_logged(node: Node, journal: Journal) -> None:
    node.says = lambda _: "txpool is full"
    with capture_logs() as said:
        sender_before(node, journal).send(CALL)
    (line,) = (entry for entry in said if entry["event"] == "not accepted by the node")
    assert (line["kind"], line["error"], line["nonce"], line["way"]) == ("pool_full", "txpool is full", 7, "public")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        {"result": None},
        {"result": 7},
        {"result": "0x12"},
        {"result": {}},
        {"error": None},
        {"error": "nonsense"},
        {"error": {}},
        {"error": {"message": None, "data": 5}},
        {"error": {"code": "x", "message": ["txpool is full"], "data": {"a": None}}},
    ],
)
def test_no_answer_to_a_transaction_raises(node: Node, journal: Journal, answer: object) -> None:
    node.answers["eth_sendRawTransaction"] = answer
    sender = sender_before(node, journal)
    assert sender.send(CALL) is None
    node.number += 1
    assert sender.settle() is None
    assert fees_sent(node) == [41, 41] and [entry.status for entry in journal.all()] == [Status.SENT]


def test_words_beside_a_general_message_are_read(node: Node, journal: Journal) -> None:
    node.answers["eth_sendRawTransaction"] = {"error": {"message": "Internal error", "data": "already known"}}
    sender_before(node, journal).send(CALL)
    assert [entry.status for entry in journal.all()] == [Status.SUBMITTED]


def test_caps_hold_for_what_is_signed(node: Node, journal: Journal) -> None:
    node.says = lambda _: "transaction underpriced"
    sender = sender_before(node, journal)
    sender.send(CALL)
    for _ in range(40):
        node.number += 1
        sender.settle()
    assert max(entry.max_fee for entry in journal.all()) <= CAP and journal.all()[-1].max_fee > FIRST
