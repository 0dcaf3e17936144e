"""Files that are replaced in one step: who reads meanwhile finds the old content or the whole new one."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
from pathlib import Path


def replace_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Writes a draft beside the file and renames it; makes the folders above. What goes wrong leaves no draft.

    `mode`: the file's permissions from its first byte on, such as 0o600 for a secret; None: what the umask leaves.
    It is not forced onto the disk: after a power cut the file may be empty. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path)
    try:
        with draft.open("w", encoding="utf-8") as out:
            if mode is not None:
                os.fchmod(out.fileno(), mode)
            out.write(text)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace_json(path: Path, value: object, indent: int | None = None) -> None:
    """`replace_whole` with the value as JSON and a line's end. Raises OSError, and TypeError for what JSON lacks."""
    replace_whole(path, json.dumps(value, indent=indent) + "\n")


@cache
def _draft(path: Path) -> Path:
    """Where a file is written first. Made once: pathlib interns every name that it takes apart, and the table of
    interned strings, which keeps the places of those that are gone, would double when it is full of them."""
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")
