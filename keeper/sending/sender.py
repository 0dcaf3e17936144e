"""Sending one call: simulate, sign, write to the journal, send, watch, replace, cancel.

With a private endpoint signed transactions go there alone, so that nobody who watches the public pool can trade around
them. What is not mined within a number of blocks also goes to the public node under the same nonce, so that only one
can be mined; its minimum value bounds what anybody can take. All questions go to the public node.

The rule that everything here serves: a nonce whose fate is unknown is never used for anything else. A signed
transaction is in the journal before it is sent. A keeper that starts with an open one first finds out what became of
it, sending the same bytes again as often as it takes: they can be mined only once. Only a no-op, a transaction of
nothing to the account itself, may take an open nonce from its call.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3

from ballast.units import GWEI, HOUR_S
from keeper.errors import (
    CancelledError,
    FeeTooHighError,
    InsufficientFundsError,
    RejectedError,
    RevertedError,
    SendError,
    SimulationError,
    UnknownPendingError,
)
from keeper.keys.signer import Signer
from keeper.look.chain import Chain, Head, ask
from keeper.look.rpc import single
from keeper.sending.access import AccessList
from keeper.sending.fees import Fees, Urgency, bumped_fees, highest
from keeper.sending.journal import CANCEL, Entry, Journal
from keeper.sending.simulate import Call, estimate, require_success
from keeper.sending.watch import Receipt, Watch
from keeper.sending.wire import Taken, Wire
from keeper.settings import Secrets, Settings

log = structlog.get_logger("keeper.sender")

PATIENCE = 8
"""Pauses in one wait for a receipt before other funds get their turn."""


@dataclass(frozen=True)
class Mined:
    """A mined, successful transaction. Action `cancel`: a no-op that took another call's nonce."""

    action: str
    hash: str
    block: int
    gas_used: int
    gas_price: int


@dataclass(frozen=True)
class _Try:
    """The last change to what is sent with a nonce: its block, and the nodes' last answer to it."""

    block: int
    taken: Taken


class Sender:
    """Sends for one account that nobody else uses. One call at a time is open.

    A wait for a receipt ends after `patience` pauses (None: never), so that the caller can do other work and come back
    with `settle`. `pause` waits until the next look and returns True if the keeper should stop.
    """

    def __init__(
        self,
        w3: Web3,
        signer: Signer,
        journal: Journal,
        *,
        chain_id: int,
        urgency: Urgency,
        bump_blocks: int,
        confirmations: int,
        private: Web3 | None = None,
        private_blocks: int = 0,
        head: Callable[[], Head],
        tip: Callable[[], int],
        pause: Callable[[], bool],
        patience: int | None = None,
    ) -> None:
        self._w3 = w3
        self._signer = signer
        self._journal = journal
        self._chain_id = chain_id
        self._urgency = urgency
        self._bump_blocks = bump_blocks
        self._wire = Wire(w3, journal, signer.address, private, private_blocks)
        self._head = head
        self._tip = tip
        self._pause = pause
        self._patience = patience
        self._watch = Watch(w3, signer.address, journal, confirmations)
        self._tries: dict[int, _Try] = {}
        self._sensed: tuple[int, str] | None = None
        self._ending = False

    @property
    def address(self) -> str:
        return self._signer.address

    @property
    def unresolved(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._journal.open())

    def watch(self, head: Head) -> bool:
        """Checks mined, unconfirmed transactions in a new block: notes confirmations, and reopens what a reorganization
        removed. Returns whether a transaction is open: if so, `settle` must come before anything else in this block.
        Asks the node nothing while all is confirmed.

        Raises ChainError, JournalError, SendError.
        """
        self._watch.look(head)
        return self.unresolved

    def settle(self) -> Mined | None:
        """Goes on with the open transaction of the lowest nonce; None if there is none, if it is still open, or if a
        transaction from elsewhere replaced it. Raises RevertedError, ChainError, JournalError, SendError."""
        self._watch.look(self._head())
        entries = self._journal.open()
        if not entries:
            return None
        nonce = min(entry.nonce for entry in entries)
        if nonce not in self._tries:
            last = self._journal.current(nonce)
            log.info("resolving an open transaction", nonce=nonce, action=last.action, hash=last.hash)
        return self._carry(nonce)

    def cancel(self) -> list[Entry]:
        """Closes all open nonces, by no-ops if they are not mined meanwhile, waits, and returns what was mined. Returns
        early where `settle` would. Raises ChainError, JournalError, SendError."""
        ended: list[Entry] = []
        self._ending = True
        try:
            self._watch.look(self._head())
            while (nonce := self._lowest()) is not None:
                try:
                    self._carry(nonce)
                except RevertedError as error:
                    log.info("ended by its own revert", error=str(error))
                if self._lowest() == nonce:
                    break
                ended += [entry for entry in self._journal.of(nonce) if entry.mined_block is not None]
        finally:
            self._ending = False
        return ended

    def send(self, call: Call) -> Mined | None:
        """Sends a call and waits for it; None while it is open: `settle` goes on with it.

        Also None, with nothing sent, if a reorganization has reopened an earlier transaction. Raises
        SimulationError, RevertedError, CancelledError, InsufficientFundsError, FeeTooHighError, UnknownPendingError,
        ChainError, JournalError, SigningError.
        """
        if self._journal.open():
            raise SendError(f"{call.action}: an earlier transaction is still open")
        head = self._head()
        nonce = self._nonce(head)
        if nonce is None:
            return None
        found = estimate(self._w3, self.address, call, head)
        fees = self._market(head, call.deadline)
        self._require_funds(found.gas * fees.max_fee)
        self._sign(call, nonce, found.gas, found.listed, fees, head.number)
        self._sensed = (nonce, head.hash)
        mined = self._carry(nonce)
        if mined is not None and mined.action == CANCEL:
            raise CancelledError(f"{call.action}: no longer possible; the no-op {mined.hash} took its nonce {nonce}")
        return mined

    def _nonce(self, head: Head) -> int | None:
        """The next nonce in this block; None if the journal has used it in blocks that are gone, as it is then open
        again. Raises UnknownPendingError."""
        count = self._watch.count_in(head)
        if self._watch.compare(count, head):
            return None
        pending = self._watch.count("pending")
        if pending > count:
            raise UnknownPendingError(
                f"account {self.address}: {pending - count} pending transaction(s) that the journal does not know; "
                "the key must be the keeper's alone, wait for them or use another key"
            )
        return count

    def _market(self, head: Head, deadline: int | None) -> Fees:
        """Fees for a new transaction with this deadline. Raises FeeTooHighError."""
        return self._urgency.market(head.base_fee, self._tip(), head.time, deadline)

    def _require_funds(self, needed: int) -> None:
        address = Web3.to_checksum_address(self.address)
        balance = ask(lambda: self._w3.eth.get_balance(address), "balance")
        if balance < needed:
            raise InsufficientFundsError(
                f"account {self.address}: has {balance} wei, the transaction may cost up to {needed} wei; fund it"
            )

    def _sign(self, call: Call, nonce: int, gas: int, listed: AccessList, fees: Fees, block: int) -> Entry:
        """Signs and writes to the journal; from here on the nonce belongs to this call."""
        signed = self._signer.sign(
            {
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
        )
        return self._journal.add(
            nonce=nonce,
            action=call.action,
            period=call.period,
            recipient=call.to,
            data=call.data,
            gas=gas,
            max_fee=fees.max_fee,
            tip=fees.tip,
            tx_hash=signed.hash,
            raw=signed.raw,
            block=block,
            deadline=call.deadline,
        )

    def _carry(self, nonce: int) -> Mined | None:
        """Watches and pushes a nonce until its fate is known, patience ends, the keeper should stop, or an earlier
        nonce is open again. Raises RevertedError, RejectedError, InsufficientFundsError, ChainError, JournalError."""
        for _ in itertools.count() if self._patience is None else range(max(1, self._patience)):
            head = self._head()
            self._watch.look(head)
            if self._lowest() != nonce:
                return None
            fate = self._watch.fate(nonce, head)
            if not fate.used and self._push(nonce, head):
                fate = self._watch.fate(nonce, head)
            if not self._is_open(nonce):
                return self._ended(nonce, fate.receipt)
            if self._pause():
                return None
        return None

    def _ended(self, nonce: int, found: Receipt | None) -> Mined | None:
        """The result for a nonce whose fate is known; None if something else used it. Raises RevertedError."""
        self._tries.pop(nonce, None)
        if found is None:
            return None
        if not found.succeeded:
            raise RevertedError(f"{found.entry.action}: {found.entry.hash} was mined and reverted; looking again")
        return Mined(found.entry.action, found.entry.hash, found.block, found.gas_used, found.gas_price)

    def _push(self, nonce: int, head: Head) -> bool:
        """Does what an open nonce needs in this block; returns whether anything was sent."""
        last = self._journal.current(nonce)
        tried = self._tries.get(nonce)
        if last.action != CANCEL and (reason := self._pointless(last, head)) is not None:
            return self._replace_by_noop(last, head, reason)
        if tried is None:
            # From an earlier run, or reopened: send the signed bytes.
            self._hand(last, head, head.number)
        elif head.number - tried.block >= (1 if tried.taken is Taken.CHEAP else self._bump_blocks):
            self._bump(last, head)
        elif tried.taken in (Taken.UNKNOWN, Taken.NONCE):
            self._hand(last, head, min(tried.block, head.number))
        else:
            return False
        return True

    def _pointless(self, entry: Entry, head: Head) -> str | None:
        """Why an open call is pointless in this block, None if it is not."""
        tried = self._tries.get(entry.nonce)
        if self._ending:
            return "asked for"
        if tried is not None and tried.taken is Taken.DEAD:
            return "no node takes it as it is"
        if self._sensed == (entry.nonce, head.hash):
            return None
        reason: str | None = None
        try:
            require_success(self._w3, self.address, _call_of(entry), head)
        except SimulationError as error:
            # If this very block has mined it, it reverts only for that reason.
            if self._watch.count_in(head) <= entry.nonce:
                reason = str(error)
        if reason is None and entry.deadline is not None and head.time > entry.deadline:
            try:
                self._market(head, entry.deadline)
            except FeeTooHighError as error:
                reason = f"its time is over and gas too dear ({error})"
        self._sensed = (entry.nonce, head.hash)
        return reason

    def _replace_by_noop(self, last: Entry, head: Head, reason: str) -> bool:
        """Lets a no-op compete for the nonce, at 9/8 of the most that was signed with it; returns whether it was
        sent."""
        fees = self._more(last.nonce, self._urgency.noop(head.base_fee, self._tip()), self._urgency.noop_cap)
        if fees is None:
            log.warning("cannot cancel, too dear", nonce=last.nonce, hash=last.hash, reason=reason)
            return False
        log.warning("cancelling", nonce=last.nonce, hash=last.hash, reason=reason, max_fee=fees.max_fee)
        noop = Call(CANCEL, last.period, self.address, "0x")
        gas = estimate(self._w3, self.address, noop, head).gas
        self._hand(self._sign(noop, last.nonce, gas, (), fees, head.number), head, head.number)
        return True

    def _bump(self, last: Entry, head: Head) -> None:
        """The same call and nonce at a higher fee, or the same bytes again if that is above the cap."""
        fees = None
        try:
            if last.action == CANCEL:
                market, cap = self._urgency.noop(head.base_fee, self._tip()), self._urgency.noop_cap
            else:
                market, cap = self._market(head, last.deadline), self._urgency.cap(head.time, last.deadline)
            fees = self._more(last.nonce, market, cap)
        except FeeTooHighError as error:
            log.warning("cannot replace", hash=last.hash, error=str(error))
        entry = last
        if fees is not None:
            log.info("replacing", nonce=last.nonce, hash=last.hash, max_fee=fees.max_fee)
            entry = self._sign(_call_of(last), last.nonce, last.gas, _listed_in(last.raw), fees, head.number)
        self._hand(entry, head, head.number)

    def _more(self, nonce: int, market: Fees, most: int) -> Fees | None:
        """Fees that replace whatever a node has with this nonce; None if above `most`."""
        return bumped_fees(highest(Fees(one.max_fee, one.tip) for one in self._journal.of(nonce)), market, most)

    def _hand(self, entry: Entry, head: Head, since: int) -> None:
        """Sends a transaction and keeps the result; `since`: block from which its wait counts."""
        # Kept first, so that an error here does not lead to signing again at a higher fee.
        self._tries[entry.nonce] = _Try(since, Taken.UNKNOWN)
        waiting = head.number - self._journal.of(entry.nonce)[0].signed_block
        taken = self._wire.hand(entry, waiting)
        if taken is Taken.DEAD and entry.action == CANCEL:
            raise RejectedError(f"cancelling nonce {entry.nonce}: no node takes a no-op of {entry.gas} gas")
        self._tries[entry.nonce] = _Try(since, taken)

    def _lowest(self) -> int | None:
        """The lowest open nonce, None if there is none."""
        return min((entry.nonce for entry in self._journal.open()), default=None)

    def _is_open(self, nonce: int) -> bool:
        return any(entry.nonce == nonce for entry in self._journal.open())


def _call_of(entry: Entry) -> Call:
    return Call(entry.action, entry.period, entry.recipient, entry.data, entry.deadline)


def _listed_in(raw: str) -> AccessList:
    """The access list of a signed transaction."""
    return tuple(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["accessList"])


def sender_for(
    chain: Chain,
    signer: Signer,
    journal: Journal,
    settings: Settings,
    secrets: Secrets,
    stop: threading.Event,
    patience: int | None = PATIENCE,
) -> Sender:
    """The sender that the settings describe."""
    private = secrets.private_rpc_url
    return Sender(
        chain.w3,
        signer,
        journal,
        chain_id=chain.book.chain_id,
        urgency=Urgency(
            settings.max_fee_gwei * GWEI, settings.urgent_max_fee * GWEI, int(settings.urgent_hours * HOUR_S)
        ),
        bump_blocks=settings.bump_blocks,
        confirmations=settings.confirmations,
        private=None if private is None else single(private.get_secret_value()),
        private_blocks=settings.private_blocks,
        head=chain.head,
        tip=chain.tip,
        pause=lambda: stop.wait(settings.poll_seconds),
        patience=patience,
    )
