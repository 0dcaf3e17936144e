"""Programs in process groups of their own: none outlives its time, nor this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.localnet.anvil import dies_with_parent
from lab.prove.errors import ProveError


class Processes:
    """Starts programs, from any thread, and kills them all with what they have started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._stopped = False

    def run(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], seconds: float
    ) -> tuple[int | None, str]:
        """The exit code, None where it took longer than `seconds`, and all that was printed.

        Raises ProveError once `stop` was called.
        """
        with self._lock:
            if self._stopped:
                raise ProveError("stopped")
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 (this thread alone forks; it must run in the child)
            )
            self._groups.add(process.pid)
        try:
            text, _ = process.communicate(timeout=seconds)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            _kill(process.pid)
            text, _ = process.communicate()
            code = None
        finally:
            with self._lock:
                self._groups.discard(process.pid)
            _kill(process.pid)
        if self._stopped:
            raise ProveError("stopped")
        return code, text

    def stop(self) -> None:
        """Kill all that runs, and start nothing any more."""
        with self._lock:
            self._stopped = True
            for group in self._groups:
                _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
