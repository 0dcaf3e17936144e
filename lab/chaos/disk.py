"""A small disk of its own for a journal, and how it gets full.

Root mounts a memory file system of `SIZE`; the write then fails as on any full disk (ENOSPC). Without that right the
scenario cannot be run, which is an error and not a pass.
"""

from __future__ import annotations

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.localnet.errors import LocalnetError

SIZE = "8m"
"""Room for the 4 MB that SQLite lets its log of changes grow to."""
_CHUNK = 65_536


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder is a disk of its own until the block ends. Raises LocalnetError where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise LocalnetError(f"small disk: {mounted.stderr.strip()}; mounting takes root's rights")
    try:
        yield
    finally:
        # Lazily: an open file of a process that is just ending must not keep it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """The disk that holds the folder is full until the block ends."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as out:
            for size in (_CHUNK, 1):
                with contextlib.suppress(OSError):
                    while out.write(bytes(size)):
                        pass
            out.write(b"0")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    try:
        yield
    finally:
        filler.unlink()
