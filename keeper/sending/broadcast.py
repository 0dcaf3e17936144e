"""Broadcasts signed transactions: to a private endpoint alone for some blocks, or to the public node.

| the node answers (`Refusal`) | `Taken` | the keeper |
|---|---|---|
| no error, known | HAS | waits for the receipt; raises the fees after some blocks |
| nonce too low or high | NONCE | looks for receipts of all it signed with the nonce; resends in the next block |
| pool full, reverted, unknown, no answer | UNKNOWN | resends in the next block, with higher fees after some blocks |
| unavailable | AWAY | resends in the next block |
| underpriced, replacement | CHEAP | pays at least 9/8 of the fees in the next block, within the cap |
| fee cap | DEAR | pays a quarter less in the next block while the market allows it, then sends a no-op |
| gas limit, rejected | DEAD | sends a no-op with the nonce |
| funds | InsufficientFundsError | reports it; resends in the next block |

"Resends" means the same bytes. They can be mined only once, so resending is always safe.
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
    """How a node answered a transaction. Of two nodes' answers the greater one counts."""

    DEAD = 0  # no node will ever accept it
    DEAR = 1  # its fee exceeds the node's fee cap
    CHEAP = 2  # its fee is too low
    AWAY = 3  # the node accepts nothing now
    UNKNOWN = 4  # no answer, or an inconclusive one
    NONCE = 5  # the node has another nonce for the account than the keeper read
    HAS = 6  # the node has it


_MEANING = {
    Refusal.REVERTED: Taken.UNKNOWN,  # the keeper simulates the call in every block anyway
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
    """The message of a JSON-RPC error in one line, with its data if that is text (not 0x…). Accepts any value."""
    said = [error.get("message"), error.get("data")] if isinstance(error, dict) else [str(error)]
    return " ".join(" ".join(text for text in said if isinstance(text, str) and text[:2] != "0x").split())[:200]


class Broadcaster:
    """The endpoints for sending. `private_blocks`: blocks after which a transaction sent to the private endpoint also
    goes to the public node; 0: never."""

    def __init__(self, w3: Web3, journal: Journal, account: str, private: Web3 | None, private_blocks: int) -> None:
        self._w3 = w3
        self._journal = journal
        self._account = account
        self._private = private
        self._private_blocks = private_blocks

    def broadcast(self, entry: Entry, waiting: int) -> Taken:
        """Sends a transaction. Writes to the journal before sending, and again when a node has it. `waiting`: blocks
        since the keeper first signed with this nonce. Raises InsufficientFundsError, JournalError."""
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
        """Returns UNKNOWN without an answer: the node may have the transaction all the same. Raises
        InsufficientFundsError."""
        try:
            # Bypasses web3's formatters: they may raise anything on an unexpected answer.
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
            # A private endpoint's message may contain its key.
            said = {"error": words} if way == "public" else {}
            log.warning(
                "not accepted by the node", way=way, nonce=entry.nonce, hash=entry.hash, kind=kind.value, **said
            )
        return _MEANING[kind]
