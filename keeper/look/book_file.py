"""Reloads an address book that may change while the keeper runs: `ape run pools` changes the pools in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import structlog

from ballast.book import Book, BookError

log = structlog.get_logger("keeper")


class BookFile:
    """The file of a loaded book; reads it again when its time, size or inode has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Not the file's current stamp: the file may have changed since the book was loaded.
        self._seen: tuple[int, int, int] | None = None

    def renewed(self, book: Book) -> Book | None:
        """The book in the file now, if it differs from `book` in candidates and their pools alone; None if nothing has
        changed, or if the change is refused, which it logs with the reason."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            found = Book.load(self._path)
        except BookError as error:
            log.warning("address book not taken", why=str(error))
            return None
        if found == book:
            return None
        why = ""
        if replace(found, candidates=book.candidates) != book:
            why = "other contracts; restart the keeper to follow it"
        elif found.pools("uniswap-v3") and "v3_lens" not in found.contracts:
            why = "pools of Uniswap V3, and no v3_lens to read them"
        if why:
            log.warning("address book not taken", why=f"{self._path}: {why}")
            return None
        log.info("address book", pools=sum(len(one.pools) for one in found.candidates), book=str(self._path))
        return found

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
