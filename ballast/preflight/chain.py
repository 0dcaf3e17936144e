"""Reads a chain, each value once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from web3 import Web3

from ballast.abi import call_view, has_code


class Reader:
    """Views of contracts on a chain, cached."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self.now = int(w3.eth.get_block("latest")["timestamp"])
        """Time of the latest block, Unix seconds."""
        self._views: dict[tuple[Any, ...], tuple[Any, ...] | None] = {}
        self._codes: dict[str, bool] = {}

    def view(self, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...] | None:
        """A view's result, or None if it reverts or does not decode."""
        key = (to, signature, repr(args), *returns)
        if key not in self._views:
            self._views[key] = call_view(self.w3, to, signature, returns, *args)
        return self._views[key]

    def number(self, to: str, signature: str, *args: Any) -> int | None:
        """The number that a view returns, None as in `view`."""
        found = self.view(to, signature, ["uint256"], *args)
        return None if found is None else int(found[0])

    def text(self, to: str, signature: str) -> str | None:
        """The string that a view returns, None as in `view`."""
        found = self.view(to, signature, ["string"])
        return None if found is None else str(found[0])

    def has_code(self, address: str) -> bool:
        """Whether the address has code."""
        if address not in self._codes:
            self._codes[address] = has_code(self.w3, address)
        return self._codes[address]


def usd(amount: Decimal) -> str:
    """Text of a price or value: to the cent from 1,000 USD on, below that six significant digits."""
    return f"{amount:,.2f} USD" if amount >= 1_000 else f"{float(amount):.6g} USD"
