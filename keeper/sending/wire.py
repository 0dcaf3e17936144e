"""Handing signed bytes to nodes: to a private endpoint alone for some blocks, or to the public node."""

from __future__ import annotations

from enum import IntEnum

import requests
import structlog
from web3 import Web3
from web3.exceptions import Web3Exception

from keeper.errors import (
    InsufficientFundsError,
    NonceTooHighError,
    NonceTooLowError,
    RejectedError,
    UnderpricedError,
)
from keeper.sending.journal import Entry, Journal, Status
from keeper.sending.refusals import refusal

log = structlog.get_logger("keeper.sender")


class Taken(IntEnum):
    """What came of handing bytes to a node; of two nodes the better answer counts, the later one here."""

    DEAD = 0  # no node will take them as they are
    CHEAP = 1  # it wants more
    UNKNOWN = 2  # no answer, or one that says nothing about the bytes
    NONCE = 3  # its nonces are not those that were read
    HAS = 4  # it has them


_MEANING = {
    UnderpricedError: Taken.CHEAP,
    NonceTooLowError: Taken.NONCE,
    NonceTooHighError: Taken.NONCE,
    RejectedError: Taken.DEAD,
}


class Wire:
    """The ways out. `private_blocks`: after so many blocks what went to the private endpoint goes to the public node
    too; 0: never."""

    def __init__(self, w3: Web3, journal: Journal, account: str, private: Web3 | None, private_blocks: int) -> None:
        self._w3 = w3
        self._journal = journal
        self._account = account
        self._private = private
        self._private_blocks = private_blocks

    def hand(self, entry: Entry, waiting: int) -> Taken:
        """Hands a transaction to where it goes now; `waiting`: blocks since something was signed with its nonce. That a
        node has it is noted in the journal, and before anything that it is handed out. Raises InsufficientFundsError,
        JournalError."""
        self._journal.sent(entry)
        if self._private is None:
            taken = self._hand_to(self._w3, entry, "public")
        else:
            taken = self._hand_to(self._private, entry, "private")
            if 0 < self._private_blocks <= waiting:
                log.warning("not mined in private, public from here", nonce=entry.nonce, blocks=self._private_blocks)
                taken = max(taken, self._hand_to(self._w3, entry, "public"))
        if taken is Taken.HAS:
            self._journal.submitted(entry)
        return taken

    def _hand_to(self, w3: Web3, entry: Entry, way: str) -> Taken:
        """No answer is not failure: what the chain says decides."""
        try:
            w3.eth.send_raw_transaction(entry.raw)  # type: ignore[arg-type]
        except (requests.exceptions.RequestException, Web3Exception, ValueError) as error:
            found = refusal(error, f"sending {entry.action}", self._account)
            if found is None:
                return Taken.HAS
            if isinstance(found, InsufficientFundsError):
                raise found from error
            if isinstance(error, requests.exceptions.RequestException):
                log.warning("no answer to a transaction", way=way, hash=entry.hash, error=type(error).__name__)
                return Taken.UNKNOWN
            # What a private endpoint says may hold its key.
            said = str(found) if way == "public" else type(found).__name__
            log.warning("not accepted by the node", way=way, hash=entry.hash, error=said)
            return next((taken for kind, taken in _MEANING.items() if isinstance(found, kind)), Taken.UNKNOWN)
        if entry.status is not Status.SUBMITTED:
            log.info("sent", way=way, action=entry.action, nonce=entry.nonce, hash=entry.hash, max_fee=entry.max_fee)
        return Taken.HAS
