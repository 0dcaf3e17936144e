"""Checks that the compiled contracts are not older than their sources.

Ape compiles files that have changed, but not the files that import them: after a change of a library the contracts that
use it are out of date. So the build counts as current only if sources, settings and build are unchanged since the last
full compilation.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "__local__.json"
STAMP = ROOT / ".build" / "whole.sha256"


def digest() -> str:
    """Hash of all sources, the compiler's settings, and the build."""
    found = hashlib.sha256()
    for source in [ROOT / "ape-config.yaml", *sorted((ROOT / "contracts").rglob("*.sol"))]:
        found.update(str(source.relative_to(ROOT)).encode() + bytes(1) + source.read_bytes() + bytes(1))
    found.update(BUILD.read_bytes() if BUILD.is_file() else b"")
    return found.hexdigest()


def is_current() -> bool:
    """Whether the build is from a full compilation of the current sources."""
    return BUILD.is_file() and STAMP.is_file() and STAMP.read_text() == digest()


def mark_current() -> None:
    """Marks the build as current; call it after a full compilation."""
    STAMP.write_text(digest())
