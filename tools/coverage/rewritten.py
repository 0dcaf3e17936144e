"""The contracts' sources as they are measured: each `require` rewritten as `if … revert`, everything else unchanged.

For a `require` with an error the compiler calls a function that it generates, and its map gives that function's jump to
the whole contract: one `require` could not be told from the next. For `if … revert` the map names the jump.
"""

from __future__ import annotations

import re

_REQUIRE = re.compile(r"^(?P<before>[^\n/*]*?)\brequire\(", re.MULTILINE)


def rewritten(text: str) -> str:
    """A source with the same lines. Raises ValueError for a `require` that has no error, or a comment inside."""
    parts, at = list[str](), 0
    for found in _REQUIRE.finditer(text):
        comma, end = _arguments(text, found.end())
        condition, error = text[found.end() : comma], text[comma + 1 : end]
        if "//" in condition + error or text[end + 1 : end + 2] != ";":
            raise ValueError(f"require: {text[found.end() : end + 2]!r}, expected a statement without comments")
        parts += [text[at : found.end() - len("require(")], "{ if (!(", condition, ")) revert ", error, "; }"]
        at = end + 2
    return "".join([*parts, text[at:]])


def _arguments(text: str, begin: int) -> tuple[int, int]:
    """Places of the comma after the first argument, and of the parenthesis that closes them all."""
    depth, comma = 0, None
    for at in range(begin, len(text)):
        sign = text[at]
        if sign in "([{":
            depth += 1
        elif sign == "," and depth == 0 and comma is None:
            comma = at
        elif sign in ")]}":
            if depth == 0:
                if comma is None:
                    break
                return comma, at
            depth -= 1
    raise ValueError(f"require: {text[begin : begin + 40]!r}, expected a condition and an error")
