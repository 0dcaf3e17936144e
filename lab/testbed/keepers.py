"""The keeper as a process of its own, and what it says after each look at the chain."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.localnet.anvil import dies_with_parent, stop

LOOKS_WITHIN_S = 60.0
"""Real seconds within which a keeper has to look at a new block."""
TAIL_LINES = 8
LINE_LENGTH = 240


class KeeperError(Exception):
    """The keeper ended, hung or kept failing; one line for people, then the end of its log."""


@dataclass(frozen=True)
class Pulse:
    """What the keeper wrote after a look: the block it saw, what is due, and from when it can act."""

    block: int
    time: int
    action: str
    reason: str
    next: int
    possible_from: int | None
    sent: tuple[str, ...]
    state: str
    error: str | None

    @staticmethod
    def from_json(text: str) -> Pulse:
        raw: dict[str, Any] = json.loads(text)
        possible = raw.get("possible_from")
        return Pulse(
            block=int(raw["block"]),
            time=int(raw["time"]),
            action=str(raw["action"]),
            reason=str(raw["reason"]),
            next=int(raw["next"] or 0),
            possible_from=None if possible is None else int(possible),
            sent=tuple(raw.get("sent") or ()),
            state=str(raw["state"]),
            error=raw.get("error"),
        )


class Keeper:
    """A running keeper."""

    def __init__(self, process: subprocess.Popen[bytes], pulse: Path, log: Path) -> None:
        self._process = process
        self._pulse = pulse
        self._log = log

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def look(self, block: int, within_s: float = LOOKS_WITHIN_S) -> Pulse:
        """The keeper's pulse once it has looked at this block or a later one. Raises KeeperError."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            pulse = self._read()
            if pulse is not None and pulse.block >= block:
                return pulse
            code = self._process.poll()
            if code is not None:
                raise KeeperError(f"keeper: ended with code {code} before the month was done{self.tail()}")
            time.sleep(0.01)
        raise KeeperError(f"keeper: did not look at block {block} within {within_s:.0f} s{self.tail()}")

    def tail(self) -> str:
        """The end of its log, for an error message."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return f"; the end of {self._log}:\n" + "\n".join(line[:LINE_LENGTH] for line in lines[-TAIL_LINES:])

    def _read(self) -> Pulse | None:
        try:
            return Pulse.from_json(self._pulse.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None


@contextlib.contextmanager
def running_keeper(
    *, rpc_url: str, chain_id: int, book: Path, private_key: str, folder: Path, log: Path, extra: Mapping[str, str]
) -> Iterator[Keeper]:
    """Runs `python -m keeper run` until the block ends; journal and pulse in `folder`, its output in `log`.

    It starts in `folder`, so that no `.env` of the repository reaches it.
    """
    pulse = folder / "pulse.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "BALLAST_RPC_URL": rpc_url,
        "BALLAST_CHAIN_ID": str(chain_id),
        "BALLAST_BOOK": str(book),
        "BALLAST_PRIVATE_KEY": private_key,
        "BALLAST_JOURNAL": str(folder / "keeper.sqlite"),
        "BALLAST_PULSE": str(pulse),
        "BALLAST_POLL_SECONDS": "0.05",
        **extra,
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "keeper", "run"],
            cwd=folder,
            env={**inherited, **settings},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )
        try:
            yield Keeper(process, pulse, log)
        finally:
            stop(process)
