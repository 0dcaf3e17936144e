"""A file that always says what the keeper last saw and did, for whoever watches or drives the chain beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import structlog

from ballast.files import replace_json

log = structlog.get_logger("keeper")

State = Literal["idle", "waiting", "sent", "error"]


@dataclass(frozen=True)
class Pulse:
    """One look at the chain.

    `block` and `time` are the block looked at and its time; `action`, `reason` and `next` are `workable()`'s in words;
    `possible_from` is the chain time from which the next batch is possible, None: none is planned. `sent` holds the
    hashes of what was mined in this step. Idle: nothing is due before `next`. Waiting: something is due and not
    possible yet. `acts_from` is the block from which a standby does what is possible now, None: it is the first, or
    nothing is.
    """

    block: int
    time: int
    action: str
    reason: str
    next: int
    possible_from: int | None
    sent: tuple[str, ...]
    state: State
    error: str | None = None
    acts_from: int | None = None

    def write(self, path: Path) -> None:
        """Replaces the file in one step: a reader sees the old or the new one. One that cannot be written (disk full)
        is said and no reason to stop."""
        try:
            replace_json(path, asdict(self))
        except OSError as error:
            log.warning("BALLAST_PULSE cannot be written", path=str(path), error=error.strerror)
