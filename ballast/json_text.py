"""Parses untrusted JSON: refuses text that is nested too deeply before anything recurses over it."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100
"""Deepest nesting accepted. Python's parser recurses, and a library can raise the recursion limit that protects the
stack: py_ecc does, for the whole process."""
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
"""Strings, in which brackets do not count."""
_BRACKETS = re.compile(r"[\[\]{}]")


def parsed(content: bytes | bytearray) -> Any:
    """The value of a JSON text. Raises ValueError if it is not JSON or too deep."""
    text = content.decode(json.detect_encoding(content), "surrogatepass")
    if _too_deep(text):
        raise ValueError(f"JSON deeper than {MAX_DEPTH}")
    return json.loads(text)


def _too_deep(text: str) -> bool:
    """Whether more than MAX_DEPTH lists and objects are nested, found without recursion."""
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
