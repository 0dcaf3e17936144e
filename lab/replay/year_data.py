"""A year of monthly prices and supplies from a CSV, and the local mainnet's first month made from it.

Columns: date, token, price_usd, circulating_supply, market_cap_usd (not read: it is the product); one row for each
token on the first of each month. A token without a row has left, or has not come yet. The rows of ETH are the price
of WETH, and ETH is never a candidate.

Prices are integers with 18 decimals, floored to the feeds' 8; supplies are whole tokens, floored.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from eth_utils import to_checksum_address

from ballast.units import FEED_STEP, WAD
from lab.localnet.addresses import FOLDER, stand_in
from lab.localnet.reserves import SLICES_DEEP, ReserveRow

DECIMALS = 18
"""Decimals of every token: the CSV does not state them."""
COLUMNS = ("date", "token", "price_usd", "circulating_supply")
WETH_USD = 2_000 * WAD
"""Price of WETH where the CSV has no ETH."""
DEPTH = 5 * WAD // 1000
"""WETH side of a token's pool as a fraction of its market cap."""
# fmt: off
DEFI = frozenset((
    "1INCH", "AAVE", "BADGER", "BAL", "COMP", "CREAM", "CRV", "CVX", "FARM", "FXS", "INST", "KNC",
    "LDO", "LRC", "MKR", "PENDLE", "REN", "RGT", "RPL", "SNX", "SUSHI", "UMA", "UNI", "YFI",
))
# fmt: on
"""Default candidates: tokens of DeFi protocols. Not among them: ETH, oracle and name networks, prediction markets, and
tokens that another has replaced."""


class YearError(ValueError):
    """The data of a year cannot be used; the message is one line for the user."""


@dataclass(frozen=True)
class Quote:
    """A token on one day: USD for one whole token (18 decimals) and circulating whole tokens. `listed`: whether it has
    a row that day; if not, the figures are those of its last earlier row, or of its first later one. `frozen`: the
    owner waits for a row, and the fund keeps what it holds."""

    price: int
    supply: int
    listed: bool
    frozen: bool = False

    @property
    def market_cap(self) -> int:
        """USD, 18 decimals."""
        return self.price * self.supply


@dataclass(frozen=True)
class Snapshot:
    """The first of a month. `quotes` by symbol, with every token of the year; `reserves`: WETH wei observed that day in
    the deepest pair of a token, by symbol."""

    day: date
    weth_price: int
    quotes: dict[str, Quote]
    reserves: dict[str, int] = field(default_factory=dict)

    @property
    def period(self) -> int:
        """year * 12 + month - 1."""
        return self.day.year * 12 + self.day.month - 1

    @property
    def label(self) -> str:
        return f"{self.day:%Y-%m}"


@dataclass(frozen=True)
class Year:
    """The months in order. `tokens`: address by symbol, in ascending order of address."""

    snapshots: tuple[Snapshot, ...]
    tokens: dict[str, str]
    closing: Snapshot | None
    """The month after the last, if the CSV has it: fund and index are valued at its prices in the end."""


def read_year(
    path: Path, first: str, months: int, tokens: Sequence[str] = (), reserves: Iterable[ReserveRow] = ()
) -> Year:
    """`months` months from `first` (YYYY-MM). `tokens`: the candidates; if none are given, those of `DEFI` that the CSV
    has, or all its tokens where it has none of them. `reserves`: observed reserves of pairs, matched by address."""
    rows = read_rows(path)
    days = _days(path, first, months, {day for day, _ in rows})
    known = {symbol for _, symbol in rows} - {"ETH"}
    if tokens and (unknown := sorted(set(tokens) - known)):
        raise YearError(f"tokens: {', '.join(unknown)} not in {path}, expected some of {', '.join(sorted(known))}")
    wanted = set(tokens) or (known & DEFI) or known
    chosen = {symbol for day, symbol in rows if symbol in wanted and day in days}
    addresses = {symbol: address_of(symbol) for symbol in chosen}
    seen = _deepest(reserves)
    snapshots = []
    for day in days:
        price, _ = rows.get((day, "ETH"), (WETH_USD, 0))
        quotes = {symbol: _quote(rows, days, day, symbol) for symbol in chosen}
        known_wei = {symbol: seen[day, at] for symbol, at in addresses.items() if (day, at) in seen}
        snapshots.append(Snapshot(day, price, quotes, known_wei))
    ordered = dict(sorted(addresses.items(), key=lambda entry: int(entry[1], 16)))
    return Year(tuple(snapshots[:months]), ordered, snapshots[months] if len(snapshots) > months else None)


def address_of(symbol: str) -> str:
    """The token's mainnet address if the project knows it, else the stand-in of `token.` and the symbol."""
    with (FOLDER / "mainnet_pairs.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["symbol"] == symbol:
                return str(to_checksum_address(row["token"]))
    return stand_in(f"token.{symbol}")


def seed_units(snapshot: Snapshot, top: int, nav: int) -> dict[str, int]:
    """Units (token wei per 1e18 shares) of the `top` largest listed tokens at their market-cap weights, without a cap;
    `nav` is USD of one share with 18 decimals."""
    listed = {symbol: quote for symbol, quote in snapshot.quotes.items() if quote.listed}
    largest = sorted(listed, key=lambda symbol: (-listed[symbol].market_cap, symbol))[:top]
    total = sum(listed[symbol].market_cap for symbol in largest)
    # {wei / share} = {whole} * {USD} * {wei / whole} / {USD}, down
    return {symbol: listed[symbol].supply * nav * 10**DECIMALS // total for symbol in largest}


def weth_depth(snapshot: Snapshot, symbol: str, depth: int = DEPTH) -> int:
    """WETH wei of the token's pool: the reserve observed that day, else this part of the market cap (18 decimals)."""
    return snapshot.reserves.get(symbol) or snapshot.quotes[symbol].market_cap * depth // snapshot.weth_price


def _deepest(rows: Iterable[ReserveRow]) -> dict[tuple[date, str], int]:
    """WETH wei of the deepest pair by day and token."""
    found: dict[tuple[date, str], int] = {}
    for row in rows:
        found[row.day, row.token] = max(row.weth_wei, found.get((row.day, row.token), 0))
    return found


def write_month(path: Path, year: Year, units: dict[str, int], shares: int, cap_weight: int) -> None:
    """Writes the first month as a month file, from which the local mainnet is built, with all candidates of the year.

    `shares` have 18 decimals. Nothing is published: target units are 0, and the slice only gives the pool its depth.
    """
    first = year.snapshots[0]
    components = []
    for symbol, address in year.tokens.items():
        quote = first.quotes[symbol]
        components.append(
            {
                "symbol": symbol,
                "address": address,
                "decimals": DECIMALS,
                "supply": str(quote.supply),
                "weight": None,
                "price_usd": str(quote.price),
                "current_unit": str(units.get(symbol, 0)),
                "published_target_unit": "0",
                "max_trade_size": str(max(1, quote.supply * DEPTH // SLICES_DEEP)),
                "cool_off_s": 600,
                "exchange": "uniswap",
            }
        )
    month = {
        "label": f"year-{first.label}",
        "cap": "hard",
        "cap_weight": str(cap_weight),
        "nav_floor": "sum",
        "total_supply": str(shares),
        "weth_price_usd": str(first.weth_price),
        "components": components,
    }
    path.write_text(json.dumps(month, indent=1) + "\n", encoding="utf-8")


def read_rows(path: Path) -> dict[tuple[date, str], tuple[int, int]]:
    """Price (USD, 18 decimals) and supply (whole tokens) by day and symbol. Raises YearError."""
    found: dict[tuple[date, str], tuple[int, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
            if missing:
                raise YearError(f"{path}: column {missing[0]!r}: missing, expected {', '.join(COLUMNS)}")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                key = _day(row["date"], where), (row["token"] or "").strip()
                if key in found:
                    raise YearError(f"{where}: {key[1]} stands twice on {key[0]}, expected once")
                price = _number(row["price_usd"], where, "price_usd", FEED_STEP)
                supply = _number(row["circulating_supply"], where, "circulating_supply", WAD) // WAD
                found[key] = price // FEED_STEP * FEED_STEP, supply
    except (OSError, UnicodeDecodeError) as error:
        raise YearError(f"{path}: cannot be read: {error}") from error
    return found


def _days(path: Path, first: str, months: int, known: set[date]) -> list[date]:
    """The first of each month, and of the month after the last if it is known."""
    start = _day(f"{first}-01", "first month")
    count = start.year * 12 + start.month - 1
    days = [date((count + k) // 12, (count + k) % 12 + 1, 1) for k in range(months + 1)]
    for day in days[:-1]:
        if day not in known:
            raise YearError(f"{path}: no rows on {day}, expected {months} months from {first}")
    return days if days[-1] in known else days[:-1]


def _quote(rows: dict[tuple[date, str], tuple[int, int]], days: list[date], day: date, symbol: str) -> Quote:
    earlier = [other for other in days if other <= day and (other, symbol) in rows]
    nearest = earlier[-1] if earlier else next(other for other in days if (other, symbol) in rows)
    return Quote(*rows[nearest, symbol], listed=nearest == day)


def _day(text: str | None, where: str) -> date:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError as error:
        raise YearError(f"{where}: date: {text!r}, expected YYYY-MM-DD (a month: YYYY-MM)") from error


def _number(text: str | None, where: str, name: str, least: int) -> int:
    """A decimal text as an integer with 18 decimals, floored."""
    try:
        amount = Decimal((text or "").strip())
    except InvalidOperation as error:
        raise YearError(f"{where}: {name}: {text!r}, expected a number") from error
    if not amount.is_finite() or not least <= amount * WAD < 10**50:
        raise YearError(f"{where}: {name}: {text!r}, expected a number of at least {Decimal(least) / WAD}")
    return int(amount.scaleb(18))
