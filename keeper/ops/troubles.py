"""Records what keeps the keeper from working, and unforeseen errors, for log, health, metrics and alerts.

Defects of this program must not end it, and must not go unnoticed either.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from keeper.errors import UnforeseenError
from keeper.output import redact

log = structlog.get_logger("keeper")

MAX_KEPT = 100
"""Defects kept; the least recently seen is dropped first."""

TroubleKind = Literal["start", "http"]


@dataclass(frozen=True)
class Trouble:
    """Why the keeper cannot start, or its server cannot listen. `since`: Unix seconds; `final`: the process ends
    because of it."""

    kind: TroubleKind
    text: str
    since: float
    final: bool = False


@dataclass(frozen=True)
class Defect:
    """An unforeseen error. `where`: the fund or part in whose work it occurred; `error`: its type; `place`: module and
    line; `first`, `last`: when it was first and last seen, Unix seconds."""

    where: str
    error: str
    place: str
    first: float
    last: float
    count: int


class Troubles:
    """All current troubles, and all defects seen. Thread-safe. `clock`: Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._standing: dict[TroubleKind, Trouble] = {}
        self._defects: dict[tuple[str, str, str], Defect] = {}

    @property
    def standing(self) -> tuple[Trouble, ...]:
        """Current troubles."""
        with self._lock:
            return tuple(self._standing.values())

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Defects seen so far, at most `MAX_KEPT`."""
        with self._lock:
            return tuple(self._defects.values())

    def hold(self, kind: TroubleKind, text: str, *, final: bool = False) -> None:
        """Records a trouble. One that already holds keeps its `since`."""
        with self._lock:
            before = self._standing.get(kind)
            self._standing[kind] = Trouble(kind, text, before.since if before else self._clock(), final)

    def over(self, kind: TroubleKind) -> bool:
        """Removes a trouble; returns whether it held."""
        with self._lock:
            return self._standing.pop(kind, None) is not None

    def unforeseen(self, where: str, error: Exception, *, wording: bool = True) -> UnforeseenError:
        """Records an unforeseen error; logs it the first time with its trace, and the 2nd, 4th, 8th … time with a
        count. `wording`: whether its own message may be shown. Returns an error to use in its place."""
        kind, place = type(error).__name__, _place(error)
        key = (where, kind, place)
        with self._lock:
            now = self._clock()
            known = self._defects.pop(key, None) or Defect(*key, now, now, 0)
            found = self._defects[key] = replace(known, last=now, count=known.count + 1)
            if len(self._defects) > MAX_KEPT:
                del self._defects[next(iter(self._defects))]
        said = {"where": where, "error": kind, "place": place}
        if wording:
            said["text"] = redact.clean(" ".join(str(error).split())[:300])
        if found.count == 1:
            log.error("unforeseen error", **said, trace=_trace(error, wording))
        elif found.count & (found.count - 1) == 0:
            log.error("unforeseen error again", **said, times=found.count)
        text = f": {said['text']}" if said.get("text") else ""
        return UnforeseenError(f"unforeseen {kind} in {place}{text}; see the log")


def _place(error: Exception) -> str:
    """Module and line of the innermost frame in this program, else of the outermost one."""
    found = "?"
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__", "?"))
        if found == "?" or name.partition(".")[0] in ("keeper", "ballast"):
            found = f"{name}:{line}"
    return found


def _trace(error: Exception, wording: bool) -> str:
    """The traceback without values of variables, and with the error's message only if `wording`; redacts secrets."""
    lines = traceback.format_exception(error) if wording else traceback.format_tb(error.__traceback__)
    return redact.clean("".join(lines))
