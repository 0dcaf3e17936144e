"""What the tests of each file executed, kept so that runs of single files add up.

A part counts as long as the contracts and the file of tests are unchanged. Changes in what the tests import (fixtures,
helpers) are not noticed: after one, run all.
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
    """Replace these files' parts. A file with a failed test loses its part."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, part in parts.items():
        path = _path(file, folder)
        if part["failed"]:
            path.unlink(missing_ok=True)
        else:
            replace_json(path, {"state": _state(file, code), **part})


def kept(files: Iterable[str], code: str, folder: Path = KEPT) -> dict[str, dict[str, Any]]:
    """The parts of these files that still count."""
    found = {}
    for file in files:
        path = _path(file, folder)
        if path.exists() and (part := json.loads(path.read_text()))["state"] == _state(file, code):
            found[file] = part
    return found


def _path(file: str, folder: Path) -> Path:
    return folder / (file.replace("/", "-") + ".json")


def _state(file: str, code: str) -> str:
    """Digest of the contracts (`code`, see `compiled`) and the file."""
    return hashlib.sha256(code.encode() + (ROOT / file).read_bytes()).hexdigest()
