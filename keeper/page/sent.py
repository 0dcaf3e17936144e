"""Formats one fund's transactions from the journal for the page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ballast.units import WAD
from keeper.sending.journal import Entry, Status

NEWEST = 50
"""Number of transactions listed; totals count all of the month."""

MONTHS = 12
"""Number of months whose cost is shown."""

PAID = (Status.MINED, Status.CONFIRMED, Status.REVERTED)
"""Statuses with a receipt: the account has paid for gas."""


def of_fund(entries: Sequence[Entry], called: Sequence[str]) -> list[Entry]:
    """The entries of one fund, as a key may serve several: calls of the contracts `called`, and no-ops with the same
    nonces."""
    addresses = {address.lower() for address in called}
    nonces = {entry.nonce for entry in entries if entry.recipient.lower() in addresses}
    return [entry for entry in entries if entry.nonce in nonces]


def newest(entries: Sequence[Entry], eth_price: int, label: Callable[[int], str]) -> list[dict[str, Any]]:
    """The newest entries as rows, newest first. `eth_price`: USD for one ether, 18 decimals; `label`: of a period.

    `block`: in which it was mined, or else signed; `signed_at`: Unix seconds of the keeper's clock; `gas_price`: wei
    per gas, for one without a receipt its maximum; `cost_eth`: ether; `cost_usd`: USD at the current price of ether.
    Both costs None: nothing paid; `cost_usd` alone: ether has no price.
    """
    return [
        {
            "action": entry.action,
            "month": label(entry.period),
            "status": str(entry.status),
            "hash": entry.hash,
            "nonce": entry.nonce,
            "block": entry.signed_block if entry.mined_block is None else entry.mined_block,
            "signed_at": entry.signed_at,
            "gas_used": entry.gas_used,
            "gas_price": str(entry.max_fee if entry.gas_price is None else entry.gas_price),
            **(_cost([entry], eth_price) if _paid(entry) else {"cost_eth": None, "cost_usd": None}),
            "open": entry.status.open,
        }
        for entry in reversed(entries[-NEWEST:])
    ]


def spent(entries: Sequence[Entry], period: int, eth_price: int) -> dict[str, Any]:
    """A month's paid transactions so far: their number, gas, and cost as in `newest`."""
    paid = [entry for entry in entries if entry.period == period and entry.status in PAID]
    return {"count": len(paid), "gas": sum(entry.gas_used or 0 for entry in paid), **_cost(paid, eth_price)}


def months(entries: Sequence[Entry], eth_price: int, label: Callable[[int], str]) -> list[dict[str, Any]]:
    """The cost of the newest months with paid transactions, newest first, each as in `spent` with its `month`."""
    periods = sorted({entry.period for entry in entries if entry.status in PAID}, reverse=True)[:MONTHS]
    return [{"month": label(period), **spent(entries, period, eth_price)} for period in periods]


def _paid(entry: Entry) -> bool:
    return entry.status in PAID and entry.gas_used is not None and entry.gas_price is not None


def _cost(entries: Iterable[Entry], eth_price: int) -> dict[str, str | None]:
    cost = sum((entry.gas_used or 0) * (entry.gas_price or 0) for entry in entries)
    return {"cost_eth": str(cost), "cost_usd": str(cost * eth_price // WAD) if eth_price else None}
