"""Keepers as processes of their own, each behind a proxy, with a key and a journal of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account

from lab.chaos.fork_server import Nursery
from lab.chaos.launcher import NAME, Launch
from lab.chaos.proxy import Proxy
from lab.localnet.anvil import ROOT

Account.enable_unaudited_hdwallet_features()
MNEMONIC = "test test test test test test test test test test test junk"
"""Of anvil's own accounts, which are known to everybody."""
FIRST_ACCOUNT = 2
"""Accounts 0 and 1 deployed and hold the fund."""
ENDS_WITHIN_S = 10.0
CRASH = "Traceback (most recent call last)"
SETTINGS = {
    "BALLAST_CHAIN_ID": "1",
    "BALLAST_MAX_FEE_GWEI": "1000",
    "BALLAST_MAX_HOURS": "0.4",
    "BALLAST_POLL_SECONDS": "0.02",
    "BALLAST_POOL_REST_SECONDS": "660",
    "BALLAST_BUMP_BLOCKS": "3",
    "BALLAST_RPC_TIMEOUT_SECONDS": "1",
    "BALLAST_RPC_CHECK_SECONDS": "1",
}
"""Few batches: the scenarios are about what is sent, not about what it costs."""


def key_of(index: int) -> tuple[str, str]:
    """Address and private key of the keeper with this index."""
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{FIRST_ACCOUNT + index}")
    return str(account.address), str(account.key.to_0x_hex())


@dataclass
class KeeperProcess:
    """One keeper; it may be started and killed any number of times."""

    index: int
    folder: Path
    book: Path
    proxies: Sequence[Proxy]
    """Its endpoints, in the order of its settings."""
    nursery: Nursery
    more: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    launch: Launch = field(default_factory=Launch)
    """What the launcher does in every run."""
    stopped: bool = False
    """By SIGSTOP."""
    ended: bool = False
    """By itself, and nobody has started it again yet."""
    exits: list[int] = field(default_factory=list)
    """Exit codes of runs that ended by themselves, before anybody asked them to."""
    killed_itself: bool = False
    """The launcher reached the step at which it was to kill the process."""
    _kills: bool = False

    def __post_init__(self) -> None:
        self.address, self.key = key_of(self.index)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "journal").mkdir(exist_ok=True)

    @property
    def journal(self) -> Path:
        """In a folder of its own, which a scenario may put on a disk of its own."""
        return self.folder / "journal" / "keeper.sqlite"

    @property
    def log_path(self) -> Path:
        return self.folder / "keeper.log"

    def start(self, launch: Launch | None = None) -> None:
        """Starts it, unless it runs. `launch`: for the launcher, in this run alone."""
        if self.alive():
            return
        self.ended = self.killed_itself = False
        launch = launch or self.launch
        self._kills = launch.kills
        (self.folder / "pulse.json").unlink(missing_ok=True)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("BALLAST_", "CHAOS_"))}
        settings = {
            "BALLAST_RPC_URL": ",".join(proxy.url for proxy in self.proxies),
            "BALLAST_BOOK": str(self.book),
            "BALLAST_PRIVATE_KEY": self.key,
            "BALLAST_JOURNAL": str(self.journal),
            "BALLAST_PULSE": str(self.folder / "pulse.json"),
            **SETTINGS,
            **self.more,
        }
        environment = {**inherited, **settings, "PYTHONPATH": str(ROOT), NAME: launch.to_json()}
        self.pid = self.nursery.start(environment, self.folder, self.log_path)

    def alive(self) -> bool:
        """Whether it runs; notes the exit code of a run that ended by itself."""
        if self.pid is None:
            return False
        code = self.nursery.poll(self.pid)
        if code is None:
            return True
        self.pid = None
        if self._kills and code == -signal.SIGKILL:
            self.killed_itself = True
        else:
            self.ended = True
            self.exits.append(code)
        return False

    def awake(self) -> bool:
        """Whether it can look at the chain."""
        return self.alive() and not self.stopped

    def kill(self) -> None:
        """Ends it at whatever instruction it is."""
        self._end(signal.SIGKILL)

    def stop(self) -> int | None:
        """Asks it to end, as a service manager does; its exit code, None if it did not run."""
        self.resume()
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int | None:
        if not self.alive() or self.pid is None:
            return None
        pid, self.pid, self.stopped = self.pid, None, False
        os.kill(pid, number)
        end = time.monotonic() + ENDS_WITHIN_S
        while (code := self.nursery.poll(pid)) is None:
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        return code

    def pause(self) -> None:
        """Stops its clock: SIGSTOP."""
        if self.alive() and self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)
            self.stopped = True

    def resume(self) -> None:
        """Lets it go on."""
        if self.stopped and self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)
        self.stopped = False

    def pulse(self) -> dict[str, Any] | None:
        """What it last saw and did."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "pulse.json").read_text())
        except FileNotFoundError:
            return None
        return found

    def looked(self, block: int) -> bool:
        """Whether it has looked at this block or a later one."""
        pulse = self.pulse()
        return pulse is not None and pulse["block"] >= block and pulse["state"] != "error"

    def rows(self) -> list[dict[str, Any]]:
        """What stands in its journal."""
        if not self.journal.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in db.execute("SELECT * FROM transactions ORDER BY id")]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def log(self) -> str:
        """All it said."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
