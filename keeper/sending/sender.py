"""Sends one call: simulate, sign, write to the journal, broadcast, watch, replace, cancel.

With a private endpoint, signed transactions go there alone, so that nobody who watches the public mempool can trade
around them. A transaction that is not mined within a number of blocks also goes to the public node; with the same nonce
only one can be mined, and the order's minimum value bounds what anybody can extract. All queries go to the public node.

The invariant: the keeper never uses a nonce of unknown fate for anything else. A signed transaction is in the journal
before the keeper sends it. A keeper that starts with an open one first finds out what became of it, and sends the same
bytes again as often as needed: they can be mined only once. Only a no-op, an empty transaction to the account itself,
may take an open nonce from its call.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from web3 import Web3

from ballast.networks.presets import network_of
from ballast.units import GWEI, HOUR_S
from keeper.errors import (
    CancelledError,
    ChainError,
    InsufficientFundsError,
    RevertedError,
    SendError,
    UnknownPendingError,
)
from keeper.keys.signer import Signer
from keeper.look.fund_reader import FundReader, Head, ask
from keeper.look.rpc import single
from keeper.sending.broadcast import Broadcaster
from keeper.sending.fees import Urgency
from keeper.sending.journal import CANCEL, Entry, Journal
from keeper.sending.open_nonces import OpenNonces
from keeper.sending.simulate import Call, estimate
from keeper.sending.tracker import Receipt, TransactionTracker
from keeper.settings import Secrets, Settings

log = structlog.get_logger("keeper.sender")

PATIENCE = 8
"""Pauses in one wait for a receipt before the keeper looks at other funds."""


@dataclass(frozen=True)
class Mined:
    """A mined, successful transaction. Action `cancel`: a no-op that took another call's nonce. `gas_price`: wei per
    gas."""

    action: str
    hash: str
    block: int
    gas_used: int
    gas_price: int


class Sender:
    """Sends for one account that nobody else uses. Only one call is open at a time.

    A wait for a receipt ends after `patience` pauses (None: never), so that the caller can do other work and resume
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
        self._account = signer.address
        self._journal = journal
        self._head = head
        self._pause = pause
        self._patience = patience
        # Settings and constants are in Ethereum blocks.
        on = self._network = network_of(chain_id)
        self._tracker = TransactionTracker(w3, signer.address, journal, on.blocks(confirmations), on)
        self._open_nonces = OpenNonces(
            w3,
            signer,
            journal,
            self._tracker,
            Broadcaster(w3, journal, signer.address, private, on.blocks(private_blocks)),
            network=on,
            urgency=urgency,
            bump_blocks=bump_blocks,
            tip=tip,
        )
        self._ending = False

    @property
    def address(self) -> str:
        return self._account

    @property
    def unresolved(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._journal.open())

    def watch(self, head: Head) -> bool:
        """Checks mined, unconfirmed transactions in a new block: records confirmations and reopens what a
        reorganization removed. Returns whether a transaction is open: if so, call `settle` before anything else in this
        block. Sends the node no requests while all are confirmed.

        Raises ChainError, JournalError, SendError.
        """
        self._tracker.look(head)
        return self.unresolved

    def settle(self) -> Mined | None:
        """Continues with the open transaction of the lowest nonce; None if there is none, if it is still open, or if a
        transaction outside the journal replaced it. Raises RevertedError, ChainError, JournalError, SendError."""
        self._tracker.look(self._head())
        entries = self._journal.open()
        if not entries:
            return None
        nonce = min(entry.nonce for entry in entries)
        if not self._open_nonces.knows(nonce):
            last = self._journal.current(nonce)
            log.info("resolving an open transaction", nonce=nonce, action=last.action, hash=last.hash)
        return self._carry(nonce)

    def cancel(self) -> list[Entry]:
        """Closes all open nonces and waits for them: cancels with no-ops whatever is not mined meanwhile, and fills
        nonces missing below an open one. Returns what was mined; returns early where `settle` would. Raises ChainError,
        JournalError, SendError."""
        ended: list[Entry] = []
        self._ending = True
        try:
            head = self._head()
            self._tracker.look(head)
            self._fill_gap(head)
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
        """Sends a call and waits for it; None if it is still open: `settle` continues with it.

        Also None, with nothing sent, if a reorganization has reopened an earlier transaction. Raises
        SimulationError, RevertedError, RejectedError, CancelledError, InsufficientFundsError, FeeTooHighError,
        UnknownPendingError, ChainError, JournalError, SigningError.
        """
        if self._journal.open():
            raise SendError(f"{call.action}: an earlier transaction is still open")
        head = self._head()
        nonce = self._nonce(head)
        if nonce is None:
            return None
        found = estimate(self._w3, self.address, call, head, self._network.most_gas)
        fees = self._open_nonces.let_through(call, self._open_nonces.market(head, call.deadline), found.gas, head)
        self._require_funds(found.gas * fees.max_fee)
        self._open_nonces.sign(call, nonce, found.gas, found.listed, fees, head)
        mined = self._carry(nonce)
        if mined is not None and mined.action == CANCEL:
            raise CancelledError(f"{call.action}: no longer possible; the no-op {mined.hash} took its nonce {nonce}")
        return mined

    def _nonce(self, head: Head) -> int | None:
        """The next nonce in this block; None if the journal used it in blocks that a reorganization removed: it is then
        open again. Raises UnknownPendingError, and ChainError if the node's counts contradict each other: a transaction
        with too high a nonce would wait for the lower ones for ever."""
        count = self._tracker.count_in(head)
        if self._tracker.compare(count, head):
            return None
        self._tracker.require_no_gap(count, head)
        pending = self._tracker.count("pending")
        if pending > count:
            raise UnknownPendingError(
                f"account {self.address}: {pending - count} pending transaction(s) that the journal does not know; "
                "the key must be the keeper's alone, wait for them or use another key"
            )
        if pending < count:
            raise ChainError(
                f"account {self.address}: the node counts {count} transactions in block {head.number} and {pending} "
                "with the pending ones; it lags, waiting until both fit"
            )
        return count

    def _fill_gap(self, head: Head) -> None:
        """Signs no-ops for nonces below the lowest open one that have no transaction and therefore block it."""
        opened = self._journal.open()
        if not opened:
            return
        lowest = min(opened, key=lambda entry: entry.nonce)
        for nonce in range(self._tracker.count_in(head), lowest.nonce):
            if not self._journal.of(nonce):
                log.warning("filling a gap", nonce=nonce, below=lowest.nonce)
                self._open_nonces.fill(nonce, lowest, head)

    def _require_funds(self, needed: int) -> None:
        address = Web3.to_checksum_address(self.address)
        balance = ask(lambda: self._w3.eth.get_balance(address), "balance")
        if balance < needed:
            raise InsufficientFundsError(
                f"account {self.address}: has {balance} wei, the transaction may cost up to {needed} wei; fund it"
            )

    def _carry(self, nonce: int) -> Mined | None:
        """Watches and pushes a nonce until its fate is known, patience runs out, the keeper should stop, or an earlier
        nonce is open again. Raises RevertedError, RejectedError, InsufficientFundsError, ChainError, JournalError."""
        for _ in itertools.count() if self._patience is None else range(max(1, self._patience)):
            head = self._head()
            self._tracker.look(head)
            if self._lowest() != nonce:
                return None
            fate = self._tracker.fate(nonce, head)
            if not fate.used and self._open_nonces.push(nonce, head, ending=self._ending):
                fate = self._tracker.fate(nonce, head)
            if not self._is_open(nonce):
                return self._ended(nonce, fate.receipt)
            if self._pause():
                return None
        return None

    def _ended(self, nonce: int, found: Receipt | None) -> Mined | None:
        """The result for a nonce whose fate is known; None if a transaction outside the journal used it. Raises
        RevertedError."""
        self._open_nonces.forget(nonce)
        if found is None:
            return None
        if not found.succeeded:
            raise RevertedError(f"{found.entry.action}: {found.entry.hash} was mined and reverted; looking again")
        return Mined(found.entry.action, found.entry.hash, found.block, found.gas_used, found.gas_price)

    def _lowest(self) -> int | None:
        """The lowest open nonce, None if there is none."""
        return min((entry.nonce for entry in self._journal.open()), default=None)

    def _is_open(self, nonce: int) -> bool:
        return any(entry.nonce == nonce for entry in self._journal.open())


def sender_for(
    chain: FundReader,
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
