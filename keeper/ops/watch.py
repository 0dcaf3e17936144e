"""Watches the keeper: collects the facts and reports them from its own thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from ballast.book import Book
from keeper.errors import KeeperError
from keeper.look.rpc import EndpointStatus
from keeper.ops.alerts import Alert, alerts_of, of_keeper
from keeper.ops.facts import Bounds, Facts, FundFacts, overdue, possible
from keeper.ops.liveness import Stop
from keeper.ops.notifier import Notifier
from keeper.ops.pulse import Pulse
from keeper.ops.systemd import tell
from keeper.ops.troubles import Troubles
from keeper.plan import standby
from keeper.plan.standby import Since
from keeper.sending.journal import Entry, read_journal
from keeper.view import View

log = structlog.get_logger("keeper.ops")

T = TypeVar("T")

BALANCE_S = 300.0
"""Seconds between two reads of the account's balance, if nothing was sent."""
INTERVAL_S = 2.0
"""Seconds between two checks of the facts for alerts and systemd."""
LEAVE_S = 2.0
"""Grace period for in-flight alerts at shutdown, seconds."""
LAST_WORDS_S = 20.0
"""Grace period if the process ends because of the error that the alert reports, seconds."""


@dataclass(frozen=True)
class _Known:
    """State of a fund. `heard`: monotonic time (s) of the last successful look, or of the keeper's start."""

    book: Book
    heard: float
    view: View | None = None
    pulse: Pulse | None = None
    looked_at: float | None = None
    failing: bool = False
    error: str = ""
    seen: Since | None = None
    able: Since | None = None


class Watch:
    """An observer that collects the facts. `facts` is thread-safe.

    `balance` queries the chain, in the loop's thread; `transactions` reads the journal; `endpoints` sends no requests.
    `follow` may set the first two later: with a key in an external service, the account is unknown before that answers.
    """

    def __init__(
        self,
        books: Sequence[Book],
        stop: Stop,
        *,
        endpoints: Callable[[], tuple[EndpointStatus, ...]],
        balance: Callable[[], int | None] = lambda: None,
        transactions: Callable[[], Sequence[Entry]] = tuple,
        troubles: Troubles | None = None,
    ) -> None:
        self._stop = stop
        self._troubles = troubles or Troubles()
        self._ask_balance = balance
        self._transactions = transactions
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._known = {book.fund: _Known(book, time.monotonic()) for book in books}
        self._balance: int | None = None
        self._balance_at = float("-inf")

    def follow(self, balance: Callable[[], int | None], transactions: Callable[[], Sequence[Entry]]) -> None:
        """Sets the account whose balance and transactions to watch."""
        self._ask_balance, self._transactions = balance, transactions

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        known, state = self._known[fund], view.state
        found = replace(
            known,
            heard=time.monotonic(),
            view=view,
            pulse=pulse,
            looked_at=time.time(),
            failing=False,
            error="",
            seen=standby.since(known.seen, state, True),
            able=standby.since(known.able, state, possible(state, pulse.possible_from)),
        )
        with self._lock:
            self._known[fund] = found
        if pulse.sent or time.monotonic() - self._balance_at >= BALANCE_S:
            self._balance_at = time.monotonic()
            with contextlib.suppress(KeeperError):  # read again at the next look
                self._balance = self._ask_balance()

    def failed(self, fund: str, error: KeeperError) -> None:
        with self._lock:
            self._known[fund] = replace(self._known[fund], failing=True, error=str(error))

    def _read(self, what: Callable[[], Sequence[T]]) -> tuple[T, ...]:
        """Empty if reading fails: health and alerts need the other facts, and the failure is recorded as a defect."""
        try:
            return tuple(what())
        except Exception as error:
            self._troubles.unforeseen("facts", error, wording=False)
            return ()

    def facts(self) -> Facts:
        """A snapshot of all facts."""
        with self._lock:
            known = tuple(self._known.values())
        now = time.monotonic()
        return Facts(
            time=time.time(),
            beat_s=self._stop.heart.silent_s(),
            stopping=self._stop.is_set(),
            funds=tuple(_facts_of(fund, now) for fund in known),
            balance=self._balance,
            transactions=self._read(self._transactions),
            endpoints=self._read(self._endpoints),
            tick_s=self._stop.heart.tick_s(),
            troubles=self._troubles.standing,
            defects=self._troubles.defects,
        )


def _facts_of(known: _Known, now: float) -> FundFacts:
    late = 0
    if known.view is not None and known.pulse is not None:
        late = overdue(known.view.state, known.pulse.possible_from, known.seen, known.able)
    return FundFacts(
        book=known.book,
        view=known.view,
        pulse=known.pulse,
        looked_at=known.looked_at,
        silent_s=now - known.heard,
        failing=known.failing,
        overdue_s=late,
        error=known.error,
    )


class Transactions:
    """The journal on the disk, read again only when its files have changed."""

    def __init__(self, path: Path, chain_id: int, account: str) -> None:
        self._path = path
        self._read = partial(read_journal, path, chain_id, account)
        self._lock = threading.Lock()
        self._version: tuple[tuple[int, int], ...] = ()
        self._entries: Sequence[Entry] = ()

    def __call__(self) -> Sequence[Entry]:
        """All transactions, oldest first; the result of the last read if the journal cannot be read now."""
        with self._lock:
            version = tuple(_version(Path(f"{self._path}{tail}")) for tail in ("", "-wal"))
            if version != self._version:
                try:
                    self._entries = self._read()
                    self._version = version
                except KeeperError as error:
                    log.warning("the journal cannot be read", error=str(error))
            return self._entries


def _version(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


class AlertThread:
    """A thread that checks the facts every few seconds, independent of the loop, for alerts and systemd's watchdog."""

    def __init__(
        self,
        facts: Callable[[], Facts],
        bounds: Bounds,
        notifier: Notifier | None,
        interval_s: float = INTERVAL_S,
        troubles: Troubles | None = None,
    ) -> None:
        self._facts = facts
        self._bounds = bounds
        self._notifier = notifier
        self._interval_s = interval_s
        self._troubles = troubles or Troubles()
        self._alerts: set[Alert] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def __enter__(self) -> AlertThread:
        tell("READY=1")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        tell("STOPPING=1")
        self._end.set()
        self._thread.join(LAST_WORDS_S if self._final() else LEAVE_S)

    def _run(self) -> None:
        while not self._end.wait(self._interval_s):
            self._look()
        if self._final():
            self._look()

    def _final(self) -> bool:
        return any(trouble.final for trouble in self._troubles.standing)

    def _look(self) -> None:
        try:
            self._look_at_facts()
        except Exception as error:
            self._troubles.unforeseen("alerts", error, wording=False)

    def _look_at_facts(self) -> None:
        facts = self._facts()
        if facts.beat_s < self._bounds.stuck_s and (facts.tick_s is None or facts.tick_s < self._bounds.tick_s):
            tell("WATCHDOG=1")
        if self._notifier is None:
            return
        try:
            self._alerts = alerts_of(facts, self._bounds)
        except Exception as error:
            self._troubles.unforeseen("alerts", error, wording=False)
            # Falls back to the last alerts and those about the keeper itself.
            known = replace(facts, defects=self._troubles.defects)
            self._alerts |= of_keeper(known, self._bounds)
        self._notifier.update(self._alerts, facts.time)
