"""Text that comes from a chain, a file or a node, made fit to be shown."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 24
LONGEST_HOST = 80
LONGEST_LINE = 300

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>)]+", re.IGNORECASE)


def name(raw: str, longest: int = LONGEST_NAME) -> str:
    """A symbol or name: without characters that have no shape of their own or turn text around, and not too long. What
    it is made of otherwise is not touched: the page writes it as text, never as HTML."""
    shown = " ".join("".join(c if _shown(c) else " " for c in raw).split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def line(raw: str) -> str:
    """One line of a message, without what may be in a URL: an address of a node often carries a key."""
    shown = " ".join("".join(c if _shown(c) else " " for c in raw).split())
    return _URL.sub("(address)", shown)[:LONGEST_LINE]


def _shown(character: str) -> bool:
    return not unicodedata.category(character).startswith(("C", "Z"))
