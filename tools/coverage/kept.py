"""What the tests of each file executed, kept so that runs of single files add up.

It counts as long as the contracts and the file are what they were. What a file's tests take from others (fixtures,
helpers) is not looked at: after a change there, run all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from ballast.files import replace_json

KEPT = ROOT / ".cache" / "coverage" / "parts"


def keep(parts: Mapping[str, Mapping[str, Any]], code: str, folder: Path = KEPT) -> None:
    """Keep these files' parts in place of what they had. A file with a failed test has none any more."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, part in parts.items():
        path = _path(file, folder)
        if part["failed"]:
            path.unlink(missing_ok=True)
        else:
            replace_json(path, {"state": _state(file, code), **part})


def kept(files: Iterable[str], code: str, folder: Path = KEPT) -> dict[str, dict[str, Any]]:
    """The parts of those files that have one which still counts."""
    found = {}
    for file in files:
        path = _path(file, folder)
        if path.exists() and (part := json.loads(path.read_text()))["state"] == _state(file, code):
            found[file] = part
    return found


def _path(file: str, folder: Path) -> Path:
    return folder / (file.replace("/", "-") + ".json")


def _state(file: str, code: str) -> str:
    """Of the contracts (`code`, see `compiled`) and the file."""
    return hashlib.sha256(code.encode() + (ROOT / file).read_bytes()).hexdigest()
