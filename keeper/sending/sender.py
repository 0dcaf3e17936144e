"""Bringing one call on the chain: simulate, sign, write down, send, wait, replace.

With a private endpoint signed transactions go there alone: nobody who watches the public pool can trade around them.
What is not mined within a number of blocks goes to the public node too, under the same nonce, so that only one of them
can be mined; its minimum value bounds what anybody can take. Everything else is asked of the public node.

The rule that everything here serves: a nonce whose fate is unknown is never used for anything else. A signed
transaction is in the journal before it is on the wire, and whoever starts with an open one in the journal first finds
out what became of it, sending the same bytes again as often as it takes: the same bytes can be mined only once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import structlog
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError

from keeper import contracts
from keeper.chain import Chain, Head, ask, connect
from keeper.errors import (
    ChainError,
    FeeTooHighError,
    InsufficientFundsError,
    NonceTooLowError,
    RevertedError,
    SendError,
    SimulationError,
    UnderpricedError,
    UnknownPendingError,
)
from keeper.sending import access
from keeper.sending.access import AccessList
from keeper.sending.journal import Entry, Journal
from keeper.settings import Secrets, Settings

log = structlog.get_logger("keeper.sender")

REORG_BLOCKS = 64

_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown")
_UNDERPRICED = ("underpriced", "less than block base fee", "fee too low", "max fee per gas less")


@dataclass(frozen=True)
class Call:
    """A call of the rebalancer: action's name and the month it is for, contract, and data as 0x... ."""

    action: str
    period: int
    to: str
    data: str


@dataclass(frozen=True)
class Mined:
    """A transaction that was mined and succeeded."""

    action: str
    hash: str
    block: int
    gas_used: int
    gas_price: int


@dataclass(frozen=True)
class Fees:
    """Wei per gas."""

    max_fee: int
    tip: int


def market_fees(base_fee: int, tip: int, most: int) -> Fees:
    """Fees for a new transaction: room for the base fee to double, within `most`. Raises FeeTooHighError."""
    if base_fee + tip > most:
        raise FeeTooHighError(
            f"BALLAST_MAX_FEE_GWEI: {_gwei(most)} gwei, the chain asks for {_gwei(base_fee + tip)} gwei; waiting"
        )
    return Fees(min(most, 2 * base_fee + tip), tip)


def bumped_fees(old: Fees, market: Fees, most: int) -> Fees | None:
    """Fees that replace `old`: at least 9/8 of both of its fees, as nodes ask; None if that is above `most`."""
    max_fee = max(-(-old.max_fee * 9 // 8), market.max_fee)
    tip = max(-(-old.tip * 9 // 8), market.tip)
    if max_fee > most:
        return None
    return Fees(max_fee, min(tip, max_fee))


class Sender:
    """Sends for one account that nobody else uses. Waits are cut short when `pause` returns True: stop asked for."""

    def __init__(
        self,
        w3: Web3,
        account: LocalAccount,
        journal: Journal,
        *,
        chain_id: int,
        max_fee: int,
        bump_blocks: int,
        private: Web3 | None = None,
        private_blocks: int = 0,
        head: Callable[[], Head],
        tip: Callable[[], int],
        pause: Callable[[], bool],
    ) -> None:
        self._w3 = w3
        self._account = account
        self._journal = journal
        self._chain_id = chain_id
        self._max_fee = max_fee
        self._bump_blocks = bump_blocks
        self._private = private
        self._private_blocks = private_blocks
        self._head = head
        self._tip = tip
        self._pause = pause

    @property
    def address(self) -> str:
        return str(self._account.address)

    def settle(self) -> Mined | None:
        """Finds out what became of an open transaction of an earlier run or step; None if there was none, if it was
        replaced from elsewhere, or if stop was asked for. Raises RevertedError, ChainError, SendError."""
        self._reopen_after_reorg()
        pending = self._journal.open()
        if not pending:
            return None
        nonce = pending[0].nonce
        log.info("resolving an open transaction", nonce=nonce, action=pending[0].action, hash=pending[-1].hash)
        mined = self._look(nonce)
        if mined is not None or not self._journal.open():
            return mined
        return self._wait(nonce, self._broadcast(self._of(nonce)[-1]))

    @property
    def unresolved(self) -> bool:
        """Whether a transaction's fate is open."""
        return bool(self._journal.open())

    def send(self, call: Call) -> Mined | None:
        """Brings a call on the chain and waits for it; None if stop was asked for before it was mined.

        Raises SimulationError, RevertedError, InsufficientFundsError, FeeTooHighError, UnknownPendingError, ChainError.
        """
        if self._journal.open():
            raise SendError(f"{call.action}: an earlier transaction is still open")
        gas, listed = self._simulate(call)
        nonce = self._nonce()
        head = self._head()
        fees = market_fees(head.base_fee, self._tip(), self._max_fee)
        self._require_funds(gas * fees.max_fee)
        entry = self._sign(call, nonce, gas, listed, fees, head.number)
        return self._wait(nonce, self._broadcast(entry))

    def _simulate(self, call: Call) -> tuple[int, AccessList]:
        """Gas limit for the call, a quarter above the estimate, and its access list where that makes it cheaper. Raises
        SimulationError if it would revert."""
        request: Any = {"from": self.address, "to": call.to, "data": call.data}
        try:
            # A call first: its error carries the revert data, which not every node gives for an estimate.
            self._w3.eth.call(request)
            estimate = self._w3.eth.estimate_gas(request)
            listed = access.listed(self._w3, request)
            with_list = self._w3.eth.estimate_gas(request | {"accessList": listed}) if listed else estimate
        except ContractLogicError as error:
            data = error.data if isinstance(error.data, str) else ""
            selector, name, arguments = contracts.describe_revert(data)
            raise SimulationError(call.action, selector, name, arguments) from None
        except requests.exceptions.RequestException as error:
            raise ChainError(f"simulating {call.action}: the node does not answer ({type(error).__name__})") from error
        except Web3Exception as error:
            raise self._translated(error, f"simulating {call.action}") from error
        return (estimate * 5 // 4, listed) if with_list < estimate else (estimate * 5 // 4, ())

    def _nonce(self) -> int:
        address = self._account.address
        mined = ask(lambda: self._w3.eth.get_transaction_count(address, "latest"), "nonce")
        pending = ask(lambda: self._w3.eth.get_transaction_count(address, "pending"), "nonce")
        if pending > mined:
            raise UnknownPendingError(
                f"account {address}: {pending - mined} pending transaction(s) that the journal does not know; "
                "the key must be the keeper's alone, wait for them or use another key"
            )
        return mined

    def _require_funds(self, needed: int) -> None:
        balance = ask(lambda: self._w3.eth.get_balance(self._account.address), "balance")
        if balance < needed:
            raise InsufficientFundsError(
                f"account {self.address}: has {balance} wei, the transaction may cost up to {needed} wei; fund it"
            )

    def _sign(self, call: Call, nonce: int, gas: int, listed: AccessList, fees: Fees, block: int) -> Entry:
        """Signs and writes down; from here on the nonce belongs to this call."""
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": call.to,
            "data": call.data,
            "value": 0,
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.tip,
            "accessList": listed,
        }
        signed = self._account.sign_transaction(transaction)
        return self._journal.add(
            nonce=nonce,
            action=call.action,
            period=call.period,
            recipient=call.to,
            data=call.data,
            gas=gas,
            max_fee=fees.max_fee,
            tip=fees.tip,
            tx_hash=signed.hash.to_0x_hex(),
            raw=signed.raw_transaction.to_0x_hex(),
            block=block,
        )

    def _broadcast(self, entry: Entry) -> bool:
        """Sends the bytes to where they go now; whether any node took them, as far as is known."""
        if self._private is None:
            return self._hand_to(self._w3, entry, "public")
        taken = self._hand_to(self._private, entry, "private")
        if not self._overdue(entry):
            return taken
        log.warning("not mined in private, public from here", nonce=entry.nonce, blocks=self._private_blocks)
        return self._hand_to(self._w3, entry, "public") or taken

    def _overdue(self, entry: Entry) -> bool:
        """Whether this nonce's call has waited so long that it goes to the public node too."""
        first = self._of(entry.nonce)[0].signed_block
        return 0 < self._private_blocks <= self._head().number - first

    def _hand_to(self, w3: Web3, entry: Entry, way: str) -> bool:
        """Sends the bytes to one node; whether it took them. That it has them already is success; no answer is not
        failure: the wait will tell."""
        try:
            w3.eth.send_raw_transaction(entry.raw)  # type: ignore[arg-type]
        except requests.exceptions.RequestException as error:
            log.warning("no answer to a transaction", way=way, hash=entry.hash, error=type(error).__name__)
            return False
        except (Web3Exception, ValueError) as error:
            if any(word in str(error).lower() for word in _KNOWN):
                return True
            translated = self._translated(error, f"sending {entry.action}")
            if isinstance(translated, NonceTooLowError | UnderpricedError | ChainError):
                # Mined meanwhile, outbid, or a node's whim: what the chain says decides.
                # What a private endpoint says may hold its key.
                said = str(translated) if way == "public" else type(translated).__name__
                log.warning("not accepted by the node", way=way, hash=entry.hash, error=said)
                return False
            raise translated from error
        log.info("sent", way=way, action=entry.action, nonce=entry.nonce, hash=entry.hash, max_fee=entry.max_fee)
        return True

    def _wait(self, nonce: int, accepted: bool) -> Mined | None:
        """Waits until the nonce is mined, replacing what takes too long; what was not `accepted` in the next block."""
        since = self._head().number
        while True:
            mined = self._look(nonce)
            if mined is not None or not self._of(nonce):
                return mined
            head = self._head()
            if head.number - since >= (self._bump_blocks if accepted else 1):
                accepted = self._bump(nonce, head)
                since = head.number
            if self._pause():
                return None

    def _look(self, nonce: int, again: bool = True) -> Mined | None:
        """Notes what became of a nonce. Raises RevertedError."""
        # The count is asked first: if a receipt is missing after it, the nonce was used by something else.
        count = ask(lambda: self._w3.eth.get_transaction_count(self._account.address, "latest"), "nonce")
        for entry in self._of(nonce):
            receipt = self._receipt(entry.hash)
            if receipt is None:
                continue
            succeeded = receipt["status"] == 1
            price = receipt.get("effectiveGasPrice", entry.max_fee)
            self._journal.mined(
                entry,
                succeeded=succeeded,
                block=receipt["blockNumber"],
                gas_used=receipt["gasUsed"],
                gas_price=price,
            )
            if not succeeded:
                raise RevertedError(f"{entry.action}: {entry.hash} was mined and reverted; looking again")
            return Mined(entry.action, entry.hash, receipt["blockNumber"], receipt["gasUsed"], price)
        if count > nonce and again:
            # Receipts may lag behind the count where several nodes answer for one.
            self._pause()
            return self._look(nonce, again=False)
        if count > nonce:
            log.warning("nonce used by a transaction that the journal does not know", nonce=nonce)
            self._journal.superseded(nonce)
        return None

    def _receipt(self, tx_hash: str) -> Any:
        def question() -> Any:
            try:
                return self._w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]
            except TransactionNotFound:
                return None

        return ask(question, f"receipt of {tx_hash}")

    def _of(self, nonce: int) -> list[Entry]:
        return [entry for entry in self._journal.open() if entry.nonce == nonce]

    def _bump(self, nonce: int, head: Head) -> bool:
        """The same call under the same nonce for more, or the same bytes again where more is too much; whether the
        node took it."""
        last = self._of(nonce)[-1]
        old = Fees(last.max_fee, last.tip)
        try:
            fees = bumped_fees(old, market_fees(head.base_fee, self._tip(), self._max_fee), self._max_fee)
        except FeeTooHighError as error:
            log.warning("cannot replace", hash=last.hash, error=str(error))
            fees = None
        if fees is None:
            return self._broadcast(last)
        call = Call(last.action, last.period, last.recipient, last.data)
        log.info("replacing", nonce=nonce, hash=last.hash, max_fee=fees.max_fee)
        return self._broadcast(self._sign(call, nonce, last.gas, _listed_in(last.raw), fees, head.number))

    def _reopen_after_reorg(self) -> None:
        """A mined transaction that the chain has lost again is open again."""
        newest = self._journal.highest()
        if newest is None or newest.mined_block is None:
            return
        if abs(self._head().number - newest.mined_block) > REORG_BLOCKS:
            return
        count = ask(lambda: self._w3.eth.get_transaction_count(self._account.address, "latest"), "nonce")
        if newest.nonce >= count:
            log.warning("a mined transaction is gone from the chain", hash=newest.hash, nonce=newest.nonce)
            self._journal.reopen(newest.nonce)

    def _translated(self, error: Exception, what: str) -> SendError | ChainError:
        """The node's refusal as one of our errors."""
        text = str(error.message if isinstance(error, Web3RPCError) else error).lower()
        if "insufficient funds" in text:
            return InsufficientFundsError(f"account {self.address}: not enough ether for gas ({what}); fund it")
        if "nonce too low" in text:
            return NonceTooLowError(f"{what}: nonce too low")
        if any(word in text for word in _UNDERPRICED):
            return UnderpricedError(f"{what}: underpriced")
        return ChainError(f"{what}: {' '.join(text.split())[:200]}")


def sender_for(
    chain: Chain, account: LocalAccount, journal: Journal, settings: Settings, secrets: Secrets, stop: threading.Event
) -> Sender:
    """The sender that the settings describe."""
    private = secrets.private_rpc_url
    return Sender(
        chain.w3,
        account,
        journal,
        chain_id=chain.book.chain_id,
        max_fee=settings.max_fee_gwei * 10**9,
        bump_blocks=settings.bump_blocks,
        private=None if private is None else connect(private.get_secret_value()),
        private_blocks=settings.private_blocks,
        head=chain.head,
        tip=chain.tip,
        pause=lambda: stop.wait(settings.poll_seconds),
    )


def _listed_in(raw: str) -> AccessList:
    """The access list of a signed transaction."""
    return tuple(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["accessList"])


def _gwei(wei: int) -> str:
    """Wei in gwei for people, two digits, rounded up."""
    hundredths = -(-wei // 10**7)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
