"""JSON of others: what is too deep is refused, before anything recurses over it."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100
"""A deeper text is none. Python's parser recurses, and a library can lift the limit that stops it before the stack
ends: py_ecc does, for the whole process."""
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
"""Brackets in them do not count."""
_BRACKETS = re.compile(r"[\[\]{}]")


def parsed(content: bytes | bytearray) -> Any:
    """What a JSON text says. Raises ValueError for any other text, and for one that is too deep."""
    text = content.decode(json.detect_encoding(content), "surrogatepass")
    if _too_deep(text):
        raise ValueError(f"JSON deeper than {MAX_DEPTH}")
    return json.loads(text)


def _too_deep(text: str) -> bool:
    """Whether more than MAX_DEPTH lists and objects lie within each other, found without recursion."""
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
