"""The keeper as a process of its own, and what it reports after each look at the chain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from ballast.build import ROOT
from keeper.ops.pulse import Pulse
from lab.localnet.anvil import dies_with_parent
from lab.localnet.errors import LocalnetError
from lab.testbed.forked import ForkedChain

LOOKS_WITHIN_S = 60.0
"""Real seconds within which a keeper has to look at a new block."""
ENDS_WITHIN_S = 10.0
TAIL_LINES = 8
LINE_LENGTH = 240


_PULSE = TypeAdapter(Pulse)


class KeeperRunError(LocalnetError):
    """The keeper ended, hung or kept failing; the message is one line for the user, then the end of its log."""


class Process(Protocol):
    """A started process: its id, and its exit code in `subprocess`'s convention, None while it runs."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...


Start = Callable[[dict[str, str], Path, Path], Process]
"""Starts a keeper with exactly this environment, in this folder; appends its output to this log."""


def start_process(environment: dict[str, str], folder: Path, log: Path, module: str = "keeper") -> Process:
    """Starts `python -m keeper run`, or another module in its place."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", module, "run"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )


class KeeperProcess:
    """One keeper; it can be started and ended any number of times. It runs in `folder`, where its pulse is, so that no
    `.env` of the repository reaches it. `settings`: its variables, besides that of the pulse."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str], start: Start = start_process) -> None:
        self.folder = folder
        self.log_path = log
        self.settings = settings
        self.exits: list[int] = []
        """Exit codes of runs that ended without having been asked to."""
        self._start = start
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """None where it does not run."""
        return None if self._process is None else self._process.pid

    @property
    def pulse_path(self) -> Path:
        return self.folder / "pulse.json"

    def start(self) -> None:
        """Starts it, unless it runs."""
        if not self.alive():
            self._run()

    def _run(self, **more: str) -> None:
        """`more`: variables of this run alone."""
        self.pulse_path.unlink(missing_ok=True)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        settings = {"BALLAST_PULSE": str(self.pulse_path), **self.settings, **more}
        environment = {**inherited, **settings, "PYTHONPATH": str(ROOT)}
        self._process = self._start(environment, self.folder, self.log_path)

    def alive(self) -> bool:
        """Whether it runs; records the exit code of a run that ended by itself."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is not None:
            self._process = None
            self._ended(code)
        return code is None

    def _ended(self, code: int) -> None:
        self.exits.append(code)

    def end(self, number: int = signal.SIGTERM) -> int | None:
        """Ends it with a signal, and with SIGKILL if that takes too long; its exit code, None if it did not run."""
        if not self.alive() or self._process is None:
            return None
        process, self._process = self._process, None
        os.kill(process.pid, number)
        end = time.monotonic() + ENDS_WITHIN_S
        while (code := process.poll()) is None:
            if time.monotonic() > end:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.005)
        return code

    def pulse(self) -> Pulse | None:
        """What it last saw and did; None before its first look."""
        try:
            return _PULSE.validate_json(self.pulse_path.read_bytes())
        except FileNotFoundError:
            return None

    def look(self, block: int, within_s: float = LOOKS_WITHIN_S) -> Pulse:
        """Waits for its pulse of this block or a later one. Raises KeeperRunError."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            pulse = self.pulse()
            if pulse is not None and pulse.block >= block:
                return pulse
            if not self.alive():
                raise KeeperRunError(f"keeper: ended with code {self.exits[-1]} before the month was done{self.tail()}")
            time.sleep(0.01)
        raise KeeperRunError(f"keeper: did not look at block {block} within {within_s:.0f} s{self.tail()}")

    def log(self) -> str:
        """Its whole output."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def tail(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log().splitlines()
        return f"; the end of {self.log_path}:\n" + "\n".join(line[:LINE_LENGTH] for line in lines[-TAIL_LINES:])


@contextlib.contextmanager
def running_keeper(on: ForkedChain, log: Path, url: str | None = None, **more: str) -> Iterator[KeeperProcess]:
    """Runs a keeper of the fund whose book is in the fork's folder until the block ends; its journal is there too.
    `url`: of its endpoint, if not the fork's; `more`: variables of its environment."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    settings = {
        "BALLAST_RPC_URL": url or on.url,
        "BALLAST_CHAIN_ID": str(on.w3.eth.chain_id),
        "BALLAST_BOOK": str(on.folder / "book.json"),
        "BALLAST_PRIVATE_KEY": str(on.keeper.private_key),
        "BALLAST_JOURNAL": str(on.folder / "keeper.sqlite"),
        "BALLAST_POLL_SECONDS": "0.05",
        **more,
    }
    keeper = KeeperProcess(on.folder, log, settings)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.end()
