"""The compiled contracts, never older than their sources.

Ape compiles the files that have changed, but not the files that import them: after a change of a library the contracts
that use it stay as they were. So whoever needs the build compiles everything anew unless sources, settings and build
are what they were after the last whole compilation.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "__local__.json"
STAMP = ROOT / ".build" / "whole.sha256"


def digest() -> str:
    """Of all sources, the compiler's settings, and the build that belongs to them."""
    found = hashlib.sha256()
    for source in [ROOT / "ape-config.yaml", *sorted((ROOT / "contracts").rglob("*.sol"))]:
        found.update(str(source.relative_to(ROOT)).encode() + bytes(1) + source.read_bytes() + bytes(1))
    found.update(BUILD.read_bytes() if BUILD.is_file() else b"")
    return found.hexdigest()


def is_current() -> bool:
    """Whether the build is that of a whole compilation of these sources."""
    return BUILD.is_file() and STAMP.is_file() and STAMP.read_text() == digest()


def mark_current() -> None:
    """To be called after a whole compilation."""
    STAMP.write_text(digest())
