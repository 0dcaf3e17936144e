"""Telling each alert once, again while it lasts, and its end; over apprise to a service on the loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ballast.units import HOUR_S
from keeper.errors import SettingsError
from keeper.ops.alerts import EVENTS, Alert, Kind
from keeper.ops.notifier import OVER_S, RETRY_S, Notifier, sender_to, services_of
from tests.helpers.receiver import TOKEN, Receiver, receiver

T = 1_700_000_000.0
REPEAT_S = 24 * HOUR_S
LOW = Alert(Kind.LOW_BALANCE, "account", "low")
STALE = Alert(Kind.PRICE_STALE, "fund UNI", "no price")
DONE = Alert(Kind.MONTH_DONE, "fund 2021-04", "done")


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


class RestartableNotifier:
    """A notifier that can be started again, and what it has delivered."""

    def __init__(self, path: Path, service: Receiver, *more: str) -> None:
        self.path = path / "journal.alerts.json"
        self.service = service
        self.delivered: list[str] = []
        self._send = sender_to(services_of(SecretStr(" ".join((service.url, *more)))))
        self.restart()

    def restart(self) -> None:
        self._notifier = Notifier(self.path, REPEAT_S, self._send, self.delivered.append)

    def after(self, now: float, *alerts: Alert) -> list[str]:
        """Titles that this look led to."""
        before = len(self.service.got)
        self._notifier.update(set(alerts), now)
        return self.service.titles()[before:]


@pytest.fixture
def told(tmp_path: Path, service: Receiver) -> RestartableNotifier:
    return RestartableNotifier(tmp_path, service)


def test_once_when_it_begins_and_once_when_it_is_over(told: RestartableNotifier, service: Receiver) -> None:
    assert told.after(T, LOW) == ["Ballast: low_balance"]
    assert service.got[-1][1] == "low"
    assert told.after(T + 10, Alert(LOW.kind, LOW.subject, "lower")) == []
    assert told.after(T + 20, LOW, STALE) == ["Ballast: price_stale"]
    # Gone for a moment is not over.
    assert told.after(T + 30, STALE) == []
    assert told.after(T + 30 + OVER_S - 1, STALE) == []
    assert told.after(T + 40 + OVER_S, STALE, LOW) == []
    gone = T + 50 + OVER_S
    assert told.after(gone, STALE) == []
    assert told.after(gone + OVER_S, STALE) == ["Ballast: low_balance is over"]
    assert told.after(gone + OVER_S + 1, STALE) == []
    assert told.after(gone + OVER_S + 2, STALE, LOW) == ["Ballast: low_balance"]
    assert told.delivered == ["low_balance", "price_stale", "low_balance", "low_balance"]


def test_again_while_it_lasts(told: RestartableNotifier) -> None:
    assert told.after(T, LOW) == ["Ballast: low_balance"]
    assert told.after(T + REPEAT_S - 1, LOW) == []
    assert told.after(T + REPEAT_S, LOW) == ["Ballast: low_balance"]
    assert told.after(T + REPEAT_S + 1, LOW) == []


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_news_are_told_once_for_good(told: RestartableNotifier, kind: Kind) -> None:
    news = Alert(kind, "fund 2021-04", "news")
    assert told.after(T, news) == [f"Ballast: {kind.value}"]
    assert told.after(T + 2 * REPEAT_S, news) == []
    assert told.after(T + 3 * REPEAT_S) == []
    assert told.after(T + 4 * REPEAT_S) == []
    # A look at an older block, say.
    assert told.after(T + 5 * REPEAT_S, news) == []


def test_a_restart_tells_nothing_twice(told: RestartableNotifier) -> None:
    assert len(told.after(T, LOW, DONE)) == 2
    told.restart()
    assert told.after(T + 10, LOW, DONE) == []
    told.restart()
    assert told.after(T + 20) == []
    told.restart()
    assert told.after(T + 20 + OVER_S) == ["Ballast: low_balance is over"]
    told.path.write_text("{")
    told.restart()
    assert told.after(T + 400, LOW) == ["Ballast: low_balance"]
    assert [entry["kind"] for entry in json.loads(told.path.read_text())] == ["low_balance"]


def test_what_does_not_arrive_is_sent_again(told: RestartableNotifier, service: Receiver) -> None:
    service.status = 500
    assert told.after(T, LOW) == ["Ballast: low_balance"]
    assert told.after(T + RETRY_S - 1, LOW) == []
    assert told.after(T + RETRY_S, LOW) == ["Ballast: low_balance"]
    assert told.delivered == []
    service.status = 200
    assert told.after(T + 2 * RETRY_S, LOW) == ["Ballast: low_balance"]
    assert told.after(T + 4 * RETRY_S, LOW) == []
    # Its end too; and an alert that has ended before anybody heard of it is dropped.
    service.status = 500
    told.after(T + 500, STALE)
    assert told.after(T + 500 + OVER_S) == ["Ballast: low_balance is over"]
    service.status = 200
    assert told.after(T + 600 + OVER_S) == ["Ballast: low_balance is over"]
    assert told.after(T + 900 + 2 * OVER_S) == []
    assert told.delivered == ["low_balance", "low_balance"]


def test_one_service_that_fails_does_not_make_others_repeat(
    tmp_path: Path, service: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    with receiver() as broken:
        broken.status = 500
        told = RestartableNotifier(tmp_path, service, broken.url)
        assert told.after(T, LOW) == ["Ballast: low_balance"]
        assert told.after(T + 2 * RETRY_S, LOW) == []
        assert broken.titles() == ["Ballast: low_balance"]
    said = "".join(capfd.readouterr())
    assert "not every alert service took it" in said and TOKEN not in said


def test_no_url_is_ever_said(tmp_path: Path, service: Receiver, capfd: pytest.CaptureFixture[str]) -> None:
    nobody = f"json://127.0.0.1:1/{TOKEN}"
    service.status = 500
    told = RestartableNotifier(tmp_path, service, nobody)
    told.after(T, LOW)
    said = "".join(capfd.readouterr())
    assert "alert not delivered" in said and TOKEN not in said
    assert TOKEN not in told.path.read_text()


@pytest.mark.parametrize("urls", ["", "  ", f"nosuch://{TOKEN}", f"json://localhost {TOKEN}"])
def test_urls_that_cannot_work_are_refused_unsaid(urls: str) -> None:
    with pytest.raises(SettingsError, match=r"^BALLAST_ALERT_URLS: ") as caught:
        services_of(SecretStr(urls))
    assert TOKEN not in str(caught.value)


def test_a_place_that_cannot_be_written_does_not_silence_it(tmp_path: Path, service: Receiver) -> None:
    (tmp_path / "file").write_text("")
    told = RestartableNotifier(tmp_path / "file", service)
    assert told.after(T, LOW) == ["Ballast: low_balance"]
    assert told.after(T + 1, LOW) == []
