"""Signs of life, and stopping: at once where it waits, never in the middle of anything else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import requests

from keeper.ops import liveness as module
from keeper.ops.liveness import Heart, Interrupted, Stop, stopping
from tests.helpers.waiting import PATIENCE_S


class Counted(Heart):
    """Counts its beats."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1
        super().beat()


@pytest.fixture
def silent() -> Iterator[str]:
    """URL of something that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def signal_later(number: signal.Signals) -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
    timer.start()
    return timer


def test_a_wait_beats_and_does_what_is_to_be_done_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that moves by what is waited for and by nothing else."""
    now, waits = 1_000, list[int]()

    def passes(_in: object, _out: object, _error: object, left: int) -> None:
        nonlocal now
        now += left
        waits.append(left)

    heart = Counted()
    stop, done = Stop(heart), []
    stop.meanwhile = lambda: done.append(heart.beats)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_BEAT_S", 2)
        patched.setattr("time.monotonic", lambda: now)
        patched.setattr("select.select", passes)
        assert stop.wait(9) is False
        assert waits == [2, 2, 2, 2, 1] and done == [1]
        # When it begins, at each turn, the last of which waits no more, and when it ends.
        assert heart.beats == 1 + 6 + 1
        assert stop.rest(1) is False and waits[5:] == [1] and len(done) == 1
    stop.set()
    assert stop.wait(PATIENCE_S) is True and stop.is_set()
    assert len(done) == 1


def test_silence_grows_from_the_last_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    heart = Heart()
    now = 107.5
    assert heart.silent_s() == 7.5
    heart.beat()
    assert heart.silent_s() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_wait_and_leaves_no_trace(number: signal.Signals) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)]
    stop = Stop()
    with stopping(stop):
        timer = signal_later(number)
        assert stop.wait(PATIENCE_S) is True
        timer.join()
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_waits_for_an_answer_is_given_up(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    stop = Stop()
    with stopping(stop):
        timer = signal_later(signal.SIGTERM)
        with pytest.raises(Interrupted):
            requests.get(silent, timeout=PATIENCE_S)
        timer.join()
    assert stop.is_set()


def test_what_does_not_wait_is_let_finish(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    monkeypatch.setattr(module, "_AGAIN_S", 0.02)
    alarms = 0
    waits = module._waits

    def counted(frame: object) -> bool:
        nonlocal alarms
        alarms += 1
        return waits(frame)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_waits", counted)
    with stopping(Stop()):
        os.kill(os.getpid(), signal.SIGTERM)
        while alarms < 5:  # busy, as signing and writing is
            pass
        with pytest.raises(Interrupted):
            requests.get(silent, timeout=PATIENCE_S)


def test_a_second_signal_ends_the_process() -> None:
    script = (
        "import os, signal\n"
        "from keeper.ops.liveness import Stop, stopping\n"
        "with stopping(Stop()):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('once', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('twice', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "once\n"), done.stderr
