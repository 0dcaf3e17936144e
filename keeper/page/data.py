"""Builds the page's data of a fund. Pure: the last look, the journal and the samples in, figures ready for JSON out.

Integers that may exceed 2^53 are decimal strings; null means unknown. USD, ether, shares, weights and shares of NAV
have 18 decimals; token amounts appear only as values. Times are Unix seconds, of the chain unless stated otherwise.
This module sanitizes names and messages (`keeper.page.text`); the page inserts them as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.units import WAD
from keeper.look.interventions import words
from keeper.look.outlook import Announced
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.output.condition import condition, without
from keeper.output.tables import weight
from keeper.page import notes, sent, text
from keeper.page.details import Details
from keeper.page.samples import Sample
from keeper.page.timeline import period_shown, timeline
from keeper.plan.planner import Plan
from keeper.sending.journal import Entry
from keeper.state import FundState, Phase, Side
from keeper.view import View

PPM = 10**12
"""Divides 18 decimals into millionths, the unit of sampled weights."""


@dataclass(frozen=True)
class Kept:
    """What the page keeps of a fund besides the last look: fee and coming weights, the oracle's price of ether (USD, 18
    decimals; 0: none, or not read yet), the first samples of the month's trading and after it, and the error of the
    last look if it failed."""

    details: Details | None = None
    eth_price: int = 0
    opened: Sample | None = None
    closed: Sample | None = None
    error: str | None = None


def page_data(fund: FundFacts, kept: Kept, facts: Facts, bounds: Bounds) -> dict[str, Any]:
    """The page's data of one fund. `data`: null before the first look; `facts`: the whole keeper's; `looked_at`: Unix
    seconds of the keeper's clock."""
    book = fund.book
    found = notes.notes(fund, kept.error, facts, bounds)
    return {
        "fund": text.name(book.fund),
        "chain_id": book.chain_id,
        "explorer": network_of(book.chain_id).explorer,
        "rebalancer": book["rebalancer"],
        "addresses": [
            {"name": name, "address": book[key], "url": network_of(book.chain_id).address_url(book[key])}
            for name, key in (("Share token", "index_token"), ("Rebalancer", "rebalancer"), ("Timelock", "timelock"))
            if key in book.contracts
        ],
        "looked_at": fund.looked_at,
        "level": notes.worst(found),
        "notes": [asdict(note) for note in found],
        "data": None if fund.view is None else fund_data(book, fund.view, kept, facts.transactions),
    }


def fund_data(book: Book, view: View, kept: Kept, transactions: Sequence[Entry]) -> dict[str, Any]:
    """The fund in the block of the last look. `transactions`: the journal's, of any fund, oldest first.

    `nav`: USD of one share; `total`: of all shares; `left_out`: the components that both exclude, and why;
    `incomplete`: one of them is not written off, so that both are too low. `target_is`: the kind of targets, "month",
    "determination" or "unknown". `events`: interventions in month or component; `pending`: the timelock's open
    operations, null while they are unknown. `months`: the cost of each of the newest months with paid transactions.
    """
    s, eth_price = view.state, kept.eth_price
    period = period_shown(s)
    opened = kept.opened if kept.opened and kept.opened.period == period else None
    closed = kept.closed if opened else None
    targets, kind = _targets(s, opened, kept.details)
    mine = sent.of_fund(transactions, book.called)
    return {
        "block": s.block,
        "time": s.time,
        "base_fee": str(view.head.base_fee),
        "phase": s.phase.name.lower(),
        "action": s.action.name.lower(),
        "reason": s.reason.name.lower(),
        "month": s.label_of(period),
        "standing": notes.standing(s, view.told),
        "next": asdict(notes.upcoming(s, view.plan)),
        "events": [
            {"time": one.time, "text": words(one, _symbol(book, one.token) if one.token else "")} for one in view.told
        ],
        "pending": None if view.outlook is None else [_pending(one, view.outlook.time) for one in view.outlook.open],
        "timeline": timeline(s, opened.time if opened else None, closed.time if closed else None),
        "nav": str(s.nav),
        "total": str(s.total_value),
        "left_out": [f"{_symbol(book, h.token)}: {condition(s, h)}" for h in s.holdings if not s.counts(h)],
        "incomplete": bool(without(s, book.symbol)),
        "supply": str(s.supply),
        "eth_price": str(eth_price),
        "fee": _fee(kept.details, s.nav),
        "components": _components(s, book, targets),
        "target_is": kind,
        "trading": _trading(s, view.plan, opened) if s.phase is Phase.TRADING else None,
        "sent": sent.newest(mine, eth_price, s.label_of),
        "spent": sent.spent(mine, period, eth_price),
        "months": sent.months(mine, eth_price, s.label_of),
    }


def history_data(book: Book, samples: Sequence[Sample]) -> dict[str, Any]:
    """The samples in which every active component counted, as columns, oldest first: chain times, NAV of one share and
    of all in USD (18 decimals, decimal strings), the phase, and each component's weights in millionths."""
    samples = [sample for sample in samples if sample.priced]
    tokens = list(dict.fromkeys(part.token for sample in reversed(samples) for part in sample.parts))
    weights = [{part.token: part.weight // PPM for part in sample.parts} for sample in samples]
    return {
        "fund": text.name(book.fund),
        "rebalancer": book["rebalancer"],
        "time": [sample.time for sample in samples],
        "nav": [str(sample.nav) for sample in samples],
        "total": [str(sample.total_value) for sample in samples],
        "phase": [sample.phase.name.lower() for sample in samples],
        "weights_ppm": [
            {"symbol": _symbol(book, token), "token": token, "values": [found.get(token, 0) for found in weights]}
            for token in tokens
        ],
    }


def _pending(announced: Announced, now: int) -> dict[str, Any]:
    """An operation, its calls in words, their warnings, and from when it may be executed."""
    one = announced.operation
    return {
        "id": one.id,
        "by": one.proposer,
        "state": one.state(now).value,
        "from": one.ready,
        "calls": [text.line(call.words) for call in announced.calls],
        "warnings": [text.line(warning) for call in announced.calls for warning in call.warnings],
    }


def _targets(state: FundState, opened: Sample | None, details: Details | None) -> tuple[Mapping[str, int], str]:
    """Target weights (18 decimals) by token, and their kind (`target_is`)."""
    if state.phase is Phase.TRADING:
        return {h.token: weight(state, h, state.target_balance(h)) for h in state.holdings}, "month"
    if state.phase is Phase.DETERMINED and details is not None and details.coming is not None:
        return details.coming, "determination"
    if state.phase is Phase.IDLE and opened is not None:
        return _weights({part.token: part.unit for part in opened.parts}, state), "month"
    return {}, "unknown"


def _weights(units: Mapping[str, int], state: FundState) -> dict[str, int]:
    """Weights of these amounts at current prices, rounded down, of the components that count."""
    values = {h.token: h.value(units.get(h.token, 0)) for h in state.holdings if state.counts(h)}
    total = sum(values.values())
    return {token: value * WAD // total for token, value in values.items()} if total else {}


def _components(state: FundState, book: Book, targets: Mapping[str, int]) -> list[dict[str, Any]]:
    """Components held, largest first, then those to come. `condition`: text, why one does not count. `target`: before
    the month's start the determination's weight, then the month's target at current prices; if targets are known, one
    without a target leaves. `price` "0": none; `value` None: not held yet."""
    rows = [
        {
            "symbol": _symbol(book, h.token),
            "token": h.token,
            "side": h.side.name.lower(),
            "condition": condition(state, h),
            "price": str(h.price),
            "value": str(h.value(h.balance)),
            "weight": str(weight(state, h, h.balance)),
            "target": str(targets.get(h.token, 0)) if targets else None,
        }
        for h in sorted(state.holdings, key=lambda h: (-h.value(h.balance), h.index))
    ]
    listed = {h.token for h in state.holdings}
    to_come = {"side": Side.BUY.name.lower(), "condition": "", "price": "0", "value": None, "weight": "0"}
    return rows + [
        {"symbol": _symbol(book, token), "token": token, **to_come, "target": str(target)}
        for token, target in sorted(targets.items(), key=lambda entry: -entry[1])
        if token not in listed
    ]


def _symbol(book: Book, token: str) -> str:
    candidate = book.candidate(token)
    return (text.name(candidate.symbol) if candidate else "") or f"{token[:8]}…{token[-4:]}"


def _fee(details: Details | None, nav: int) -> dict[str, str] | None:
    """The streaming fee. `yearly`: a fraction; `pending`: accrued and not minted yet, in shares and USD."""
    if details is None:
        return None
    return {
        "yearly": str(details.streaming_fee),
        "recipient": details.fee_recipient,
        "pending": str(details.pending_fee),
        "pending_usd": str(details.pending_fee * nav // WAD),
    }


def _trading(state: FundState, plan: Plan | None, opened: Sample | None) -> dict[str, Any]:
    """Progress of trading. Shares of NAV: `surplus` and `lack` are left to sell and to buy, `spent` of the
    `loss_budget` is lost (`spent_usd`: in USD at start prices), `capacity` of `batch_cap` is free in the bucket. `sold`
    and `bought`: fractions of surplus and lack at the first look that are done. A batch's `tolerance` opens from
    `first_tolerance` to `last_tolerance` (fractions of its value) in `max_idle` seconds, of which `idle` have passed.
    `batches`: number left; `finish`: end of the plan; `value_out` of the next batch, `cost_left` and `gas_left`: USD.
    """
    p, limits, goal = state.progress, state.limits, state.opening.buy_targets
    lack = max(0, goal - p.held)
    batch = plan.batch if plan else None
    return {
        "surplus": str(p.surplus),
        "lack": str(lack),
        "sold": _done(opened.surplus, p.surplus) if opened else None,
        "bought": _done(goal - opened.held, lack) if opened else None,
        "spent": str(p.spent),
        "loss_budget": str(limits.loss_budget),
        "spent_usd": str(p.spent * state.total_value_at_start // WAD),
        "capacity": str(state.capacity),
        "batch_cap": str(limits.batch_cap),
        "tolerance": str(state.tolerance),
        "first_tolerance": str(limits.first_tolerance),
        "last_tolerance": str(limits.last_tolerance),
        "idle": state.idle,
        "max_idle": limits.max_idle,
        "batches": plan.batches if plan else None,
        "finish": plan.finish if plan else None,
        "value_out": str(batch.outcome.value_out) if batch else None,
        "cost_left": str(plan.cost) if plan else None,
        "gas_left": str(plan.gas_cost) if plan else None,
    }


def _done(first: int, left: int) -> str:
    """The part of `first` that is done, 18 decimals; all if there was nothing to do."""
    return str(max(0, first - left) * WAD // first if first > 0 else WAD)
