"""How an unattended keeper handles errors at its start: it retries those that may pass, and ends on the others."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

import structlog

from keeper.errors import KeeperError, MismatchError, NotReadyError, SettingsError
from keeper.ops.liveness import Interrupted, Stop
from keeper.ops.troubles import Troubles

log = structlog.get_logger("keeper")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
"""Wait between two attempts, seconds; it doubles up to the longest."""
CERTAIN = 3
"""A node's answers must contradict the settings this many times in a row to count as a wrong setting."""

T = TypeVar("T")


class Verdict(Enum):
    """How to handle an error at the start."""

    PASSES = auto()  # retry
    CONTRADICTS = auto()  # retry; final after CERTAIN times in a row
    FINAL = auto()  # only a person can fix it
    UNFORESEEN = auto()  # a defect, or an unexpected answer: retry


def verdict(error: Exception) -> Verdict:
    """How to handle an error, by its type alone."""
    match error:
        case NotReadyError():
            return Verdict.PASSES
        case MismatchError():
            return Verdict.CONTRADICTS
        case SettingsError():
            return Verdict.FINAL
        case KeeperError():  # node, journal, key service
            return Verdict.PASSES
        case _:
            return Verdict.UNFORESEEN


def patiently(step: Callable[[], T], stop: Stop, troubles: Troubles) -> T:
    """Retries `step` until it succeeds, and returns its result. Records and logs its errors meanwhile.

    Raises SettingsError if an error is final, Interrupted if the keeper is to stop.
    """
    pause, contradicted = FIRST_PAUSE_S, 0
    while True:
        try:
            found = step()
        except Exception as error:
            what = verdict(error)
            contradicted = contradicted + 1 if what is Verdict.CONTRADICTS else 0
            if what is Verdict.FINAL or contradicted >= CERTAIN:
                raise
            if what is Verdict.UNFORESEEN:
                text = str(troubles.unforeseen("start", error))
            else:
                text = str(error)
                log.error("cannot start yet", error=text, again_in_s=pause)
            troubles.hold("start", text)
        else:
            if troubles.over("start"):
                log.info("what kept it from starting is over")
            return found
        if stop.rest(pause):
            raise Interrupted
        pause = min(LONGEST_PAUSE_S, 2 * pause)
