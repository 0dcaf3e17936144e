"""The sender's interface to a key, wherever it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from eth_account.signers.local import LocalAccount


@dataclass(frozen=True)
class Signed:
    """A signed transaction: hash and bytes as 0x hex."""

    hash: str
    raw: str


class Signer(Protocol):
    """Signs for one account."""

    @property
    def address(self) -> str:
        """The account, checksummed."""

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """Signs a typed transaction, fields as in JSON-RPC (amounts in wei). Sends nothing.

        Raises SigningError if it refuses, or if the key's service fails. Then no signature left it, so the nonce is
        free.
        """


class LocalSigner:
    """A key in this process's memory."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign(self, transaction: dict[str, Any]) -> Signed:
        signed = self._account.sign_transaction(transaction)
        return Signed(signed.hash.to_0x_hex(), signed.raw_transaction.to_0x_hex())
