"""Where people look up addresses and transactions of a chain."""

from __future__ import annotations

EXPLORERS = {
    1: "https://etherscan.io",
    11_155_111: "https://sepolia.etherscan.io",
    560_048: "https://hoodi.etherscan.io",
}
"""By chain id, without a slash at the end."""


def address_url(chain_id: int, address: str) -> str | None:
    """Of an account or contract; None where no explorer is known."""
    site = EXPLORERS.get(chain_id)
    return None if site is None else f"{site}/address/{address}"
