"""Replaces files atomically: a reader sees the old content or the whole new one."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
from pathlib import Path


def replace_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Writes a draft beside the file and renames it; creates parent folders. Removes the draft on errors.

    `mode`: the file's permissions before any content is written, such as 0o600 for a secret; None: those of the umask.
    Does not sync to disk: after a power failure the file may be empty. Raises OSError.
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
    """`replace_whole` with the value as JSON and a newline. Raises OSError, and TypeError for types that JSON lacks."""
    replace_whole(path, json.dumps(value, indent=indent) + "\n")


@cache
def _draft(path: Path) -> Path:
    """Path of a file's draft. Cached: pathlib interns every name that it parses, and the table of interned strings,
    which keeps the slots of freed ones, would double when it is full of them."""
    return path.with_name(f"{path.name}.{os.getpid()}.tmp")
