"""The pairs of a month: their depths of that day, at the month's reference prices.

The WETH side is taken as the depth; the token side is set so that the mid price is the month's reference price. A
component without a row that day gets one pool whose depth follows from its published slice: 200 slices of tokens, in
which a slice moves the price by about 50 bps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ballast.units import WAD
from lab.localnet import table
from lab.localnet.errors import ReservesError
from lab.localnet.month_file import Month, MonthComponent

COLUMNS = ("date", "venue", "token_address", "weth_reserve")
VENUES: Mapping[str, str] = {"uniswapv2": "uniswap", "uniswap": "uniswap", "sushiswap": "sushiswap"}
SLICES_DEEP = 200
"""Slices of tokens in a pool that is opened without known reserves."""
MAX_RESERVE = 2**112 - 1
MIN_RESERVE = 10**4
"""Below this a pair cannot be opened at a meaningful price (it keeps 1000 wei of liquidity for itself)."""


@dataclass(frozen=True)
class ReserveRow:
    """One pair on one day."""

    day: date
    venue: str
    """uniswap or sushiswap."""
    token: str
    """Checksummed address."""
    weth_wei: int
    pair: str | None
    """The pair's address as the file states it, checksummed."""


@dataclass(frozen=True)
class PoolDepth:
    """A pool to open: reserves in token wei and WETH wei at the reference mid price."""

    venue: str
    token: str
    token_wei: int
    weth_wei: int
    observed: bool
    """True if the depth was observed that day, False if it follows from the published slice."""
    pair: str | None = None


@dataclass(frozen=True)
class MonthPools:
    """The pools of a month, in the order of its components."""

    wanted: date
    day: date | None
    """The day whose reserves were taken: `wanted`, else the nearest earlier one; None if there was none."""
    pools: tuple[PoolDepth, ...]

    @property
    def note(self) -> str:
        """One line on where the depths come from."""
        observed = sum(pool.observed for pool in self.pools)
        derived = len(self.pools) - observed
        if self.day is None:
            return f"no reserves on or before {self.wanted}: all {derived} pools as deep as the published slices say"
        which = f"of {self.day}" if self.day == self.wanted else f"of {self.day} (none for {self.wanted})"
        return f"reserves {which} in {observed} pools, {derived} pools as deep as the published slices say"


def load_reserves(path: str | Path) -> tuple[ReserveRow, ...]:
    """Read a reserves file whole; every row is checked."""
    return table.load(path, "reserves file", parse_reserves)


def parse_reserves(lines: Iterable[str]) -> Iterator[ReserveRow]:
    """Rows of a reserves CSV. Columns beyond those needed are allowed."""
    seen: set[tuple[date, str, str]] = set()
    for line in table.lines_of(lines, COLUMNS):
        row = _row(line)
        key = (row.day, row.venue, row.token)
        if key in seen:
            raise ReservesError(f"line {line.number}: {row.venue} {row.token} stands twice on {row.day}, expected once")
        seen.add(key)
        yield row


def _row(line: table.Row) -> ReserveRow:
    try:
        day = date.fromisoformat(line["date"])
    except ValueError as error:
        raise line.wrong("date", "YYYY-MM-DD") from error
    venue = VENUES.get(line["venue"])
    if venue is None:
        raise line.wrong("venue", f"one of {', '.join(VENUES)}")
    return ReserveRow(
        day=day,
        venue=venue,
        token=line.address("token_address"),
        pair=line.address("pair_address") if line["pair_address"] else None,
        weth_wei=line.wei("weth_reserve", 0, MAX_RESERVE, "a number of whole WETH that fits a pool"),
    )


def pools_of(month: Month, rows: Iterable[ReserveRow]) -> MonthPools:
    """The pools of the month on its execution day, or on the nearest earlier day that has rows."""
    wanted = month.execution_date
    known = [row for row in rows if row.day <= wanted]
    day = max((row.day for row in known), default=None)
    rows_of: dict[str, list[ReserveRow]] = {}
    for row in known:
        if row.day == day and row.weth_wei > 0:
            rows_of.setdefault(row.token, []).append(row)
    pools: list[PoolDepth] = []
    for component in month.components:
        found = sorted(rows_of.get(component.address, []), key=lambda row: row.venue)
        if found:
            pools.extend(_observed(month, component, row) for row in found)
        else:
            pools.append(_derived(month, component))
    for pool in pools:
        _check(month, pool)
    return MonthPools(wanted=wanted, day=day, pools=tuple(pools))


def _observed(month: Month, component: MonthComponent, row: ReserveRow) -> PoolDepth:
    """Token side from the WETH side at the reference prices, floored."""
    tokens = row.weth_wei * month.weth_price_usd * 10**component.decimals // (component.price_usd * WAD)
    return PoolDepth(row.venue, component.address, tokens, row.weth_wei, observed=True, pair=row.pair)


def _derived(month: Month, component: MonthComponent) -> PoolDepth:
    """200 slices of tokens; the WETH side follows from the reference prices. Both floored."""
    tokens = SLICES_DEEP * component.max_trade_size * 10**component.decimals // WAD
    weth = tokens * component.price_usd * WAD // (month.weth_price_usd * 10**component.decimals)
    venue = "sushiswap" if component.exchange == "sushiswap" else "uniswap"
    return PoolDepth(venue, component.address, tokens, weth, observed=False)


def _check(month: Month, pool: PoolDepth) -> None:
    for side, amount in (("token", pool.token_wei), ("WETH", pool.weth_wei)):
        if not MIN_RESERVE <= amount <= MAX_RESERVE:
            raise ReservesError(
                f"{month.label}: {side} reserve of {pool.token} on {pool.venue} comes to {amount} wei, "
                f"expected {MIN_RESERVE} to 2^112 - 1"
            )
