"""The address books fit together and fit the settings."""

from __future__ import annotations

from collections.abc import Iterator

from ballast.book import Book
from keeper.check.context import CheckContext
from keeper.check.lines import Line, Says


def books(context: CheckContext) -> Iterator[Line]:
    """Each address book can be read, is for the configured chain, and names another fund."""
    seen: dict[str, str] = {}
    for path, book in context.books:
        says = Says("address book", str(path))
        if not isinstance(book, Book):
            yield says.failure(book, "name the file that the fund's deployment wrote in BALLAST_BOOK")
        elif book.chain_id != context.chain_id:
            yield says.failure(
                f"is for chain {book.chain_id}, the keeper works on chain {context.chain_id}",
                "set BALLAST_CHAIN_ID to the book's chain, or run one keeper for each chain",
            )
        elif book["rebalancer"] in seen:
            yield says.failure(f"is the same fund as {seen[book['rebalancer']]}", "name each fund once in BALLAST_BOOK")
        else:
            yield says.ok(f"{book.fund}, {len(book.candidates)} components, chain {book.chain_id}")
        if isinstance(book, Book):
            seen.setdefault(book["rebalancer"], str(path))
    if not context.books:
        yield Says("address book", "BALLAST_BOOK").failure("names no file", "name the fund's address book")
