"""A node's refusals of a signed transaction, and what follows.

| the node says | error | what the keeper does |
|---|---|---|
| already known, already imported | none: success | waits for the receipt |
| underpriced, below the base fee | UnderpricedError | the same nonce for more in the next block, within the cap |
| replacement underpriced | ReplacementUnderpricedError | the same, at 9/8 of the most signed with the nonce |
| nonce too low | NonceTooLowError | looks for the receipts of all that was signed with the nonce |
| nonce too high, a gap | NonceTooHighError | the same bytes again: the node is behind |
| insufficient funds | InsufficientFundsError | says so; the same bytes again until the account is funded |
| execution reverted | RevertedError | simulates again: a no-op takes the nonce if the call makes no sense any more |
| intrinsic gas too low, above the block's gas limit | RejectedError | no node will take it: a no-op takes the nonce |
| anything else, no answer | ChainError | the same bytes again: whether the node has it is not known |

Clients word these differently and have no codes for them; the words here are those of geth, erigon, reth, nethermind,
besu and anvil. An unrecognized one counts as unknown, which is always safe: the same bytes can be mined only once.
"""

from __future__ import annotations

import requests
from web3.exceptions import Web3RPCError

from keeper.errors import (
    ChainError,
    InsufficientFundsError,
    KeeperError,
    NonceTooHighError,
    NonceTooLowError,
    RejectedError,
    ReplacementUnderpricedError,
    RevertedError,
    UnderpricedError,
)
from keeper.look.rpc.pool import KNOWN

_REPLACEMENT = (
    "replacement transaction underpriced",
    "replacement underpriced",
    "could not replace existing",
    "replacementnotallowed",
    "replacement not allowed",
)
_UNDERPRICED = (
    "underpriced",
    "less than block base fee",
    "below current base fee",
    "max fee per gas less",
    "fee too low",
    "feetoolow",
    "below configured minimum",
)
_TOO_LOW = ("nonce too low", "oldnonce", "nonce below", "nonce is too low")
_TOO_HIGH = ("nonce too high", "noncegap", "nonce gap", "gapped", "nonce too far", "nonce too distant")
_FUNDS = ("insufficient funds", "insufficientfunds", "upfront cost exceeds", "insufficient balance")
_REVERTED = ("execution reverted", "transaction reverted")
_REJECTED = ("intrinsic gas", "exceeds block gas limit", "gaslimitexceeded", "exceeds block gaslimit", "floor data gas")


def refusal(error: Exception, what: str, account: str) -> KeeperError | None:
    """The node's answer as a KeeperError; None if it has the transaction already. `what` was being done for `account`.
    Only ChainError repeats the node's words."""
    if isinstance(error, requests.exceptions.RequestException):
        return ChainError(f"{what}: the node does not answer ({type(error).__name__})")
    message = str(error.message if isinstance(error, Web3RPCError) else error)
    text = message.lower()

    def says(words: tuple[str, ...]) -> bool:
        return any(word in text for word in words)

    # Before the nonce: a refusal of a known transaction may hold both words.
    found: KeeperError | None = ChainError(f"{what}: {' '.join(message.split())[:200]}")
    if says(KNOWN):
        found = None
    elif says(_FUNDS):
        found = InsufficientFundsError(f"account {account}: not enough ether for gas ({what}); fund it")
    elif says(_TOO_LOW):
        found = NonceTooLowError(f"{what}: nonce too low")
    elif says(_TOO_HIGH):
        found = NonceTooHighError(f"{what}: nonce too high, the node lacks an earlier transaction")
    elif says(_REPLACEMENT):
        found = ReplacementUnderpricedError(f"{what}: replacement underpriced")
    elif says(_UNDERPRICED):
        found = UnderpricedError(f"{what}: underpriced")
    elif says(_REVERTED):
        found = RevertedError(f"{what}: the node says that it would revert")
    elif says(_REJECTED):
        found = RejectedError(f"{what}: gas limit outside what a block allows")
    return found
