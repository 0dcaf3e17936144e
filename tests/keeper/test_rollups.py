"""The keeper on a chain dressed as a rollup: the fork under another chain id, a contract where an OP-stack chain has
its own, and before it an endpoint whose answers have the shapes of that rollup's nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.networks.rollups import GAS_PRICE_ORACLE, NODE_INTERFACE
from keeper.look.fund_reader import FundReader, connect
from keeper.loop import Fund
from keeper.plan.standby import turn_on
from keeper.settings import load_settings
from keeper.view import Viewer
from lab.localnet.rpc import Rpc
from tests.keeper.deployed_fund import Field, journal_rows
from tests.keeper.endpoints import Change, EndpointProxy, endpoint
from tests.keeper.sending import put_back

BASE_SEPOLIA, ARBITRUM_SEPOLIA = 84_532, 421_614
PER_BYTE = 10**14
"""Wei that the contract at the predeploy's address asks for a byte that it is given."""
PRICED = "0x36" + "66" + PER_BYTE.to_bytes(7, "big").hex() + "02" + "5f52" + "60205ff3"
"""CALLDATASIZE, PUSH7 the price, MUL, and that is returned: a fee for data as long as the call."""
L1_FEE = 123_456_789_012_345
DATA_GAS = 300_000
L1_BLOCK = 7_654_321
"""What `block.number` says inside a contract on Arbitrum."""


def op_stack(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Receipts as op-geth gives them."""
    if question["method"] == "eth_getTransactionReceipt" and answer.get("result"):
        more = {"l1Fee": hex(L1_FEE), "l1GasPrice": "0x1", "l1GasUsed": "0x640", "l1BlobBaseFee": "0x1"}
        return {**answer, "result": {**answer["result"], **more}}
    return answer


def arbitrum(lens: str, rpc: Rpc) -> Change:
    """Answers as Nitro gives them: `block.number` is that of the chain below, and calls to the node itself."""

    def change(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        method, params = question["method"], question["params"]
        if method == "eth_getTransactionReceipt" and answer.get("result"):
            more = {"gasUsedForL1": "0x64", "l1BlockNumber": hex(L1_BLOCK), "timeboosted": False}
            return {**answer, "result": {**answer["result"], **more}}
        if method == "eth_getBlockByNumber" and answer.get("result"):
            more = {"l1BlockNumber": hex(L1_BLOCK), "sendRoot": "0x" + "00" * 32, "sendCount": "0x1"}
            return {**answer, "result": {**answer["result"], **more}}
        if method == "eth_call" and params[0]["to"].lower() == NODE_INTERFACE.lower():
            said = encode(["uint64", "uint256", "uint256"], [DATA_GAS, 10**8, 10**9])
            return {"jsonrpc": "2.0", "id": answer["id"], "result": "0x" + said.hex()}
        if method == "eth_call" and params[0]["to"].lower() == lens.lower() and "result" in answer:
            return {
                **answer,
                "result": below(answer["result"], rpc.request("eth_getBlockByHash", params[1]["blockHash"], False)),
            }
        return answer

    return change


def below(result: str, block: dict[str, Any]) -> str:
    """The lens's answer with the block's number replaced: it stands before the block's time."""
    words = [result[2 + at : 66 + at] for at in range(0, len(result) - 2, 64)]
    number, time = (f"{int(block[name], 16):064x}" for name in ("number", "timestamp"))
    place = next(i for i in range(len(words) - 1) if words[i : i + 2] == [number, time])
    words[place] = f"{L1_BLOCK:064x}"
    return "0x" + "".join(words)


@dataclass
class Dressed:
    """A fund on a chain with another id, through an endpoint that speaks as its nodes do."""

    field: Field
    book: Book
    book_path: Path
    proxy: EndpointProxy

    def environment(self) -> dict[str, str | None]:
        return {
            "BALLAST_RPC_URL": self.proxy.url,
            "BALLAST_CHAIN_ID": str(self.book.chain_id),
            "BALLAST_BOOK": str(self.book_path),
        }

    def command(self, folder: Path, *words: str) -> str:
        ran = self.field.command(folder, *words, **self.environment())
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr if words == ("once",) else ran.stdout

    def plan(self, folder: Path) -> Any:
        return json.loads(self.command(folder, "plan", "--json"))["plan"]


@contextmanager
def dressed(field: Field, folder: Path, chain_id: int) -> Iterator[Dressed]:
    before = int(field.rpc.request("eth_chainId"), 16)
    book = replace(field.book, chain_id=chain_id)
    path = folder / "rollup.json"
    book.save(path)
    with put_back(field), endpoint(field.url) as proxy:
        field.rpc.request("anvil_setChainId", chain_id)
        try:
            proxy.change = op_stack if network_of(chain_id).rollup == "op-stack" else arbitrum(book["lens"], field.rpc)
            yield Dressed(field, book, path, proxy)
        finally:
            field.rpc.request("anvil_setChainId", before)


def test_an_op_stack_chain(field: Field, due: None, tmp_path: Path) -> None:
    with dressed(field, tmp_path, BASE_SEPOLIA) as on:
        field.rpc.request("anvil_setCode", GAS_PRICE_ORACLE, PRICED)
        said = on.command(tmp_path, "once")
        (row,) = journal_rows(tmp_path)
        assert f"https://sepolia.basescan.org/tx/{row['hash']}" in said
        receipt = field.w3.eth.get_transaction_receipt(row["hash"])
        paid = receipt["effectiveGasPrice"] * receipt["gasUsed"] + L1_FEE
        assert 0 <= int(row["gas_price"]) * row["gas_used"] - paid < row["gas_used"]
        assert field.w3.eth.get_transaction(row["hash"])["chainId"] == BASE_SEPOLIA

        field.to_execution()
        on.command(tmp_path, "once")
        with_data = on.plan(tmp_path)
        field.rpc.request("anvil_setCode", GAS_PRICE_ORACLE, "0x5f5f5260205ff3")  # nothing for data
        without = on.plan(tmp_path)
        assert with_data["gas"] > 2 * without["gas"], "what data costs is in the plan"
        assert with_data["batches"] <= without["batches"]
        assert with_data["batch"]["gas"] < 2**24, "and not in what a batch takes"
        field.rpc.request("anvil_setCode", GAS_PRICE_ORACLE, "0x")
        silent = on.plan(tmp_path)
        assert silent["gas"] == without["gas"], "a chain that does not say is planned for without"


def test_arbitrum(field: Field, due: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dressed(field, tmp_path, ARBITRUM_SEPOLIA) as on:
        for name, value in field.environment(tmp_path, **on.environment()).items():
            if name.startswith("BALLAST_"):
                monkeypatch.setenv(name, value)
        settings, _ = load_settings(None)
        chain = FundReader(connect(on.proxy.url, chain_id=ARBITRUM_SEPOLIA), on.book)
        fund = Fund(chain, Viewer(chain, settings), None, turn_on(network_of(ARBITRUM_SEPOLIA), 1, 5))
        head = chain.head()
        view, call = fund.look(head)
        assert view.state.block == head.number == field.w3.eth.block_number, "not the number of the chain below"
        assert call is not None and call.action == "determine"
        assert not fund.has_its_turn(head)
        # Twenty blocks in some seconds are no turn; a minute is.
        for _ in range(20):
            field.rpc.request("evm_setNextBlockTimestamp", chain.head().time + 1)
            field.rpc.request("evm_mine")
        soon = chain.head()
        assert soon.number >= head.number + 20 and soon.time - head.time < 60
        fund.look(soon)
        assert not fund.has_its_turn(soon)
        field.rpc.request("evm_setNextBlockTimestamp", head.time + 60)
        field.rpc.request("evm_mine")
        later = chain.head()
        fund.look(later)
        assert later.number == soon.number + 1 and fund.has_its_turn(later)

        on.command(tmp_path, "once")
        (row,) = journal_rows(tmp_path)
        receipt = field.w3.eth.get_transaction_receipt(row["hash"])
        assert int(row["gas_price"]) == receipt["effectiveGasPrice"], "data is in the gas already"
        assert row["mined_block"] == receipt["blockNumber"]
