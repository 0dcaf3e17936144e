"""The fund's arithmetic in Python integers, the reference for the contracts and every table.

It is written from the published rules, not from the contracts. Prices, NAV and weights have 18 decimals, units are
token wei per 1e18 shares, supplies whole tokens, times Unix seconds (UTC). Every division rounds down unless stated
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ballast.units import WAD

POOL_FEE = 3_000
"""Fee of a pool of the Uniswap V2 family, in millionths of the input."""


class ArithmeticDomainError(ValueError):
    """A figure is outside the arithmetic's domain; the message names it."""


@dataclass(frozen=True)
class PricedComponent:
    """One component as input of a methodology. `basis`: supply in whole tokens, or weight; 0 if it leaves the index."""

    basis: int
    unit: int
    price: int
    decimals: int

    @property
    def value(self) -> int:
        """USD of its part in one share."""
        return usd(self.unit, self.price, self.decimals)


def usd(amount: int, price: int, decimals: int) -> int:
    """USD (18 decimals) of token wei."""
    return amount * price // int(10**decimals)


# Methodologies


def market_cap_units(lines: Sequence[PricedComponent], cap: int | None = None, passes: int = 1) -> list[int]:
    """Target units by circulating market cap, with a hard cap if one is given (18 decimals), applied `passes` times.

    The published spreadsheet works on 18-decimal amounts whatever the token's decimals; the last step scales.
    """
    amounts = [(line.unit * 10 ** (27 - line.decimals), line.price) for line in lines]
    nav = sum(amount * price for amount, price in amounts) // 10**27
    if not 0 < nav < 2**104:
        raise ArithmeticDomainError(f"nav: {nav}, expected a share that is worth something, and less than 2**104")
    members = [i for i, line in enumerate(lines) if line.basis and line.price]
    divisor = sum(lines[i].basis * lines[i].price for i in members) // nav
    if divisor == 0:
        raise ArithmeticDomainError("divisor: 0, expected market caps above a share's NAV")
    wide = {i: lines[i].basis * WAD // divisor for i in members}
    if cap is not None:
        wide = _capped(wide, {i: lines[i].price for i in members}, nav, cap, passes)
    return [wide.get(i, 0) * 10**line.decimals // WAD for i, line in enumerate(lines)]


def _capped(units: Mapping[int, int], prices: Mapping[int, int], nav: int, cap: int, passes: int) -> dict[int, int]:
    """Cuts weights above the cap to the cap and distributes the excess over the others in proportion to their weights;
    repeats at most `passes` times, as that may lift others above the cap."""
    weights = {i: prices[i] * unit // nav for i, unit in units.items() if unit}
    over: set[int] = set()
    for _ in range(passes):
        new = {i for i, weight in weights.items() if weight > cap and i not in over}
        if not new:
            break
        over |= new
        weights |= dict.fromkeys(new, cap)
        free = sum(weight for i, weight in weights.items() if i not in over)
        if not free:
            weights = dict.fromkeys(weights, WAD // len(weights))
            break
        # The divisor is rounded down: the weights may sum to more than 1, and then there is no excess.
        excess = max(WAD - free - cap * len(over), 0)
        weights |= {i: w + w * WAD // free * excess // WAD for i, w in weights.items() if i not in over}
    return dict(units) if not over else dict(units) | {i: w * nav // prices[i] for i, w in weights.items()}


def fixed_weight_units(lines: Sequence[PricedComponent]) -> list[int]:
    """Target units by given weights. Published weights are rounded: sums within 0.01 % of 1 count as 1.

    If components have no price, scales the others' weights up to 1.
    """
    nav = sum(line.value for line in lines)
    if nav == 0:
        raise ArithmeticDomainError("nav: 0, expected a share that is worth something")
    total = sum(line.basis for line in lines if line.price)
    if total == 0:
        raise ArithmeticDomainError("weights: sum to 0, expected at least one component with a price")
    if abs(total * 10_000 - WAD * 10_000) <= WAD:
        total = WAD
    return [
        10**line.decimals * (nav * (line.basis * WAD // total) // WAD) // line.price if line.price else 0
        for line in lines
    ]


# Calendar months, counted as year * 12 + month - 1. The periods of a fund: `calendar.py`.


def month_at(time: int) -> int:
    """The calendar month at a time (Unix seconds, UTC)."""
    day = datetime.fromtimestamp(time, UTC)
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """First day of a calendar month."""
    return date(month // 12, month % 12 + 1, 1)


def period_start(month: int, notice: int) -> int:
    """First second of the monthly period of this calendar month, `notice` seconds before it."""
    return midnight(first_day(month)) - notice


def execution_time(month: int, day: str = "first_business_day", fixed_day: int = 0) -> int:
    """First second of the execution day for this month: its first business day (Monday to Friday; ignores holidays),
    the last day of the month before, or its day `fixed_day`."""
    first = first_day(month)
    if day == "last_day":
        return midnight(first - timedelta(days=1))
    if day == "fixed_day":
        return midnight(first.replace(day=fixed_day))
    while first.isoweekday() > 5:
        first += timedelta(days=1)
    return midnight(first)


def midnight(day: date) -> int:
    """00:00 UTC of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# Measures of a month's result, at reference prices. Money is USD with 18 decimals.


@dataclass(frozen=True)
class SwapInput:
    """One swap in a pool: its input in wei of that token, and the pool's fee in millionths of it."""

    token_in: str
    amount_in: int
    fee: int = POOL_FEE


@dataclass(frozen=True)
class Flow:
    """Tokens moved between the fund and its fillers in one batch: token wei by token, net on each side."""

    sold: Mapping[str, int]
    bought: Mapping[str, int]
    swaps: tuple[SwapInput, ...] = ()


@dataclass(frozen=True)
class Position:
    """A component's unit and target unit, in token wei per 1e18 shares."""

    unit: int
    target: int
    price: int
    decimals: int


@dataclass(frozen=True)
class Cost:
    """Cost of a month's trading. `turnover`: value of all sells, one way; `cost`: value out minus value in, the sum of
    pool `fees` and `impact` (the rest; negative if the fund gained more than it paid in fees)."""

    turnover: int
    cost: int
    fees: int

    @property
    def impact(self) -> int:
        return self.cost - self.fees


def cost_of(flows: Iterable[Flow], prices: Mapping[str, int], decimals: Mapping[str, int]) -> Cost:
    """Turnover, cost and fees of batches at reference prices. `prices` and `decimals` by token, WETH included."""
    turnover = received = fees = 0
    for flow in flows:
        turnover += sum(usd(amount, prices[token], decimals[token]) for token, amount in flow.sold.items())
        received += sum(usd(amount, prices[token], decimals[token]) for token, amount in flow.bought.items())
        fees += sum(
            usd(swap.amount_in, prices[swap.token_in], decimals[swap.token_in]) * swap.fee // 10**6
            for swap in flow.swaps
        )
    return Cost(turnover=turnover, cost=turnover - received, fees=fees)


def nav_of(positions: Iterable[Position]) -> int:
    """USD of one share."""
    return sum(usd(position.unit, position.price, position.decimals) for position in positions)


def residual(positions: Sequence[Position]) -> int:
    """Total value of the units' deviations from their targets, up or down, as a fraction of NAV (18 decimals)."""
    missed = sum(usd(abs(p.unit - p.target), p.price, p.decimals) for p in positions)
    nav = nav_of(positions)
    return missed * WAD // nav if nav else 0


def worst_short(positions: Sequence[Position]) -> int:
    """The largest shortfall of one component, as a fraction of its target (18 decimals)."""
    return max((max(p.target - p.unit, 0) * WAD // p.target for p in positions if p.target), default=0)


def weights_of(positions: Sequence[Position]) -> list[int]:
    """Weight of each component in NAV, 18 decimals."""
    nav = nav_of(positions)
    return [usd(p.unit, p.price, p.decimals) * WAD // nav if nav else 0 for p in positions]


def part(amount: int, whole: int) -> int:
    """`amount` as a fraction of `whole` with 18 decimals; 0 if the whole is 0. Rounds towards minus infinity."""
    return amount * WAD // whole if whole else 0
