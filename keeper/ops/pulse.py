"""A file with what the keeper last saw and did, for whoever watches it or drives the chain beside it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import structlog

log = structlog.get_logger("keeper")

State = Literal["idle", "waiting", "sent", "error"]


@dataclass(frozen=True)
class Pulse:
    """One look at the chain.

    `block`, `time`: the block looked at and its time; `action`, `reason`, `next`: those of `workable()`, in words;
    `possible_from`: chain time from which the next batch is possible, None if none is planned; `sent`: hashes of what
    was mined in this step; `acts_from`: block from which a standby does what is possible now, None for the first keeper
    or if nothing is possible. State "idle": nothing is due before `next`; "waiting": due but not possible yet.
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
        """Replaces the file in one step, so that a reader sees the old or the new one. A failure (disk full) is only
        logged."""
        draft = _draft(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(asdict(self)) + "\n")
            draft.replace(path)
        except OSError as error:
            log.warning("BALLAST_PULSE cannot be written", path=str(path), error=error.strerror)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


@cache
def _draft(path: Path) -> Path:
    """Where a pulse is written first. Cached: pathlib interns every name that it splits, and the table of interned
    strings keeps the slots of freed ones and would double when full of them."""
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")
