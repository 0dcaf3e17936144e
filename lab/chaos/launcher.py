"""Starts the real keeper with its steps counted, so that it can be killed between any two of them.

`python -m lab.chaos.launcher run` is `python -m keeper run` in a process where requests to the node and writes of the
journal are numbered as they happen. The keeper's own code is unchanged: the libraries below it (urllib3 and sqlite3)
are wrapped, and the clock of the process where a scenario shifts it. The options come as JSON in `CHAOS_LAUNCH`:

- `kill_at`: the step before which the process kills itself with SIGKILL (1 is the first),
- `kill_before`, `kill_after`: in place of a number, the first step whose name has this word in it,
- `trace`: a file that gets one line for each step,
- `clock_shift_s`: seconds by which `time.time` and `time.time_ns` are off.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3.connectionpool

WRITES = ("BEGIN", "INSERT", "UPDATE", "COMMIT", "DELETE")
NAME = "CHAOS_LAUNCH"


@dataclass(frozen=True)
class Launch:
    """What the launcher does in the keeper's process."""

    kill_at: int | None = None
    kill_before: str | None = None
    kill_after: str | None = None
    trace: str | None = None
    clock_shift_s: float = 0.0

    @property
    def kills(self) -> bool:
        """Whether the process kills itself."""
        return (self.kill_at, self.kill_before, self.kill_after) != (None, None, None)

    def to_json(self) -> str:
        return json.dumps(self.__dict__)


class Steps:
    """Numbers steps right before they happen."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._count = 0
        self._kill_at = launch.kill_at

    def __call__(self, what: str) -> None:
        self._count += 1
        if self._launch.trace is not None:
            with Path(self._launch.trace).open("a") as out:
                out.write(f"{self._count} {what}\n")
        if self._kill_at is None:
            for word, later in ((self._launch.kill_before, 0), (self._launch.kill_after, 1)):
                if word is not None and word in what:
                    self._kill_at = self._count + later
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def count_requests(steps: Steps) -> None:
    """Makes every HTTP request a step."""
    original = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def urlopen(pool: Any, method: str, url: str, body: Any = None, *args: Any, **more: Any) -> Any:
        steps(f"request {named(body)}")
        return original(pool, method, url, body, *args, **more)

    urllib3.connectionpool.HTTPConnectionPool.urlopen = urlopen  # type: ignore[assignment]


def named(body: Any) -> str:
    """The methods of a JSON-RPC request."""
    try:
        asked = json.loads(body)
        return " ".join(str(call["method"]) for call in (asked if isinstance(asked, list) else [asked]))
    except (TypeError, ValueError, KeyError):
        return "?"


def count_writes(steps: Steps) -> None:
    """Makes every statement that changes the journal a step."""
    original = sqlite3.connect

    class Counted(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            word = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
            if word in WRITES:
                steps(f"journal {word}")
            return super().execute(sql, *arguments)

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **{"factory": Counted, **more})
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]


def shift_clock(seconds: float) -> None:
    """Shifts the process's clock by `seconds`."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 10**9)


def main(arguments: list[str]) -> int:
    """Runs the keeper with the options in the environment; its exit code."""
    launch = Launch(**json.loads(os.environ.get(NAME, "{}")))
    if launch.clock_shift_s:
        shift_clock(launch.clock_shift_s)
    steps = Steps(launch)
    if launch.kills or launch.trace is not None:
        count_requests(steps)
        count_writes(steps)
    from keeper.__main__ import main as keeper  # noqa: PLC0415 (after what is wrapped)

    return keeper(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
