"""Limits what the keeper's key signs, whichever code calls it: a month's steps on the fund's contracts, without
ether."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from eth_utils import is_hex_address, to_checksum_address

from ballast.book import Book
from ballast.networks.presets import capped_by, network_of
from keeper.errors import NotAllowedError
from keeper.keys.signer import Signed, Signer
from keeper.look import contracts

STEPS: Final = {"rebalancer": ("determine", "start", "trade", "close"), "upkeep": ("perform", "trade")}
"""The functions that the keeper calls, by contract of the book."""

FIELDS: Final = frozenset(
    ("type", "chainId", "nonce", "to", "data", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "accessList")
)
DYNAMIC_FEE: Final = 2
"""The only transaction type that the keeper sends (EIP-1559)."""


def steps_of(books: Iterable[Book]) -> dict[str, frozenset[str]]:
    """Selectors of the steps' functions, by address of the books' contracts."""
    found = {}
    for book in books:
        for name, functions in STEPS.items():
            if name in book.contracts:
                by_signature = contracts.selectors(name.capitalize()).items()
                steps = ("0x" + selector.hex() for text, selector in by_signature if text.split("(")[0] in functions)
                found[book[name]] = frozenset(steps)
    return found


class Limited:
    """Signs with `signer`, but only calls to `recipients` on chain `chain_id` without ether. Also allows a no-op, a
    transaction to the account itself without data, as it frees a nonce."""

    def __init__(self, signer: Signer, chain_id: int, recipients: Mapping[str, Collection[str] | None]) -> None:
        """`recipients`: the functions' selectors (0x and 8 lower-case digits) by contract; None: any function. Raises
        ValueError for a malformed address."""
        self._signer = signer
        self._chain_id = chain_id
        self._recipients: dict[str, Collection[str] | None] = {
            to_checksum_address(recipient): steps for recipient, steps in recipients.items()
        }

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
        most = network_of(self._chain_id).most_gas
        if not isinstance(gas, int) or not 0 < gas <= most:
            raise NotAllowedError(f"signing refused: gas is {gas!r}, expected at most {most}{capped_by(most)}")
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
        else:
            self._require_step(recipient, transaction.get("data"))

    def _require_step(self, recipient: str, data: object) -> None:
        steps = self._recipients[recipient]
        if steps is None:
            return
        selector = data[:10].lower() if isinstance(data, str) else repr(data)
        if selector not in steps:
            raise NotAllowedError(
                f"signing refused: calls {selector} of {recipient}, allowed: {', '.join(sorted(steps)) or 'none'}"
            )
