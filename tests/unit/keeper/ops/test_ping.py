"""The dead-man's switch: what is asked when, over real HTTP."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from keeper.ops import ping as module
from keeper.ops.facts import Facts
from keeper.ops.ping import Pinger, Signal, Urls, signal_of, urls_of
from keeper.ops.troubles import Trouble, Troubles
from lab.testbed.loopback import serving
from tests.helpers.waiting import PATIENCE_S, dead_port, wait_for
from tests.unit.keeper.ops.facts import BOUNDS, NOW, facts_of, fund_facts
from tests.unit.keeper.simulated import Simulated

TOKEN = "token-that-nobody-may-see"
A = "https://hc-ping.com/" + TOKEN


@pytest.mark.parametrize(
    ("url", "fail", "start"),
    [
        (A, f"{A}/fail", f"{A}/start"),
        (f"{A}/?rid=1", f"{A}/fail?rid=1", f"{A}/start?rid=1"),
        (
            "https://cronitor.link/p/KEY/job?state=complete&env=prod",
            "https://cronitor.link/p/KEY/job?state=fail&env=prod",
            "https://cronitor.link/p/KEY/job?state=run&env=prod",
        ),
        ("https://cronitor.link/p/KEY/job", "https://cronitor.link/p/KEY/job?state=fail", "https://cronitor.link/p/KEY/job?state=run"),
        (
            "https://kuma.example/api/push/KEY?status=up&msg=OK&ping=",
            "https://kuma.example/api/push/KEY?status=down&msg=not+well&ping=",
            None,
        ),
        ("https://kuma.example/api/push/KEY", "https://kuma.example/api/push/KEY?status=down&msg=not+well", None),
    ],
)  # fmt: skip
def test_urls(url: str, fail: str, start: str | None) -> None:
    assert urls_of(url) == Urls(url, fail, start)
    assert urls_of(url, "https://own.example/") == Urls(url, "https://own.example/", start)
    assert urls_of(url, fails=False) == Urls(url, None, None)


@pytest.mark.parametrize(
    ("of_keeper", "of_fund", "expected"),
    [
        ({}, {}, "success"),
        ({"tick_s": None}, {}, None),
        ({}, {"failing": True}, None),
        ({}, {"view": None}, None),
        ({"stopping": True}, {}, None),
        ({"beat_s": 300.0}, {}, "fail"),
        ({"tick_s": 360.0}, {}, "fail"),
        ({}, {"overdue_s": 3_600}, "fail"),
        ({"tick_s": None, "troubles": (Trouble("start", "no node", NOW - 30),)}, {"view": None}, "fail"),
        ({"tick_s": None, "troubles": (Trouble("start", "no node", NOW),)}, {"view": None}, None),
        ({"tick_s": None, "troubles": (Trouble("start", "malformed", NOW, final=True),)}, {"view": None}, "fail"),
    ],
)
def test_signals(april: Simulated, of_keeper: dict[str, Any], of_fund: dict[str, Any], expected: Signal | None) -> None:
    facts = facts_of(replace(fund_facts(april), **of_fund), **{"tick_s": 1.0, **of_keeper})
    assert signal_of(facts, BOUNDS) == expected


@dataclass
class Service:
    """Takes pings. `got`: the paths asked; `status`: what it answers."""

    url: str = ""
    status: int = 200
    got: list[str] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    found.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.got.append(self.path)
            found.answers.wait(PATIENCE_S)
            with contextlib.suppress(OSError):
                self.send_response(found.status)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Handler) as url:
        found.url = f"{url}/{TOKEN}"
        yield found
        found.answers.set()


class Switch:
    """A pinger and what it is told."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.counted: list[tuple[str, str]] = []
        self.troubles = Troubles()

    def asking(self, url: str, every_s: float = PATIENCE_S) -> Pinger:
        count = lambda signal, result: self.counted.append((signal, result))  # noqa: E731
        return Pinger(lambda: self.facts, BOUNDS, urls_of(url), every_s, count, self.troubles, turn_s=0.005)


@pytest.fixture
def switch(april: Simulated) -> Switch:
    return Switch(facts_of(fund_facts(april), tick_s=1.0))


def test_it_is_asked_at_each_change_and_again_after_a_while(service: Service, switch: Switch) -> None:
    well = switch.facts
    with switch.asking(service.url):
        wait_for(lambda: len(service.got) == 2, "start and success")
        switch.facts = replace(well, beat_s=300.0)
        wait_for(lambda: len(service.got) == 3, "fail")
        switch.facts = well
        wait_for(lambda: len(service.got) == 4, "success")
    assert service.got == [f"/{TOKEN}{tail}" for tail in ("/start", "", "/fail", "")]
    assert switch.counted == [("start", "ok"), ("success", "ok"), ("fail", "ok"), ("success", "ok")]
    with switch.asking(service.url, every_s=0.02):
        wait_for(lambda: len(service.got) == 8, "further ones")


def test_silence_where_the_loop_makes_no_progress(service: Service, switch: Switch) -> None:
    asked = threading.Semaphore(0)
    stalled = replace(switch.facts, tick_s=None)
    pinger = switch.asking(service.url, every_s=0.01)

    def facts() -> Facts:
        asked.release()
        return stalled

    pinger._facts = facts
    with pinger:
        for _ in range(20):
            assert asked.acquire(timeout=PATIENCE_S)
    assert service.got == [f"/{TOKEN}/start"]


def test_one_that_fails_is_counted_and_its_url_stays_secret(
    service: Service, switch: Switch, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.status = 404
    with switch.asking(service.url, every_s=0.01):
        wait_for(lambda: switch.counted.count(("success", "HTTP 404")) > 3, "refusals")
        service.answers.clear()
        monkeypatch.setattr(module, "TIMEOUT_S", (0.05, 0.05))
        wait_for(lambda: ("success", "time-out") in switch.counted, "a time-out")
    with dead_port() as port, switch.asking(f"http://127.0.0.1:{port}/{TOKEN}", every_s=0.01):
        wait_for(lambda: ("success", "connection failed") in switch.counted, "a refusal")
    said = "".join(capfd.readouterr())
    # Once for each, not each time.
    assert said.count("HTTP 404") == 1 and TOKEN not in said


def test_last_words(service: Service, switch: Switch) -> None:
    switch.facts = replace(switch.facts, tick_s=None)
    with switch.asking(service.url):
        switch.troubles.hold("start", "malformed", final=True)
        switch.facts = replace(switch.facts, troubles=switch.troubles.standing)
    assert service.got == [f"/{TOKEN}/start", f"/{TOKEN}/fail"]


def test_what_nobody_foresaw_does_not_end_the_thread(service: Service, switch: Switch) -> None:
    pinger = switch.asking(service.url)
    pinger._facts = None  # type: ignore[assignment]
    with pinger:
        wait_for(lambda: switch.troubles.defects and switch.troubles.defects[0].count > 2, "errors")
