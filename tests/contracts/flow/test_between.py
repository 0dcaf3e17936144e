"""A candidate that the owner takes out between determination and start is not bought by that start."""

from __future__ import annotations

import pytest

from ballast.rule.methodology import State, Status
from ballast.units import WAD
from tests.contracts.flow.carrying import Carrier
from tests.helpers.settling import BUY, HELD, SELL

HACKED, NEWCOMER = "COMP", "CREAM"
"""Both are bought in April: the one is held before, the other not."""


def to_start_with(carrier: Carrier, symbol: str, state: int | None) -> dict[str, object]:
    """Determines, gives the candidate this state (None: strikes it off), and starts; the holdings by token."""
    fund, chain, token = carrier.fund, carrier.chain, carrier.address(symbol)
    carrier.to_determination()
    assert carrier.determine()[token].status == Status.INCLUDED
    rows = [row for row in chain.read(fund.methodology.candidates()) if row.token != token or state is not None]
    rows = [row._replace(state=state) if row.token == token else row for row in rows]
    carrier.send(fund.methodology.setCandidates([tuple(row) for row in rows]), fund.owner)
    carrier.to_start()
    # Not `Carrier.start`, whose sum of what has a price leaves out what is frozen.
    carrier.send(fund.rebalancer.start())
    return {h.token: h for h in carrier.state().holdings}


@pytest.mark.parametrize(
    ("state", "side", "status"),
    [(State.FROZEN, HELD, Status.FROZEN), (State.LEAVING, SELL, Status.LEAVING), (None, SELL, Status.OUTSIDE)],
)
def test_one_that_is_held(carrier: Carrier, state: int | None, side: int, status: int) -> None:
    """It is held as it is, or sold; the others share its weight, and the month remembers it so."""
    token = carrier.address(HACKED)
    before = carrier.balance(token)
    holdings = to_start_with(carrier, HACKED, state)
    assert holdings[token].target.side == side  # type: ignore[attr-defined]
    carrier.trade_all()
    assert carrier.balance(token) == before if state == State.FROZEN else carrier.balance(token) < before
    rows = carrier.chain.read(carrier.fund.lens.constituents(carrier.fund.rebalancer))
    assert [c.status for c in rows if c.token == token] == [status]
    assert all(c.status == Status.INCLUDED for c in rows if c.token != token)


@pytest.mark.parametrize("state", [State.FROZEN, State.LEAVING, None])
def test_one_that_is_not_held(carrier: Carrier, state: int | None) -> None:
    """It is not even listed."""
    token = carrier.address(NEWCOMER)
    holdings = to_start_with(carrier, NEWCOMER, state)
    assert token not in holdings
    carrier.trade_all()
    assert carrier.balance(token) == 0


def test_both_are_bought_otherwise(carrier: Carrier) -> None:
    holdings = carrier.to_trading()
    for symbol in (HACKED, NEWCOMER):
        target = holdings[carrier.address(symbol)].target
        assert target.side == BUY and 0 < target.unit < 100 * WAD
