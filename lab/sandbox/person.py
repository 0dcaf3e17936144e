"""Runs commands at terminals of their own, as a person types them: prompts, typed answers, and how long each took."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ballast.build import ROOT
from lab.localnet.anvil import dies_with_parent
from lab.localnet.errors import LocalnetError

COLUMNS = 150
ANSWERS_WITHIN_S = 1_800.0
"""Real seconds to wait for a prompt, or for a command's end; long enough for a busy machine."""


@dataclass(frozen=True)
class Answer:
    """What to type once the terminal shows `prompt` and, if `hidden`, once it no longer echoes."""

    prompt: str
    text: str
    hidden: bool = False


@dataclass(frozen=True)
class Shown:
    """A command as it was typed, its output, its exit code, and real seconds until it ended."""

    command: str
    output: str
    code: int
    seconds: float
    prompts: int


class Shell:
    """A running command at a terminal. `shown`: its output so far."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path = ROOT) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        ask_kernel = dies_with_parent()

        def at_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ask_kernel is not None:
                ask_kernel()

        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, "COLUMNS": str(COLUMNS), "TERM": "xterm"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=at_terminal,  # noqa: PLW1509 (makes it the session's terminal)
        )
        os.close(follower)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        return self._written.decode(errors="replace").replace("\r\n", "\n")

    def answer(self, given: Answer) -> None:
        """Types a line once its prompt appears. Raises LocalnetError."""
        end = time.monotonic() + ANSWERS_WITHIN_S
        while given.prompt not in self.shown or (given.hidden and self._echoes()):
            if self.process.poll() is not None or time.monotonic() > end:
                raise LocalnetError(f"terminal: was not asked {given.prompt!r}; it shows:\n{self.shown}")
            time.sleep(0.01)
        os.write(self._leader, given.text.encode() + b"\n")

    def end(self) -> int:
        """Waits for the end; the exit code. Raises LocalnetError."""
        try:
            code = self.process.wait(ANSWERS_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise LocalnetError(f"terminal: does not end; it shows:\n{self.shown}") from None
        self._reader.join(10)
        return code

    def close(self) -> None:
        """Kills the command if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._leader)

    def _echoes(self) -> bool:
        return bool(termios.tcgetattr(self._leader)[3] & termios.ECHO)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # at the end
            while part := os.read(self._leader, 4096):
                self._written += part


def typed(
    command: Sequence[str],
    environment: Mapping[str, str],
    answers: Sequence[Answer] = (),
    words: str | None = None,
    cwd: Path = ROOT,
) -> Shown:
    """Runs a command to its end. `words`: the command as a person would have typed it. Raises LocalnetError."""
    began = time.monotonic()
    shell = Shell(command, environment, cwd)
    try:
        for answer in answers:
            shell.answer(answer)
        code = shell.end()
        return Shown(words or " ".join(command), shell.shown, code, time.monotonic() - began, len(answers))
    finally:
        shell.close()
