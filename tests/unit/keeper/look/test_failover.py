"""What one endpoint does not answer another one does: errors, methods that are lacking, events, batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import RPCEndpoint

from ballast.book import Book
from ballast.units import GWEI
from keeper.errors import ChainError
from keeper.look.fund_reader import DEFAULT_TIP, MIN_TIP, FundReader
from keeper.look.retry import ask, ask_all
from keeper.look.rpc import AgreementError, NoEndpointError, single
from keeper.look.rpc.asking import MIN_BLOCKS
from keeper.look.rpc.pool import in_block
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.look.rpc.roster import FORGET_S
from tests.unit.keeper.look.node import ACCOUNT, HEAD, RAW, TRUTH, Pair, hash_of, logs, pair
from tests.unit.keeper.simulated import WETH

SEVEN = TRUTH["eth_call"]([])
BOOK = Book("Fund", 1, 1, {"rebalancer": ACCOUNT, "lens": ACCOUNT}, WETH, ())


@pytest.fixture
def two() -> Iterator[Pair]:
    with pair() as found:
        found.ask("eth_chainId")
        yield found


# Errors

ERRORS: dict[str, tuple[int, str]] = {
    "a block that it does not have": (-32000, "header not found"),
    "state that it has pruned": (-32000, "missing trie node 1f2e (path ) state 0x1f2e is not available, not found"),
    "trouble inside": (-32603, "internal error"),
    "credits": (-32000, "monthly credits limited, upgrade your plan"),
    "requests a second": (-32007, "50/second request limit reached - reduce calls per second or upgrade your account"),
    "time": (30, "request timed out on the free tier"),
    "an archive": (-32000, "archive requests require a paid plan"),
    "a key": (-32000, "unauthorized: invalid api key"),
    "no method": (-32601, "the method eth_call does not exist/is not available"),
    "syncing": (-32000, "node is not synced"),
    "Nethermind without state": (-32002, "No state available for block 0x12"),
    "Besu without state": (-32000, "World state unavailable"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_who_repeats_an_error_that_is_no_answer_is_put_aside(two: Pair, kind: str) -> None:
    code, message = ERRORS[kind]
    two.first.error("eth_call", code, message, data=None)
    with capture_logs() as log:
        assert [two.ask("eth_call") for _ in range(6)] == [SEVEN] * 6
    asked = two.first.asked.count(("eth_call",))
    if kind == "no method":
        # It may well answer others: it is only asked last for this one.
        assert asked == 1 and two.reasons() == ["", ""]
        return
    reason = two.reasons()[0]
    assert two.reasons() == [reason, ""] and reason in ("eth_call: error", "rate limit")
    assert asked == (1 if reason == "rate limit" else 2) and two.pool.status()[0].errors == {reason: asked}
    aside = [line for line in log if line["event"] == "endpoint put aside"]
    assert len(aside) == 1 and (reason == "rate limit" or aside[0]["said"] == f"{code} {message}")


def test_an_error_that_passes_puts_nobody_aside(two: Pair) -> None:
    for _ in range(3):
        two.first.error("eth_call", -32603, "internal error")
        assert two.ask("eth_call") == SEVEN
        two.first.says = {}
        assert two.ask("eth_call") == SEVEN
    assert two.reasons() == ["", ""] and two.second.asked.count(("eth_call",)) == 3


def test_an_error_that_all_give_is_the_questions_own(two: Pair) -> None:
    """Such as of a block that a reorganization has removed: it is said in each one's words, and nobody is to blame."""
    for node in (two.first, two.second):
        node.error("eth_call", -32000, "header not found", data=None)
    for _ in range(3):
        with pytest.raises(
            ChainError, match=f"{two.first.host}: eth_call: error, -32000 header not found; {two.second.host}"
        ):
            ask(lambda: Web3(two.pool).eth.call({"to": Web3.to_checksum_address(ACCOUNT)}), "call")
    assert two.reasons() == ["", ""]


def test_what_speaks_against_a_call_is_an_answer(two: Pair) -> None:
    for message in ("insufficient funds for gas * price + value", "gas required exceeds allowance (0)"):
        two.first.error("eth_estimateGas", -32000, message)
        with pytest.raises(Web3RPCError, match=message.split(" (")[0].replace("*", r"\*").replace("+", r"\+")):
            Web3(two.pool).eth.estimate_gas({"to": Web3.to_checksum_address(ACCOUNT)})
    assert ("eth_estimateGas",) not in two.second.asked


@pytest.mark.parametrize(
    "data", ["", "e540c1c8", "4e487b71" + "ff" * 32, "4e487b71", "556f1830", "556f1830" + "00" * 64]
)
def test_a_revert_reaches_web3_as_a_revert_with_its_data(two: Pair, data: str) -> None:
    two.first.error("eth_call", -32015, "VM execution error.", data=f"Reverted 0x{data}")
    with pytest.raises(ContractLogicError) as found:
        Web3(two.pool).eth.call({"to": Web3.to_checksum_address(ACCOUNT)})
    assert found.value.data == f"0x{data}"
    assert ("eth_call",) not in two.second.asked


def test_one_aside_is_asked_where_the_healthy_one_cannot(two: Pair) -> None:
    two.first.says["eth_blockNumber"] = lambda _: (500, b"no")
    two.ask("eth_blockNumber")
    assert two.reasons() == ["HTTP 500", ""]
    two.second.error("eth_call", -32603, "internal error")
    assert two.ask("eth_call") == SEVEN and two.reasons() == ["", ""]


def test_no_reason_holds_a_key(two: Pair) -> None:
    key = "0123456789abcdef0123456789abcdef"
    for node in (two.first, two.second):
        node.error("eth_call", -32000, f"project {key} at https://node.example/v2/{key} is over")
    with pytest.raises(NoEndpointError) as found:
        two.ask("eth_call")
    assert key not in str(found.value) and "is over" in str(found.value)


def test_an_error_of_json_rpc_with_a_status_of_its_own(two: Pair) -> None:
    said = {"jsonrpc": "2.0", "error": {"code": 3, "message": "execution reverted", "data": "0xe540c1c8"}}
    two.first.says["eth_call"] = lambda question: (400, json.dumps(said | {"id": question["id"]}).encode())
    assert two.ask("eth_call")["data"] == "0xe540c1c8"


# Methods that are lacking


def test_who_lacks_an_optional_method_is_asked_last(two: Pair) -> None:
    two.first.error("eth_createAccessList", -32601, "Method not found")
    for _ in range(4):
        assert two.ask("eth_createAccessList")["accessList"]
    assert two.first.asked.count(("eth_createAccessList",)) == 1 and two.reasons() == ["", ""]
    two.second.error("eth_createAccessList", -32601, "Method not found")
    with pytest.raises(NoEndpointError):
        two.ask("eth_createAccessList")
    assert two.ask("eth_call") == SEVEN and two.reasons() == ["", ""]


def test_a_tip_where_nobody_proposes_one(two: Pair) -> None:
    chain = FundReader(Web3(two.pool), BOOK)
    both = (two.first, two.second)
    assert chain.tip() == GWEI
    for node in both:
        node.error("eth_maxPriorityFeePerGas", -32601, "Method not found")
    assert chain.tip() == GWEI  # the median of 0, 1 and 2
    for node in both:
        node.result("eth_feeHistory", {"oldestBlock": "0x1", "reward": [["0x0"]] * 3})
    assert chain.tip() == MIN_TIP
    for node in both:
        node.result("eth_feeHistory", {"oldestBlock": "0x1", "reward": None})
        node.result("eth_gasPrice", hex(5 * GWEI))
    assert chain.tip() == 4 * GWEI  # above the base fee
    for node in both:
        node.result("eth_gasPrice", None)
    assert chain.tip() == DEFAULT_TIP
    assert two.reasons() == ["", ""]
    for node in both:
        node.says = dict.fromkeys(TRUTH, lambda _: (500, b"no"))
    two.now += 1_000
    with pytest.raises(ChainError, match="HTTP 500"):
        chain.tip()


# Events


def limited(most: int, refusal: Any) -> Callable[[dict[str, Any]], Any]:
    """What a node says that gives events over so many blocks at most."""

    def says(question: dict[str, Any]) -> Any:
        wanted = question["params"][0]
        blocks = int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1
        return refusal if blocks > most else {"result": logs(question["params"])}

    return says


REFUSALS: list[Any] = [
    {"error": {"code": -32005, "message": "query returned more than 10000 results"}},
    {"error": {"code": -32602, "message": "block range is too wide (maximum 1024)"}},
    {
        "error": {
            "code": -32602,
            "message": "Log response size exceeded. You can make requests with up to a 2K range",
        }
    },
    {"error": {"code": -32614, "message": "eth_getLogs is limited to 0 - 10 blocks range"}},
    {"error": {"code": -32701, "message": "exceed maximum block range: 1000"}},
    {"error": {"code": 35, "message": "ranges over 10 blocks are not supported on freetier"}},
    {"error": {"code": -32000, "message": "??"}},
    {"result": None},
    (400, b"bad request"),
    (413, b"too large"),
]
RANGE = [{"address": ACCOUNT, "fromBlock": hex(1_001), "toBlock": hex(1_400)}]
NUMBERS = [hex(number) for number in range(1_100, 1_401, 100)]


def numbers(found: Any) -> list[str]:
    return [entry["blockNumber"] for entry in found]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_events_that_one_does_not_give_another_does(two: Pair, refusal: Any) -> None:
    two.first.says["eth_getLogs"] = limited(150, refusal)
    for _ in range(2):
        assert numbers(two.ask("eth_getLogs", RANGE)) == NUMBERS
    assert two.second.ranges == [400, 400] and two.first.ranges == [400]
    # What fits is asked of the first again.
    assert numbers(two.ask("eth_getLogs", [RANGE[0] | {"toBlock": hex(1_100)}])) == NUMBERS[:1]
    assert two.reasons() == ["", ""]


@pytest.mark.parametrize("refusal", REFUSALS[-5:], ids=str)
def test_events_come_in_pieces_where_nobody_gives_them_whole(two: Pair, refusal: Any) -> None:
    for node in (two.first, two.second):
        node.says["eth_getLogs"] = limited(MIN_BLOCKS, refusal)
    assert numbers(two.ask("eth_getLogs", RANGE)) == NUMBERS
    tried = [400, 100, 25]
    assert two.first.ranges == [*tried, *[MIN_BLOCKS] * 40] and two.second.ranges == tried
    two.first.ranges.clear()
    two.ask("eth_getLogs", [RANGE[0] | {"toBlock": hex(1_070)}])
    assert two.first.ranges == [MIN_BLOCKS] * 7
    two.now += FORGET_S
    two.first.says = {}
    two.ask("eth_getLogs", RANGE)
    assert two.first.ranges[7:] == [400] and two.reasons() == ["", ""]


def test_events_that_nobody_gives_are_an_error(two: Pair) -> None:
    for node in (two.first, two.second):
        node.error("eth_getLogs", -32601, "eth_getLogs is disabled")
    with pytest.raises(NoEndpointError, match="eth_getLogs is disabled"):
        two.ask("eth_getLogs", RANGE)
    asked = len(two.first.ranges)
    with pytest.raises(NoEndpointError):
        two.ask("eth_getLogs", RANGE)
    assert len(two.first.ranges) == asked + 1 and two.reasons() == ["", ""]


# Batches

QUESTIONS: Any = [("eth_getBalance", [ACCOUNT, "latest"]), ("eth_call", [{"to": ACCOUNT}, "latest"])]
NO = {"code": -32600, "message": "batches are not supported"}
BATCHES: dict[str, Callable[[list[Any]], Any]] = {
    "403": lambda _: (403, b"forbidden"),
    "413": lambda _: (413, b"too large"),
    "500": lambda _: (500, b"no"),
    "400 with an error": lambda _: (400, json.dumps({"jsonrpc": "2.0", "id": None, "error": NO}).encode()),
    "one error": lambda _: json.dumps({"jsonrpc": "2.0", "error": NO}).encode(),
    "one error in a list": lambda _: json.dumps([{"jsonrpc": "2.0", "id": None, "error": NO}]).encode(),
    "an error for each": lambda a: json.dumps([{"jsonrpc": "2.0", "id": e["id"], "error": NO} for e in a]).encode(),
    "an error for the second": lambda a: json.dumps([a[0], {"jsonrpc": "2.0", "id": a[1]["id"], "error": NO}]).encode(),
    "the first alone": lambda a: json.dumps(a[:1]).encode(),
    "the first, no list": lambda a: json.dumps(a[0]).encode(),
    "nothing": lambda _: b"",
    "HTML": lambda _: b"<html>",
    "other ids": lambda a: json.dumps([each | {"id": str(each["id"])} for each in a]).encode(),
}


@pytest.mark.parametrize("form", BATCHES)
def test_who_takes_no_batches_is_asked_one_by_one_from_then_on(form: str) -> None:
    with pair() as two:
        two.first.batch = BATCHES[form]
        for _ in range(3):
            found = two.pool.make_batch_request(QUESTIONS)
            assert [answer["result"] for answer in found] == [hex(10**30), SEVEN]
        # The check and the first question.
        assert sum(len(methods) > 1 for methods in two.first.asked) == 2
        assert two.reasons() == ["", ""] and len(two.second.asked) == 1


def test_answers_of_a_batch_may_come_in_any_order(two: Pair) -> None:
    two.first.batch = lambda answers: json.dumps(answers[::-1]).encode()
    found = two.pool.make_batch_request(QUESTIONS)
    assert [answer["result"] for answer in found] == [hex(10**30), SEVEN]
    assert two.first.asked[-1] == ("eth_getBalance", "eth_call")


def test_a_question_that_fails_alone_too_or_once_only_is_no_refusal_of_batches(two: Pair) -> None:
    for _ in range(3):
        two.now += 1_000
        two.first.error("eth_call", -32000, "header not found")
        two.pool.make_batch_request(QUESTIONS)
        two.first.says = {}
        two.first.batch = BATCHES["an error for the second"]
        two.pool.make_batch_request(QUESTIONS)
        two.first.batch = None
        two.pool.make_batch_request(QUESTIONS)
        assert two.first.asked[-1] == ("eth_getBalance", "eth_call")


# Several answers


def test_a_revert_in_two_dialects_is_agreed_on() -> None:
    with pair(agree=2) as two:
        two.first.error("eth_call", 3, "execution reverted: custom error 0xe540c1c8", data="0xE540C1C8")
        two.second.error("eth_call", -32015, "VM execution error.", data="Reverted 0xe540c1c8")
        assert two.ask("eth_call") == {"code": 3, "message": "execution reverted", "data": "0xe540c1c8"}
        two.second.error("eth_call", 3, "execution reverted", data="0xe540c1c9")
        with pytest.raises(AgreementError, match="answer differently"):
            two.ask("eth_call")
        two.second.error("eth_call", -32000, "header not found", data=None)
        with pytest.raises(AgreementError, match=f"only {two.first.host} can answer"):
            two.ask("eth_call")


def test_results_that_do_not_fit_are_asked_of_another(two: Pair) -> None:
    def fits(results: list[Any]) -> None:
        if results != [SEVEN]:
            raise ValueError("not seven")

    question = [("eth_call", [{"to": ACCOUNT}, in_block(hash_of(HEAD))])]
    two.first.result("eth_call", "0x")
    for _ in range(3):
        assert ask_all(Web3(two.pool), question, "seven", fits=fits) == [SEVEN]
    assert two.reasons() == ["eth_call: does not fit", ""]
    two.second.result("eth_call", "0x")
    with pytest.raises(ChainError, match="not seven"):
        ask_all(Web3(two.pool), question, "seven", fits=fits)


# Transactions


def send(two: Pair) -> Any:
    return two.ask("eth_sendRawTransaction", [RAW])


def test_a_refusal_of_a_transaction_is_an_answer(two: Pair) -> None:
    for node in (two.first, two.second):
        node.error("eth_sendRawTransaction", -32000, "nonce too low")
    assert send(two) == {"code": -32000, "message": "nonce too low"}
    for node in (two.first, two.second):
        node.error("eth_sendRawTransaction", -32004, "Upfront cost exceeds account balance")  # Besu
    assert send(two)["message"] == "Upfront cost exceeds account balance"
    two.second.says = {}
    assert send(two) == TRUTH["eth_sendRawTransaction"]([RAW])


UNAVAILABLE = [
    (-32601, "Method not found"),
    (-32004, "Method eth_sendRawTransaction is not supported"),
    (-32000, "over rate limit"),
    (-32000, "node is syncing"),
]


@pytest.mark.parametrize("error", UNAVAILABLE)
def test_who_takes_no_transactions_now_has_not_refused_this_one(two: Pair, error: tuple[int, str]) -> None:
    two.first.error("eth_sendRawTransaction", *error)
    assert send(two) == TRUTH["eth_sendRawTransaction"]([RAW])
    two.now += 1_000
    two.second.says["eth_sendRawTransaction"] = lambda _: {"result": None}
    with pytest.raises(NoEndpointError):
        send(two)  # the second may have it


def test_words_can_be_shown_whatever_they_are(two: Pair) -> None:
    for node in (two.first, two.second):
        node.error("eth_call", -32000, "a \ud800 \x1b[31m b")
        node.error("eth_sendRawTransaction", -32000, "a \ud800 b")
    with pytest.raises(NoEndpointError, match=r"-32000 a \? \?\[31m b") as found:
        two.ask("eth_call")
    assert str(found.value).isprintable()
    assert send(two)["message"] == "a ? b"


def test_words_of_one_that_takes_none_are_told_if_no_other_answers(two: Pair) -> None:
    for node in (two.first, two.second):
        node.error("eth_sendRawTransaction", -32000, "node is syncing")
    assert refusal_of(send(two)["message"]) is Refusal.UNAVAILABLE
    alone: Any = single(two.first.url).provider.make_request(RPCEndpoint("eth_sendRawTransaction"), [RAW])
    assert refusal_of(alone["error"]["message"]) is Refusal.UNAVAILABLE


def test_a_refusal_counts_beside_one_that_takes_no_transactions(two: Pair) -> None:
    two.first.error("eth_sendRawTransaction", -32601, "Method not found")
    two.second.error("eth_sendRawTransaction", -32000, "nonce too low")
    assert send(two)["message"] == "nonce too low"
    two.first.says = {"eth_sendRawTransaction": lambda _: {"result": None}}
    with pytest.raises(NoEndpointError):
        send(two)
