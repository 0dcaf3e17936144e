"""The sandbox's address book: written and read again, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.book import SandboxAsset, SandboxBook, sandbox_path
from sandbox.errors import SandboxError


def address(number: int) -> str:
    return f"0x{number:040d}"


def book() -> SandboxBook:
    return SandboxBook(
        chain_id=11_155_111,
        first_block=7,
        operator=address(1),
        market=address(2),
        factory=address(3),
        router=address(4),
        numeraire=SandboxAsset(0, "tETH", address(10), 18, address(20), ""),
        components=(SandboxAsset(1, "tUNI", address(11), 18, address(21), address(31)),),
        heartbeat=3_600,
        max_age=10_800,
        fund_file="sandbox.yaml",
        fund_book="sandbox.json",
    )


def test_written_and_read_again(tmp_path: Path) -> None:
    path = sandbox_path(tmp_path / "sandbox.json")
    assert path.name == "sandbox-sandbox.json"
    book().save(path)
    assert SandboxBook.load(path) == book()
    assert [asset.symbol for asset in book().assets] == ["tETH", "tUNI"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"market": "0x12"}, "market is '0x12', not a checksummed address"),
        ({"chain_id": "x"}, "invalid literal"),
        ({"numeraire": {}}, "numeraire: field 'pair' is missing"),
        ({"components": [{"pair": ""}]}, r"components \(1\): field 'number' is missing"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], line: str, tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    book().save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SandboxError, match=f"^sandbox book .*book.json: {line}"):
        SandboxBook.load(path)


def test_numbers_that_are_not_in_order(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    book().save(path)
    raw = json.loads(path.read_text())
    raw["components"][0]["number"] = 2
    path.write_text(json.dumps(raw))
    with pytest.raises(SandboxError, match="number: expected 0 for the numeraire"):
        SandboxBook.load(path)


def test_books_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    with pytest.raises(SandboxError, match="no such file; run `ape run sandbox up` first"):
        SandboxBook.load(path)
    path.write_text("{")
    with pytest.raises(SandboxError, match="cannot be read"):
        SandboxBook.load(path)
    path.write_text('{"numeraire": {"pair": ""}}')
    with pytest.raises(SandboxError, match="numeraire: field 'number' is missing"):
        SandboxBook.load(path)
