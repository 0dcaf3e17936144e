"""Facts as they are gathered, and the thread that tells of them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.errors import ChainError
from keeper.ops import watch as module
from keeper.ops.facts import Facts
from keeper.ops.liveness import Stop
from keeper.ops.notifier import Notifier
from keeper.ops.observer import Observers
from keeper.ops.pulse import Pulse
from keeper.ops.systemd import tell
from keeper.ops.troubles import Troubles
from keeper.ops.watch import AlertThread, Transactions, Watch
from keeper.sending.journal import Journal
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.unit.keeper.ops.facts import BOOK, BOUNDS, facts_of, pulse_of, view_of
from tests.unit.keeper.simulated import Simulated


class Account:
    """Its balance, and how often that was asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def balance(self) -> int:
        self.asked += 1
        if self.fails:
            raise ChainError("balance: the node does not answer")
        return self.asked


class Clock:
    """A clock of the test's own. The machine's is its uptime: (x + 300) - x is less than 300 for some of its values."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the machine's, for a watch that is set up after it."""
    found = Clock()
    monkeypatch.setattr("time.monotonic", found)
    return found


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def watch(account: Account) -> Watch:
    return Watch([BOOK], Stop(), balance=account.balance, transactions=tuple, endpoints=tuple)


def look(watch: Watch, april: Simulated, after_s: int, possible_from: int | None, *sent: str, tat: int = 0) -> int:
    """Looks at the fund so much later; for how long something is overdue then."""
    state = april.state
    progress = replace(state.progress, tat=state.progress.tat + tat)
    view = view_of(april, time=state.time + after_s, block=state.block + after_s, progress=progress)
    at = None if possible_from is None else state.time + possible_from
    watch.looked("fund", view, pulse_of(view.state, possible_from=at, sent=sent))
    return watch.facts().funds[0].overdue_s


def test_overdue_from_when_it_was_possible_to_when_the_fund_moves(watch: Watch, april: Simulated) -> None:
    assert look(watch, april, 0, 60) == 0
    assert look(watch, april, 60, 60) == 0
    # As a plan says it: possible from now, each time.
    assert look(watch, april, 160, 160) == 100
    assert look(watch, april, 260, 260) == 200
    assert look(watch, april, 300, 900, tat=1) == 0
    assert look(watch, april, 400, None, tat=1) == 100


def test_a_failure_is_noted_until_the_next_look(watch: Watch, april: Simulated) -> None:
    assert watch.facts().funds[0].view is None
    watch.failed("fund", ChainError("no"))
    assert watch.facts().funds[0].failing and watch.facts().funds[0].error == "no"
    look(watch, april, 0, None)
    found = watch.facts().funds[0]
    assert not found.failing and not found.error and found.view is not None and found.looked_at is not None


def test_silence_is_since_the_last_look_that_succeeded(clock: Clock, watch: Watch, april: Simulated) -> None:
    look(watch, april, 0, None)
    clock.now += 50
    watch.failed("fund", ChainError("no"))
    assert watch.facts().funds[0].silent_s == 50
    assert watch.facts().beat_s == 50


def test_the_balance_is_asked_for_seldom(clock: Clock, watch: Watch, april: Simulated, account: Account) -> None:
    for _ in range(3):
        look(watch, april, 0, None)
    assert (account.asked, watch.facts().balance) == (1, 1)
    look(watch, april, 0, None, "0x01")
    assert account.asked == 2
    clock.now += module.BALANCE_S
    account.fails = True
    look(watch, april, 0, None)
    assert (account.asked, watch.facts().balance) == (3, 2)


def test_the_journal_is_read_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sender = tmp_path / "journal.sqlite", "0x" + "aa" * 20
    transactions = Transactions(path, 1, sender)
    assert list(transactions()) == []
    with Journal(path, 1, sender) as journal:
        for nonce in (0, 1):
            journal.add(
                nonce=nonce,
                action="trade",
                period=1,
                recipient="0x01",
                data="0x",
                gas=1,
                max_fee=1,
                tip=1,
                tx_hash=f"0x{nonce}",
                raw="0x",
                block=1,
            )
            assert [entry.nonce for entry in transactions()] == list(range(nonce + 1))
        before = transactions()
        assert transactions() is before
    path.write_text("no journal at all any more " * 100)
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    assert list(transactions()) == list(before)


TEXT = "0x" + "secret"
"""The trace shows source lines, but no values."""


class Broken:
    """An observer that always fails."""

    def looked(self, *_: object) -> None:
        raise ZeroDivisionError(TEXT)

    failed = looked


def test_one_observer_that_fails_stops_nothing(
    watch: Watch, april: Simulated, capfd: pytest.CaptureFixture[str]
) -> None:
    told: Sequence[object] = (Broken(), watch)
    observers = Observers(told)  # type: ignore[arg-type]
    view = view_of(april)
    observers.looked("fund", view, pulse_of(view.state))
    assert watch.facts().funds[0].view is view
    observers.failed("fund", ChainError("no"))
    assert watch.facts().funds[0].failing
    said = "".join(capfd.readouterr())
    assert said.count("unforeseen error") == 2 and "where=Broken" in said
    assert "ZeroDivisionError" in said and TEXT not in said


@pytest.mark.parametrize("ill", [{"beat_s": float(BOUNDS.stuck_s)}, {"tick_s": BOUNDS.tick_s}])
def test_systemd_hears_of_the_loop_and_not_of_one_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ill: dict[str, float]
) -> None:
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    said: dict[str, float] = {"tick_s": 1.0}
    turns = threading.Semaphore(0)

    def facts() -> object:
        turns.release()
        return facts_of(**said)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        heard.settimeout(PATIENCE_S)
        with AlertThread(facts, BOUNDS, None, interval_s=0.01):  # type: ignore[arg-type]
            assert heard.recv(64) == b"READY=1"
            assert heard.recv(64) == b"WATCHDOG=1"
            said = ill
            # What was on its way is heard, then no more, however often it looks.
            while turns.acquire(blocking=False):
                pass
            assert turns.acquire(timeout=PATIENCE_S) and turns.acquire(timeout=PATIENCE_S)
            heard.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    assert heard.recv(64) == b"WATCHDOG=1"
            for _ in range(5):
                assert turns.acquire(timeout=PATIENCE_S)
            with pytest.raises(BlockingIOError):
                heard.recv(64)
            heard.settimeout(PATIENCE_S)
        assert heard.recv(64) == b"STOPPING=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert tell("READY=1") is False
    assert "NOTIFY_SOCKET" not in os.environ


def test_alerts_go_on_where_one_cannot_be_worked_out(tmp_path: Path) -> None:
    troubles, got = Troubles(), list[str]()
    odd = Watch([BOOK], Stop(), endpoints=None, troubles=troubles)  # type: ignore[arg-type]

    def facts() -> Facts:
        found = odd.facts()
        return replace(found, funds=None) if len(got) else found  # type: ignore[arg-type]

    def send(title: str, text: str, good: bool) -> bool:
        assert not good
        got.append(f"{title} {text}")
        return True

    notifier = Notifier(tmp_path / "alerts.json", 3_600, send, lambda _kind: None)
    with AlertThread(facts, BOUNDS, notifier, interval_s=0.01, troubles=troubles):
        wait_for(lambda: len(got) == 2, "both")
    assert got[0].startswith("Ballast: unforeseen_error facts: TypeError in keeper.ops.watch:")
    assert got[1].startswith("Ballast: unforeseen_error alerts: TypeError in keeper.ops.alerts:")


def test_last_words() -> None:
    troubles, looks = Troubles(), 0

    def facts() -> object:
        nonlocal looks
        looks += 1
        return facts_of()

    with AlertThread(facts, BOUNDS, None, troubles=troubles):  # type: ignore[arg-type]
        pass
    assert looks == 0
    with AlertThread(facts, BOUNDS, None, troubles=troubles):  # type: ignore[arg-type]
        troubles.hold("start", "malformed", final=True)
    assert looks == 1


def test_a_look_that_fails_does_not_end_the_thread(capfd: pytest.CaptureFixture[str]) -> None:
    asked = threading.Semaphore(0)

    def facts() -> object:
        asked.release()
        raise ZeroDivisionError

    with AlertThread(facts, BOUNDS, None, interval_s=0.01):  # type: ignore[arg-type]
        for _ in range(3):
            assert asked.acquire(timeout=PATIENCE_S)
    assert "unforeseen error" in "".join(capfd.readouterr())


def test_pulses_name_the_turn(april: Simulated, tmp_path: Path) -> None:
    pulse: Pulse = pulse_of(april.state, acts_from=12)
    pulse.write(tmp_path / "pulse.json")
    assert '"acts_from": 12' in (tmp_path / "pulse.json").read_text()
