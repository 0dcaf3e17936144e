"""Fills the generated part, between two marks, of a page that people write."""

from __future__ import annotations


def filled(text: str, begin: str, end: str, part: str) -> str:
    """The page with this part between the lines `begin` and `end`. Raises ValueError without them."""
    before, found, rest = text.partition(begin + "\n")
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"expected the lines {begin} and {end}")
    return f"{before}{begin}\n\n{part}\n\n{end}{after}"
