"""Tracks the journal's nonces on the chain: receipts, confirmations, and reorganizations.

A transaction with a receipt counts as mined at once, so that the next batch need not wait, and as confirmed after a
number of blocks. Until then the tracker looks for its receipt in every new block. It notices a later reorganization
when the sender chooses the next nonce: if the journal has that nonce as mined, its transactions are sent again instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from web3 import Web3
from web3.exceptions import TransactionNotFound
from web3.types import BlockIdentifier

from ballast.networks.presets import Network
from keeper.errors import ChainError, SendError
from keeper.look.fund_reader import Head, ask
from keeper.sending.journal import Entry, Journal, Status
from keeper.sending.simulate import pinned

log = structlog.get_logger("keeper.sender")

REORG_BLOCKS = 64
"""Ethereum blocks. No reorganization is deeper, as Ethereum has finalized by then; a rollup follows Ethereum."""

LATE_BLOCKS = 16
"""Ethereum blocks by which a receipt may lag behind the account's nonce."""


@dataclass(frozen=True)
class Receipt:
    """A receipt; `gas_price` in wei per gas, including an OP-stack chain's fee for the data."""

    entry: Entry
    succeeded: bool
    block: int
    gas_used: int
    gas_price: int


@dataclass(frozen=True)
class Fate:
    """Whether the chain has used an open nonce, and the receipt of our transaction with it, if any."""

    used: bool
    receipt: Receipt | None = None


class TransactionTracker:
    """Reads the chain for one account and records its findings in the journal. Every method raises ChainError and
    JournalError."""

    def __init__(self, w3: Web3, address: str, journal: Journal, confirmations: int, network: Network) -> None:
        """`confirmations`: in the chain's own blocks."""
        self._w3 = w3
        self._address = Web3.to_checksum_address(address)
        self._journal = journal
        self._confirmations = confirmations
        self._reorg = network.blocks(REORG_BLOCKS)
        self._late = network.blocks(LATE_BLOCKS)
        self._looked: str | None = None

    def count(self, block: BlockIdentifier = "latest") -> int:
        """The account's next nonce on the chain."""
        return ask(lambda: self._w3.eth.get_transaction_count(self._address, block), "nonce")

    def count_in(self, head: Head) -> int:
        """The account's next nonce in one block."""
        return self.count(pinned(head))

    def fate(self, nonce: int, head: Head) -> Fate:
        """Finds what became of an open nonce and records it in the journal.

        If the nonce is used and none of our transactions has a receipt, receipts may lag behind the nonce, for instance
        behind a load balancer. After LATE_BLOCKS the nonce counts as used by a transaction that the journal does not
        know, and the tracker closes its entries.
        """
        # The count first: a receipt that is missing afterwards is late or does not exist.
        if self.count() <= nonce:
            return Fate(used=False)
        found = self._receipt_of(nonce)
        if found is not None:
            self._note(found)
            return Fate(used=True, receipt=found)
        deep = head.number - self._late
        if deep >= 0 and self.count(deep) > nonce and self._receipt_of(nonce) is None:
            log.warning("nonce used by a transaction that the journal does not know", nonce=nonce)
            self._journal.superseded(nonce)
        return Fate(used=True)

    def look(self, head: Head) -> None:
        """Confirms transactions with enough confirmations in this block, and reopens those gone from the chain. After
        the first look, sends no requests while all are confirmed and none is open. Raises SendError if the chain is not
        the journal's."""
        entries = self._journal.unconfirmed()
        # An open transaction waits for all lower nonces, and a reorganization may have removed one of those even after
        # it was confirmed.
        idle = not entries and not self._journal.open()
        if head.hash == self._looked or (idle and self._looked is not None):
            return
        count = self.count_in(head)
        self.compare(count, head)
        for entry in entries:
            if entry.nonce < count:  # else it is open again
                self._confirm(entry, head)
        self._looked = head.hash

    def _confirm(self, entry: Entry, head: Head) -> None:
        found = self._receipt_of(entry.nonce)
        if found is None:
            self._give_up(entry, head)
            return
        if (found.entry.id, found.block, found.succeeded) != (entry.id, entry.mined_block, not _reverted(entry)):
            log.warning("mined in another block", hash=found.entry.hash, nonce=entry.nonce, block=found.block)
            self._note(found)
        if head.number - found.block >= self._confirmations:
            self._journal.confirmed(found.entry)
            log.info("confirmed", action=found.entry.action, nonce=entry.nonce, hash=found.entry.hash)

    def compare(self, count: int, head: Head) -> bool:
        """Reopens transactions that are mined in the journal but not on the chain (`count`: its next nonce in this
        block); returns whether there were any. Raises SendError if a reorganization cannot explain them."""
        gone = self._journal.closed_from(count)
        if not gone:
            return False
        first = min(entry.nonce for entry in gone)
        oldest = max(entry.mined_block or entry.signed_block for entry in gone if entry.nonce == first)
        # Nonces are used in order: a chain that also lacks a nonce below the first of these is another chain.
        if first > count or abs(head.number - oldest) > self._reorg:
            raise SendError(
                f"BALLAST_JOURNAL: {self._journal.path} says that nonce {first} was used about block {oldest}; in "
                f"block {head.number} the chain's next nonce is {count}. The node is far behind, or this is another "
                "chain: wait for it, or name a new file"
            )
        log.warning("mined transactions are gone from the chain", nonce=first, block=head.number)
        self._journal.reopen(first)
        return True

    def require_no_gap(self, count: int, head: Head) -> None:
        """Raises ChainError if the account's next nonce (`count`) is above the journal's and has not been so for
        LATE_BLOCKS: the node lies, or somebody else uses the key."""
        last = self._journal.last_nonce()
        if last is None or count <= last + 1:
            return
        deep = head.number - self._late
        if deep < 0 or self.count(deep) < count:
            raise ChainError(
                f"account {self._address}: the next nonce in block {head.number} is {count}, the journal's {last + 1}; "
                f"waiting until the chain has said so for {self._late} blocks. The key must be the keeper's alone"
            )

    def _give_up(self, entry: Entry, head: Head) -> None:
        """Closes a used nonce without a receipt after REORG_BLOCKS: until then the receipt may be late, after that the
        chain has another transaction in its place."""
        if entry.mined_block is None or head.number - entry.mined_block > self._reorg:
            log.warning("no receipt any more, the nonce is used", hash=entry.hash, nonce=entry.nonce)
            self._journal.superseded(entry.nonce)

    def _receipt_of(self, nonce: int) -> Receipt | None:
        """The receipt of any of the journal's transactions with this nonce, newest first, whatever their status."""
        for entry in reversed(self._journal.of(nonce)):
            found = self._receipt(entry.hash)
            if found is not None:
                price = found.get("effectiveGasPrice", entry.max_fee) + data_fee_per_gas(found)
                return Receipt(entry, found["status"] == 1, found["blockNumber"], found["gasUsed"], price)
        return None

    def _receipt(self, tx_hash: str) -> Any:
        def question() -> Any:
            try:
                return self._w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]
            except TransactionNotFound:
                return None

        return ask(question, f"receipt of {tx_hash}")

    def _note(self, found: Receipt) -> None:
        self._journal.mined(
            found.entry,
            succeeded=found.succeeded,
            block=found.block,
            gas_used=found.gas_used,
            gas_price=found.gas_price,
        )


def data_fee_per_gas(receipt: Mapping[str, Any]) -> int:
    """An OP-stack chain's fee for a transaction's data (`l1Fee`), wei per gas used, rounded up. Arbitrum includes it in
    the gas used."""
    fee = receipt.get("l1Fee")
    return 0 if fee is None else -(-int(str(fee), 16) // int(receipt["gasUsed"]))


def _reverted(entry: Entry) -> bool:
    return entry.status is Status.REVERTED
