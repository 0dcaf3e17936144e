"""Sends a deployment's transactions, one after the other, so that it can be stopped at any moment.

It records each in the journal before it sends it, and sends the next only when the last one is in a block. It does not
rely on a node's answer to a transaction: nodes word the same refusal in many ways, and an answer may get lost. The
chain shows whether a transaction was accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_typing import HexStr
from eth_utils import keccak
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception
from web3.types import TxReceipt

from ballast.deployment.creation import created_address
from ballast.deployment.journal import DeploymentJournal, Sent
from ballast.networks.presets import network_of
from ballast.preflight.problems import DeployError
from ballast.values import ether_text, gwei_text

POLLS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Waits between two polls for a receipt, seconds; the last one repeats."""
TOLD_EVERY = 10
"""Polls after which the sender reports again what it waits for."""
LOST_AFTER = 5
"""Polls that find a nonce used but no receipt, after which another transaction counts as having used it: a node may
count a transaction a moment before it has its receipt."""


def receipt_of(w3: Web3, digest: str) -> TxReceipt | None:
    """The receipt of a transaction; None if the node has none."""
    try:
        return w3.eth.get_transaction_receipt(HexStr(digest))
    except TransactionNotFound:
        return None


def is_pending(w3: Web3, digest: str) -> bool:
    """Whether the node has the transaction and it is in no block yet."""
    try:
        return w3.eth.get_transaction(HexStr(digest)).get("blockNumber") is None
    except TransactionNotFound:
        return False


class DeploymentSender:
    """Signs with an Ape account. `path`: of the journal's file, None: not saved; `say`: prints each step."""

    def __init__(self, account: Any, journal: DeploymentJournal, path: Path | None, say: Callable[[str], None]) -> None:
        self._account = account
        self._w3: Web3 = account.provider.web3
        self.journal = journal
        self._path = path
        self._say = say
        self._outbid: dict[int, tuple[int, int]] = {}

    def settle(self, also: Iterable[Sent] = ()) -> None:
        """Waits for pending transactions of the journal. Returns early at one that offers less than the base fee, so
        that `send` replaces it. `also`: transactions in another journal of the account. Raises DeployError if any other
        transaction of the account is pending."""
        address = self._account.address
        nonce, known = self._w3.eth.get_transaction_count(address), (*self.journal.sent, *also)
        for sent in [sent for sent in known if sent.nonce >= nonce and is_pending(self._w3, sent.hash)]:
            offered = self._w3.eth.get_transaction(HexStr(sent.hash))
            fee = int(offered.get("maxFeePerGas", offered["gasPrice"]))
            asked = int(self._w3.eth.get_block("latest").get("baseFeePerGas", 0))
            if fee < asked:
                self._say(f"{sent.step}: transaction {sent.hash} offers {gwei_text(fee)}, now asked {gwei_text(asked)}")
                self._outbid[sent.nonce] = fee, int(offered.get("maxPriorityFeePerGas", fee))
                return
            self._say(f"{sent.step}: transaction {sent.hash} was sent before, waiting for it")
            self._wait(sent)
        latest, pending = (self._w3.eth.get_transaction_count(address, at) for at in ("latest", "pending"))
        if pending > latest:
            raise DeployError(
                f"account {address}: {pending - latest} transactions that are not of this deployment are pending, "
                "expected none; wait until they are in a block, or cancel them, then run the same command again"
            )

    def create(self, name: str, code: bytes, at: str) -> None:
        """Creates a contract at the address `at`. Raises DeployError as `send`, and without sending if its address
        would be another."""
        nonce = self._w3.eth.get_transaction_count(self._account.address)
        if created_address(self._account.address, nonce) != at:
            raise DeployError(
                f"{name}: another transaction of {self._account.address} came between; use the account for nothing "
                "else meanwhile, and run the same command again: it goes on from what stands"
            )
        self.send(name, code)

    def send(self, step: str, data: bytes, to: str | None = None) -> None:
        """Sends a call, or creation code if `to` is None, and waits until it is in a block. Raises DeployError if it
        would revert, did revert, cannot be paid, is refused, or lost its nonce to another transaction."""
        account, nonce = self._account, self._w3.eth.get_transaction_count(self._account.address)
        made = account.provider.network.ecosystem.create_transaction(
            sender=account.address, data=data, nonce=nonce, gas_limit=self._gas(step, data, to), receiver=to
        )
        made = account.provider.prepare_transaction(made)
        if nonce in self._outbid:  # nodes accept a replacement from 10 % higher fees on
            made.max_fee, made.max_priority_fee = (
                max(now, before * 9 // 8 + 1)
                for now, before in zip((made.max_fee, made.max_priority_fee), self._outbid[nonce], strict=True)
            )
        self._require_ether(step, made.gas_limit * made.max_fee)
        signed = account.sign_transaction(made)
        if signed is None:
            raise DeployError(f"{step}: the transaction was not signed")
        raw = bytes(signed.serialize_transaction())
        sent = Sent(step, nonce, "0x" + keccak(raw).hex(), content_of(data, to))
        self._note(sent)
        url = network_of(self.journal.chain_id).transaction_url(sent.hash)
        self._say(f"{step}: transaction {url or sent.hash}")
        try:
            self._w3.eth.send_raw_transaction(raw)
        except (Web3Exception, ValueError) as error:
            if self._receipt(sent) is None and not is_pending(self._w3, sent.hash):
                self._require_nonce(sent)
                self._require_ether(step, made.gas_limit * made.max_fee)
                raise DeployError(f"{step}: the node refuses it: {_line(error)}") from None
        self._wait(sent)

    def _gas(self, step: str, data: bytes, to: str | None) -> int:
        call = {"from": self._account.address, "data": "0x" + data.hex()} | ({} if to is None else {"to": to})
        try:
            gas = self._w3.eth.estimate_gas(call)  # type: ignore[arg-type]
        except (Web3Exception, ValueError) as error:
            raise DeployError(f"{step}: would be refused: {_line(error)}; nothing was sent for it") from None
        return min(gas * 6 // 5, max(gas, network_of(self.journal.chain_id).most_gas))

    def _note(self, sent: Sent) -> None:
        self.journal = replace(self.journal, sent=(*self.journal.sent, sent))
        if self._path is not None:
            self.journal.save(self._path)

    def _wait(self, sent: Sent) -> None:
        looks = 0
        while (receipt := self._receipt(sent)) is None:
            self._require_nonce(sent)
            time.sleep(POLLS_S[min(looks, len(POLLS_S) - 1)])
            looks += 1
            if looks % TOLD_EVERY == 0:
                self._say(f"{sent.step}: still waiting for {sent.hash}, nonce {sent.nonce}; it can be stopped here")
        if receipt["status"] != 1:
            raise DeployError(f"{sent.step}: transaction {sent.hash} reverted")

    def _receipt(self, sent: Sent) -> TxReceipt | None:
        """The receipt of this transaction, or of one that it was to replace, with the same nonce and content."""
        every = (sent, *self.journal.sent)
        same = (one for one in every if (one.nonce, one.content) == (sent.nonce, sent.content))
        return next((found for one in same if (found := receipt_of(self._w3, one.hash)) is not None), None)

    def _require_nonce(self, sent: Sent) -> None:
        """Raises DeployError if another transaction used the nonce."""
        for look in range(LOST_AFTER):
            used = self._w3.eth.get_transaction_count(self._account.address) > sent.nonce
            if not used or self._receipt(sent) is not None:
                return
            time.sleep(POLLS_S[min(look, len(POLLS_S) - 1)])
        if self._receipt(sent) is None:
            raise DeployError(
                f"{sent.step}: another transaction of {self._account.address} took nonce {sent.nonce}; use the "
                "account for nothing else meanwhile, and run the same command again: it goes on from what stands"
            )

    def _require_ether(self, step: str, cost: int) -> None:
        have = self._w3.eth.get_balance(self._account.address)
        if have < cost:
            raise DeployError(
                f"{step}: account {self._account.address} holds {ether_text(have, up=False)}, expected at least "
                f"{ether_text(cost)} for its gas; send it some and run the same command again: it goes on from what "
                "stands"
            )


def content_of(data: bytes, to: str | None = None) -> str:
    """keccak-256 of a transaction's recipient and data."""
    return "0x" + keccak(bytes.fromhex((to or "0x")[2:]) + data).hex()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
