"""The page's data of a fund. Pure: the last look, the journal and the samples in, figures ready for JSON out.

Integers that may exceed 2^53 are decimal strings. USD, ether, shares, weights and shares of NAV have 18 decimals; token
amounts appear only as values. Times are Unix seconds, of the chain unless stated otherwise. Names and messages are
cleaned here (`keeper.page.text`); the page writes them as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ballast.book import Book
from ballast.units import WAD
from keeper.look.interventions import words
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.output.condition import condition
from keeper.output.tables import period_text, weight
from keeper.page import notes, sent, text
from keeper.page.details import Details
from keeper.page.history import Sample
from keeper.page.notes import Level, Next, Note
from keeper.page.sent import Sent, Spent
from keeper.page.timeline import Timeline, period_shown, timeline
from keeper.plan.planner import Plan
from keeper.sending.journal import Entry
from keeper.state import FundState, Phase, Side
from keeper.view import View

PPM = 10**12
"""Divides 18 decimals into millionths, the unit of sampled weights."""


@dataclass(frozen=True)
class Kept:
    """What the page keeps of a fund beside the last look: fee and coming weights, the month's first samples while it
    traded and after, and why the last look failed."""

    details: Details | None = None
    opened: Sample | None = None
    closed: Sample | None = None
    error: str | None = None


@dataclass(frozen=True)
class Component:
    """A row of the weights. `condition`: why it does not count, in words, empty if it does. `target`: before the
    month's start the determination's weight, then the month's target at current prices; None: unknown. `price` "0":
    none; `value` None: not held yet."""

    symbol: str
    token: str
    side: str
    condition: str
    price: str
    value: str | None
    weight: str
    target: str | None


@dataclass(frozen=True)
class Trading:
    """Progress of trading. Shares of NAV: `surplus` and `lack` are left to sell and to buy, `spent` of the
    `loss_budget` is lost (`spent_usd`: in USD at start prices), `capacity` of `batch_cap` is free in the bucket. `sold`
    and `bought`: fractions of surplus and lack at the first look that are done, None: unknown. A batch's `tolerance`
    opens from `first_tolerance` to `last_tolerance` (fractions of its value) in `max_idle` seconds, of which `idle`
    have passed. `batches`: number left; `finish`: end of the plan; `value_out` of the next batch, `cost_left` and
    `gas_left`: USD."""

    surplus: str
    lack: str
    sold: str | None
    bought: str | None
    spent: str
    loss_budget: str
    spent_usd: str
    capacity: str
    batch_cap: str
    tolerance: str
    first_tolerance: str
    last_tolerance: str
    idle: int
    max_idle: int
    batches: int | None
    finish: int | None
    value_out: str | None
    cost_left: str | None
    gas_left: str | None


@dataclass(frozen=True)
class Fee:
    """`yearly` is a fraction; `pending`, in shares and USD, has accrued and is not minted yet."""

    yearly: str
    recipient: str
    pending: str
    pending_usd: str


@dataclass(frozen=True)
class Happened:
    """An intervention in the month or a component at chain time `time`, as a sentence."""

    time: int
    text: str


@dataclass(frozen=True)
class FundData:
    """All data of a fund that has been looked at."""

    block: int
    time: int
    base_fee: str
    phase: str
    action: str
    reason: str
    month: str
    standing: str
    next: Next
    events: tuple[Happened, ...]
    timeline: Timeline
    nav: str
    """Net asset value of one share, USD."""
    total: str
    """NAV of all shares, USD."""
    left_out: tuple[str, ...]
    """Components that `nav` and `total` exclude, and why: "AAVE: no price"."""
    supply: str
    eth_price: str
    fee: Fee | None
    components: tuple[Component, ...]
    target_is: str
    """What the targets are: "month", "determination" or "unknown"."""
    trading: Trading | None
    sent: tuple[Sent, ...]
    spent: Spent


@dataclass(frozen=True)
class PageData:
    """One fund on the page. `looked_at` is Unix seconds of the keeper's clock."""

    fund: str
    chain_id: int
    rebalancer: str
    looked_at: float | None
    level: Level
    notes: tuple[Note, ...]
    data: FundData | None

    def json(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return asdict(self)


def page_data(fund: FundFacts, kept: Kept, facts: Facts, bounds: Bounds) -> PageData:
    """The page's data of one fund. `facts` are the whole keeper's."""
    book = fund.book
    found = tuple(notes.notes(fund, kept.error, facts, bounds))
    return PageData(
        fund=text.name(book.fund),
        chain_id=book.chain_id,
        rebalancer=book["rebalancer"],
        looked_at=fund.looked_at,
        level=notes.worst(found),
        notes=found,
        data=None if fund.view is None else fund_data(book, fund.view, kept, facts.transactions),
    )


def fund_data(book: Book, view: View, kept: Kept, transactions: Sequence[Entry]) -> FundData:
    """The fund in the block of the last look. `transactions`: the journal's, of any fund, oldest first."""
    s, eth_price = view.state, view.market.eth_price
    period = period_shown(s)
    opened = kept.opened if kept.opened and kept.opened.period == period else None
    closed = kept.closed if opened else None
    targets, kind = _targets(s, opened, kept.details)
    nav = s.nav * WAD // s.supply if s.supply else 0
    mine = sent.of_fund(transactions, book.called)
    return FundData(
        block=s.block,
        time=s.time,
        base_fee=str(view.head.base_fee),
        phase=s.phase.name.lower(),
        action=s.action.name.lower(),
        reason=s.reason.name.lower(),
        month=period_text(period),
        standing=notes.standing(s, view.told),
        next=notes.upcoming(s, view.plan),
        events=_events(view, book),
        timeline=timeline(s, opened.time if opened else None, closed.time if closed else None),
        nav=str(nav),
        total=str(s.nav),
        left_out=tuple(f"{_symbol(book, h.token)}: {condition(s, h)}" for h in s.holdings if not s.counts(h)),
        supply=str(s.supply),
        eth_price=str(eth_price),
        fee=_fee(kept.details, nav),
        components=tuple(_components(s, book, targets)),
        target_is=kind,
        trading=_trading(s, view.plan, opened) if s.phase is Phase.TRADING else None,
        sent=tuple(sent.newest(mine, eth_price)),
        spent=sent.spent(mine, period, eth_price),
    )


def history_data(book: Book, samples: Sequence[Sample]) -> dict[str, Any]:
    """The samples in which every component counted, as columns, oldest first: chain times, NAV of one share and of all
    in USD (18 decimals, decimal strings), the phase, and each component's weights in millionths."""
    samples = [sample for sample in samples if sample.priced]
    tokens = list(dict.fromkeys(part.token for sample in reversed(samples) for part in sample.parts))
    weights = [{part.token: part.weight // PPM for part in sample.parts} for sample in samples]
    return {
        "fund": text.name(book.fund),
        "rebalancer": book["rebalancer"],
        "time": [sample.time for sample in samples],
        "nav": [str(sample.nav * WAD // sample.supply if sample.supply else 0) for sample in samples],
        "total": [str(sample.nav) for sample in samples],
        "phase": [sample.phase.name.lower() for sample in samples],
        "weights_ppm": [
            {"symbol": _symbol(book, token), "token": token, "values": [found.get(token, 0) for found in weights]}
            for token in tokens
        ],
    }


def _targets(state: FundState, opened: Sample | None, details: Details | None) -> tuple[Mapping[str, int], str]:
    """Target weights (18 decimals) by token, and what they are."""
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


def _components(state: FundState, book: Book, targets: Mapping[str, int]) -> list[Component]:
    """Components held, largest first, then those to come."""
    held = sorted(state.holdings, key=lambda h: (-h.value(h.balance), h.index))
    rows = [
        Component(
            symbol=_symbol(book, h.token),
            token=h.token,
            side=h.side.name.lower(),
            condition=condition(state, h),
            price=str(h.price),
            value=str(h.value(h.balance)),
            weight=str(weight(state, h, h.balance)),
            target=_target(targets, h.token),
        )
        for h in held
    ]
    known = {h.token for h in held}
    coming = sorted((token for token in targets if token not in known), key=lambda token: -targets[token])
    return rows + [
        Component(_symbol(book, token), token, Side.BUY.name.lower(), "", "0", None, "0", str(targets[token]))
        for token in coming
    ]


def _target(targets: Mapping[str, int], token: str) -> str | None:
    """A component's target; if targets are known, one without a target leaves."""
    return str(targets.get(token, 0)) if targets else None


def _symbol(book: Book, token: str) -> str:
    candidate = book.candidate(token)
    return (text.name(candidate.symbol) if candidate else "") or f"{token[:8]}…{token[-4:]}"


def _events(view: View, book: Book) -> tuple[Happened, ...]:
    return tuple(Happened(one.time, words(one, _symbol(book, one.token) if one.token else "")) for one in view.told)


def _fee(details: Details | None, nav: int) -> Fee | None:
    if details is None:
        return None
    pending = details.pending_fee
    return Fee(str(details.streaming_fee), details.fee_recipient, str(pending), str(pending * nav // WAD))


def _trading(state: FundState, plan: Plan | None, opened: Sample | None) -> Trading:
    p, limits, goal = state.progress, state.limits, state.opening.buy_targets
    lack = max(0, goal - p.held)
    batch = plan.batch if plan else None
    return Trading(
        surplus=str(p.surplus),
        lack=str(lack),
        sold=_done(opened.surplus, p.surplus) if opened else None,
        bought=_done(goal - opened.held, lack) if opened else None,
        spent=str(p.spent),
        loss_budget=str(limits.loss_budget),
        spent_usd=str(p.spent * state.nav_at_start_prices // WAD),
        capacity=str(state.capacity),
        batch_cap=str(limits.batch_cap),
        tolerance=str(state.tolerance),
        first_tolerance=str(limits.first_tolerance),
        last_tolerance=str(limits.last_tolerance),
        idle=state.idle,
        max_idle=limits.max_idle,
        batches=plan.batches if plan else None,
        finish=plan.finish if plan else None,
        value_out=str(batch.outcome.value_out) if batch else None,
        cost_left=str(plan.cost) if plan else None,
        gas_left=str(plan.gas_cost) if plan else None,
    )


def _done(first: int, left: int) -> str:
    """The part of `first` that is done, 18 decimals; all if there was nothing to do."""
    return str(max(0, first - left) * WAD // first if first > 0 else WAD)
