"""What differs on a rollup: blocks are shorter and come at uneven times, data costs ether or gas of its own, and a
transaction may take more gas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ballast.units import GWEI, MAX_TX_GAS
from keeper.errors import RejectedError
from keeper.look.fund_reader import Head
from keeper.look.rpc.answers import check
from keeper.sending.journal import Journal, Status
from keeper.sending.tracker import LATE_BLOCKS, data_fee_per_gas
from tests.unit.keeper.sending.node import CALL, Node, journal_in, sender_before

OP_SEPOLIA, ARBITRUM_SEPOLIA, ARBITRUM = 11_155_420, 421_614, 42_161
BLOOM = "0x" + "00" * 256

OP_RECEIPT: dict[str, Any] = {
    "type": "0x2",
    "status": "0x1",
    "cumulativeGasUsed": "0x2a3c5e",
    "logs": [],
    "logsBloom": BLOOM,
    "transactionHash": "0x" + "ab" * 32,
    "transactionIndex": "0x7",
    "blockHash": "0x" + "cd" * 32,
    "blockNumber": "0x64",
    "gasUsed": "0xc350",
    "effectiveGasPrice": "0xf4308",
    "from": "0x" + "11" * 20,
    "to": "0x" + "22" * 20,
    "contractAddress": None,
    "l1GasPrice": "0x2c6a4d1f",
    "l1GasUsed": "0xa3c",
    "l1Fee": "0x5d21dba001",
    "l1BaseFeeScalar": "0x146b",
    "l1BlobBaseFee": "0x1",
    "l1BlobBaseFeeScalar": "0xf79c5",
}
"""As op-geth and op-reth shape a receipt since Ecotone; the figures are of no real transaction."""
ARBITRUM_RECEIPT: dict[str, Any] = {
    **{name: value for name, value in OP_RECEIPT.items() if not name.startswith("l1")},
    "effectiveGasPrice": "0x5f5e100",
    "gasUsedForL1": "0x1a4",
    "l1BlockNumber": "0x73bb6c",
    "timeboosted": False,
}
"""As Nitro shapes one."""


class RollupNode(Node):
    """Blocks come every quarter of a second, or later."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1_000

    def head(self) -> Head:
        return Head(self.number, f"0x{self.number:064x}", self.time, self.base_fee)


@pytest.fixture
def node() -> RollupNode:
    return RollupNode()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with journal_in(tmp_path) as found:
        yield found


@pytest.mark.parametrize("chain_id", [OP_SEPOLIA, ARBITRUM_SEPOLIA])
def test_a_transaction_is_replaced_after_a_minute_however_many_blocks(
    node: RollupNode, journal: Journal, chain_id: int
) -> None:
    sender = sender_before(node, journal, chain_id=chain_id)
    sender.send(CALL)
    node.number, node.time = node.number + 200, node.time + 59
    sender.settle()
    assert len(node.sent) == 1, "two hundred blocks in less than a minute"
    node.number, node.time = node.number + 1, node.time + 1
    sender.settle()
    assert [each["maxFeePerGas"] // GWEI for each in node.sent] == [41, 46]
    assert {each["chainId"] for each in node.sent} == {chain_id}


def test_what_is_too_cheap_waits_for_as_long_as_a_block_of_ethereum(node: RollupNode, journal: Journal) -> None:
    sender = sender_before(node, journal, chain_id=ARBITRUM_SEPOLIA)
    node.says = lambda _: "transaction underpriced"
    sender.send(CALL)
    for seconds, sent in ((1, 1), (10, 1), (1, 2), (11, 2), (1, 3)):
        node.number, node.time = node.number + 4 * seconds, node.time + seconds
        sender.settle()
        assert len(node.sent) == sent


def test_on_ethereum_blocks_count(node: RollupNode, journal: Journal) -> None:
    sender = sender_before(node, journal, chain_id=1)
    sender.send(CALL)
    node.number += 5
    sender.settle()
    assert len(node.sent) == 2


def test_a_receipt_may_lag_as_long_as_on_ethereum(node: RollupNode, journal: Journal) -> None:
    sender = sender_before(node, journal, chain_id=ARBITRUM_SEPOLIA)
    sender.send(CALL)
    node.answers["eth_getTransactionCount"] = "0x8"  # the nonce is used, and no receipt is there
    late = LATE_BLOCKS * 12 * 4
    asked: list[Any] = []

    def count(params: list[Any]) -> str:
        asked.append(params[1])
        return "0x8" if not isinstance(params[1], str) or not params[1].startswith("0x") else "0x7"

    node.answers["eth_getTransactionCount"] = count
    node.number += 1_000
    sender.settle()
    assert hex(node.number - late) in asked
    assert journal.all()[0].status is Status.SUBMITTED


def test_the_receipts_of_rollups_are_taken() -> None:
    for receipt in (OP_RECEIPT, ARBITRUM_RECEIPT):
        found = check("eth_getTransactionReceipt", [receipt["transactionHash"]], receipt)
        assert found["gasUsed"] == "0xc350"
        assert found.get("l1Fee") == receipt.get("l1Fee")
    # A deposit has none, and so has a receipt of a chain that takes nothing.
    assert "l1Fee" not in check("eth_getTransactionReceipt", None, OP_RECEIPT | {"l1Fee": None})
    with pytest.raises(ValueError, match="l1Fee is no quantity"):
        check("eth_getTransactionReceipt", None, OP_RECEIPT | {"l1Fee": "much"})


def test_what_data_cost_is_in_the_price_that_was_paid(node: RollupNode, journal: Journal) -> None:
    # 400,000,000,001 wei over 50,000 gas: 8,000,001 wei a gas, rounded up.
    assert data_fee_per_gas({"gasUsed": 50_000, "l1Fee": hex(400_000_000_001)}) == 8_000_001
    assert data_fee_per_gas({"gasUsed": 50_000}) == 0
    sender = sender_before(node, journal, chain_id=OP_SEPOLIA)
    node.answers["eth_getTransactionReceipt"] = lambda params: OP_RECEIPT | {"transactionHash": params[0]}
    node.answers["eth_getTransactionCount"] = lambda _: "0x8" if journal.all() else "0x7"
    mined = sender.send(CALL)
    assert mined is not None
    assert (mined.gas_used, mined.gas_price) == (50_000, 0xF4308 + 8_000_001)
    assert journal.all()[0].gas_price == 1_000_200 + 8_000_001


@pytest.mark.parametrize(("chain_id", "refused"), [(1, True), (OP_SEPOLIA, True), (ARBITRUM, False), (777, True)])
def test_the_cap_of_eip_7825_only_where_it_holds(
    node: RollupNode, journal: Journal, chain_id: int, refused: bool
) -> None:
    sender = sender_before(node, journal, chain_id=chain_id)
    node.answers["eth_estimateGas"] = hex(MAX_TX_GAS + 1)
    if refused:
        with pytest.raises(RejectedError, match=rf"may take {MAX_TX_GAS} \(EIP-7825\)"):
            sender.send(CALL)
        return
    sender.send(CALL)
    assert [entry.gas for entry in journal.all()] == [(MAX_TX_GAS + 1) * 5 // 4]
    node.answers["eth_estimateGas"] = hex(2**25 + 1)
