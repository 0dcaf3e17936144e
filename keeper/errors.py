"""The keeper's errors, by what to do about them. Every message is one line for people."""

from __future__ import annotations

from ballast.errors import UserError
from keeper.output import redact


class KeeperError(UserError):
    """Base of all errors that the keeper reports itself."""

    def __str__(self) -> str:
        """The message without secrets: logs, pulse and alerts use this text."""
        return redact.clean(super().__str__())


class SettingsError(KeeperError):
    """Configuration that cannot work; nothing was sent. The message names the field, its value and a right one."""


class MismatchError(SettingsError):
    """A node's answer contradicts the settings: another chain, no contract at the book's address. One such answer may
    be wrong; several in a row count as right."""


class NotReadyError(SettingsError):
    """Something that the settings name is not usable yet but may become so without a change to them: an account without
    ether, a journal that another process holds, a node that has not reached the fund's block. Worth trying again."""


class UnforeseenError(KeeperError):
    """Stands for an unexpected exception, a defect of the keeper: logged with its trace, and tried again like an
    external error."""


class ChainError(KeeperError):
    """The node gave no answer or an unexpected one; worth trying again."""


class JournalError(KeeperError):
    """The journal cannot be read or written now: nothing is sent until it can. The message names the file and what to
    do; worth trying again."""


class SigningError(KeeperError):
    """The key gave no signature, so nothing was sent and the nonce is free."""


class NotAllowedError(SigningError):
    """This key may not sign the transaction: another recipient, a value, another chain. A defect, not a state of the
    chain: trying again does not help."""


class KeyServiceError(SigningError):
    """The service that holds the key did not answer, refused, or signed wrongly. The message says what to do."""


class SendError(KeeperError):
    """A transaction did not take effect on the chain."""


class SimulationError(SendError):
    """The call would revert in the latest block; nothing was sent.

    `selector` is the first 4 bytes of the revert data as 0x..., "" if there are none; `name` the custom error's name.
    """

    def __init__(self, action: str, selector: str, name: str, detail: str) -> None:
        super().__init__(f"{action}: would revert with {name or selector or 'no reason'}{detail}")
        self.selector = selector
        self.name = name


class RevertedError(SendError):
    """The transaction was mined and reverted: it spent gas and changed nothing else."""


class InsufficientFundsError(SendError):
    """The account cannot pay for the transaction's gas."""


class RejectedError(SendError):
    """No node will accept the transaction as it is: its gas limit is too low, or above a block's or a transaction's."""


class CancelledError(SendError):
    """The call became pointless before it was mined: a no-op took its nonce, so it can never be mined."""


class FeeTooHighError(SendError):
    """The market's gas price is above the configured cap or the node's; worth trying again later."""


class UnknownPendingError(SendError):
    """The account has pending transactions that the journal does not know; the key must be the keeper's alone."""
