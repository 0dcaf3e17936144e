"""Reads from the chain what the judge needs: the keepers' transactions and the rebalancer's events since the start."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from eth_utils import to_checksum_address

from ballast.abi import selector
from keeper.look import contracts
from lab.chaos.judge import Happened, Sent
from lab.localnet.rpc import Rpc

EVENTS = {"Determined": "determined", "Started": "started", "Traded": "traded", "Closed": "closed"}
ACTIONS = ("determine", "start", "trade", "close")


def selectors() -> dict[str, str]:
    """Actions by selector."""
    found = {}
    for entry in contracts.abi("Rebalancer"):
        if entry.get("type") == "function" and entry.get("name") in ACTIONS:
            found["0x" + selector(entry).hex()] = str(entry["name"])
    return found


def events(rpc: Rpc, rebalancer: str, since: int) -> list[Happened]:
    """The rebalancer's events after block `since`, in order."""
    topics = {contracts.topic("Rebalancer", name): word for name, word in EVENTS.items()}
    logs = rpc.request(
        "eth_getLogs",
        {"address": rebalancer, "fromBlock": hex(since + 1), "toBlock": "latest", "topics": [list(topics)]},
    )
    return [Happened(topics[log["topics"][0]], int(log["topics"][1], 16), log["transactionHash"]) for log in logs]


def transactions(rpc: Rpc, rebalancer: str, addresses: Collection[str], since: int) -> list[Sent]:
    """Transactions from the keepers' addresses in the blocks after `since`, in order."""
    names = selectors()
    last = int(rpc.request("eth_blockNumber"), 16)
    blocks = rpc.batch([("eth_getBlockByNumber", (hex(number), True)) for number in range(since + 1, last + 1)])
    mine: list[dict[str, Any]] = []
    for block in blocks:
        mine += [tx for tx in block["transactions"] if to_checksum_address(tx["from"]) in addresses]
    receipts = rpc.batch([("eth_getTransactionReceipt", (tx["hash"],)) for tx in mine])
    found = []
    for tx, receipt in zip(mine, receipts, strict=True):
        to = to_checksum_address(tx["to"]) if tx["to"] else ""
        found.append(
            Sent(
                sender=to_checksum_address(tx["from"]),
                nonce=int(tx["nonce"], 16),
                hash=tx["hash"],
                block=int(tx["blockNumber"], 16),
                succeeded=int(receipt["status"], 16) == 1,
                to=to,
                data=tx["input"],
                action=names.get(tx["input"][:10], "") if to == to_checksum_address(rebalancer) else "",
            )
        )
    return found
