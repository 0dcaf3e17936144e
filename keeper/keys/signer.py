"""What the sender asks of a key, wherever the key is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes


@dataclass(frozen=True)
class Signed:
    """A signed transaction: hash and bytes as 0x... ."""

    hash: str
    raw: str


class Signer(Protocol):
    """Signs for one account."""

    @property
    def address(self) -> str:
        """The account, checksummed."""

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """Signs a typed transaction, fields as in JSON-RPC (amounts in wei). Sends nothing.

        Raises SigningError: refused, or the key's service failed. Nothing was given out then, so the nonce is free.
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


@dataclass(frozen=True)
class _SignedTransaction:
    hash: HexBytes
    raw_transaction: HexBytes


class _AsAccount:
    """The part of an account that the sender uses, signed by a signer."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def address(self) -> str:
        return self._signer.address

    def sign_transaction(self, transaction: dict[str, Any]) -> _SignedTransaction:
        signed = self._signer.sign(transaction)
        return _SignedTransaction(HexBytes(signed.hash), HexBytes(signed.raw))


def as_account(signer: Signer) -> LocalAccount:
    """The signer for a sender that takes an account."""
    return cast(LocalAccount, _AsAccount(signer))
