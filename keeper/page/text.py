"""Sanitizes text from a chain, a file or a node for display."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 24
LONGEST_HOST = 80
LONGEST_LINE = 300

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>)]+", re.IGNORECASE)


def name(raw: str, longest: int = LONGEST_NAME) -> str:
    """A symbol or name, shortened, without control, format and separator characters. Does not escape HTML: the page
    inserts it as text."""
    shown = _clean(raw)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def line(raw: str) -> str:
    """A message as one line, without URLs, as a node's often carries a key."""
    return _URL.sub("(address)", _clean(raw))[:LONGEST_LINE]


def _clean(raw: str) -> str:
    return " ".join("".join(" " if unicodedata.category(c).startswith(("C", "Z")) else c for c in raw).split())
