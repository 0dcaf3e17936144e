"""The contract's rules for one batch in Python, to the last digit: how a batch will settle, before it is sent.

Amounts are token wei, values USD with 18 decimals, shares of NAV and lambda 18-decimal fractions. Mirrors the library
`Settlement`: sells round up, buys down, each at the price for its side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ballast.units import WAD
from keeper.plan import bucket
from keeper.plan.bucket import Sale
from keeper.state import FundState, Holding, Progress


@dataclass(frozen=True)
class Outcome:
    """How a batch settles. `attainable`: lambda; `credited`: token wei credited of each buy, by component index.

    `sale`: the value out as a share of NAV; `progress`: the month's after the batch, if sent at the state's time.
    """

    value_out: int
    value_in: int
    sale: Sale
    attainable: int
    credited: Mapping[int, int]
    progress: Progress

    @property
    def share(self) -> int:
        """The value out as a share of NAV, rounded up."""
        return self.sale.value


def goal(state: FundState, holding: Holding, part: int) -> int:
    """Balance at which a buy holds `part` (18 decimals) of its target, rounded down."""
    return holding.unit * state.shares // WAD * part // WAD


def missing(state: FundState, holding: Holding, part: int = WAD) -> int:
    """Token wei missing from a buy to `part` (18 decimals) of its target; 0 if it has more."""
    return max(0, goal(state, holding, part) - holding.balance)


def attainable(state: FundState, surplus_left: int, received: int) -> int:
    """Lambda: part of its target that every buy can attain. `surplus_left` and `received` are shares of NAV."""
    may_lose = min(bucket.budget_left(state.limits, state.progress), surplus_left * state.limits.last_tolerance // WAD)
    total = state.progress.held + received + surplus_left - may_lose
    return min(WAD, total * WAD // state.opening.buy_targets)


def sold_at_start(state: FundState, sold: Mapping[int, int]) -> int:
    """The amounts in `sold` (by component index) at start prices, share of NAV, rounded down."""
    at_start = sum(state.holdings[i].start_value(amount) for i, amount in sold.items())
    return at_start * WAD // state.total_value_at_start


def surplus_after(state: FundState, sold: Mapping[int, int]) -> int:
    """Surplus left after selling the amounts in `sold` (by component index), share of NAV, rounded up."""
    return max(0, state.progress.surplus - sold_at_start(state, sold))


def outcome(state: FundState, sold: Mapping[int, int], arriving: Mapping[int, int]) -> Outcome:
    """How a batch settles that sends out `sold` and brings in `arriving`, both token wei by component index."""
    total = state.total_value_at_start
    out_at_start = sold_at_start(state, sold)
    surplus_left = max(0, state.progress.surplus - out_at_start)
    value_out = sum(state.holdings[i].trade_value_up(amount) for i, amount in sold.items())
    buys = {i: min(amount, missing(state, state.holdings[i])) for i, amount in arriving.items()}
    received = sum(state.holdings[i].start_value(amount) for i, amount in buys.items())
    lambda_ = attainable(state, surplus_left, received * WAD // total)

    credited = {i: min(amount, missing(state, state.holdings[i], lambda_)) for i, amount in buys.items()}
    value_in = sum(state.holdings[i].trade_value(amount) for i, amount in credited.items())
    at_start = sum(state.holdings[i].start_value(amount) for i, amount in credited.items())
    share = -(-value_out * WAD // total)
    loss = max(0, value_out - value_in)
    progress = replace(
        state.progress,
        tat=bucket.consume(state.progress.tat, state.time, share, state.limits),
        spent=state.progress.spent - (-loss * WAD // total),
        surplus=surplus_left,
        held=state.progress.held + at_start * WAD // total,
    )
    return Outcome(value_out, value_in, Sale(share, out_at_start), lambda_, credited, progress)
