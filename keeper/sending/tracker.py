"""Follows the journal's nonces on the chain: receipts, confirmations, and reorganizations.

A receipt counts as mined at once, so that the next batch need not wait, and as confirmed after a number of blocks.
Until then it is looked for in every new block. A later reorganization is noticed when the next nonce is chosen: if the
journal has mined that nonce, its transactions are sent again instead.
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
"""Of Ethereum. No reorganization reaches deeper, by its finality; a rollup follows it."""

LATE_BLOCKS = 16
"""Of Ethereum. Blocks that a receipt may lag behind the used nonce."""


@dataclass(frozen=True)
class Receipt:
    """A receipt; `gas_price` in wei per gas, with what an OP-stack chain took for the data."""

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
    """Reads the chain for one account and notes the findings in the journal. Every method raises ChainError and
    JournalError."""

    def __init__(self, w3: Web3, address: str, journal: Journal, confirmations: int, network: Network) -> None:
        """`confirmations`: of the chain's own blocks."""
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
        """The same in one block."""
        return self.count(pinned(head))

    def fate(self, nonce: int, head: Head) -> Fate:
        """What became of an open nonce; noted in the journal.

        If the nonce is used and none of ours has a receipt, receipts may lag behind the count, for instance behind a
        load balancer. After LATE_BLOCKS it counts as used by a transaction that the journal does not know, and its
        entries are closed.
        """
        # The count first: a receipt missing after it is late or does not exist.
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
        """Confirms what is old enough in this block, and reopens what is gone from the chain. Asks nothing while all is
        confirmed and nothing open. Raises SendError if the chain is not the journal's."""
        entries = self._journal.unconfirmed()
        # An open one waits for all nonces below, and one of those may have been lost after confirmation.
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
        """Reopens what is mined in the journal but not on the chain (`count`: its next nonce in this block); returns
        whether there was any. Raises SendError if that is more than a reorganization."""
        gone = self._journal.closed_from(count)
        if not gone:
            return False
        first = min(entry.nonce for entry in gone)
        oldest = max(entry.mined_block or entry.signed_block for entry in gone if entry.nonce == first)
        # Nonces are used in order: a chain that also lacks one below the journal's first is another chain.
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
        """Raises ChainError if the account's next nonce (`count`) lies above the journal's and has not done so for
        LATE_BLOCKS: a node that lies, or somebody else who uses the key."""
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
        """A used nonce without a receipt: it is late, or the chain has another transaction in its place."""
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
    """What an OP-stack chain took for a transaction's data (`l1Fee`), wei for each gas it used, rounded up. Arbitrum
    has it in the gas that was used."""
    fee = receipt.get("l1Fee")
    return 0 if fee is None else -(-int(str(fee), 16) // int(receipt["gasUsed"]))


def _reverted(entry: Entry) -> bool:
    return entry.status is Status.REVERTED
