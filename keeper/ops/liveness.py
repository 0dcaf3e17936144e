"""Heartbeat, and stopping on a signal.

A loop that hangs cannot report it. So it beats a heart at every step and in every wait, and other threads watch the
heart's age.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

GRACE_S = 5.0
"""Seconds after SIGTERM or SIGINT after which the keeper aborts a wait for the network."""
_AGAIN_S = 0.1
_BEAT_S = 1.0
"""Longest time between beats during a wait."""
_WAITING = ("socket", "ssl", "http.client", "urllib3.", "threading", "concurrent.futures.", "queue", "tenacity.nap")
"""Modules on the stack during a wait. Neither the journal nor signing with an in-memory key calls them."""


class Interrupted(BaseException):
    """Aborts a wait for the network because the keeper stops. The journal is unchanged."""


class Heart:
    """When the loop last beat, and when it last ended a tick."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._ticked: float | None = None

    def beat(self) -> None:
        """Records that the loop is alive."""
        self._last = time.monotonic()

    def silent_s(self) -> float:
        """Seconds since the last beat. Thread-safe."""
        return time.monotonic() - self._last

    def ticked(self) -> None:
        """Records the end of a tick, successful or not."""
        self._ticked = time.monotonic()

    def tick_s(self) -> float | None:
        """Seconds since the last tick ended, None before the first did. Thread-safe."""
        return None if self._ticked is None else time.monotonic() - self._ticked


class Stop(threading.Event):
    """Set when the keeper should stop. Waiting on it beats the heart.

    Signal handlers set it, between any two instructions of the thread that may be waiting. An ordinary event would take
    a lock that the interrupted thread may hold; this one writes to a socket instead.
    """

    def __init__(self, heart: Heart | None = None) -> None:
        super().__init__()
        self.heart = heart or Heart()
        self.meanwhile: Callable[[], None] = lambda: None
        """Called at the start of each `wait`."""
        self._asked = False
        self._out, self._in = socket.socketpair()
        self._in.setblocking(False)

    def is_set(self) -> bool:
        return self._asked

    def set(self) -> None:
        self._asked = True
        with contextlib.suppress(BlockingIOError):  # a full buffer wakes the waiter too
            self._in.send(b"x")

    def wait(self, timeout: float | None = None) -> bool:
        """As `threading.Event.wait` (`timeout` in seconds), but calls `meanwhile` first."""
        self.heart.beat()
        if not self._asked:
            self.meanwhile()
        return self.rest(timeout)

    def rest(self, timeout: float | None = None) -> bool:
        """Waits without calling `meanwhile`; `timeout` in seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._asked:
            self.heart.beat()
            left = _BEAT_S if end is None else min(_BEAT_S, end - time.monotonic())
            if left <= 0:
                break
            select.select([self._out], [], [], left)
        self.heart.beat()
        return self._asked


@contextlib.contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """Sets `stop` on SIGTERM or SIGINT: the current step finishes, and a wait for the network that outlasts `GRACE_S`
    raises `Interrupted`. A second signal ends the process at once. Main thread only."""

    def asked(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, GRACE_S, _AGAIN_S)

    def overdue(_number: int, frame: FrameType | None) -> None:
        # Anything but a wait is short and must finish: it may be writing the journal.
        if _waits(frame):
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise Interrupted

    handlers = {signal.SIGINT: asked, signal.SIGTERM: asked, signal.SIGALRM: overdue}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _waits(frame: FrameType | None) -> bool:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if any(name == known or (known.endswith(".") and name.startswith(known)) for known in _WAITING):
            return True
        frame = frame.f_back
    return False
