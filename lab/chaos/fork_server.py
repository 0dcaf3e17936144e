"""Starts keepers from a process that has already imported their modules, so that a start does not take seconds.

That process is multiprocessing's fork server: one for each process that starts keepers, and it ends with it. It forks
each keeper into a process of its own, which receives signals like any other.
"""

from __future__ import annotations

import os
import sys
import traceback
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import cast

from lab.localnet.anvil import dies_with_parent
from lab.testbed.keepers import Process


class ForkedKeeper(ForkServerProcess):
    """A keeper's process with exactly this environment, in this folder. Appends its output to `log`."""

    def __init__(self, env: dict[str, str], cwd: Path, log: Path) -> None:
        super().__init__(daemon=True)
        self._wanted = env, str(cwd), str(log)

    def poll(self) -> int | None:
        """Its exit code in `subprocess`'s convention, None while it runs."""
        return self.exitcode

    def run(self) -> None:
        """Runs the keeper, in the newly forked process."""
        code = 1
        try:
            if (die := dies_with_parent()) is not None:
                die()
            env, cwd, log = self._wanted
            os.environ.clear()
            os.environ.update(env)
            os.chdir(cwd)
            nothing = os.open(os.devnull, os.O_RDONLY)
            out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            for source, target in ((nothing, 0), (out, 1), (out, 2)):
                os.dup2(source, target)
            # This also closes the pipe that keeps the fork server running while others need it: a keeper does not.
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            from lab.chaos.launcher import main as keeper  # noqa: PLC0415 (the server has loaded it)

            code = keeper(["run"])
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)


def start_forked(env: dict[str, str], cwd: Path, log: Path) -> Process:
    """Starts a keeper from the server; the first call starts the server."""
    get_context("forkserver").set_forkserver_preload(["keeper.__main__", "lab.chaos.launcher"])
    keeper = ForkedKeeper(env, cwd, log)
    keeper.start()
    return cast(Process, keeper)  # which has a number now
