"""A command at a terminal of its own, as a person has it: prompts, typed answers, Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ape
from eth_account import Account

from ballast.build import ROOT
from tests.helpers.waiting import PATIENCE_S, wait_for

CTRL_C = "\x03"
PASSWORD = "not a secret"


class Terminal:
    """A running command. `shown`: all that it has written."""

    def __init__(self, process: subprocess.Popen[bytes], leader: int) -> None:
        self.process = process
        self._leader = leader
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        return self._written.decode(errors="replace")

    def answer(self, prompt: str, text: str) -> None:
        """Types a line once it is asked for."""
        wait_for(lambda: prompt in self.shown or self.process.poll() is not None, lambda: self.shown)
        assert prompt in self.shown, self.shown
        self.type(text + "\n")

    def answer_hidden(self, prompt: str, text: str) -> None:
        """The same for what is not shown: what is typed before the terminal has stopped to show it is lost."""
        wait_for(lambda: not self._echoes() or self.process.poll() is not None, lambda: self.shown)
        self.answer(prompt, text)

    def _echoes(self) -> bool:
        return bool(termios.tcgetattr(self._leader)[3] & termios.ECHO)

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def kill(self) -> None:
        self.process.kill()

    def end(self) -> int:
        """The exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(10)
        return code

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # at the end
            while part := os.read(self._leader, 4096):
                self._written += part


@contextlib.contextmanager
def key_file(alias: str, made: Any) -> Iterator[None]:
    """An account in an encrypted file that Ape knows by this name, with `PASSWORD`."""
    file = Path(ape.config.DATA_FOLDER) / "accounts" / f"{alias}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(Account.encrypt(made.key, PASSWORD, iterations=2)))
    try:
        yield
    finally:
        file.unlink()


@contextlib.contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Runs it until the block ends."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, "COLUMNS": "200", "TERM": "dumb"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (makes it the session's terminal)
    )
    os.close(follower)
    try:
        yield Terminal(process, leader)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        os.close(leader)
