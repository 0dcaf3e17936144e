"""A node in memory that says what a test wants, and a sender before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils import keccak
from hexbytes import HexBytes
from web3 import Web3
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from ballast.units import ETHER, GWEI
from keeper.keys.signer import LocalSigner
from keeper.look.fund_reader import Head
from keeper.sending.fees import Urgency
from keeper.sending.journal import Journal
from keeper.sending.sender import Sender
from keeper.sending.simulate import Call

KEY = "0x" + "11" * 32
ACCOUNT = Account.from_key(KEY).address
CAP = 300 * GWEI
TO = "0x" + "22" * 20
CALL = Call("trade", 24_255, TO, "0x1234", None)
REVERTS = {"code": 3, "message": "execution reverted", "data": "0x"}

Says = Callable[[dict[str, Any]], str | None]
"""What the node says to a transaction: None if it takes it."""


class Node(JSONBaseProvider):
    """Nothing is ever mined here. `answers`: results or errors (dicts) by method, the whole answer to a signed
    transaction; `says`: what else it says to that; `sent`: what it was sent, decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.base_fee = 100, 20 * GWEI
        self.says: Says = lambda _: None
        self.sent: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {
            "eth_chainId": "0x1",
            "eth_getTransactionCount": "0x7",
            "eth_getBalance": hex(10_000 * ETHER),
            "eth_call": "0x",
            "eth_estimateGas": lambda params: hex(800_000 if "data" in params[0] else 21_000),
            "eth_createAccessList": {"code": -32601, "message": "method not found"},
            "eth_getTransactionReceipt": None,
        }
        self.asked: list[str] = []

    def head(self) -> Head:
        return Head(self.number, f"0x{self.number:064x}", 12 * self.number, self.base_fee)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        self.asked.append(method)
        if method == "eth_sendRawTransaction":
            return self._taken(params[0])
        answer = self.answers[method]
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, dict) and "code" in answer:
            return {"jsonrpc": "2.0", "id": 1, "error": answer}  # type: ignore[typeddict-item]
        return {"jsonrpc": "2.0", "id": 1, "result": answer}

    def _taken(self, raw: str) -> RPCResponse:
        found = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        self.sent.append(found)
        if "eth_sendRawTransaction" in self.answers:
            return self.answers["eth_sendRawTransaction"]  # type: ignore[no-any-return]
        said = self.says(found)
        if said is None:
            return {"jsonrpc": "2.0", "id": 1, "result": "0x" + keccak(hexstr=raw).hex()}
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": said}}


def journal_in(folder: Path) -> Journal:
    return Journal(folder / "keeper.sqlite", 1, ACCOUNT, clock=lambda: 1_700_000_000)


def sender_before(node: Node, journal: Journal, tip: Callable[[], int] = lambda: GWEI, *, chain_id: int = 1) -> Sender:
    """It looks once at each call."""
    return Sender(
        Web3(node),
        LocalSigner(Account.from_key(KEY)),
        journal,
        chain_id=chain_id,
        urgency=Urgency(CAP, CAP, 0),
        bump_blocks=5,
        confirmations=2,
        head=node.head,
        tip=tip,
        pause=lambda: False,
        patience=1,
    )
