"""Sends signed bytes to nodes: for some blocks to a private endpoint alone, or to the public node.

| the node says (`Refusal`) | `Taken` | what the keeper does |
|---|---|---|
| nothing, known | HAS | waits for the receipt; pays more after some blocks |
| nonce too low or high | NONCE | looks for receipts of what was signed with it; the same bytes in the next block |
| pool full, reverted, unknown, no answer | UNKNOWN | the same bytes in the next block, for more after some blocks |
| unavailable | AWAY | the same bytes in the next block |
| underpriced, replacement | CHEAP | at least 9/8 of the fees in the next block, within the cap |
| fee cap | DEAR | a quarter less in the next block while the market allows it, then a no-op |
| gas limit, rejected | DEAD | a no-op takes the nonce |
| funds | InsufficientFundsError | says so; the same bytes in the next block |

The same bytes can be mined only once, so sending them again is always safe.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

import requests
import structlog
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from keeper.errors import InsufficientFundsError
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.sending.journal import Entry, Journal, Status

log = structlog.get_logger("keeper.sender")

_HASH = re.compile("0x[0-9a-fA-F]{64}")


class Taken(IntEnum):
    """A node's answer to bytes; of two nodes' answers the greater one counts."""

    DEAD = 0  # no node will ever take them
    DEAR = 1  # the fee is more than the node lets through
    CHEAP = 2  # the fee is too low
    AWAY = 3  # the node takes nothing now
    UNKNOWN = 4  # no answer, or an inconclusive one
    NONCE = 5  # the node's nonce differs from the one read
    HAS = 6  # the node has them


_MEANING = {
    Refusal.REVERTED: Taken.UNKNOWN,  # the call is simulated in every block anyway
    Refusal.KNOWN: Taken.HAS,
    Refusal.NONCE_TOO_LOW: Taken.NONCE,
    Refusal.NONCE_TOO_HIGH: Taken.NONCE,
    Refusal.REPLACEMENT: Taken.CHEAP,
    Refusal.FEE_CAP: Taken.DEAR,
    Refusal.GAS_LIMIT: Taken.DEAD,
    Refusal.REJECTED: Taken.DEAD,
    Refusal.POOL_FULL: Taken.UNKNOWN,
    Refusal.UNDERPRICED: Taken.CHEAP,
    Refusal.UNAVAILABLE: Taken.AWAY,
    Refusal.UNKNOWN: Taken.UNKNOWN,
}


def words_of(error: Any) -> str:
    """The words of an error answer in one line: its message, and its data if those are words too. Takes any value."""
    said = [error.get("message"), error.get("data")] if isinstance(error, dict) else [str(error)]
    return " ".join(" ".join(text for text in said if isinstance(text, str) and text[:2] != "0x").split())[:200]


class Broadcaster:
    """The endpoints for sending. `private_blocks`: blocks after which a transaction of the private endpoint also goes
    to the public node; 0: never."""

    def __init__(self, w3: Web3, journal: Journal, account: str, private: Web3 | None, private_blocks: int) -> None:
        self._w3 = w3
        self._journal = journal
        self._account = account
        self._private = private
        self._private_blocks = private_blocks

    def broadcast(self, entry: Entry, waiting: int) -> Taken:
        """Sends a transaction; `waiting`: blocks since something was first signed with its nonce. The journal notes it
        before sending, and again when a node has it. Raises InsufficientFundsError, JournalError."""
        self._journal.sent(entry)
        if self._private is None:
            taken = self._send_to(self._w3, entry, "public")
        else:
            taken = self._send_to(self._private, entry, "private")
            if 0 < self._private_blocks <= waiting:
                log.warning("not mined in private, public from here", nonce=entry.nonce, blocks=self._private_blocks)
                taken = max(taken, self._send_to(self._w3, entry, "public"))
        if taken is Taken.HAS:
            self._journal.submitted(entry)
        return taken

    def _send_to(self, w3: Web3, entry: Entry, way: str) -> Taken:
        """Returns UNKNOWN without an answer: the chain decides. Raises InsufficientFundsError."""
        try:
            # Without web3's formatters, which may raise anything where the answer is not what they expect.
            answer: Any = w3.provider.make_request(RPCEndpoint("eth_sendRawTransaction"), [entry.raw])
        except (requests.exceptions.RequestException, Web3Exception, ValueError) as error:
            log.warning("no answer to a transaction", way=way, hash=entry.hash, error=type(error).__name__)
            return Taken.UNKNOWN
        answer = answer if isinstance(answer, dict) else {}
        if isinstance(result := answer.get("result"), str) and _HASH.fullmatch(result):
            if entry.status is not Status.SUBMITTED:
                log.info(
                    "sent", way=way, action=entry.action, nonce=entry.nonce, hash=entry.hash, max_fee=entry.max_fee
                )
            return Taken.HAS
        return self._refused(words_of(answer.get("error", "no hash")), entry, way)

    def _refused(self, words: str, entry: Entry, way: str) -> Taken:
        kind = refusal_of(words)
        if kind is Refusal.FUNDS:
            raise InsufficientFundsError(
                f"account {self._account}: not enough ether for gas (sending {entry.action}); fund it"
            )
        if kind is not Refusal.KNOWN:
            # A private endpoint's message may hold its key.
            said = {"error": words} if way == "public" else {}
            log.warning(
                "not accepted by the node", way=way, nonce=entry.nonce, hash=entry.hash, kind=kind.value, **said
            )
        return _MEANING[kind]
