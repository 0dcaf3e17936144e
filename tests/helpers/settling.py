"""The settlement in Python: a second implementation, against which the tests check the contracts.

Values are USD with 18 decimals, shares of NAV and tolerances 18-decimal fractions, amounts token wei. `Fund` is what
FundLens.fund returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ballast.units import WAD

SCALE = 2**24
HELD, SELL, BUY = 0, 1, 2


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass(frozen=True)
class BucketState:
    """The bucket's terms for a batch of some value at some time, and the tat that the batch leaves behind."""

    idle: int
    """Seconds x 2**24."""
    capacity: int
    tolerance: int
    tat: int


def bucket(now: int, tat: int, value: int, limits: Any) -> BucketState:
    """The bucket alone, without the loss budget. `limits` has the fields of IRebalancer.Limits."""
    most = limits.maxIdle * SCALE
    idle = min(max(now * SCALE - tat, 0), most)
    capacity = min(limits.batchCap, idle * limits.batchCap // (limits.coolOff * SCALE))
    opened = (limits.lastTolerance - limits.firstTolerance) * idle // most
    used = ceil_div(value * limits.coolOff * SCALE, limits.batchCap)
    return BucketState(idle, capacity, limits.firstTolerance + opened, max(tat, (now - limits.maxIdle) * SCALE) + used)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a batch: `error` is the name of the error that it meets, with its arguments, or None."""

    error: tuple[Any, ...] | None
    value_out: int = 0
    value_in: int = 0
    least: int = 0
    tolerance: int = 0
    sold: Mapping[int, int] = field(default_factory=dict)
    credited: Mapping[int, int] = field(default_factory=dict)
    part: int = 0
    tat: int = 0
    spent: int = 0
    surplus: int = 0
    held: int = 0


def total_value_at_start(fund: Any) -> int:
    """USD of all shares at start prices."""
    return int(fund.opening.nav * fund.shares // WAD)


def surplus_of(fund: Any, i: int) -> int:
    """Token wei above target that component i may sell."""
    holding = fund.holdings[i]
    return int(max(0, holding.balance - ceil_div(holding.target.unit * fund.shares, WAD)))


def goal_of(fund: Any, i: int, part: int = WAD) -> int:
    """Balance at which component i has that part of its target."""
    return int(fund.holdings[i].target.unit * fund.shares // WAD * part // WAD)


def usd(amount: int, price: int, decimals: int) -> int:
    """USD of token wei, rounded down."""
    return int(amount * price // 10**decimals)


def attainable(fund: Any, surplus: int, received: int) -> int:
    """Lambda: the part of its target that every buy can reach once `surplus` is left and `received` has come."""
    limits, progress = fund.limits, fund.progress
    may_lose = min(max(0, limits.lossBudget - progress.spent), surplus * limits.lastTolerance // WAD)
    total = progress.held + received + surplus - may_lose
    return int(min(WAD, total * WAD // fund.opening.buyTargets))


def settle(fund: Any, now: int, sells: Mapping[int, int], pays: Mapping[int, int], min_value: int = 0) -> Outcome:
    """Settles the batch that sends out up to `sells`, keeps what is sent, and brings `pays`."""
    sold = {i: min(amount, surplus_of(fund, i)) for i, amount in sells.items()}
    limits, progress, total = fund.limits, fund.progress, total_value_at_start(fund)
    at = fund.holdings
    value_out = sum(ceil_div(a * at[i].tradePrice, 10 ** at[i].decimals) for i, a in sold.items())
    if value_out == 0:
        return Outcome(("NothingSold",))
    gone = sum(usd(a, at[i].target.price, at[i].decimals) for i, a in sold.items())
    gone_share = gone * WAD // total
    surplus = max(0, progress.surplus - gone_share)

    def counted(part: int) -> dict[int, int]:
        return {i: max(0, min(goal_of(fund, i, part), at[i].balance + a) - at[i].balance) for i, a in pays.items()}

    def at_start(amounts: Mapping[int, int]) -> int:
        return sum(usd(a, at[i].target.price, at[i].decimals) for i, a in amounts.items()) * WAD // total

    part = attainable(fund, surplus, at_start(counted(WAD)))
    credited = {i: max(0, min(goal_of(fund, i, part), at[i].balance + counted(WAD)[i]) - at[i].balance) for i in pays}
    value_in = sum(usd(a, at[i].tradePrice, at[i].decimals) for i, a in credited.items())
    value = ceil_div(value_out * WAD, total)
    met = bucket(now, progress.tat, value, limits)
    budget_left = max(0, limits.lossBudget - progress.spent)
    tolerance = met.tolerance
    if tolerance > 0:
        of_surplus = min(gone_share, progress.surplus)
        tolerance = min(tolerance, budget_left * of_surplus * WAD // (progress.surplus * value))
    least = ceil_div(value_out * (WAD - tolerance), WAD)
    spent = progress.spent + ceil_div(max(0, value_out - value_in) * WAD, total)
    error: tuple[Any, ...] | None = None
    if value > met.capacity:
        error = ("AboveCapacity", value, met.capacity)
    elif value_in < least:
        error = ("BelowTolerance", value_in, least)
    elif value_in < min_value:
        error = ("BelowMinimum", value_in, min_value)
    elif spent > limits.lossBudget:
        error = ("AboveLossBudget", spent, limits.lossBudget)
    return Outcome(
        error,
        value_out,
        value_in,
        least,
        tolerance,
        sold,
        credited,
        part,
        met.tat,
        spent,
        surplus,
        progress.held + at_start(credited),
    )
