"""What the chain says about the nonces in the journal: receipts, their age, and blocks that have left the chain.

A receipt counts as mined at once, so that the next batch need not wait, and as confirmed when it is as many blocks old
as asked for. Until then every new block is looked at for each of them. Later than that a reorganization is noticed when
the next nonce is chosen: one that the journal has mined is not chosen again, its transactions are sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from web3 import Web3
from web3.exceptions import TransactionNotFound
from web3.types import BlockIdentifier

from keeper.errors import SendError
from keeper.look.chain import Head, ask
from keeper.sending.journal import Entry, Journal, Status
from keeper.sending.simulate import pinned

log = structlog.get_logger("keeper.sender")

REORG_BLOCKS = 64
"""No reorganization reaches deeper: finality on Ethereum."""

LATE_BLOCKS = 16
"""A receipt may come so many blocks after the nonce is seen to be used."""


@dataclass(frozen=True)
class Receipt:
    """What became of a transaction; price in wei per gas."""

    entry: Entry
    succeeded: bool
    block: int
    gas_used: int
    gas_price: int


@dataclass(frozen=True)
class Fate:
    """What the chain says of an open nonce: whether it is used, and the receipt of what was signed with it."""

    used: bool
    receipt: Receipt | None = None


class Watch:
    """Looks at the chain for one account and notes in the journal what it finds. Every method raises ChainError and
    JournalError."""

    def __init__(self, w3: Web3, address: str, journal: Journal, confirmations: int) -> None:
        self._w3 = w3
        self._address = Web3.to_checksum_address(address)
        self._journal = journal
        self._confirmations = confirmations
        self._looked: str | None = None

    def count(self, block: BlockIdentifier = "latest") -> int:
        """Nonces of the account that are used on the chain: the next one."""
        return ask(lambda: self._w3.eth.get_transaction_count(self._address, block), "nonce")

    def count_in(self, head: Head) -> int:
        """The same in one block."""
        return self.count(pinned(head))

    def fate(self, nonce: int, head: Head) -> Fate:
        """What became of an open nonce; noted in the journal.

        Where the nonce is used and none of ours has a receipt, receipts may lag behind the count, as where several
        nodes answer for one. Only when it has been used for LATE_BLOCKS it counts as used by a transaction that the
        journal does not know, and its entries are closed.
        """
        # The count is asked first: if a receipt is missing after it, it is late or there is none.
        if self.count() <= nonce:
            return Fate(used=False)
        found = self._receipt_of(nonce)
        if found is not None:
            self._note(found)
            return Fate(used=True, receipt=found)
        deep = head.number - LATE_BLOCKS
        if deep >= 0 and self.count(deep) > nonce and self._receipt_of(nonce) is None:
            log.warning("nonce used by a transaction that the journal does not know", nonce=nonce)
            self._journal.superseded(nonce)
        return Fate(used=True)

    def look(self, head: Head) -> None:
        """Confirms what is old enough in this block, and opens again what is gone from the chain. Asks nothing while
        all is confirmed and nothing open. Raises SendError where the chain is not the journal's."""
        entries = self._journal.unconfirmed()
        # What is open waits for every nonce below it, and one of those may have been lost after it was confirmed.
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
        """Opens again what the journal holds for mined and the chain has not (`count`: its next nonce in this block);
        whether there was any. Raises SendError where that is more than a reorganization."""
        gone = self._journal.closed_from(count)
        if not gone:
            return False
        first = min(entry.nonce for entry in gone)
        oldest = max(entry.mined_block or entry.signed_block for entry in gone if entry.nonce == first)
        # Nonces are used one after the other: a chain that lacks one below the journal's too is not the journal's.
        if first > count or abs(head.number - oldest) > REORG_BLOCKS:
            raise SendError(
                f"BALLAST_JOURNAL: {self._journal.path} says that nonce {first} was used about block {oldest}; in "
                f"block {head.number} the chain's next nonce is {count}. The node is far behind, or this is another "
                "chain: wait for it, or name a new file"
            )
        log.warning("mined transactions are gone from the chain", nonce=first, block=head.number)
        self._journal.reopen(first)
        return True

    def _give_up(self, entry: Entry, head: Head) -> None:
        """A used nonce without a receipt: the node's are late, or the chain holds another one in its place."""
        if entry.mined_block is None or head.number - entry.mined_block > REORG_BLOCKS:
            log.warning("no receipt any more, the nonce is used", hash=entry.hash, nonce=entry.nonce)
            self._journal.superseded(entry.nonce)

    def _receipt_of(self, nonce: int) -> Receipt | None:
        """The receipt of any transaction with this nonce, whatever the journal holds of it. The newest are asked for
        first."""
        for entry in reversed(self._journal.of(nonce)):
            found = self._receipt(entry.hash)
            if found is not None:
                return Receipt(
                    entry,
                    found["status"] == 1,
                    found["blockNumber"],
                    found["gasUsed"],
                    found.get("effectiveGasPrice", entry.max_fee),
                )
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


def _reverted(entry: Entry) -> bool:
    return entry.status is Status.REVERTED
