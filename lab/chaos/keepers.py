"""Keepers to inject faults into, each behind a proxy, with a key and a journal of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from eth_account import Account

from lab.chaos.fork_server import start_forked
from lab.chaos.launcher import NAME, Launch
from lab.chaos.proxy import Proxy
from lab.testbed.keepers import KeeperProcess, start_process

Account.enable_unaudited_hdwallet_features()
MNEMONIC = "test test test test test test test test test test test junk"
"""The mnemonic of anvil's own accounts, which is public."""
FIRST_ACCOUNT = 2
"""Accounts 0 and 1 deployed and hold the fund."""
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
"""Settings for few batches: the scenarios test what is sent, not what it costs."""


def key_of(index: int) -> tuple[str, str]:
    """Address and private key of the keeper with this index."""
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{FIRST_ACCOUNT + index}")
    return str(account.address), str(account.key.to_0x_hex())


class FaultyKeeper(KeeperProcess):
    """A keeper that can be paused, killed and restarted. `proxies`: its endpoints, in the order of its settings;
    `more`: variables of its environment."""

    def __init__(
        self,
        index: int,
        folder: Path,
        book: Path,
        proxies: Sequence[Proxy],
        more: Mapping[str, str],
    ) -> None:
        self.index = index
        self.proxies = proxies
        self.address, key = key_of(index)
        self.journal = folder / "journal" / "keeper.sqlite"
        """In a folder of its own, which a scenario may put on a disk of its own."""
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        self.launch = Launch()
        """The launcher's options in every run."""
        self.stopped = False
        """By SIGSTOP."""
        self.ended = False
        """Exited by itself and not yet restarted."""
        self.killed_itself = False
        """The launcher reached the step at which it had to kill the process."""
        self._kills = False
        settings = {
            "BALLAST_RPC_URL": ",".join(proxy.url for proxy in proxies),
            "BALLAST_BOOK": str(book),
            "BALLAST_PRIVATE_KEY": key,
            "BALLAST_JOURNAL": str(self.journal),
            **SETTINGS,
            **more,
        }
        super().__init__(folder, folder / "keeper.log", settings, start_forked)

    def start(self, launch: Launch | None = None) -> None:
        """Starts it, unless it runs. `launch`: options of the launcher in this run alone."""
        if self.alive():
            return
        self.ended = self.killed_itself = False
        launch = launch or self.launch
        self._kills = launch.kills
        # In a forked process the keeper's modules are already loaded and hold the unshifted clock.
        own = partial(start_process, module="lab.chaos.launcher")
        self._start = own if launch.clock_shift_s else start_forked
        self._run(**{NAME: launch.to_json()})

    def _ended(self, code: int) -> None:
        self.killed_itself = self._kills and code == -signal.SIGKILL
        self.ended = not self.killed_itself
        if self.ended:
            self.exits.append(code)

    def awake(self) -> bool:
        """Whether it can look at the chain."""
        return self.alive() and not self.stopped

    def kill(self) -> None:
        """Kills it at whatever instruction it is."""
        self.end(signal.SIGKILL)
        self.stopped = False

    def stop(self) -> int | None:
        """Terminates it as a service manager does; its exit code, None if it did not run."""
        self.resume()
        return self.end()

    def pause(self) -> None:
        """Pauses it with SIGSTOP."""
        if self.alive() and self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)
            self.stopped = True

    def resume(self) -> None:
        """Resumes it."""
        if self.stopped and self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)
        self.stopped = False

    def looked(self, block: int) -> bool:
        """Whether it has looked at this block or a later one."""
        pulse = self.pulse()
        return pulse is not None and pulse.block >= block and pulse.state != "error"

    def frozen(self) -> bool:
        """Whether the system holds its process stopped."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    def asked(self, method: str) -> int:
        """How often it has called this method on any of its endpoints."""
        return sum(proxy.asked[method] for proxy in self.proxies)

    def traced(self) -> list[str]:
        """The steps that its launcher has recorded."""
        path = Path(self.launch.trace or "")
        return path.read_text().splitlines() if self.launch.trace and path.exists() else []

    def rows(self) -> list[dict[str, Any]]:
        """The rows of its journal; none before the journal has a table."""
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
