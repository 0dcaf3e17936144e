"""JSON of others: what is too deep never reaches the parser."""

from __future__ import annotations

import pytest

from ballast.json_text import MAX_DEPTH, parsed


@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_depth(pair: tuple[bytes, bytes]) -> None:
    begin, end = pair
    parsed(begin * MAX_DEPTH + b"1" + end * MAX_DEPTH)
    for text in (begin * (MAX_DEPTH + 1) + b"1" + end * (MAX_DEPTH + 1), begin * 1_000_000):
        with pytest.raises(ValueError, match=f"deeper than {MAX_DEPTH}"):
            parsed(text)


def test_brackets_in_strings_do_not_count() -> None:
    text = "[" * 1_000 + '"\\'
    assert parsed(b'["' + b"[" * 1_000 + b'\\"\\\\"]') == [text[:1_000] + '"\\']


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xfe\xfa", b"]" * 1_000 + b"[" * 1_000])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)
