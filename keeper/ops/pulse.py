"""A file with what the keeper last saw and did, for monitoring, and for scripts that drive a test chain beside it."""

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

    `block`, `time`: the block looked at and its time; `action`, `reason`, `next`: those of `workable()`, by name;
    `possible_from`: chain time from which the next batch is possible, None if none is planned; `sent`: hashes of
    transactions mined in this step; `acts_from`: block from which a standby does what is possible now, None for the
    first keeper or if nothing is possible. State "idle": nothing is due before `next`; "waiting": due but not done yet.
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
        """Replaces the file atomically, so that a reader sees the old or the new one. Only logs a failure (disk
        full)."""
        try:
            replace_json(path, asdict(self))
        except OSError as error:
            log.warning("BALLAST_PULSE cannot be written", path=str(path), error=error.strerror)
