"""Address books: what a deployment writes is read back, and books of older deployments stay valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_utils import to_checksum_address

from ballast.book import CONTRACTS, OPTIONAL, Book, BookCandidate, BookError, BookPool


def address(number: int) -> str:
    return str(to_checksum_address(f"0x{number:040x}"))


def book(*names: str) -> Book:
    """A book with these contracts."""
    pools = (BookPool("uniswap", address(3)), BookPool("uniswap-v3", address(4), 5, address(5)))
    candidates = (BookCandidate("AAA", address(2), 6, pools),)
    return Book("Fund", 1, 7, {name: address(100 + i) for i, name in enumerate(names)}, address(1), candidates)


@pytest.mark.parametrize("left_out", [(), ("upkeep",), OPTIONAL], ids=["all", "no upkeep", "least"])
def test_is_read_as_it_was_written(tmp_path: Path, left_out: tuple[str, ...]) -> None:
    path = tmp_path / "books" / "fund.json"
    written = book(*CONTRACTS, *(name for name in OPTIONAL if name not in left_out))
    written.save(path)
    assert Book.load(path) == written
    assert ("upkeep" in written.contracts) == (not left_out)


@pytest.mark.parametrize("name", [*CONTRACTS, "upkeep"])
def test_an_address_that_is_none(tmp_path: Path, name: str) -> None:
    path = tmp_path / "fund.json"
    book(*CONTRACTS, *OPTIONAL).save(path)
    raw = json.loads(path.read_text())
    raw["contracts"][name] = "0x12"
    path.write_text(json.dumps(raw))
    with pytest.raises(BookError, match=f"{name} is '0x12', not a checksummed address"):
        Book.load(path)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_that_every_book_has(tmp_path: Path, name: str) -> None:
    path = tmp_path / "fund.json"
    book(*(other for other in (*CONTRACTS, *OPTIONAL) if other != name)).save(path)
    with pytest.raises(BookError, match=f"field '{name}' is missing"):
        Book.load(path)


def test_the_symbol_of_a_token() -> None:
    assert book(*CONTRACTS).symbol(address(2)) == "AAA"
    assert book(*CONTRACTS).symbol(address(9)) == address(9)
    assert book(*CONTRACTS).symbol("") == ""
