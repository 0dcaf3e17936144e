"""The page's part in a running keeper: an observer of the loop that keeps the last look at each fund, and the routes
that answer from it. It asks the chain only for what a look does not hold, and seldom."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from ballast.book import Book
from keeper.errors import KeeperError
from keeper.loop import View
from keeper.ops.server import Response
from keeper.page import text
from keeper.page.data import Look, history_data, page_data
from keeper.page.details import DetailsReader
from keeper.page.history import History
from keeper.page.notes import Endpoint, Note, Patience
from keeper.page.render import JSON_HEADERS, document
from keeper.page.timeline import period_shown
from keeper.pulse import Pulse
from keeper.sending.journal import Entry
from keeper.state import FundState

log = structlog.get_logger("keeper.page")

DETAILS_S = 3_600.0
"""Between two readings of the fee while the month stands where it stood."""
RETRY_S = 60.0
JOURNAL_S = 2.0
"""The journal is read at most so often, however many pages are open."""

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Shown:
    """A fund of this keeper: its address book, and who reads what a look does not hold."""

    book: Book
    details: DetailsReader


class StatusPage:
    """What the page shows. The loop tells it (`looked`, `failed`) in one thread, the server asks it in others.

    `journal` gives the journal's entries, oldest first; it may raise KeeperError. `history` None:
    no samples are kept. `endpoints` gives the health of the nodes.
    """

    def __init__(
        self,
        funds: Mapping[str, Shown],
        *,
        journal: Callable[[], Sequence[Entry]],
        history: History | None,
        patience: Patience,
        endpoints: Callable[[], Sequence[Endpoint]] = tuple,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._funds = dict(funds)
        self._journal = journal
        self._history = history
        self._endpoints = endpoints
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._looks = {name: Look(shown.book) for name, shown in self._funds.items()}
        self._version = 0
        self._refused = False
        self._details_next: dict[str, tuple[object, float]] = {}
        self._entries_lock = threading.Lock()
        self._entries: tuple[float, Sequence[Entry], Note | None] | None = None
        self._page = document()

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        """Keeps a look, and a sample of it if one is due."""
        shown, old = self._funds[fund], self._looks[fund]
        state = view.state
        new = replace(
            old, view=view, pulse=pulse, looked_at=self._clock(), error=None, failing_since=None,
            details=self._read_details(fund, view, old),
        )  # fmt: skip
        new = self._remember(shown.book, state, new)
        with self._lock:
            self._looks[fund] = new

    def failed(self, fund: str, error: KeeperError) -> None:
        """Keeps that looking failed, and since when."""
        with self._lock:
            old = self._looks[fund]
            since = self._clock() if old.failing_since is None else old.failing_since
            self._looks[fund] = replace(old, error=str(error), failing_since=since)

    def routes(self) -> dict[str, Callable[[], Response]]:
        """What answers where."""
        return {"/": self._html, "/state.json": self._state, "/history.json": self._samples}

    def state(self) -> dict[str, Any]:
        """All that the page shows but the samples, as JSON takes it."""
        with self._lock:
            looks, version = list(self._looks.values()), self._version
        now = self._clock()
        entries, trouble = self._read_journal()
        endpoints = tuple(self._endpoints())
        funds = [page_data(look, entries, endpoints, now, self._patience) for look in looks]
        if trouble is not None:
            funds = [replace(f, notes=(trouble, *f.notes), level="bad" if f.level == "bad" else "warn") for f in funds]
        return {
            "now": now,
            "stale_after_s": self._patience.silent_s,
            "history_version": version,
            "funds": [asdict(fund) for fund in funds],
            "endpoints": [
                {
                    "name": text.name(e.name, 80),
                    "healthy": e.healthy,
                    "reason": text.line(e.reason or ""),
                    "head": e.head,
                    "head_age_s": e.head_age_s,
                }
                for e in endpoints
            ],
        }

    def _html(self) -> Response:
        return Response(200, "text/html; charset=utf-8", self._page.body, self._page.headers)

    def _state(self) -> Response:
        return Response(200, JSON_TYPE, _json(self.state()), JSON_HEADERS)

    def _samples(self) -> Response:
        funds = []
        if self._history is not None:
            for shown in self._funds.values():
                samples = self._history.samples(shown.book.chain_id, shown.book["rebalancer"])
                funds.append(history_data(shown.book, samples))
        return Response(200, JSON_TYPE, _json({"funds": funds}), JSON_HEADERS)

    def _read_details(self, fund: str, view: View, old: Look) -> Any:
        """What a look does not hold, read again once an hour or where the month has moved on."""
        state, now = view.state, time.monotonic()
        stands = (state.phase, state.month_period)
        before, due = self._details_next.get(fund, (None, 0.0))
        if stands == before and now < due:
            return old.details
        try:
            found = self._funds[fund].details.read(view.head, state)
        except KeeperError as error:
            log.debug("fee not read", fund=fund, error=text.line(str(error)))
            self._details_next[fund] = (stands, now + RETRY_S)
            # Coming weights of another determination would be wrong.
            return old.details if stands == before else None
        self._details_next[fund] = (stands, now + DETAILS_S)
        return found

    def _remember(self, book: Book, state: FundState, look: Look) -> Look:
        """Keeps a sample if one is due, and finds the month's first ones. A file that cannot be used stops nothing."""
        if self._history is None:
            return look
        chain, address, period = book.chain_id, book["rebalancer"], period_shown(state)
        try:
            if self._history.add(chain, address, state):
                with self._lock:
                    self._version += 1
            elif look.opened is not None and look.opened.period == period:
                return look
            opened, closed = self._history.month(chain, address, period)
        except KeeperError as error:
            if not self._refused:
                log.warning("samples for the page are not kept", error=str(error))
            self._refused = True
            return look
        self._refused = False
        return replace(look, opened=opened, closed=closed)

    def _read_journal(self) -> tuple[Sequence[Entry], Note | None]:
        with self._entries_lock:
            now = time.monotonic()
            if self._entries is None or now - self._entries[0] > JOURNAL_S:
                try:
                    self._entries = (now, self._journal(), None)
                except KeeperError as error:
                    log.debug("journal not read", error=type(error).__name__)
                    note = Note("warn", "The journal cannot be read: what was sent is not shown")
                    self._entries = (now, (), note)
            return self._entries[1], self._entries[2]


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
