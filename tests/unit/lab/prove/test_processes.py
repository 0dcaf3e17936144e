"""No process that a proof starts is left behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from lab.prove.errors import ProveError
from lab.prove.processes import Processes


def _command(file: Path, then: str) -> list[str]:
    """A process that starts another, whose id goes to a file."""
    lines = (
        "import pathlib, subprocess",
        "child = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
        f"new = pathlib.Path({str(file.with_suffix('.new'))!r})",
        "new.write_text(str(child.pid))",
        f"new.rename({str(file)!r})",
        "print('started', flush=True)",
        then,
    )
    return [sys.executable, "-c", "\n".join(lines)]


def _ends(pid: int) -> bool:
    """Whether a process is gone, or dead and waiting for its parent, within a minute."""
    for _ in range(600):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "child"
    code, text = Processes().run(_command(file, "exit(3)"), cwd=tmp_path, env=os.environ, seconds=60)
    assert (code, text) == (3, "started\n")
    assert _ends(int(file.read_text()))


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo $$; exec sleep 600"]
    code, _ = Processes().run(command, cwd=tmp_path, env=os.environ, seconds=0.1)
    assert code is None


def test_stop_kills_what_other_threads_run(tmp_path: Path) -> None:
    processes, file = Processes(), tmp_path / "child"
    refused = threading.Event()

    def run() -> None:
        with pytest.raises(ProveError, match="stopped"):
            processes.run(_command(file, "child.wait()"), cwd=tmp_path, env=os.environ, seconds=600)
        refused.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not file.exists():
        time.sleep(0.02)
    processes.stop()
    thread.join(60)
    assert refused.is_set()
    assert _ends(int(file.read_text()))
    with pytest.raises(ProveError, match="stopped"):
        processes.run(["true"], cwd=tmp_path, env=os.environ, seconds=60)
