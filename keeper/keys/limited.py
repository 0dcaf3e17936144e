"""Limits what the keeper's key may sign, whoever asks: calls of the fund's own contracts, without ether."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from eth_utils import is_hex_address, to_checksum_address

from ballast.units import MAX_TX_GAS
from keeper.errors import NotAllowedError
from keeper.keys.signer import Signed, Signer

FIELDS: Final = frozenset(
    ("type", "chainId", "nonce", "to", "data", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "accessList")
)
DYNAMIC_FEE: Final = 2
"""The only type of transaction sent (EIP-1559)."""


class Limited:
    """Signs with `signer`, but only calls to one of `recipients` on chain `chain_id` without ether. A no-op, a
    transaction to the account itself without data, is allowed, as it frees a nonce."""

    def __init__(self, signer: Signer, chain_id: int, recipients: Iterable[str]) -> None:
        """`recipients`: addresses of contracts. Raises ValueError for a malformed one."""
        self._signer = signer
        self._chain_id = chain_id
        self._recipients = frozenset(to_checksum_address(recipient) for recipient in recipients)

    @property
    def address(self) -> str:
        return self._signer.address

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """Signs if allowed. Raises NotAllowedError, and what the signer raises."""
        self._require_allowed(transaction)
        return self._signer.sign(transaction)

    def _require_allowed(self, transaction: dict[str, Any]) -> None:
        """Accepts only the fields and forms that the sender uses, and refuses all else."""
        unknown = sorted(set(transaction) - FIELDS)
        if unknown:
            raise NotAllowedError(f"signing refused: field {unknown[0]!r} of the transaction is not known")
        for name, expected in (("type", DYNAMIC_FEE), ("chainId", self._chain_id), ("value", 0)):
            given = transaction.get(name)
            if not isinstance(given, int) or given != expected:
                raise NotAllowedError(f"signing refused: {name} is {given!r}, expected {expected}")
        gas = transaction.get("gas")
        if not isinstance(gas, int) or not 0 < gas <= MAX_TX_GAS:
            raise NotAllowedError(f"signing refused: gas is {gas!r}, expected at most {MAX_TX_GAS} (EIP-7825)")
        to = transaction.get("to")
        if not isinstance(to, str) or not is_hex_address(to):
            raise NotAllowedError(f"signing refused: to is {to!r}, expected the address of one of the fund's contracts")
        recipient = to_checksum_address(to)
        if recipient == self.address:
            if transaction.get("data", "0x") not in ("0x", "", b""):
                raise NotAllowedError("signing refused: data in a transaction to the account itself, expected none")
        elif recipient not in self._recipients:
            allowed = ", ".join(sorted(self._recipients)) or "none"
            raise NotAllowedError(f"signing refused: to is {recipient}, allowed: {allowed}")
