"""An address book that is written anew beside a running keeper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ballast.book import CONTRACTS, Book, BookCandidate, BookPool
from keeper.look.book_file import BookFile

WETH = "0x" + "22" * 20
POOL = BookPool("uniswap", "0x" + "33" * 20)
CONTRACTS_AT = {name: f"0x{number:040d}" for number, name in enumerate(CONTRACTS, 1)}
BOOK = Book("Fund", 1, 1, CONTRACTS_AT, WETH, (BookCandidate("T", "0x" + "11" * 20, 18, (POOL,)),))


def test_what_was_written_between_book_and_keeper_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    BOOK.save(path)
    read = Book.load(path)
    without = replace(BOOK, candidates=(replace(BOOK.candidates[0], pools=()),))
    without.save(path)
    file = BookFile(path)
    assert file.renewed(read) == without
    assert file.renewed(without) is None
