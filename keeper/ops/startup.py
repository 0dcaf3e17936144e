"""What a keeper that nobody attends does about trouble at its start: wait for what passes, end for the rest."""

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
"""Between two tries; it doubles."""
CERTAIN = 3
"""Times in a row that a node's answers must contradict the settings until that is believed."""

T = TypeVar("T")


class Verdict(Enum):
    """What an error at the start means."""

    PASSES = auto()  # tried again
    CONTRADICTS = auto()  # tried again until it is certain, then final
    FINAL = auto()  # only a person can mend it
    UNFORESEEN = auto()  # a defect, or an answer that nobody thought of: tried again


def verdict(error: Exception) -> Verdict:
    """By the error's type alone."""
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
    """What `step` gives once it does. Its trouble is noted and logged meanwhile.

    Raises SettingsError for what is final, Interrupted if the keeper is to stop.
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
