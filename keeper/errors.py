"""What can go wrong, by what to do about it. Every message is one line for people."""

from __future__ import annotations

from ballast.errors import UserError
from keeper.output import redact


class KeeperError(UserError):
    """Base of all errors that the keeper reports itself."""

    def __str__(self) -> str:
        """The message without any secret: logs, pulse and alerts take it from here."""
        return redact.clean(super().__str__())


class SettingsError(KeeperError):
    """Configuration that cannot work; nothing was sent. The message names field, value and what would be right."""


class MismatchError(SettingsError):
    """What a node says does not fit the settings: another chain, no contract at the book's address. One answer may be
    wrong; the same one several times in a row is not."""


class NotReadyError(SettingsError):
    """What the settings name does not serve yet and may without a change to them: an account without ether, a journal
    that another process holds, a node that has not reached the fund's block. Worth trying again."""


class UnforeseenError(KeeperError):
    """An error that nobody foresaw, a defect: said with its trace, and tried again as if it were another's."""


class ChainError(KeeperError):
    """The node did not answer or answered with something unexpected; worth trying again."""


class JournalError(KeeperError):
    """The journal cannot be read or written now: nothing is sent until it can. The message names the file and what to
    do; worth trying again."""


class SigningError(KeeperError):
    """No signature was given out, so nothing was sent and the nonce is free."""


class NotAllowedError(SigningError):
    """The transaction is none that this key may sign: another recipient, a value, another chain. A defect, not a state
    of the chain: trying again does not help."""


class KeyServiceError(SigningError):
    """The service that holds the key did not answer, refused, or signed wrongly. The message says what to do."""


class SendError(KeeperError):
    """A transaction could not be brought on the chain."""


class SimulationError(SendError):
    """The call would revert in the latest block; nothing was sent.

    `selector` is the first 4 bytes of the revert data as 0x..., "" if there are none; `name` the custom error's name.
    """

    def __init__(self, action: str, selector: str, name: str, detail: str) -> None:
        super().__init__(f"{action}: would revert with {name or selector or 'no reason'}{detail}")
        self.selector = selector
        self.name = name


class RevertedError(SendError):
    """The transaction was mined and reverted: its gas is spent, nothing else happened."""


class InsufficientFundsError(SendError):
    """The account cannot pay for the transaction's gas."""


class RejectedError(SendError):
    """No node will take the transaction as it is: its gas limit is too low, or above a block's or a transaction's."""


class CancelledError(SendError):
    """The call made no sense any more before it was mined: a no-op took its nonce, and it can never be mined."""


class FeeTooHighError(SendError):
    """The chain asks for more than the configured limit; worth trying again later."""


class UnknownPendingError(SendError):
    """The account has pending transactions that the journal does not know; the key must be the keeper's alone."""
