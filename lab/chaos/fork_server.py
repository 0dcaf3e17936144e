"""Starts keepers from one process that has their modules loaded, so that a start takes no seconds of importing.

`python -m lab.chaos.fork_server` loads the keeper and waits. For each start it forks; the child is a keeper's process
of its own, which a signal reaches like any other. One line of JSON in, one out:

- `{"start": {"env": {...}, "cwd": ..., "log": ...}}` gives `{"pid": N}`,
- `{"poll": N}` gives `{"code": C}`: the exit code as `subprocess` counts it, null while it runs. A process that has
  ended keeps its number until it was polled, so a signal never meets a stranger.

It ends, and its children with it, when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.localnet.anvil import ROOT, dies_with_parent


@dataclass(frozen=True)
class ForkedProcess:
    """A process that a fork server started."""

    server: ForkServer
    pid: int

    def poll(self) -> int | None:
        """Its exit code, None while it runs. To be asked once after its end."""
        code = self.server.ask({"poll": self.pid})["code"]
        return None if code is None else int(code)


class ForkServer:
    """A running server, from the side of who uses it. Not for several threads at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.chaos.fork_server"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )

    def start(self, env: dict[str, str], cwd: Path, log: Path) -> ForkedProcess:
        """A keeper's process with exactly this environment. Output is added to `log`."""
        return ForkedProcess(self, int(self.ask({"start": {"env": env, "cwd": str(cwd), "log": str(log)}})["pid"]))

    def close(self) -> None:
        """Ends it and what still runs."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question and its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _child(wanted: dict[str, Any]) -> None:
    """The keeper, in a process that was just forked."""
    code = 1
    try:
        if (die := dies_with_parent()) is not None:
            die()
        os.environ.clear()
        os.environ.update(wanted["env"])
        os.chdir(wanted["cwd"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        out = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for source, target in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        from lab.chaos.launcher import main as keeper  # noqa: PLC0415 (loaded by `serve` before)

        code = keeper(["run"])
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def serve() -> None:
    """Answers until the input ends."""
    import keeper.__main__  # noqa: F401, PLC0415
    import lab.chaos.launcher  # noqa: F401, PLC0415 (for the children)

    children: set[int] = set()
    # Not a buffered reader of lines: a child must not inherit what was read ahead.
    for line in iter(lambda: _line(0), b""):
        question = json.loads(line)
        if "start" in question:
            pid = os.fork()
            if pid == 0:
                _child(question["start"])
            children.add(pid)
            answer: dict[str, Any] = {"pid": pid}
        else:
            pid, status = os.waitpid(question["poll"], os.WNOHANG)
            children.discard(pid)
            answer = {"code": os.waitstatus_to_exitcode(status) if pid else None}
        os.write(1, json.dumps(answer).encode() + b"\n")
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _line(source: int) -> bytes:
    """One line, byte by byte at its end only; empty at the end of the input."""
    found = b""
    while not found.endswith(b"\n"):
        part = os.read(source, 65_536)
        if not part:
            return b""
        found += part
    return found


if __name__ == "__main__":
    serve()
