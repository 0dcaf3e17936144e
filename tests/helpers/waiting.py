"""Waiting for a condition, and ports that refuse connections.

No result depends on how long anything takes: `PATIENCE_S` only ends a test that would otherwise wait for ever, however
busy the machine is.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

PATIENCE_S = 240.0
"""Real seconds until a test gives up."""
LOOKS_EVERY_S = 0.005

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T],
    what: str | Callable[[], str],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """The condition's value once it is true. Raises AssertionError with `what` after `PATIENCE_S`, but never without a
    look after the last pause: a process that was not scheduled does not fail for that."""
    end = clock() + PATIENCE_S
    while True:
        last = clock() > end
        if found := condition():
            return found
        if last:
            raise AssertionError(f"{what if isinstance(what, str) else what()}: did not come to pass")
        pause(LOOKS_EVERY_S)


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    """A TCP port of the loopback that refuses connections until the block ends: it is bound, so that nobody else gets
    it meanwhile, and nobody listens on it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
