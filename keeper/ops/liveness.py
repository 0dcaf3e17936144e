"""Signs of life, and being asked to stop.

A keeper that hangs cannot say so itself. The loop beats a heart at every step and in every wait; whoever watches looks
from another thread at how long ago that was.
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
"""After SIGTERM or SIGINT, what then still waits for an answer of the network is given up."""
_AGAIN_S = 0.1
_BEAT_S = 1.0
"""A wait beats at least so often."""
_WAITING = ("socket", "ssl", "http.client", "urllib3.", "threading", "concurrent.futures.", "queue", "tenacity.nap")
"""Modules whose code is on the stack while something is waited for. The journal and the signing of a transaction by a
key in memory never call them."""


class Interrupted(BaseException):
    """The wait for an answer was given up because the keeper is to stop. What was in the journal is as it was."""


class Heart:
    """When the loop last gave a sign of life."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def beat(self) -> None:
        """The loop is alive."""
        self._last = time.monotonic()

    def silent_s(self) -> float:
        """Seconds since the last beat. Any thread may ask."""
        return time.monotonic() - self._last


class Stop(threading.Event):
    """Set: the keeper is to stop. Whoever waits on it gives signs of life meanwhile.

    It is set from signal handlers, which run between any two instructions of the thread that may be waiting. An
    ordinary event takes a lock there that this thread may hold; this one writes to a socket instead.
    """

    def __init__(self, heart: Heart | None = None) -> None:
        super().__init__()
        self.heart = heart or Heart()
        self.meanwhile: Callable[[], None] = lambda: None
        """What is done at the beginning of each `wait`."""
        self._asked = False
        self._out, self._in = socket.socketpair()
        self._in.setblocking(False)

    def is_set(self) -> bool:
        return self._asked

    def set(self) -> None:
        self._asked = True
        with contextlib.suppress(BlockingIOError):  # a full one wakes as well
            self._in.send(b"x")

    def wait(self, timeout: float | None = None) -> bool:
        """As an event's, `timeout` in seconds; first what is to be done meanwhile."""
        self.heart.beat()
        if not self._asked:
            self.meanwhile()
        return self.rest(timeout)

    def rest(self, timeout: float | None = None) -> bool:
        """Waits and does nothing else."""
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
    """SIGTERM and SIGINT ask to stop: the step under way is finished. What waits for the network longer than `GRACE_S`
    from then gets `Interrupted`. A second signal ends the process at once. Only for the main thread."""

    def asked(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, GRACE_S, _AGAIN_S)

    def overdue(_number: int, frame: FrameType | None) -> None:
        # Anything but a wait is short, and is let go on: it may be the journal being written.
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
