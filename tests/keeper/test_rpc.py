"""Endpoints that misbehave in front of a real node: who is put aside, why, for how long, and who is asked instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from keeper.look.rpc import EndpointLimits
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc, receipt_of
from tests.keeper.endpoints import KEY, SEND
from tests.keeper.nodes import Desk, desk, furnish, in_place_of, older, signed

LOOKS: tuple[tuple[str, list[Any]], ...] = (("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False]))
LOOK = tuple(method for method, _ in LOOKS)


@pytest.fixture(scope="module")
def node() -> Iterator[HttpRpc]:
    with anvil() as url:
        rpc = HttpRpc(url)
        rpc.request("anvil_mine", hex(20))
        yield rpc
        rpc.close()


def number_by(at: Desk, first: int, second: int) -> None:
    """A question is answered, after so many more HTTP requests to the two endpoints."""
    before = at.trips()
    assert int(at.ask("eth_blockNumber"), 16) == int(at.node.request("eth_blockNumber"), 16)
    assert at.trips() == [before[0] + first, before[1] + second]


def test_the_first_in_order_is_asked_and_all_are_looked_at(node: HttpRpc) -> None:
    with desk(node, 2, check_s=15) as at:
        number_by(at, 2, 1)
        assert at.ends[0].trips == [LOOK, ("eth_blockNumber",)] and at.ends[1].trips == [LOOK]
        number_by(at, 1, 0)
        at.clock.now += 14.9
        number_by(at, 1, 0)
        at.clock.now += 0.1
        number_by(at, 2, 1)


FAILS: list[tuple[int | str, str]] = [
    (500, "HTTP 500"),
    (429, "HTTP 429"),
    (403, "HTTP 403"),
    (302, "HTTP 302"),
    ("reset", "connection failed"),
    ("dropped", "connection failed"),
    ("hangs", "time-out"),
    ("<html>busy</html>", "malformed answer"),
    ("[]", "malformed answer"),
]


@pytest.mark.parametrize(("fails", "reason"), FAILS)
def test_who_fails_is_put_aside_ever_longer_and_the_next_is_asked(node: HttpRpc, fails: int | str, reason: str) -> None:
    with desk(node, 2, check_s=10_000) as at, capture_logs() as log:
        number_by(at, 2, 1)
        at.ends[0].fails = fails
        # A check is a batch. Where that fails without a word of the endpoint's being gone or busy, it may be the batch.
        check = 1 if reason in ("connection failed", "time-out", "HTTP 429") else 2
        with at.hurried() if fails == "hangs" else contextlib.nullcontext():
            number_by(at, 1, 1)
            assert at.reasons() == [reason, ""]
            for wait in (1, 2, 4):
                at.clock.now += wait - 0.1
                number_by(at, 0, 1)
                at.clock.now += 0.1
                number_by(at, check, 1)
        at.ends[0].fails = None
        at.clock.now += 8
        # Its batches failed over and over: the first check that it passes is asked one by one.
        number_by(at, 3 if check == 1 else 2, 0)
        assert at.reasons() == ["", ""]
        host = at.ends[0].host
        assert [(line["event"], line.get("reason"), line["endpoint"]) for line in log] == [
            ("endpoint put aside", reason, host),
            ("endpoint in order again", None, host),
        ]
        assert KEY not in str(log)


ANSWERS: list[tuple[dict[str, Any], str]] = [
    ({"result": "0x1"}, ""),
    ({}, "malformed answer"),
    ({"result": "0x1", "id": 10_000}, "malformed answer"),
    ({"result": "0x1", "id": None}, "malformed answer"),
    ({"error": "no"}, "malformed answer"),
    ({"error": {"code": -32000, "message": "no"}}, ""),
    ({"error": {"code": -32005, "message": "Rate limit reached"}}, "rate limit"),
]


@pytest.mark.parametrize(("said", "reason"), ANSWERS)
def test_what_is_no_answer(node: HttpRpc, said: dict[str, Any], reason: str) -> None:
    with desk(node, 2) as at:
        at.ask("eth_blockNumber")
        at.ends[0].change = lambda _, answer: {"jsonrpc": "2.0", "id": answer["id"], **said}
        at.ask("eth_blockNumber")
        assert at.reasons() == [reason, ""]
        assert ("eth_blockNumber",) in at.ends[1].trips or not reason


def test_nobody_is_sent_elsewhere(node: HttpRpc) -> None:
    with desk(node, 2) as at:
        at.ask("eth_blockNumber")
        at.ends[0].fails, at.ends[0].headers = 307, {"Location": at.ends[1].url}
        number_by(at, 1, 1)
        assert at.reasons() == ["HTTP 307", ""]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_endpoint_asks_for_is_kept(node: HttpRpc, status: int) -> None:
    with desk(node, 1) as at:
        at.ask("eth_blockNumber")
        at.ends[0].fails, at.ends[0].headers = status, {"Retry-After": "30"}
        assert str(at.refused("eth_blockNumber")) == f"{at.ends[0].host}: HTTP {status}"
        at.ends[0].fails = None
        before = at.trips()
        at.clock.now += 29.9
        at.refused("eth_blockNumber")
        assert at.trips() == before
        at.clock.now += 0.1
        at.ask("eth_blockNumber")


def test_one_alone_that_is_often_busy_is_asked_again_soon(node: HttpRpc) -> None:
    with desk(node, 1) as at:
        at.ask("eth_blockNumber")
        at.ends[0].fails = 500
        for _ in range(8):
            at.refused("eth_blockNumber")
        at.ends[0].fails = 429
        at.refused("eth_blockNumber")
        at.ends[0].fails = None
        before = at.trips()
        at.clock.now += 14.9
        at.refused("eth_blockNumber")
        assert at.trips() == before
        at.clock.now += 0.1
        at.ask("eth_blockNumber")


def test_one_endpoint_alone_is_asked_again_at_once(node: HttpRpc) -> None:
    with desk(node, 1) as at:
        at.ask("eth_blockNumber")
        at.ends[0].fails = "reset"
        error = at.refused("eth_blockNumber")
        assert error.fleeting and KEY not in f"{error} {error!r} {error.__cause__} {error.__context__}"
        at.ends[0].fails = None
        at.ask("eth_blockNumber")


def test_all_that_fail_are_named(node: HttpRpc) -> None:
    with desk(node, 2) as at:
        at.ask("eth_blockNumber")
        at.ends[0].fails, at.ends[1].fails = 500, 403
        first, second = (end.host for end in at.ends)
        assert str(at.refused("eth_blockNumber")) == f"{first}: HTTP 500; {second}: HTTP 403"


def test_another_chain_is_put_aside_whenever_it_shows(node: HttpRpc) -> None:
    with desk(node, 2, check_s=15) as at:
        at.ends[0].change = in_place_of("eth_chainId", "0x5")
        number_by(at, 1, 2)
        assert at.reasons() == ["wrong chain", ""]
        at.ends[0].change = None
        at.clock.now += 1
        number_by(at, 2, 1 - 1)
        at.ends[0].change = in_place_of("eth_chainId", "0x5")
        number_by(at, 1, 0)
        at.clock.now += 15
        number_by(at, 1, 2)
        assert at.reasons() == ["wrong chain", ""]
        at.ends[1].change = at.ends[0].change
        at.clock.now += 15
        assert at.refused("eth_blockNumber").chain_id == 5


def test_an_answer_of_another_chain_or_an_older_head_is_not_used(node: HttpRpc) -> None:
    latest = int(node.request("eth_blockNumber"), 16)
    lies = {"wrong chain": in_place_of("eth_chainId", "0x5"), "older head than it has shown": older(node, latest - 4)}
    for reason, lie in lies.items():
        with desk(node, 2) as at:
            at.ask("eth_blockNumber")
            at.ends[0].change = lie
            before = at.trips()
            chain_id, block = (answer["result"] for answer in at.batch(*LOOKS))
            assert (int(chain_id, 16), int(block["number"], 16)) == (1, latest)
            assert at.trips() == [before[0] + 1, before[1] + 1]
            assert at.reasons() == [reason, ""]


def test_a_head_that_lags_is_put_aside(node: HttpRpc) -> None:
    latest = int(node.request("eth_blockNumber"), 16)
    with desk(node, 2, limits=EndpointLimits(chain_id=1, max_lag=3)) as at:
        at.ends[0].change = older(node, latest - 3)
        at.ask("eth_chainId")
        assert at.reasons() == ["", ""]
    with desk(node, 2, limits=EndpointLimits(chain_id=1, max_lag=3)) as at:
        at.ends[0].change = older(node, latest - 4)
        at.ask("eth_chainId")
        assert at.reasons() == ["head lags", ""] and at.ends[1].methods[-1] == "eth_chainId"
    with desk(node, 2, limits=EndpointLimits(chain_id=1, max_lag=3)) as at:
        at.ends[1].change = older(node, latest - 3)
        at.ask("eth_chainId")
        assert at.reasons() == ["", ""]
    with desk(node, 2, limits=EndpointLimits(chain_id=1, max_lag=3)) as at:
        at.ends[1].change = older(node, latest - 4)
        at.ask("eth_chainId")
        assert at.reasons() == ["", "head lags"]
        assert [status.head for status in at.pool.status()] == [latest, latest - 4]
        at.ends[1].change = None
        at.clock.now += 1
        at.ask("eth_chainId")
        assert at.reasons() == ["", ""]


def test_a_head_that_goes_back_is_believed_once_it_stays(node: HttpRpc) -> None:
    latest = int(node.request("eth_blockNumber"), 16)
    with desk(node, 1, check_s=15) as at:
        at.ask("eth_chainId")
        at.ends[0].change = older(node, latest - 3)
        at.clock.now += 15
        at.ask("eth_chainId")
        at.ends[0].change = older(node, latest - 4)
        at.clock.now += 15
        assert "older head" in str(at.refused("eth_chainId"))
        before = at.trips()
        at.clock.now += 0.9
        at.refused("eth_chainId")
        assert at.trips() == before
        at.clock.now += 0.1
        at.ask("eth_chainId")
        assert at.reasons() == [""]


def test_the_age_of_the_head_counts_only_where_it_is_set(node: HttpRpc) -> None:
    time = int(node.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    with desk(node, 1, wall=lambda: time + 10_000) as at:
        at.ask("eth_chainId")
        assert at.pool.status()[0].head_age_s == 10_000
    with desk(node, 1, limits=EndpointLimits(1, max_age_s=60), wall=lambda: time + 60) as at:
        at.ask("eth_chainId")
    with desk(node, 1, limits=EndpointLimits(1, max_age_s=60), wall=lambda: time + 61) as at:
        assert str(at.refused("eth_chainId")).endswith("head too old")


def test_no_head_is_a_fault(node: HttpRpc) -> None:
    digest = {"hash": "0x" + "12" * 32, "timestamp": "0x1"}
    for result, field in ((None, "result is no object"), ({"number": "0x1"}, "hash is no data"), (digest, "number is")):
        with desk(node, 2) as at:
            at.ends[0].change = in_place_of("eth_getBlockByNumber", result)
            at.ask("eth_chainId")
            assert at.reasons()[0].startswith(f"eth_getBlockByNumber: {field}") and at.reasons()[1] == ""


def test_a_receipt_that_another_has(node: HttpRpc) -> None:
    digest, raw = signed(node, furnish(node))
    receipt_of(node, node.request(SEND, raw))
    with desk(node, 3) as at:
        assert int(at.ask("eth_getTransactionReceipt", digest)["status"], 16) == 1
        at.ends[0].change = in_place_of("eth_getTransactionReceipt", None)
        assert int(at.ask("eth_getTransactionReceipt", digest)["status"], 16) == 1
        assert at.reasons() == ["missing receipt", "", ""]
        assert at.ask("eth_getTransactionReceipt", "0x" + "12" * 32) is None
        assert at.reasons() == ["missing receipt", "", ""]


def test_a_receipt_of_a_block_that_it_has_not_shown_is_no_lie(node: HttpRpc) -> None:
    account = furnish(node)
    with desk(node, 2) as at:
        at.ask("eth_chainId")
        digest, raw = signed(node, account)
        receipt_of(node, node.request(SEND, raw))
        at.ends[0].change = in_place_of("eth_getTransactionReceipt", None)
        assert int(at.ask("eth_getTransactionReceipt", digest)["status"], 16) == 1
        assert at.reasons() == ["", ""]


def test_without_batches_one_question_after_the_other(node: HttpRpc) -> None:
    with desk(node, 1) as at:
        at.ends[0].before = lambda trip: setattr(
            at.ends[0],
            "fails",
            '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "no batches"}}' if len(trip) > 1 else None,
        )
        at.ask("eth_blockNumber")
        assert at.ends[0].trips == [LOOK, (LOOK[0],), (LOOK[1],), ("eth_blockNumber",)]


def test_what_is_no_read_is_asked_once(node: HttpRpc) -> None:
    with desk(node, 2) as at:
        at.ask("eth_chainId")
        at.ends[0].fails = 500
        at.refused("evm_mine")
        assert "evm_mine" not in at.ends[1].methods
        at.ends[0].fails = None
        at.ask("evm_mine")
        assert at.ends[0].methods.count("evm_mine") == 1 and at.ends[1].methods.count("evm_mine") == 1


# Transactions


def test_a_transaction_goes_to_all_in_order_and_known_is_success(node: HttpRpc) -> None:
    account = furnish(node)
    with desk(node, 3) as at:
        at.ends[2].fails = 500
        at.ask("eth_chainId")
        node.request("evm_setAutomine", False)
        digest, raw = signed(node, account)
        assert at.ask(SEND, raw) == digest
        assert [end.methods.count(SEND) for end in at.ends] == [1, 1, 0]
        assert "already" in at.ask(SEND, raw)["message"]
        node.request("evm_mine")
        node.request("evm_setAutomine", True)
        assert at.ask("eth_getTransactionReceipt", digest)["status"] == "0x1"


def test_taken_and_not_said_is_unknown_and_nothing_is_sent_again(node: HttpRpc) -> None:
    account = furnish(node)
    with desk(node, 2) as at:
        at.ask("eth_chainId")
        digest, raw = signed(node, account)
        for end in at.ends:
            end.fails = "dropped"
        at.refused(SEND, raw)
        assert [end.methods.count(SEND) for end in at.ends] == [1, 1]
        assert receipt_of(node, digest)["status"] == "0x1"


def test_refused_by_one_and_not_answered_by_another_is_unknown(node: HttpRpc) -> None:
    account = furnish(node)
    with desk(node, 2) as at:
        at.ask("eth_chainId")
        _, raw = signed(node, account)
        receipt_of(node, node.request(SEND, raw))
        assert "nonce too low" in at.ask(SEND, raw)["message"]
        at.ends[1].fails = "reset"
        at.refused(SEND, raw)
        assert [end.methods.count(SEND) for end in at.ends] == [2, 2]
