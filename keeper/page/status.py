"""The page in a running keeper: an observer of the loop that keeps what the page needs besides the last look, and the
routes that answer from it. It queries the chain only for what a look does not have, and seldom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from ballast.book import Book
from keeper.errors import KeeperError
from keeper.ops.facts import Bounds, Facts
from keeper.ops.pulse import Pulse
from keeper.ops.server import Response
from keeper.page import text
from keeper.page.data import Kept, history_data, page_data
from keeper.page.details import Details, DetailsReader
from keeper.page.render import JSON_HEADERS, document
from keeper.page.samples import Samples
from keeper.page.timeline import period_shown
from keeper.state import FundState
from keeper.view import View

log = structlog.get_logger("keeper.page")

DETAILS_S = 3_600.0
"""Seconds between two reads of the details while the month's state is unchanged."""
RETRY_S = 60.0
"""Seconds until the next read after a failed one."""
PRICE_S = 60.0
"""Seconds between two reads of the oracle's price of ether."""

JSON_TYPE = "application/json"


class StatusPage:
    """The page's state. The loop calls `looked` and `failed` in its thread, the server reads in others.

    `readers`: each fund's address book and reader of details; `facts`: a snapshot of keeper and funds.
    """

    def __init__(
        self,
        readers: Sequence[tuple[Book, DetailsReader]],
        *,
        facts: Callable[[], Facts],
        bounds: Bounds,
        samples: Samples,
    ) -> None:
        self._books = {book.fund: book for book, _ in readers}
        self._readers = {book.fund: reader for book, reader in readers}
        self._facts = facts
        self._bounds = bounds
        self._kept_samples = samples
        self._kept = {name: Kept() for name in self._books}
        self._version = 0
        self._refused = False
        self._details_next: dict[str, tuple[object, float]] = {}
        self._price_next: dict[str, float] = {}
        self._page = document()

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        """Stores a sample if one is due, and reads the details and ether's price if due."""
        del pulse
        details, eth_price = self._read_details(fund, view), self._read_price(fund, view)
        old = replace(self._kept[fund], error=None, details=details, eth_price=eth_price)
        self._kept[fund] = self._remember(self._books[fund], view.state, old)

    def failed(self, fund: str, error: KeeperError) -> None:
        """Records the error of a failed look."""
        self._kept[fund] = replace(self._kept[fund], error=str(error))

    def routes(self) -> dict[str, Callable[[], Response]]:
        """The handler of each path."""
        return {"/": self._html, "/state.json": self._state, "/history.json": self._samples}

    def state(self) -> dict[str, Any]:
        """The page's content except the samples, as JSON types."""
        version, facts = self._version, self._facts()
        return {
            "now": facts.time,
            "stale_after_s": self._bounds.silent_s,
            "history_version": version,
            "balance": None if facts.balance is None else str(facts.balance),
            "funds": [page_data(fund, self._kept[fund.name], facts, self._bounds) for fund in facts.funds],
            "endpoints": [
                {
                    "name": text.name(endpoint.name, text.LONGEST_HOST),
                    "healthy": endpoint.healthy,
                    "reason": text.line(endpoint.reason),
                    "head": endpoint.head,
                    "head_age_s": endpoint.head_age_s,
                }
                for endpoint in facts.endpoints
            ],
        }

    def _html(self) -> Response:
        return Response(200, "text/html; charset=utf-8", self._page.body, self._page.headers)

    def _state(self) -> Response:
        return Response(200, JSON_TYPE, _json(self.state()), JSON_HEADERS)

    def _samples(self) -> Response:
        funds = [
            history_data(book, self._kept_samples.all_of(book.chain_id, book["rebalancer"]))
            for book in self._books.values()
        ]
        return Response(200, JSON_TYPE, _json({"funds": funds}), JSON_HEADERS)

    def _read_details(self, fund: str, view: View) -> Details | None:
        """The details, read once an hour, or when the month's state has changed."""
        now, old = time.monotonic(), self._kept[fund].details
        stands = (view.state.phase, view.state.month_period)
        before, due = self._details_next.get(fund, (None, 0.0))
        if stands == before and now < due:
            return old
        try:
            found = self._readers[fund].read(view.head, view.state)
        except KeeperError as error:
            log.info("fee not read", fund=fund, error=text.line(str(error)))
            self._details_next[fund] = (stands, now + RETRY_S)
            # The coming weights of another determination would be wrong.
            return old if stands == before else None
        self._details_next[fund] = (stands, now + DETAILS_S)
        return found

    def _read_price(self, fund: str, view: View) -> int:
        """The oracle's price of ether, read once a minute; 0 if it could not be read."""
        now = time.monotonic()
        if now < self._price_next.get(fund, 0.0):
            return self._kept[fund].eth_price
        self._price_next[fund] = now + PRICE_S
        try:
            return self._readers[fund].eth_price(view.head)
        except KeeperError as error:
            log.info("price of ether not read", fund=fund, error=text.line(str(error)))
            return 0

    def _remember(self, book: Book, state: FundState, kept: Kept) -> Kept:
        """Stores a sample if one is due, and finds the month's first ones. Only logs that the file is unusable."""
        chain, address, period = book.chain_id, book["rebalancer"], period_shown(state)
        try:
            if self._kept_samples.add(chain, address, state):
                self._version += 1
            elif kept.opened is not None and kept.opened.period == period:
                return kept
            opened, closed = self._kept_samples.month(chain, address, period)
        except KeeperError as error:
            if not self._refused:
                log.warning("samples for the page are not kept", error=str(error))
            self._refused = True
            return kept
        self._refused = False
        return replace(kept, opened=opened, closed=closed)


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
