"""Years of monthly figures, with the gaps, dead tokens and replaced tokens of real data.

Decisions for a day use only what is known on it:

- A token may enter once it has had rows for a season (`season` months in a row, that one included).
- One that is held and has no row any more is frozen for `patience` months: the fund keeps what it has, at the last
  price. Then it leaves, at `kept` of its last price.
- A migration changes the old token into the new one in the first month that has a row of the new one and none of the
  old; until then the old one is frozen. The new one needs no season.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ballast.units import FEED_STEP, WAD
from lab.replay.year_data import DEFI, Quote, Snapshot, Year, YearError, read_rows, read_year

USUAL_FIRST = "2020-09"
"""First month where the file has it: DPI's first."""


@dataclass(frozen=True)
class Migration:
    """A token that another replaced: `ratio` old ones for a new one."""

    old: str
    new: str
    ratio: int


MIGRATIONS = (Migration("LEND", "AAVE", 100),)
"""AIP-1 of Aave, October 2020."""


@dataclass(frozen=True)
class Policy:
    """How to treat gaps, see the module. `season` and `patience` are months, `kept` an 18-decimal fraction."""

    season: int = 3
    patience: int = 3
    kept: int = WAD // 2


@dataclass(frozen=True)
class Years:
    """The months under the policy. `migrations`: by the label of the month in which they happen."""

    year: Year
    policy: Policy
    migrations: dict[str, tuple[Migration, ...]]


def span(path: Path, first: str, months: int | None) -> tuple[str, int]:
    """First month (YYYY-MM) and number of months: the given ones, else from `USUAL_FIRST`, or the file's first month
    where it lacks that, to the last of consecutive months. Raises YearError."""
    days = sorted({day for day, _ in read_rows(path)})
    if not days:
        raise YearError(f"{path}: no rows, expected some")
    labels = [f"{day:%Y-%m}" for day in days]
    start = first or (USUAL_FIRST if USUAL_FIRST in labels else labels[0])
    count = 0
    day = date.fromisoformat(f"{start}-01") if _is_label(start) else None
    while day in days:
        count, day = count + 1, _months_later(day, 1)
    if not count:
        raise YearError(f"first month: {start!r}, expected YYYY-MM from {labels[0]} to {labels[-1]}")
    if months is not None and months > count:
        raise YearError(f"months: {months}, expected at most {count} from {start} in {path}")
    return start, months or count


def read_years(
    path: Path,
    first: str,
    months: int,
    policy: Policy,
    tokens: Sequence[str] = (),
    migrations: Sequence[Migration] = MIGRATIONS,
) -> Years:
    """`months` months from `first` (YYYY-MM). `tokens`: the candidates; if none are given, the DeFi tokens that the
    file has and those that they replaced, or all of its tokens. Raises YearError."""
    rows = read_rows(path)
    known = {symbol for _, symbol in rows} - {"ETH"}
    usual = known & DEFI
    chosen = tuple(tokens) or tuple(usual | {m.old for m in migrations if m.old in known} if usual else known)
    start = date.fromisoformat(f"{first}-01")
    days = [_months_later(start, k) for k in range(months + 1)]
    wanted = tuple(symbol for symbol in chosen if any((day, symbol) in rows for day in days))
    plain = read_year(path, first, months, wanted)
    moving = [m for m in migrations if m.old in plain.tokens and m.new in plain.tokens]
    reader = _Reader(rows.keys(), min(day for day, _ in rows), policy, moving)
    snapshots = tuple(reader.read(snapshot) for snapshot in plain.snapshots)
    closing = None if plain.closing is None else reader.read(plain.closing)
    happen = {
        label: tuple(m for m in moving if reader.happened.get(m.old) == label) for label in reader.happened.values()
    }
    return Years(Year(snapshots, plain.tokens, closing), policy, happen)


class _Reader:
    """Reads the months in order."""

    def __init__(
        self, rows: Collection[tuple[date, str]], begins: date, policy: Policy, migrations: Sequence[Migration]
    ) -> None:
        self._rows = rows
        self._begins = begins
        self._policy = policy
        self._by_old = {m.old: m for m in migrations}
        self._waived: set[str] = set()
        self._in: set[str] = set()
        self._last: dict[str, Quote] = {}
        self._missing: dict[str, int] = {}
        self.happened: dict[str, str] = {}

    def read(self, snapshot: Snapshot) -> Snapshot:
        """The month under the policy."""
        for old, m in self._by_old.items():
            here = self._has(snapshot.day, m.new) and not self._has(snapshot.day, old)
            if here and old in self._last and old not in self.happened:
                self.happened[old] = snapshot.label
                self._waived.add(m.new)
        quotes = {symbol: self._quote(snapshot, symbol) for symbol in snapshot.quotes}
        for old in self.happened:
            m = self._by_old[old]
            price = max(FEED_STEP, quotes[m.new].price // m.ratio // FEED_STEP * FEED_STEP)
            quotes[old] = Quote(price, quotes[old].supply, listed=False)
        return replace(snapshot, quotes=quotes)

    def _quote(self, snapshot: Snapshot, symbol: str) -> Quote:
        found = snapshot.quotes[symbol]
        if self._has(snapshot.day, symbol):
            seasoned = symbol in self._in or symbol in self._waived or self._seasoned(snapshot.day, symbol)
            if seasoned:
                self._in.add(symbol)
            self._last[symbol], self._missing[symbol] = found, 0
            return replace(found, listed=seasoned)
        if symbol not in self._last:
            return replace(found, listed=False)
        last = self._last[symbol]
        self._missing[symbol] += 1
        is_replaced = symbol in self._by_old and symbol not in self.happened
        waits = is_replaced or self._missing[symbol] <= self._policy.patience
        if waits and symbol in self._in:
            return replace(last, listed=False, frozen=True)
        self._in.discard(symbol)
        price = max(FEED_STEP, last.price * self._policy.kept // WAD // FEED_STEP * FEED_STEP)
        return Quote(price, last.supply, listed=False)

    def _seasoned(self, day: date, symbol: str) -> bool:
        """Whether the token has had rows for a season. Months before the file's first count as if they had a row."""
        earlier = [_months_later(day, -k) for k in range(1, self._policy.season)]
        return all(other < self._begins or self._has(other, symbol) for other in earlier)

    def _has(self, day: date, symbol: str) -> bool:
        return (day, symbol) in self._rows


def _months_later(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _is_label(text: str) -> bool:
    try:
        return f"{date.fromisoformat(f'{text}-01'):%Y-%m}" == text
    except ValueError:
        return False
