"""Sends each alert when it begins, again while it lasts, and once when it is over.

A file records what was sent, so that a restart repeats nothing. `due_messages` only decides; the notifier records a
delivery afterwards, so it retries a service that does not answer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from ballast.files import replace_json
from keeper.errors import SettingsError
from keeper.ops.alerts import EVENTS, Alert

log = structlog.get_logger("keeper.alerts")

RETRY_S = 60.0
"""Seconds between two attempts to deliver a message."""
OVER_S = 300.0
"""Seconds without the condition until an alert is over: a price that hovers around a bound is one alert, not fifty."""
MAX_KEPT = 1_000
"""Alerts kept; the oldest are dropped."""


@dataclass(frozen=True)
class AlertRecord:
    """An alert that has begun. Times are Unix seconds: `began`; `said`, last delivery, and `tried`, last attempt (0:
    never); `absent`, since when its condition no longer holds (0: it holds)."""

    kind: str
    subject: str
    text: str
    began: float
    said: float = 0
    tried: float = 0
    absent: float = 0

    @property
    def once(self) -> bool:
        return self.kind in EVENTS


@dataclass(frozen=True)
class Message:
    """A message about an alert: that it has begun or lasts, or that it is over."""

    told: AlertRecord
    over: bool

    @property
    def title(self) -> str:
        return f"Ballast: {self.told.kind}{' is over' if self.over else ''}"

    @property
    def body(self) -> str:
        return f"{'Over: ' if self.over else ''}{self.told.text}"


def observed(before: Iterable[AlertRecord], alerts: Iterable[Alert], now: float) -> tuple[AlertRecord, ...]:
    """The alerts that have begun, updated by those that hold at `now`."""
    holding = {(alert.kind.value, alert.subject): alert for alert in alerts}
    found = []
    for told in before:
        alert = holding.pop((told.kind, told.subject), None)
        if alert is not None:
            # A delivered event keeps its text: the figures in a new one would have moved on with the chain.
            found.append(replace(told, text=told.text if told.once and told.said else alert.text, absent=0))
        else:
            found.append(replace(told, absent=told.absent or now))
    found += [
        AlertRecord(alert.kind.value, alert.subject, alert.text, now) for alert in sorted_alerts(holding.values())
    ]
    # Drop what ended before it was ever sent; keep the rest, so that an event is not sent again.
    kept = [told for told in found if told.said or not told.absent]
    return tuple(kept[-MAX_KEPT:])


def due_messages(told: Iterable[AlertRecord], now: float, repeat_s: float) -> tuple[Message, ...]:
    """The messages to deliver now."""
    found = []
    for entry in told:
        if entry.tried and 0 <= now - entry.tried < RETRY_S and entry.tried != entry.said:
            continue
        if entry.absent and not entry.once and now - entry.absent >= OVER_S:
            found.append(Message(entry, over=True))
        elif not entry.absent and (not entry.said or (not entry.once and now - entry.said >= repeat_s)):
            found.append(Message(entry, over=False))
    return tuple(found)


def noted(told: Iterable[AlertRecord], message: Message, delivered: bool, now: float) -> tuple[AlertRecord, ...]:
    """The alerts that have begun, updated by an attempt to deliver a message."""
    found = []
    for entry in told:
        if (entry.kind, entry.subject) != (message.told.kind, message.told.subject):
            found.append(entry)
        elif not delivered:
            found.append(replace(entry, tried=now))
        elif not message.over:
            found.append(replace(entry, tried=now, said=now))
    return tuple(found)


def sorted_alerts(alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts sorted by kind and subject."""
    return sorted(alerts, key=lambda alert: (alert.kind, alert.subject))


Send = Callable[[str, str, bool], bool]
"""Delivers title, text, and whether it is good news; returns whether it arrived. Raises nothing."""


class Notifier:
    """Sends alerts and records them in `path`. Blocks until services answer: keep it out of the loop's thread."""

    def __init__(self, path: Path, repeat_s: float, send: Send, delivered: Callable[[str], None]) -> None:
        self._path = path
        self._repeat_s = repeat_s
        self._send = send
        self._delivered = delivered
        self._told = _read(path)

    def update(self, alerts: Iterable[Alert], now: float) -> None:
        """Delivers what is due at `now` (Unix seconds), given the alerts that hold."""
        before, self._told = self._told, observed(self._told, alerts, now)
        if before != self._told:
            self._save()
        for message in due_messages(self._told, now, self._repeat_s):
            good = message.over or message.told.once
            arrived = self._send(message.title, message.body, good)
            if arrived:
                log.info("alert", kind=message.told.kind, over=message.over, text=message.told.text)
                self._delivered(message.told.kind)
            else:
                log.warning("alert not delivered", kind=message.told.kind, over=message.over, again_in_s=RETRY_S)
            self._told = noted(self._told, message, arrived, now)
            self._save()

    def _save(self) -> None:
        try:
            replace_json(self._path, [asdict(told) for told in self._told])
        except OSError as error:
            # A full disk must not stop alerts; at worst a restart repeats one.
            log.warning("what was told cannot be kept", path=str(self._path), error=error.strerror)


def _read(path: Path) -> tuple[AlertRecord, ...]:
    try:
        return tuple(AlertRecord(**entry) for entry in json.loads(path.read_text()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        log.warning("what was told cannot be read, begins anew", path=str(path), error=type(error).__name__)
        return ()


def services_of(urls: SecretStr) -> tuple[Any, ...]:
    """One apprise object per URL, so that the failure of one does not make the others repeat. Raises SettingsError,
    without the URL in its message."""
    import apprise  # noqa: PLC0415 (it takes a second and memory: only for those who want alerts)

    # Its log lines may name hosts and tokens.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    found = []
    for number, url in enumerate(urls.get_secret_value().split(), 1):
        service = apprise.Apprise()
        if not service.add(url):
            raise SettingsError(
                f"BALLAST_ALERT_URLS: URL {number} is none that apprise knows; see its list of services, and separate "
                "several by white space"
            )
        found.append(service)
    if not found:
        raise SettingsError("BALLAST_ALERT_URLS: names no URL; take it away, or name one such as mailto://...")
    return tuple(found)


def sender_to(services: Sequence[Any]) -> Send:
    """A function that delivers to all services, with apprise's time limits; one success counts as delivered."""

    def send(title: str, body: str, good: bool) -> bool:
        taken = []
        for number, service in enumerate(services, 1):
            try:
                taken.append(bool(service.notify(title=title, body=body, notify_type="success" if good else "warning")))
            except Exception as error:  # services may raise anything
                log.warning("an alert service failed", service=number, error=type(error).__name__)
                taken.append(False)
        if any(taken) and not all(taken):
            log.warning("not every alert service took it", services=[n for n, ok in enumerate(taken, 1) if not ok])
        return any(taken)

    return send
