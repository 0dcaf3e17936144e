"""Dialects: each table is whole, rewords what the node says, and refuses what its client refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keeper.look.rpc.refusals import refusal_of
from lab.chaos.dialects import Speaker, clients, failure, success, tables

REVERT = {"code": 3, "message": "execution reverted: Paused", "data": "0xdeadbeef"}
NODE = {
    "nonce_too_low": "nonce too low",
    "known": "transaction already imported",
    "replacement": "replacement transaction underpriced",
    "funds": "Insufficient funds for gas * price + value",
    "missing_block": "Resource not found",
    "unknown_method": "Method not found",
}
"""As the node behind the proxy says it."""


def call(method: str, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}


@pytest.mark.parametrize("name", clients())
def test_a_dialect_has_words_for_all_that_the_node_says(name: str) -> None:
    speaker = Speaker.of(name)
    assert tables()[name]["sources"]
    for kind, text in NODE.items():
        said = speaker.said(call("eth_call", {}, "0x1"), failure({"id": 7}, text))
        assert said["id"] == 7 and said["error"]["message"]
        assert speaker.worded[kind] == 1 and "{" not in json.dumps(said["error"]).replace('{"', "").replace(": {", "")
    said = speaker.said(call("eth_call"), {"id": 7, "error": REVERT})
    assert "deadbeef" in json.dumps(said) and speaker.worded["revert"] == 1


@pytest.mark.parametrize("name", clients())
def test_the_keeper_knows_each_refusal_of_a_dialect(name: str) -> None:
    """A month in which it heard words that no table has would prove the wrong thing."""
    for kind in ("nonce_too_low", "known", "replacement", "funds"):
        said = Speaker.of(name).said(call("eth_sendRawTransaction", "0x"), failure({"id": 7}, NODE[kind]))
        assert refusal_of(said["error"]["message"]) == kind


@pytest.mark.parametrize(
    ("name", "method", "message", "data"),
    [
        ("geth", "eth_call", "execution reverted", "0xdeadbeef"),
        ("besu", "eth_call", "Execution reverted", "0xdeadbeef"),
        ("nethermind-older", "eth_call", "VM execution error.", "Reverted 0xdeadbeef"),
        ("nethermind-older", "eth_estimateGas", "err: 0xdeadbeef (supplied gas 30000000)", None),
    ],
)
def test_reverts_as_clients_word_them(name: str, method: str, message: str, data: str | None) -> None:
    said = Speaker.of(name).said(call(method), {"id": 7, "error": REVERT})
    assert said["error"]["message"] == message and (data is None or said["error"]["data"] == data)


def test_ranges_of_logs() -> None:
    speaker, wide = Speaker.of("alchemy"), {"fromBlock": "0x1", "toBlock": "0xb"}
    assert (
        "up to a 10 block range" in speaker.said(call("eth_getLogs", wide), success({"id": 7}, []))["error"]["message"]
    )
    narrow = call("eth_getLogs", wide | {"toBlock": "0xa"})
    assert speaker.said(narrow, success({"id": 7}, [])) == success({"id": 7}, [])


@pytest.mark.parametrize(
    ("name", "status", "shape"),
    [("besu", 200, dict), ("erigon", 200, list), ("ankr", 200, list), ("cloudflare", 403, None)],
)
def test_batches_are_refused_in_each_form(name: str, status: int, shape: type | None) -> None:
    speaker = Speaker.of(name)
    reply = speaker.refusal([call("eth_chainId")] * 9)
    assert reply is not None and reply.status == status and speaker.worded["batch"] == 1
    if shape is None:
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(reply.body)
    else:
        assert isinstance(json.loads(reply.body), shape)


def test_passing_errors_come_at_their_rate_and_end() -> None:
    speaker = Speaker.of("geth")
    found = [speaker.refusal(call("eth_call")) is not None for _ in range(66)]
    assert [place for place, came in enumerate(found, 1) if came] == [11, 22, 33]
    assert speaker.refusal(call("eth_chainId")) is None


def test_fields_are_added_and_left_out() -> None:
    receipt = success({"id": 7}, {"status": "0x1", "blobGasUsed": "0x0"})
    assert Speaker.of("reth").said(call("eth_getTransactionReceipt"), receipt)["result"] == {"status": "0x1"}
    block = Speaker.of("besu").said(call("eth_getBlockByNumber"), success({"id": 7}, {"extraData": "0x"}))["result"]
    assert (len(block["extraData"]) - 2) // 2 > 32


def test_hardhat_has_no_access_lists() -> None:
    said = Speaker.of("hardhat").said(call("eth_createAccessList"), success({"id": 7}, {}))
    assert said["error"]["message"] == "Method eth_createAccessList is not supported"


def test_refuses_a_dialect_without_a_table() -> None:
    with pytest.raises(ValueError, match="dialect"):
        Speaker.of("parity-signer")
