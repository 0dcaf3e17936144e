"""A dead-man's switch: the keeper requests a URL while the loop makes progress; when the requests stop, the URL's
service alerts people. So they also notice a dead machine or a process that can no longer report anything.

The keeper requests the URL unchanged while all is well. How to signal "failed" or "starts" differs by service: a
parameter `state` (Cronitor) or `status` (Uptime Kuma), else `/fail` and `/start` after the path (Healthchecks, Better
Stack).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
import structlog

from keeper.look.rpc import bounded
from keeper.ops.facts import Bounds, Facts
from keeper.ops.health import ills_of
from keeper.ops.troubles import Troubles

log = structlog.get_logger("keeper.ping")

TIMEOUT_S = (5.0, 10.0)
"""Time-outs to connect and for each piece of an answer; the whole answer may take twice the latter."""
MAX_REDIRECTS = 3
TURN_S = 2.0
"""Seconds between two checks whether the signal has changed."""
LEAVE_S = 2.0
LAST_WORDS_S = 20.0
"""Grace period at shutdown for an in-flight ping, seconds: normally, and if the process ends because of an error."""

Signal = Literal["start", "success", "fail"]


@dataclass(frozen=True)
class Urls:
    """The URL for each signal; None: no request. Secret."""

    success: str
    fail: str | None
    start: str | None


def urls_of(url: str, fail_url: str | None = None, *, fails: bool = True) -> Urls:
    """The URLs from the settings. `fails`: whether to signal a failure, rather than go silent."""
    if not fails:
        return Urls(url, None, None)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "state" in query or parts.hostname == "cronitor.link":
        found = Urls(url, _with(url, state="fail"), _with(url, state="run"))
    elif "status" in query or "/api/push/" in parts.path:
        found = Urls(url, _with(url, status="down", msg="not well"), None)
    else:
        found = Urls(url, _below(url, "fail"), _below(url, "start"))
    return found if fail_url is None else Urls(url, fail_url, found.start)


def _with(url: str, **values: str) -> str:
    """The URL with these query parameters set."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | values
    return urlunsplit(parts._replace(query=urlencode(query)))


def _below(url: str, name: str) -> str:
    """The URL with `name` appended to the path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def signal_of(facts: Facts, bounds: Bounds) -> Signal | None:
    """The signal to send: success only once a tick has ended and while each fund's last look succeeded; fail if health
    finds a reason; None otherwise, and while the keeper stops."""
    if facts.stopping:
        return None
    if ills_of(facts, bounds):
        return "fail"
    looked = all(fund.view is not None and not fund.failing for fund in facts.funds)
    return "success" if looked and facts.tick_s is not None else None


class Pinger:
    """The thread that pings: every `every_s` seconds, and at once when the signal changes. `pinged` counts signal and
    result."""

    def __init__(
        self,
        facts: Callable[[], Facts],
        bounds: Bounds,
        urls: Urls,
        every_s: float,
        pinged: Callable[[str, str], None],
        troubles: Troubles,
        turn_s: float = TURN_S,
    ) -> None:
        self._facts = facts
        self._bounds = bounds
        self._urls = urls
        self._every_s = every_s
        self._pinged = pinged
        self._troubles = troubles
        self._turn_s = min(turn_s, every_s)
        self._session = bounded.session()
        self._session.max_redirects = MAX_REDIRECTS
        self._last: Signal | None = None
        self._next = 0.0
        self._refused = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ping", daemon=True)

    def __enter__(self) -> Pinger:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(LAST_WORDS_S if self._final() else LEAVE_S)

    def _final(self) -> bool:
        return any(trouble.final for trouble in self._troubles.standing)

    def _run(self) -> None:
        self._ask("start", self._urls.start)
        while not self._end.wait(self._turn_s):
            self._look()
        if self._final():
            self._look()

    def _look(self) -> None:
        try:
            signal, now = signal_of(self._facts(), self._bounds), time.monotonic()
            if signal is not None and (signal != self._last or now >= self._next):
                self._last, self._next = signal, now + self._every_s
                self._ask(signal, self._urls.fail if signal == "fail" else self._urls.success)
        except Exception as error:
            self._troubles.unforeseen("ping", error, wording=False)

    def _ask(self, signal: Signal, url: str | None) -> None:
        """Pings once; counts the result, and logs a failure that differs from the last one."""
        if url is None:
            return
        try:
            # Leaves the body unread: it may be of any length.
            with self._session.get(url, timeout=TIMEOUT_S, stream=True) as answer:
                result = "ok" if answer.ok else f"HTTP {answer.status_code}"
        except requests.exceptions.Timeout:
            result = "time-out"
        except (requests.exceptions.RequestException, ValueError):
            # The libraries' messages contain the URL.
            result = "connection failed"
        self._pinged(signal, result)
        if signal == "start":
            return  # not every service supports it
        if result not in ("ok", self._refused):
            log.warning("dead-man's switch not reached", signal=signal, result=result)
        self._refused = result
