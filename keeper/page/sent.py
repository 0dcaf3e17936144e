"""The keeper's transactions of one fund, from its journal, as the page shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.output.tables import period_text
from keeper.sending.journal import Entry, Status
from keeper.state import WAD

NEWEST = 50
"""Transactions that are listed; totals count all of the month."""

PAID = (Status.MINED, Status.CONFIRMED, Status.REVERTED)
"""What has a receipt: its gas was paid."""


@dataclass(frozen=True)
class Sent:
    """A row of the page. `block` is that in which it was mined, or signed while it is not; `signed_at` is Unix seconds
    of the keeper's clock, None: not known. `gas_price` (of an open one the most that it may pay) is wei, `cost_eth`
    ether and `cost_usd` USD at the price of ether now, each with 18 decimals as a decimal string, None: nothing was
    paid."""

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
    """What transactions of a month cost: how many were paid for, their gas, and their cost as in `Sent`."""

    count: int
    gas: int
    cost_eth: str
    cost_usd: str


def of_fund(entries: Sequence[Entry], rebalancer: str) -> list[Entry]:
    """Those that went to a fund's rebalancer, as a key may serve several funds; and what was sent under the same
    nonce to make one of them impossible."""
    nonces = {entry.nonce for entry in entries if entry.recipient.lower() == rebalancer.lower()}
    return [entry for entry in entries if entry.nonce in nonces]


def row(entry: Entry, eth_price: int) -> Sent:
    """An entry as it is shown. `eth_price`: USD for one ether, 18 decimals."""
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
    """The newest ones, newest first."""
    return [row(entry, eth_price) for entry in reversed(entries[-NEWEST:])]


def spent(entries: Sequence[Entry], period: int, eth_price: int) -> Spent:
    """What the transactions of a month cost so far."""
    paid = [entry for entry in entries if entry.period == period and entry.status in PAID]
    cost = sum(_cost(entry) or 0 for entry in paid)
    gas = sum(entry.gas_used or 0 for entry in paid)
    return Spent(len(paid), gas, str(cost), str(cost * eth_price // WAD))


def _cost(entry: Entry) -> int | None:
    """Wei that were paid."""
    if entry.status not in PAID or entry.gas_used is None or entry.gas_price is None:
        return None
    return entry.gas_used * entry.gas_price
