"""Every question that the keeper asks, and nonsense for an answer: another endpoint answers, or none is said to.

Over HTTP, and through web3 as the keeper does: whatever it makes of an answer, no other error may come of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from web3 import Web3

from ballast.json_text import MAX_DEPTH
from ballast.units import GWEI
from keeper.errors import ChainError
from keeper.look.retry import ask
from keeper.look.rpc import NoEndpointError
from keeper.look.rpc.answers import CHECKS, check
from keeper.look.rpc.pool import single
from tests.unit.keeper.look.node import (
    ACCOUNT,
    ASKED,
    DIGEST,
    HEAD,
    RAW,
    TRUTH,
    Pair,
    block,
    hash_of,
    log_in,
    pair,
    receipt,
)

WHOLE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "null": lambda _: {"result": None},
    "a list": lambda _: {"result": [[]]},
    "an object": lambda _: {"result": {"data": None}},
    "a number": lambda _: {"result": 7},
    "no hex": lambda _: {"result": "0xzz"},
    "a text": lambda _: {"result": "busy"},
    "neither": lambda _: {},
    "no error": lambda _: {"error": "no"},
    "an error": lambda _: {"error": {"code": -32603, "message": "internal error", "data": None}},
    "no words": lambda _: {"error": {"code": None, "message": None}},
    "another id": lambda question: {"id": question["id"] + 1_000, "result": "0x1"},
    "no version": lambda _: {"jsonrpc": "1.0", "result": "0x1"},
    "HTML": lambda _: b"<html>busy</html>",
    "broken off": lambda _: b'{"jsonrpc": "2.0", "id": 1, "res',
    "deep": lambda _: b"[" * 100_000,
    "no UTF-8": lambda _: b"\xff\xfe",
    "HTTP 502": lambda _: (502, b"bad gateway"),
}


@pytest.fixture
def two() -> Iterator[Pair]:
    with pair() as found:
        assert int(found.ask("eth_chainId"), 16) == 1
        yield found


def through_web3(w3: Web3) -> dict[str, Callable[[], Any]]:
    """The questions as the keeper asks them."""
    address, transaction = Web3.to_checksum_address(ACCOUNT), {"to": Web3.to_checksum_address(ACCOUNT), "data": "0x"}
    return {
        "eth_chainId": lambda: w3.eth.chain_id,
        "eth_blockNumber": lambda: w3.eth.block_number,
        "eth_getBlockByNumber": lambda: w3.eth.get_block("latest"),
        "eth_call": lambda: w3.eth.call(transaction),  # type: ignore[arg-type]
        "eth_getCode": lambda: w3.eth.get_code(address),
        "eth_getBalance": lambda: w3.eth.get_balance(address),
        "eth_getTransactionCount": lambda: w3.eth.get_transaction_count(address, "pending"),
        "eth_getTransactionReceipt": lambda: w3.eth.get_transaction_receipt(DIGEST),  # type: ignore[arg-type]
        "eth_getLogs": lambda: w3.eth.get_logs({"address": address, "fromBlock": 1, "toBlock": 255}),
        "eth_estimateGas": lambda: w3.eth.estimate_gas(transaction, "latest"),  # type: ignore[arg-type]
        "eth_createAccessList": lambda: w3.provider.make_request("eth_createAccessList", [transaction, "latest"]),  # type: ignore[arg-type]
        "eth_gasPrice": lambda: w3.eth.gas_price,
        "eth_maxPriorityFeePerGas": lambda: w3.provider.make_request("eth_maxPriorityFeePerGas", []),  # type: ignore[arg-type]
        "eth_feeHistory": lambda: w3.eth.fee_history(3, "latest", [50]),
        "eth_sendRawTransaction": lambda: w3.eth.send_raw_transaction(RAW),  # type: ignore[arg-type]
        "eth_syncing": lambda: w3.eth.syncing,
    }


def test_every_method_is_checked() -> None:
    assert set(TRUTH) == set(ASKED) <= set(CHECKS) == set(ASKED) | {"eth_getBlockByHash", "web3_clientVersion"}


@pytest.mark.parametrize("method", ASKED)
def test_nonsense_goes_to_the_next_endpoint(two: Pair, method: str) -> None:
    truth = two.ask(method)
    for nonsense, said in WHOLE.items():
        two.now += 1_000
        two.first.says = {method: said}
        assert two.ask(method) == truth, nonsense


@pytest.mark.parametrize("method", ASKED)
def test_nonsense_of_all_is_said_and_nothing_else_raised(two: Pair, method: str) -> None:
    for nonsense, said in WHOLE.items():
        two.now += 1_000
        for node in (two.first, two.second):
            node.says = {method: said}
        for w3 in (Web3(two.pool), single(two.first.url)):
            with pytest.raises(ChainError):
                raise AssertionError(nonsense, ask(through_web3(w3)[method], "what"))
        for node in (two.first, two.second):
            node.says = {}


def test_an_answer_without_end_is_none(two: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeper.look.rpc.endpoint.MAX_BYTES", 1 << 18)
    two.first.says["eth_call"] = lambda _: {"result": "0x" + "00" * (1 << 18)}
    assert two.ask("eth_call") == "0x" + "00" * 31 + "07"
    assert two.reasons() == ["malformed answer", ""]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":[', b'["\\"",'])
def test_nesting_is_bounded_whatever_this_process_allows(two: Pair, opening: bytes) -> None:
    """Where a library has lifted Python's limit, the parser would overrun the stack and end the process."""
    truth, allowed = two.ask("eth_call"), sys.getrecursionlimit()
    two.first.says["eth_call"] = lambda _: opening * 100_000
    sys.setrecursionlimit(100_000)
    try:
        assert two.ask("eth_call") == truth
    finally:
        sys.setrecursionlimit(allowed)
    assert two.reasons() == ["malformed answer", ""]


def test_brackets_that_nest_little_or_stand_in_a_text_are_taken(two: Pair) -> None:
    nested: Any = 7
    for _ in range(MAX_DEPTH // 2 - 1):
        nested = [{"a": nested}, {"b": '[{"[' * MAX_DEPTH}]
    two.first.says["eth_call"] = lambda _: {"result": "0x", "beside": [nested] * 3}
    assert two.ask("eth_call") == "0x"
    assert two.reasons() == ["", ""]


WITHIN: list[tuple[str, list[Any] | None, Any, str]] = [
    ("eth_chainId", None, "0x0", "result is out of range"),
    ("eth_blockNumber", None, "0x8000000000000000", "result is out of range"),
    ("eth_blockNumber", None, "0x", "result is no quantity"),
    ("eth_blockNumber", None, "-0x1", "result is no quantity"),
    ("eth_getBalance", None, "0x" + "1" * 65, "result is no quantity"),
    ("eth_estimateGas", None, "0x0", "result is out of range"),
    ("eth_call", None, "0x123", "result is no data"),
    ("eth_getBlockByNumber", None, block() | {"hash": "0x12"}, "hash has not 32 bytes"),
    ("eth_getBlockByNumber", None, block() | {"timestamp": None}, "timestamp is no quantity"),
    ("eth_getBlockByNumber", None, block() | {"baseFeePerGas": "none"}, "baseFeePerGas is no quantity"),
    ("eth_getBlockByNumber", ["0x10", False], block(17), "is another block"),
    ("eth_getBlockByHash", [hash_of(16), False], block(17), "is another block"),
    ("eth_getTransactionReceipt", None, receipt() | {"status": None}, "status is no quantity"),
    ("eth_getTransactionReceipt", None, receipt() | {"status": "0x2"}, "status is out of range"),
    ("eth_getTransactionReceipt", None, receipt() | {"effectiveGasPrice": None}, "effectiveGasPrice is no quantity"),
    ("eth_getTransactionReceipt", None, receipt() | {"blockNumber": None}, "blockNumber is no quantity"),
    ("eth_getTransactionReceipt", None, receipt() | {"transactionHash": hash_of(1)}, "transactionHash is another"),
    ("eth_getTransactionReceipt", None, receipt() | {"logs": [log_in(1)]}, "logs are of another block"),
    ("eth_getTransactionReceipt", None, receipt() | {"logs": 5}, "logs is no list"),
    ("eth_getTransactionReceipt", None, {}, "transactionHash is no data"),
    ("eth_getLogs", None, [log_in(0x200)], "blockNumber is outside the range asked for"),
    ("eth_getLogs", None, [log_in(9) | {"address": "0x" + "22" * 20}], "address is none of those asked for"),
    ("eth_getLogs", None, [log_in(9) | {"topics": []}], "topics are none of those asked for"),
    ("eth_getLogs", None, [log_in(9) | {"removed": True}], "log is removed"),
    ("eth_feeHistory", None, {"oldestBlock": "0x1"}, "reward is no list"),
    ("eth_feeHistory", None, {"reward": None}, "reward is no list"),
    ("eth_feeHistory", None, {"reward": []}, "reward lacks what was asked for"),
    ("eth_feeHistory", None, {"reward": [[]]}, "reward lacks what was asked for"),
    ("eth_feeHistory", None, {"reward": [[None]]}, "reward is no quantity"),
    ("eth_createAccessList", None, {"accessList": [{"address": "0x1"}]}, "address is no data"),
    ("eth_sendRawTransaction", None, DIGEST, "result is another transaction's hash"),
]


@pytest.mark.parametrize(("method", "params", "result", "says"), WITHIN)
def test_a_field_that_does_not_fit_is_named(method: str, params: list[Any] | None, result: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{method}: {says}$"):
        check(method, ASKED[method] if params is None else params, result)


def test_chains_differ_in_what_nobody_reads(two: Pair) -> None:
    """A proof of authority, a rollup, a chain without EIP-1559, a node without access lists of its own."""
    odd = block() | {
        "extraData": "0x" + "00" * 97,
        "l1BlockNumber": 7,
        "miner": None,
        "transactions": None,
        "nonce": "x",
    }
    two.first.result("eth_getBlockByNumber", odd)
    assert Web3(two.pool).eth.get_block("latest")["number"] == HEAD
    without = {name: value for name, value in receipt().items() if name not in ("effectiveGasPrice", "type")}
    two.first.result("eth_getTransactionReceipt", without | {"l1Fee": "0x1", "logsBloom": None})
    assert Web3(two.pool).eth.get_transaction_receipt(DIGEST)["status"] == 1  # type: ignore[arg-type]
    two.first.result("eth_createAccessList", {"accessList": None, "gasUsed": "0x1"})
    assert two.ask("eth_createAccessList") == {"accessList": []}
    assert two.reasons() == ["", ""]


def test_a_chain_that_has_a_base_fee_has_it_in_every_block() -> None:
    without = {name: value for name, value in block().items() if name != "baseFeePerGas"}
    with pair(check_s=10) as two:
        for node in (two.first, two.second):
            node.result("eth_getBlockByNumber", without | {"baseFeePerGas": None})
        assert "baseFeePerGas" not in two.ask("eth_getBlockByNumber")
        two.now += 10
        two.second.says = {}
        two.ask("eth_chainId")
        two.now += 10
        assert int(two.ask("eth_getBlockByNumber")["baseFeePerGas"], 16) == GWEI
        assert two.reasons() == ["no base fee", ""]


def test_a_pool_behind_its_own_chain_is_none(two: Pair) -> None:
    two.first.says["eth_getTransactionCount"] = lambda question: {
        "result": "0x4" if question["params"][1] == "pending" else "0x5"
    }
    assert two.ask("eth_getTransactionCount") == "0x5"
    assert two.ask("eth_getTransactionCount") == "0x5"
    assert two.reasons() == ["eth_getTransactionCount: does not fit", ""]
    two.second.says = two.first.says
    two.now += 5
    with pytest.raises(NoEndpointError, match="pending is below latest"):
        two.ask("eth_getTransactionCount")


def test_a_block_that_one_lacks_is_asked_of_the_next(two: Pair) -> None:
    two.first.result("eth_getBlockByNumber", None)
    assert int(two.ask("eth_getBlockByNumber", ["0x10", False])["number"], 16) == 16
    assert two.ask("eth_getBlockByNumber", [hex(HEAD + 1), False]) is None
    assert two.reasons() == ["", ""]


def test_events_come_in_the_chains_order(two: Pair) -> None:
    two.first.result("eth_getLogs", [log_in(9), log_in(8), log_in(8) | {"logIndex": "0x1"}])
    found = [(entry["blockNumber"], entry["logIndex"]) for entry in two.ask("eth_getLogs")]
    assert found == [("0x8", "0x0"), ("0x8", "0x1"), ("0x9", "0x0")]


def test_a_batch_of_nonsense_is_no_answer(two: Pair) -> None:
    questions: Any = [(method, ASKED[method]) for method in ("eth_call", "eth_getBalance")]
    truth = [TRUTH["eth_call"]([]), TRUTH["eth_getBalance"]([])]
    for content in (b"[]", b"{}", b"null", b"[null, 7]", b'[{"id": []}, {"id": {}}]', json.dumps([[]] * 2).encode()):
        two.first.batch = lambda _, content=content: content
        two.first.says = {"eth_call": lambda _: {"result": None}}
        assert [answer["result"] for answer in two.pool.make_batch_request(questions)] == truth
        two.now += 1_000
