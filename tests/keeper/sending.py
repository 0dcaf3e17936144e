"""A sender in this process, against the local chain, whose node and journal fail where a test wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from ballast.units import GWEI
from keeper.keys.signer import LocalSigner
from keeper.look import contracts
from keeper.look.fund_reader import FundReader
from keeper.sending.fees import Urgency
from keeper.sending.journal import Journal, Status
from keeper.sending.sender import Sender
from keeper.sending.simulate import Call
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import Field

SEND = "eth_sendRawTransaction"


class Killed(BaseException):
    """As if the process had ended here."""


def nothing(_method: str) -> None:
    """What happens about a request where a test does not say."""


class Node(HTTPProvider):
    """The node; `before` and `after` each request get its method and may raise.

    While it mines by itself, it answers when it has mined what it was sent: a look right after that sees it.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self.asked: list[str] = []
        self.without_receipts = False
        self.before: Callable[[str], None] = nothing
        self.after: Callable[[str], None] = nothing

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        self.asked.append(method)
        self.before(method)
        answer = super().make_request(method, params)
        if method == SEND and "result" in answer and self._ask("anvil_getAutomine"):
            wait_for(lambda: self._ask("eth_getTransactionReceipt", answer["result"]), "a receipt")
        if method == "eth_getTransactionReceipt" and self.without_receipts:
            answer["result"] = None
        self.after(method)
        return answer

    def _ask(self, method: str, *params: Any) -> Any:
        return super().make_request(RPCEndpoint(method), list(params)).get("result")


def losing_answers(times: int) -> Callable[[str], None]:
    """For `after`: the node takes a transaction and its answer is lost, so many times."""
    left = [times]

    def lose(method: str) -> None:
        if method == SEND and left[0]:
            left[0] -= 1
            raise requests.exceptions.ReadTimeout("answer lost")

    return lose


def journal_of(field: Field, folder: Path, **options: Any) -> Journal:
    return Journal(folder / "keeper.sqlite", field.book.chain_id, field.account.address, **options)


def sender_of(
    field: Field,
    journal: Journal,
    node: Node | None = None,
    *,
    pause: Callable[[], bool] = lambda: False,
    patience: int | None = 3,
    confirmations: int = 2,
    urgency: Urgency | None = None,
    bump_blocks: int = 5,
) -> Sender:
    """A sender with the keeper's key; `pause` takes no time."""
    chain = FundReader(Web3(node or Node(field.url)), field.book)
    return Sender(
        chain.w3,
        LocalSigner(Account.from_key(field.account.private_key)),
        journal,
        chain_id=field.book.chain_id,
        urgency=urgency or Urgency(1_000 * GWEI, 1_000 * GWEI, 0),
        bump_blocks=bump_blocks,
        confirmations=confirmations,
        head=chain.head,
        tip=chain.tip,
        pause=pause,
        patience=patience,
    )


def determine(field: Field, deadline: int | None = None) -> Call:
    """The call that begins the month; it is possible once."""
    rebalancer = Web3.to_checksum_address(field.book["rebalancer"])
    contract = field.w3.eth.contract(address=rebalancer, abi=contracts.abi("Rebalancer"))
    return Call("determine", 24_255, rebalancer, contract.functions.determine()._encode_transaction_data(), deadline)


@contextlib.contextmanager
def reorganized(field: Field, blocks: int) -> Iterator[None]:
    """After the block, all that was mined in it is gone, and that many empty blocks stand in its place.

    anvil_reorg does not do on a fork: it takes back nonces and events, but not the storage of the contracts.
    """
    snapshot = field.rpc.request("evm_snapshot")
    yield
    field.rpc.request("evm_revert", snapshot)
    mine(field, blocks)


def mine(field: Field, blocks: int = 1) -> None:
    for _ in range(blocks):
        field.rpc.request("evm_mine")


@contextlib.contextmanager
def put_back(field: Field) -> Iterator[None]:
    """The chain as it was, with nothing in its pool, after the block."""
    snapshot = field.rpc.request("evm_snapshot")
    try:
        yield
    finally:
        field.rpc.request("anvil_dropAllTransactions")
        field.rpc.request("evm_revert", snapshot)
        field.rpc.request("evm_setAutomine", True)


def statuses(journal: Journal) -> list[Status]:
    return [entry.status for entry in journal.all()]


def determined(field: Field) -> list[str]:
    """Transactions that have determined the month."""
    return [event["transactionHash"].to_0x_hex() for event in field.events("Determined")]


def start(field: Field) -> Call:
    """The call that begins trading."""
    contract = field.w3.eth.contract(abi=contracts.abi("Rebalancer"))
    return replace(determine(field), action="start", data=contract.encode_abi("start"))


def head_seen(sender: Sender, field: Field) -> bool:
    """The sender's look at the latest block: whether something is open."""
    return sender.watch(field.chain.head())
