"""Checks of the keeper's files. Safe beside a running keeper: they leave nothing locked, created or changed."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ballast.book import Book
from keeper.check.context import CheckContext
from keeper.check.findings import Finding, Says
from keeper.errors import SettingsError
from keeper.sending.journal import read_journal

MIN_FREE_MIB = 50
"""A month's journal takes less than one MiB; SQLite's write-ahead log needs room as well."""
_MIB = 2**20
RESTORE = "name another file, or restore it from a backup"


def journal(context: CheckContext) -> Iterator[Finding]:
    """The journal can be written, and no other keeper holds it."""
    path = context.settings.journal
    says = Says("journal", str(path))
    folder = _nearest(path)
    if not folder.is_dir() or not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        yield says.failure(
            f"{path if path.exists() else folder} cannot be written by this user, or is no folder",
            "name a folder of the keeper's own in BALLAST_JOURNAL, or give it to the user that runs the keeper",
        )
        return
    if _in_use(path):
        yield says.warning(
            "a keeper holds it",
            "right if that is this keeper at work; a second one needs a journal and a key of its own",
        )
        return
    if not path.exists():
        yield says.ok("none yet: the keeper begins one")
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=2)) as db:
            db.isolation_level = None
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        count = len(read_journal(path, context.chain_id or 0))
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            yield says.failure(
                "another program holds the database locked",
                "end it: backups are taken with sqlite3's .backup, which does not lock for long",
            )
            return
        raise
    except sqlite3.DatabaseError as error:
        yield says.failure(f"is not a journal ({error})", RESTORE)
        return
    except SettingsError as error:
        yield says.failure(str(error), RESTORE)
        return
    yield says.ok(f"{count} transaction{'s' * (count != 1)}")


def _nearest(path: Path) -> Path:
    """The journal's folder, or its nearest existing parent: the keeper creates the rest."""
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder


def _in_use(path: Path) -> bool:
    guard = path.with_name(path.name + ".lock")
    if not guard.exists():
        return False
    with guard.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def disk(context: CheckContext) -> Iterator[Finding]:
    """There is room for the journal."""
    folder = _nearest(context.settings.journal)
    free = shutil.disk_usage(folder).free // _MIB
    says = Says("disk", str(folder))
    if free < MIN_FREE_MIB:
        yield says.failure(
            f"{free} MiB free, expected at least {MIN_FREE_MIB}",
            "make room: a keeper that cannot write its journal sends nothing",
        )
    else:
        yield says.ok(f"{free:,} MiB free")


def private_files(context: CheckContext) -> Iterator[Finding]:
    """Only their owner can read files with secrets."""
    settings = context.settings
    files = [settings.keystore, settings.keystore_password_file]
    if context.env_file is not None and context.env_file.is_file():
        files.append(context.env_file)
    for path in files:
        if path is not None and path.is_file():
            mode = path.stat().st_mode & 0o777
            says = Says("file", str(path))
            if mode & 0o077:
                yield says.warning(
                    f"others than its owner may open it (mode {mode:03o})",
                    f"chmod 600 {path}; if others were there, take another key",
                )
            else:
                yield says.ok(f"for its owner alone (mode {mode:03o})")


def books(context: CheckContext) -> Iterator[Finding]:
    """Each address book can be read, is for the configured chain, and is for a different fund."""
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
