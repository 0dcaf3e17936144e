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
from keeper.look.rpc.refusals import Refusal, refusal_of


def refusal(error: Exception, what: str, account: str) -> KeeperError | None:
    """The node's answer as a KeeperError; None if it has the transaction already. `what` was being done for `account`.
    Only ChainError repeats the node's words."""
    if isinstance(error, requests.exceptions.RequestException):
        return ChainError(f"{what}: the node does not answer ({type(error).__name__})")
    message = str(error.message if isinstance(error, Web3RPCError) else error)
    errors: dict[Refusal, KeeperError | None] = {
        Refusal.KNOWN: None,
        Refusal.FUNDS: InsufficientFundsError(f"account {account}: not enough ether for gas ({what}); fund it"),
        Refusal.NONCE_TOO_LOW: NonceTooLowError(f"{what}: nonce too low"),
        Refusal.NONCE_TOO_HIGH: NonceTooHighError(f"{what}: nonce too high, the node lacks an earlier transaction"),
        Refusal.REPLACEMENT: ReplacementUnderpricedError(f"{what}: replacement underpriced"),
        Refusal.UNDERPRICED: UnderpricedError(f"{what}: underpriced"),
        Refusal.REVERTED: RevertedError(f"{what}: the node says that it would revert"),
        Refusal.GAS_LIMIT: RejectedError(f"{what}: gas limit outside what a block allows"),
        Refusal.REJECTED: RejectedError(f"{what}: no node will take it"),
    }
    return errors.get(refusal_of(message), ChainError(f"{what}: {' '.join(message.split())[:200]}"))
