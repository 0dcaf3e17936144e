"""Sends signed bytes to nodes: for some blocks to a private endpoint alone, or to the public node."""

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
    """A node's answer to bytes; of two nodes' answers the greater one counts."""

    DEAD = 0  # no node will ever take them
    CHEAP = 1  # the fee is too low
    UNKNOWN = 2  # no answer, or an inconclusive one
    NONCE = 3  # the node's nonce differs from the one read
    HAS = 4  # the node has them


_MEANING = {
    UnderpricedError: Taken.CHEAP,
    NonceTooLowError: Taken.NONCE,
    NonceTooHighError: Taken.NONCE,
    RejectedError: Taken.DEAD,
}


class Wire:
    """The endpoints for sending. `private_blocks`: blocks after which a transaction of the private endpoint also goes
    to the public node; 0: never."""

    def __init__(self, w3: Web3, journal: Journal, account: str, private: Web3 | None, private_blocks: int) -> None:
        self._w3 = w3
        self._journal = journal
        self._account = account
        self._private = private
        self._private_blocks = private_blocks

    def hand(self, entry: Entry, waiting: int) -> Taken:
        """Sends a transaction; `waiting`: blocks since something was first signed with its nonce. The journal notes it
        before sending, and again when a node has it. Raises InsufficientFundsError, JournalError."""
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
        """Returns UNKNOWN without an answer: the chain decides. Raises InsufficientFundsError."""
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
            # A private endpoint's message may hold its key.
            said = str(found) if way == "public" else type(found).__name__
            log.warning("not accepted by the node", way=way, hash=entry.hash, error=said)
            return next((taken for kind, taken in _MEANING.items() if isinstance(found, kind)), Taken.UNKNOWN)
        if entry.status is not Status.SUBMITTED:
            log.info("sent", way=way, action=entry.action, nonce=entry.nonce, hash=entry.hash, max_fee=entry.max_fee)
        return Taken.HAS
