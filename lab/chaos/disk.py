"""A small disk for a journal, and how to fill it.

Root mounts a tmpfs of `SIZE`; writes then fail as on any full disk (ENOSPC). Without that right the scenario fails with
an error instead of passing.
"""

from __future__ import annotations

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.localnet.errors import LocalnetError

SIZE = "8m"
"""Room for the 4 MB to which SQLite lets its write-ahead log grow."""
_CHUNK = 65_536


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Makes the folder a disk of its own until the `with` block ends. Raises LocalnetError where mounting is not
    allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise LocalnetError(f"small disk: {mounted.stderr.strip()}; mounting takes root's rights")
    try:
        yield
    finally:
        # Lazily: a file that a terminating process still has open must not prevent the unmount.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Keeps the disk that holds the folder full until the `with` block ends."""
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
