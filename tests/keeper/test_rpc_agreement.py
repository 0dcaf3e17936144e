"""Two endpoints that have to agree, and reads that are pinned to a block's hash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from web3 import Web3

from keeper.errors import ChainError, SettingsError
from keeper.look.retry import ask, ask_all
from keeper.look.rpc import AgreementError, connect
from keeper.look.rpc.pool import in_block
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc, RpcError
from tests.keeper.endpoints import KEY
from tests.keeper.nodes import ONE, REVERTS, Desk, desk, furnish, in_place_of

CALL = {"to": ONE, "data": "0x"}
SEVEN = "0x" + "00" * 31 + "07"
EIGHT = "0x" + "00" * 31 + "08"
LIE = "0x" + "00" * 31 + "09"
UNKNOWN = "0x" + "12" * 32


@pytest.fixture(scope="module")
def node() -> Iterator[HttpRpc]:
    with anvil() as url:
        rpc = HttpRpc(url)
        rpc.request("anvil_mine", hex(20))
        furnish(rpc)
        rpc.request("evm_mine")
        yield rpc
        rpc.close()


def latest(node: HttpRpc) -> Any:
    return node.request("eth_getBlockByNumber", "latest", False)


def differs(at: Desk, method: str, *params: Any) -> str:
    with pytest.raises(AgreementError) as found:
        at.ask(method, *params)
    return str(found.value)


def test_two_that_differ_are_an_error_that_names_both(node: HttpRpc) -> None:
    account = Web3().eth.account.create().address
    asked: dict[str, tuple[list[Any], str]] = {
        "eth_call": ([CALL, "latest"], LIE),
        "eth_getTransactionCount": ([account, "latest"], "0x1"),
    }
    for method, (params, lie) in asked.items():
        with desk(node, 2, agree=2) as at:
            truth = at.ask(method, *params)
            at.ends[1].change = in_place_of(method, lie)
            said = differs(at, method, *params)
            assert all(end.host in said for end in at.ends) and KEY not in said
            at.ends[1].change = None
            assert at.ask(method, *params) == truth


def test_a_call_in_a_block_by_its_hash_needs_agreement(node: HttpRpc) -> None:
    named = in_block(latest(node)["hash"])
    with desk(node, 2, agree=2) as at:
        assert at.ask("eth_call", CALL, named) == SEVEN
        at.ends[0].change = in_place_of("eth_call", LIE)
        differs(at, "eth_call", CALL, named)


def test_with_one_nobody_is_asked_twice(node: HttpRpc) -> None:
    with desk(node, 2) as at:
        at.ends[1].change = in_place_of("eth_call", LIE)
        assert at.ask("eth_call", CALL, "latest") == SEVEN
        assert "eth_call" not in at.ends[1].methods


def test_a_revert_is_an_answer_too(node: HttpRpc) -> None:
    with desk(node, 2, agree=2) as at:
        assert "revert" in at.ask("eth_call", {"to": REVERTS, "data": "0x"}, "latest")["message"]
        at.ends[0].change = in_place_of("eth_call", SEVEN)
        differs(at, "eth_call", {"to": REVERTS, "data": "0x"}, "latest")


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_of_three_the_one_that_stands_alone_is_put_aside(node: HttpRpc, liar: int) -> None:
    with desk(node, 3, agree=2) as at:
        at.ends[liar].change = in_place_of("eth_call", LIE)
        assert at.ask("eth_call", CALL, "latest") == SEVEN
        # The third is asked only where the first two differ.
        asked = [end.methods.count("eth_call") for end in at.ends]
        assert asked == ([1, 1, 0] if liar == 2 else [1, 1, 1])
        expected = ["", "", ""]
        if liar < 2:
            expected[liar] = "wrong state"
        assert at.reasons() == expected


def test_one_alone_does_not_agree(node: HttpRpc) -> None:
    with desk(node, 2, agree=2) as at:
        at.ends[1].fails = 500
        said = differs(at, "eth_call", CALL, "latest")
        assert at.ends[0].host in said and "BALLAST_RPC_AGREE: is 2" in said
        assert at.ask("eth_blockNumber")


def test_they_are_asked_in_one_and_the_same_block(node: HttpRpc) -> None:
    """The second is a block behind: both are asked in the block that both have."""
    with desk(node, 2, agree=2) as at:
        behind = latest(node)
        at.mine()
        node.request("anvil_setStorageAt", ONE, "0x0", EIGHT)
        at.mine()
        try:
            at.ends[1].change = in_place_of("eth_getBlockByNumber", behind)
            asked: list[Any] = []

            def note(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
                asked.append((question["method"], question["params"]))
                return answer

            at.ends[0].change = note
            assert at.ask("eth_call", CALL, "latest") == SEVEN
            assert ("eth_call", [CALL, {"blockHash": behind["hash"], "requireCanonical": True}]) in asked
        finally:
            node.request("anvil_setStorageAt", ONE, "0x0", SEVEN)
            at.mine()


def test_a_history_read_needs_no_agreement(node: HttpRpc) -> None:
    with desk(node, 2, agree=2) as at:
        at.ends[1].change = in_place_of("eth_call", LIE)
        block = latest(node)["number"]
        assert at.ask("eth_call", CALL, block) == SEVEN


# Blocks by hash: EIP-1898, https://eips.ethereum.org/EIPS/eip-1898


def test_the_node_takes_a_block_by_its_hash_in_both_ways(node: HttpRpc) -> None:
    block = latest(node)["hash"]
    for named in ({"blockHash": block}, in_block(block), block):
        assert node.request("eth_call", CALL, named) == SEVEN
    for named in ({"blockHash": UNKNOWN}, in_block(UNKNOWN), UNKNOWN):
        with pytest.raises(RpcError):
            node.request("eth_call", CALL, named)


def test_a_block_that_is_reorganised_away_is_an_error(node: HttpRpc) -> None:
    w3 = connect(node.url, chain_id=1)
    block = latest(node)
    questions = [("eth_call", [CALL, in_block(block["hash"])]), ("eth_call", [CALL, in_block(block["hash"])])]
    assert ask_all(w3, questions, "state") == [SEVEN, SEVEN]
    node.request("anvil_reorg", 2, [])
    assert latest(node)["number"] == block["number"] and latest(node)["hash"] != block["hash"]
    with pytest.raises(ChainError, match=r"^state: "):
        ask_all(w3, questions, "state")


def test_an_account_of_the_chain_is_read_over_the_pool_as_over_any_provider(node: HttpRpc) -> None:
    with desk(node, 2) as at:
        w3 = Web3(at.pool)
        plain = Web3(Web3.HTTPProvider(node.url))
        block = w3.eth.get_block("latest")
        assert dict(block).items() <= dict(plain.eth.get_block("latest")).items()
        assert set(block) == {"number", "hash", "timestamp", "baseFeePerGas", "gasLimit"}
        assert w3.eth.call({"to": Web3.to_checksum_address(ONE)}) == plain.eth.call(
            {"to": Web3.to_checksum_address(ONE)}
        )
        assert w3.eth.chain_id == 1 and w3.is_connected()


def test_what_goes_wrong_is_a_chain_error_without_a_key(node: HttpRpc) -> None:
    with desk(node, 2, agree=2) as at:
        w3 = Web3(at.pool)
        at.ends[0].change = in_place_of("eth_call", LIE)
        with pytest.raises(ChainError, match="differently") as found:
            ask(lambda: w3.eth.call({"to": Web3.to_checksum_address(ONE)}), "one")
        assert KEY not in str(found.value)
        for end in at.ends:
            end.fails = "reset"
        with pytest.raises(ChainError, match="connection failed") as found:
            ask_all(w3, [("eth_blockNumber", [])], "number")
        assert KEY not in f"{found.value} {found.value.__cause__!r}"


@pytest.mark.parametrize(
    ("urls", "agree", "says"),
    [
        ("http://a/x, http://a/x", 1, "BALLAST_RPC_URL: names an endpoint twice"),
        ("http://a/x", 2, "BALLAST_RPC_AGREE: is 2, BALLAST_RPC_URL names 1"),
    ],
)
def test_lists_that_cannot_serve(urls: str, agree: int, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        connect(urls, agree=agree)


def test_names_hold_no_key() -> None:
    urls = ["https://user:pass@a.example/key", "https://b.example:8545/v2/key", "https://b.example:8545/other?k=1"]
    provider: Any = connect(urls).provider
    assert [status.name for status in provider.status()] == ["a.example", "b.example:8545#1", "b.example:8545#2"]
