"""Facts to build tests' cases from: a fund that trades, looked at a moment ago, and nothing wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ballast.book import Book
from ballast.units import GWEI
from keeper.look.fund_reader import Head
from keeper.ops.facts import Bounds, Facts, FundFacts
from keeper.ops.pulse import Pulse
from keeper.sending.journal import Entry, Status
from keeper.state import FundState
from keeper.view import View
from tests.unit.keeper.simulated import WETH, Simulated

NOW = 1_700_000_000
BOUNDS = Bounds(stuck_s=300, silent_s=200, overdue_s=3_600, open_s=900, month_gas=60_000_000)
BOOK = Book("fund", 1, 1, {}, WETH, ())


def pulse_of(fund: FundState, **changes: Any) -> Pulse:
    pulse = Pulse(
        block=fund.block,
        time=fund.time,
        action=fund.action.name.lower(),
        reason=fund.reason.name.lower(),
        next=fund.next,
        possible_from=None,
        sent=(),
        state="waiting",
    )
    return replace(pulse, **changes)


def view_of(simulated: Simulated, **changes: Any) -> View:
    state = replace(simulated.state, **changes)
    return View(Head(state.block, "0x01", state.time, 20 * GWEI), state, simulated.market, GWEI, None)


def fund_facts(simulated: Simulated, **changes: Any) -> FundFacts:
    """`changes` of the facts, or of the state where it has the field."""
    of_state = {name: value for name, value in changes.items() if hasattr(simulated.state, name)}
    view = view_of(simulated, **of_state)
    found = FundFacts(
        book=BOOK,
        view=view,
        pulse=pulse_of(view.state),
        looked_at=NOW - 4.0,
        silent_s=4.0,
        failing=False,
        overdue_s=0,
    )
    return replace(found, **{name: value for name, value in changes.items() if name not in of_state})


def facts_of(*funds: FundFacts, **changes: Any) -> Facts:
    found = Facts(
        time=float(NOW),
        beat_s=0.5,
        stopping=False,
        funds=funds,
        balance=10 * 10**18,
        transactions=(),
        endpoints=(),
    )
    return replace(found, **changes)


def entry(nonce: int, status: Status, **changes: Any) -> Entry:
    found = Entry(
        id=nonce,
        nonce=nonce,
        action="trade",
        period=24_255,
        recipient="0x01",
        data="0x",
        gas=10**6,
        max_fee=GWEI,
        tip=1,
        hash=f"0x{nonce:02x}{status.value}",
        raw="0x",
        signed_block=1,
        status=status,
        mined_block=None,
        signed_at=NOW - 100,
    )
    return replace(found, **changes)
