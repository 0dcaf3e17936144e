"""Samples of a fund's NAV and weights over time, in a small SQLite file that survives restarts.

It takes a sample at most every ten minutes, and one at each change of the month's state (a batch is one). It keeps all
of the last two days, then one per hour, after 35 days one per six hours, none after 400 days, and at most `MOST` per
fund. Losing the file only loses the past of the plots.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballast.units import DAY_S, HOUR_S, WAD
from keeper.errors import SettingsError
from keeper.output.condition import lacking
from keeper.output.tables import weight
from keeper.state import FundState, Phase

EVERY_S = 600
"""Seconds of chain time between two samples while the month's state does not change."""
TIERS = ((2 * DAY_S, HOUR_S), (35 * DAY_S, 6 * HOUR_S))
"""Age in seconds from which only one sample per span is kept, and the span in seconds."""
OLDEST_S = 400 * DAY_S
MOST = 5_000
"""Most samples per fund; the oldest are dropped."""

# The column `nav` contains the total value; its name stays, so that existing files can be read.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS samples (
    chain_id INTEGER NOT NULL,
    rebalancer TEXT NOT NULL,
    time INTEGER NOT NULL,
    block INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    period INTEGER NOT NULL,
    nav TEXT NOT NULL,
    supply TEXT NOT NULL,
    surplus TEXT NOT NULL,
    held TEXT NOT NULL,
    spent TEXT NOT NULL,
    priced INTEGER NOT NULL,
    parts TEXT NOT NULL,
    PRIMARY KEY (chain_id, rebalancer, time)
) WITHOUT ROWID;
"""
_COLUMNS = "time, block, phase, period, nav, supply, surplus, held, spent, priced, parts"


@dataclass(frozen=True)
class Part:
    """A component in a sample: weight in NAV (18 decimals) and the month's target unit (token wei per 1e18 shares, 0 if
    the month is not trading)."""

    token: str
    weight: int
    unit: int


@dataclass(frozen=True)
class Sample:
    """A fund in one block. `total_value` (USD) and `supply` (shares) have 18 decimals; `surplus`, `held` and `spent`
    are shares of NAV as in `Progress`; `period` is the month's. `priced`: whether all active components counted; else
    NAV and weights cover only those that did."""

    time: int
    block: int
    phase: Phase
    period: int
    total_value: int
    supply: int
    surplus: int
    held: int
    spent: int
    priced: bool
    parts: tuple[Part, ...]

    @property
    def nav(self) -> int:
        """USD of one share, rounded down; 0 if there are no shares."""
        return self.total_value * WAD // self.supply if self.supply else 0

    @property
    def month(self) -> tuple[int, ...]:
        """The month's state: the same until its phase changes or a batch is traded."""
        return self.phase, self.period, self.surplus, self.held, self.spent


def sample_of(state: FundState) -> Sample:
    """The sample of a fund in a block."""
    progress = state.progress
    return Sample(
        time=state.time,
        block=state.block,
        phase=state.phase,
        period=state.month_period,
        total_value=state.total_value,
        supply=state.supply,
        surplus=progress.surplus,
        held=progress.held,
        spent=progress.spent,
        priced=not lacking(state),
        parts=tuple(Part(h.token, weight(state, h, h.balance), h.unit) for h in state.holdings),
    )


class Samples:
    """The samples of several funds. Thread-safe. Raises SettingsError if the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest: dict[tuple[int, str], Sample | None] = {}
        with self._in_use():
            self._db = self._open()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, chain_id: int, rebalancer: str, state: FundState) -> bool:
        """Stores a sample of the fund if one is due; returns whether it was. Skips a block that is not later than the
        newest sample's."""
        fund = (chain_id, rebalancer)
        sample = sample_of(state)
        with self._in_use():
            if fund not in self._newest:
                self._newest[fund] = next(iter(self._select(fund, "1", "time DESC LIMIT 1")), None)
            last = self._newest[fund]
            if last is not None:
                if sample.time <= last.time:
                    return False
                # A sample without all prices is of little use: keep it only if the month's state has changed.
                if sample.month == last.month and (sample.time < last.time + EVERY_S or not sample.priced):
                    return False
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._insert(fund, sample)
                self._thin(fund, sample.time)
            self._newest[fund] = sample
        return True

    def all_of(self, chain_id: int, rebalancer: str) -> list[Sample]:
        """All samples of a fund, oldest first."""
        with self._in_use():
            return self._select((chain_id, rebalancer), "1", "time")

    def month(self, chain_id: int, rebalancer: str, period: int) -> tuple[Sample | None, Sample | None]:
        """The first sample of a month's trading and the first one after it; None if there is none."""
        fund = (chain_id, rebalancer)
        with self._in_use():
            first = self._select(fund, "period = ? AND phase = ?", "time LIMIT 1", period, Phase.TRADING)
            if not first:
                return None, None
            later = "period = ? AND phase != ? AND time > ?"
            after = self._select(fund, later, "time LIMIT 1", period, Phase.TRADING, first[0].time)
        return first[0], after[0] if after else None

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """Locks the file for this thread. Raises SettingsError for errors of the file."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise SettingsError(f"BALLAST_HISTORY: {self._path} is not usable ({error})") from None

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"BALLAST_HISTORY: {self._path} cannot be written ({error.strerror})") from None
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(_SCHEMA)
        return db

    def _insert(self, fund: tuple[int, str], sample: Sample) -> None:
        figures = map(str, (sample.total_value, sample.supply, sample.surplus, sample.held, sample.spent))
        parts = json.dumps([[part.token, part.weight, part.unit] for part in sample.parts])
        row = (*fund, sample.time, sample.block, sample.phase, sample.period, *figures, sample.priced, parts)
        marks = ", ".join("?" * len(row))
        self._db.execute(f"INSERT INTO samples (chain_id, rebalancer, {_COLUMNS}) VALUES ({marks})", row)

    def _thin(self, fund: tuple[int, str], now: int) -> None:
        """Drops samples that are too old, too dense for their age, or too many. Keeps the first one of each span."""
        mine = "chain_id = ? AND rebalancer = ?"
        self._db.execute(f"DELETE FROM samples WHERE {mine} AND time < ?", (*fund, now - OLDEST_S))
        for age, span in TIERS:
            old = now - age
            self._db.execute(
                f"DELETE FROM samples WHERE {mine} AND time < ? AND time NOT IN"
                f" (SELECT min(time) FROM samples WHERE {mine} AND time < ? GROUP BY time / ?, phase, period)",
                (*fund, old, *fund, old, span),
            )
        self._db.execute(
            f"DELETE FROM samples WHERE {mine} AND time <= (SELECT time FROM samples WHERE {mine}"
            " ORDER BY time DESC LIMIT 1 OFFSET ?)",
            (*fund, *fund, MOST),
        )

    def _select(self, fund: tuple[int, str], where: str, order: str, *values: int) -> list[Sample]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM samples WHERE chain_id = ? AND rebalancer = ? AND {where} ORDER BY {order}",
            (*fund, *values),
        )
        return [_sample(row) for row in rows]


def _sample(row: Sequence[Any]) -> Sample:
    time, block, phase, period, *figures, priced, parts = row
    total, supply, surplus, held, spent = map(int, figures)
    components = tuple(Part(token, int(share), int(unit)) for token, share, unit in json.loads(parts))
    return Sample(time, block, Phase(phase), period, total, supply, surplus, held, spent, bool(priced), components)
