"""One fund's transactions from the journal, as the page shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ballast.units import WAD
from keeper.output.tables import period_text
from keeper.sending.journal import Entry, Status

NEWEST = 50
"""Number of transactions listed; totals count all of the month."""

PAID = (Status.MINED, Status.CONFIRMED, Status.REVERTED)
"""Statuses with a receipt, whose gas was paid."""


@dataclass(frozen=True)
class Sent:
    """A row of the page. `block`: in which it was mined, or else signed; `signed_at`: Unix seconds of the keeper's
    clock, None: unknown. `gas_price`: wei per gas, of an open one its maximum; `cost_eth` in ether and `cost_usd` in
    USD at the current price of ether, each a decimal string with 18 decimals, None: nothing was paid."""

    action: str
    month: str
    status: str
    hash: str
    nonce: int
    block: int
    signed_at: int | None
    gas_used: int | None
    gas_price: str
    cost_eth: str | None
    cost_usd: str | None
    open: bool


@dataclass(frozen=True)
class Spent:
    """A month's paid transactions: their number, gas, and cost as in `Sent`."""

    count: int
    gas: int
    cost_eth: str
    cost_usd: str


def of_fund(entries: Sequence[Entry], called: Sequence[str]) -> list[Entry]:
    """The entries of one fund, as a key may serve several: calls of the contracts `called`, and no-ops under the same
    nonces."""
    addresses = {address.lower() for address in called}
    nonces = {entry.nonce for entry in entries if entry.recipient.lower() in addresses}
    return [entry for entry in entries if entry.nonce in nonces]


def row(entry: Entry, eth_price: int) -> Sent:
    """An entry as a row. `eth_price`: USD for one ether, 18 decimals."""
    cost = _cost(entry)
    price = entry.max_fee if entry.gas_price is None else entry.gas_price
    return Sent(
        action=entry.action,
        month=period_text(entry.period),
        status=str(entry.status),
        hash=entry.hash,
        nonce=entry.nonce,
        block=entry.signed_block if entry.mined_block is None else entry.mined_block,
        signed_at=entry.signed_at,
        gas_used=entry.gas_used,
        gas_price=str(price),
        cost_eth=None if cost is None else str(cost),
        cost_usd=None if cost is None else str(cost * eth_price // WAD),
        open=entry.status.open,
    )


def newest(entries: Sequence[Entry], eth_price: int) -> list[Sent]:
    """The newest entries as rows, newest first."""
    return [row(entry, eth_price) for entry in reversed(entries[-NEWEST:])]


def spent(entries: Sequence[Entry], period: int, eth_price: int) -> Spent:
    """Costs of a month's transactions so far."""
    paid = [entry for entry in entries if entry.period == period and entry.status in PAID]
    cost = sum(_cost(entry) or 0 for entry in paid)
    gas = sum(entry.gas_used or 0 for entry in paid)
    return Spent(len(paid), gas, str(cost), str(cost * eth_price // WAD))


def _cost(entry: Entry) -> int | None:
    """Fee paid, wei; None if nothing was paid."""
    if entry.status not in PAID or entry.gas_used is None or entry.gas_price is None:
        return None
    return entry.gas_used * entry.gas_price
