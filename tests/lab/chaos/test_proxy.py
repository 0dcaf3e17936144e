"""The fault proxy before a real node: each kind of fault does what its name says, for as many calls as it was told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from eth_account import Account

from lab.chaos.keepers import key_of
from lab.chaos.proxy import KINDS, SEND, Proxy, Rule, proxy
from lab.localnet.anvil import Cheats, anvil
from lab.localnet.rpc import HttpRpc
from tests.helpers.waiting import PATIENCE_S

ADDRESS, KEY = key_of(0)
HEAD = "eth_getBlockByNumber"
RECEIPT = "eth_getTransactionReceipt"


@pytest.fixture
def node() -> Iterator[HttpRpc]:
    """A node of our own that mines when it is told to."""
    with anvil(extra=("--no-mining",)) as url:
        rpc = HttpRpc(url)
        yield rpc
        rpc.close()


@pytest.fixture
def front(node: HttpRpc) -> Iterator[Proxy]:
    with proxy(node.url) as running:
        yield running


def post(front: Proxy, body: object) -> requests.Response:
    return requests.post(front.url, json=body, timeout=PATIENCE_S)


def ask(front: Proxy, method: str, *params: object) -> dict[str, object]:
    found: dict[str, object] = post(front, call(method, *params)).json()
    return found


def call(method: str, *params: object, number: int = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def transaction(node: HttpRpc, nonce: int = 0) -> str:
    """A signed transaction, as 0x text."""
    fields = {"type": 2, "chainId": 1, "nonce": nonce, "to": ADDRESS, "value": 0, "gas": 21_000, "data": b""}
    signed = Account.sign_transaction(fields | {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}, KEY)
    return str(signed.raw_transaction.to_0x_hex())


def pending(node: HttpRpc) -> int:
    return int(node.request("txpool_status")["pending"], 16)


def test_passes_everything_on_while_nothing_is_armed(node: HttpRpc, front: Proxy) -> None:
    node.request("evm_mine")
    assert ask(front, HEAD, "latest", False)["result"] == node.request(HEAD, "latest", False)
    batch = post(front, [call("eth_chainId", number=7), call("eth_blockNumber", number=8)]).json()
    assert [(answer["id"], answer["result"]) for answer in batch] == [(7, "0x1"), (8, "0x1")]
    assert (front.requests, front.asked["eth_chainId"], front.asked[HEAD]) == (2, 1, 1)


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_429", 429)])
def test_an_http_error_for_so_many_calls_of_one_method(front: Proxy, kind: str, status: int) -> None:
    rule = front.arm(Rule(kind, "eth_chainId", times=2))
    assert post(front, call("eth_blockNumber")).status_code == 200
    assert [post(front, call("eth_chainId")).status_code for _ in range(3)] == [status, status, 200]
    assert rule.hits == 2 and rule.ended_at is not None


def test_a_rule_lets_calls_pass_first(front: Proxy) -> None:
    front.arm(Rule("http_500", "eth_chainId", skip=1))
    assert [post(front, call("eth_chainId")).status_code for _ in range(3)] == [200, 500, 200]


def test_a_batch_is_spoilt_by_one_of_its_calls(front: Proxy) -> None:
    front.arm(Rule("http_500", "eth_chainId"))
    assert post(front, [call("eth_blockNumber"), call("eth_chainId", number=2)]).status_code == 500
    front.arm(Rule("empty", "eth_chainId"))
    answers = post(front, [call("eth_blockNumber"), call("eth_chainId", number=2)]).json()
    assert [answer["result"] for answer in answers] == ["0x0", None]


def test_a_reset_connection(node: HttpRpc, front: Proxy) -> None:
    front.arm(Rule("reset", SEND))
    with pytest.raises(requests.exceptions.ConnectionError):
        ask(front, SEND, transaction(node))
    assert pending(node) == 0


def test_a_request_that_is_held_back_and_never_answered(front: Proxy) -> None:
    front.arm(Rule("timeout", "eth_chainId", delay_s=10))
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(front.url, json=call("eth_chainId"), timeout=0.3)
    assert ask(front, "eth_chainId")["result"] == "0x1"


def test_an_answer_dropped_after_the_node_has_the_transaction(node: HttpRpc, front: Proxy) -> None:
    front.arm(Rule("dropped", SEND))
    with pytest.raises(requests.exceptions.ConnectionError):
        ask(front, SEND, transaction(node))
    assert pending(node) == 1


def test_already_known_though_it_was_new(node: HttpRpc, front: Proxy) -> None:
    front.arm(Rule("already_known", SEND))
    error = ask(front, SEND, transaction(node))["error"]
    assert isinstance(error, dict) and error["message"] == "already known"
    assert pending(node) == 1


def test_a_refusal_reaches_no_node(node: HttpRpc, front: Proxy) -> None:
    front.arm(Rule("refused", SEND, message="nonce too low"))
    error = ask(front, SEND, transaction(node))["error"]
    assert isinstance(error, dict) and error["message"] == "nonce too low"
    assert pending(node) == 0


def test_a_transaction_that_is_swallowed_has_a_hash_and_is_nowhere(node: HttpRpc, front: Proxy) -> None:
    front.arm(Rule("swallowed", SEND))
    digest = ask(front, SEND, transaction(node))["result"]
    assert pending(node) == 0
    assert ask(front, SEND, transaction(node))["result"] == digest
    assert pending(node) == 1


def test_an_older_head_is_older_in_every_answer(node: HttpRpc, front: Proxy) -> None:
    for _ in range(5):
        node.request("evm_mine")
    digest = node.request(SEND, transaction(node))
    node.request("evm_mine")
    Cheats(node).set_balance(ADDRESS, 7)
    node.request("evm_mine")
    front.arm(Rule("older_head", times=9, blocks=2))
    assert ask(front, "eth_blockNumber")["result"] == "0x5"
    block = ask(front, HEAD, "latest", False)["result"]
    assert isinstance(block, dict) and block["number"] == "0x5"
    assert ask(front, HEAD, "0x7", False)["result"] is None
    assert ask(front, "eth_getTransactionCount", ADDRESS, "latest")["result"] == "0x0"
    assert ask(front, RECEIPT, digest)["result"] is None
    node.request("evm_mine")
    assert ask(front, "eth_blockNumber")["result"] == "0x5"


def test_an_answer_like_the_nodes_has_not_arrived(node: HttpRpc, front: Proxy) -> None:
    rule = front.arm(Rule("no_receipt", RECEIPT, times=2))
    digest = ask(front, SEND, transaction(node))["result"]
    ask(front, RECEIPT, digest)
    assert (rule.hits, rule.arrived) == (1, 0)
    node.request("evm_mine")
    ask(front, RECEIPT, digest)
    assert (rule.hits, rule.arrived) == (2, 1)


def test_a_harmless_rule_takes_its_calls_and_spoils_none(front: Proxy) -> None:
    rule = front.arm(Rule("http_500", "eth_chainId", harmless=True))
    assert ask(front, "eth_chainId")["result"] == "0x1"
    assert (rule.hits, rule.arrived) == (1, 0)


def test_a_block_named_by_its_hash(node: HttpRpc, front: Proxy) -> None:
    for _ in range(2):
        node.request("evm_mine")
    Cheats(node).set_balance(ADDRESS, 7)
    node.request("evm_mine")
    pin = {"blockHash": node.request(HEAD, "latest", False)["hash"]}
    front.arm(Rule("older_head", "eth_getBalance", blocks=1))
    error = ask(front, "eth_getBalance", ADDRESS, pin)["error"]
    assert isinstance(error, dict) and error["message"] == "header not found"
    front.arm(Rule("older_state", "eth_getBalance", blocks=2))
    lie = int(str(ask(front, "eth_getBalance", ADDRESS, pin)["result"]), 16)
    assert lie != 7 and ask(front, "eth_getBalance", ADDRESS, pin)["result"] == "0x7"


def test_a_proxy_speaks_a_dialect(node: HttpRpc) -> None:
    with proxy(node.url, "besu") as front:
        digest = "0x" + "ab" * 32
        error = ask(front, "eth_call", {"to": ADDRESS}, {"blockHash": digest})["error"]
        assert error == {"code": -32000, "message": "Block not found"}


def test_the_wrong_chain_id(front: Proxy) -> None:
    front.arm(Rule("wrong_chain_id", "eth_chainId"))
    assert [ask(front, "eth_chainId")["result"] for _ in range(2)] == ["0x5", "0x1"]


def test_a_receipt_that_is_missing_for_a_while(node: HttpRpc, front: Proxy) -> None:
    digest = ask(front, SEND, transaction(node))["result"]
    node.request("evm_mine")
    front.arm(Rule("no_receipt", RECEIPT, times=2))
    found = [ask(front, RECEIPT, digest)["result"] for _ in range(3)]
    assert found[:2] == [None, None] and isinstance(found[2], dict)


def test_a_pool_that_nobody_may_see(node: HttpRpc, front: Proxy) -> None:
    digest = ask(front, SEND, transaction(node))["result"]
    assert ask(front, "eth_getTransactionCount", ADDRESS, "pending")["result"] == "0x1"
    front.arm(Rule("not_pending", times=2))
    assert ask(front, "eth_getTransactionCount", ADDRESS, "pending")["result"] == "0x0"
    assert ask(front, "eth_getTransactionByHash", digest)["result"] is None


def test_prices_rise(node: HttpRpc, front: Proxy) -> None:
    node.request("evm_mine")
    fee = int(node.request(HEAD, "latest", False)["baseFeePerGas"], 16)
    front.arm(Rule("price", HEAD, factor=50))
    front.arm(Rule("price", "eth_maxPriorityFeePerGas", factor=50))
    block = ask(front, HEAD, "latest", False)["result"]
    assert isinstance(block, dict) and int(block["baseFeePerGas"], 16) == 50 * fee
    assert int(str(ask(front, "eth_maxPriorityFeePerGas")["result"]), 16) >= 50 * 10**9


def test_an_answer_that_is_no_json(front: Proxy) -> None:
    front.arm(Rule("malformed", "eth_chainId"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ask(front, "eth_chainId")


def test_a_rule_ends_with_its_time(front: Proxy) -> None:
    rule = front.arm(Rule("http_500", "eth_chainId", times=100, within_s=0.001))
    rule.armed_at -= 1
    assert post(front, call("eth_chainId")).status_code == 200
    assert rule.hits == 0 and rule.ended_at is not None


@pytest.mark.parametrize(
    "fields", [{"kind": "no such"}, {"kind": KINDS[0], "times": 0}, {"kind": KINDS[0], "within_s": 61}]
)
def test_refuses_a_rule_that_has_no_bounds(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rule"):
        Rule(**fields)  # type: ignore[arg-type]


def test_stands_only_before_a_node_on_the_loopback() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"), proxy("http://example.org:8545"):
        pass
