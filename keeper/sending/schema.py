"""The journal's file: opening it, migrating it, and the errors if it cannot be used.

`PRAGMA user_version` is the file's version. Opening for writing migrates an older file in one transaction and refuses a
newer one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keeper.errors import JournalError, SettingsError

BUSY_S = 5.0
"""Longest wait for another writer, seconds."""

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE transactions (
            id INTEGER PRIMARY KEY,
            chain_id INTEGER NOT NULL,
            sender TEXT NOT NULL,
            nonce INTEGER NOT NULL,
            action TEXT NOT NULL,
            period INTEGER NOT NULL,
            recipient TEXT NOT NULL,
            data TEXT NOT NULL,
            gas INTEGER NOT NULL,
            max_fee TEXT NOT NULL,
            tip TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE,
            raw TEXT NOT NULL,
            signed_block INTEGER NOT NULL,
            status TEXT NOT NULL,
            mined_block INTEGER,
            gas_used INTEGER,
            gas_price TEXT
        )
        """,
        "CREATE INDEX transactions_open ON transactions (chain_id, sender, status)",
    ),
    (
        "ALTER TABLE transactions ADD COLUMN deadline INTEGER",
        "ALTER TABLE transactions ADD COLUMN signed_at INTEGER",
        "ALTER TABLE transactions ADD COLUMN confirmed_at INTEGER",
        "ALTER TABLE transactions ADD COLUMN lost_block INTEGER",
        "CREATE INDEX transactions_nonce ON transactions (chain_id, sender, nonce)",
        """
        CREATE TABLE changes (
            id INTEGER PRIMARY KEY,
            transaction_id INTEGER NOT NULL REFERENCES transactions (id),
            status TEXT NOT NULL,
            at INTEGER NOT NULL
        )
        """,
        "CREATE INDEX changes_transaction ON changes (transaction_id)",
        # The first version's "signed" meant: written, perhaps sent.
        "UPDATE transactions SET status = 'sent' WHERE status = 'signed'",
        # Receipts more than 64 blocks below the newest count as confirmed: the keeper need not look them up again.
        """
        UPDATE transactions SET confirmed_at = 0, status = CASE status WHEN 'mined' THEN 'confirmed' ELSE status END
        WHERE status IN ('mined', 'reverted') AND mined_block < (
            SELECT max(newer.mined_block) - 64 FROM transactions AS newer
            WHERE newer.chain_id = transactions.chain_id AND newer.sender = transactions.sender
        )
        """,
    ),
)
VERSION = len(_MIGRATIONS)


def open_for_writing(path: Path, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Opens the journal's file; creates it if missing, migrates it to this version. Raises SettingsError if the file is
    not a journal or has a newer version, JournalError if it cannot be written now."""
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=busy_s)
    except sqlite3.Error as error:
        raise SettingsError(f"BALLAST_JOURNAL: {path} cannot be opened ({error}); name another file") from None
    try:
        version = _version(db, path)
        # FULL: a row must be on the disk before its transaction is sent.
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        if version < VERSION:
            with writing(db, path):
                # Read again: another process may have migrated it meanwhile.
                for statements in _MIGRATIONS[_version(db, path) :]:
                    for statement in statements:
                        db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")
    except JournalError:
        db.close()
        raise
    except sqlite3.OperationalError as error:
        db.close()
        raise _unusable(path, error) from None
    except (sqlite3.Error, SettingsError) as error:
        db.close()
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"BALLAST_JOURNAL: {path} is not a journal ({error}); name another file") from None
    return db


@contextmanager
def opened_for_reading(path: Path) -> Iterator[tuple[sqlite3.Connection, int]]:
    """Opens a file read-only, without a lock; yields it and its version.

    Raises SettingsError if it is not a journal or has a newer version, JournalError if it cannot be read now.
    """
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    try:
        yield db, _version(db, path)
    except sqlite3.OperationalError as error:
        raise _unusable(path, error) from None
    except sqlite3.Error as error:
        raise SettingsError(f"BALLAST_JOURNAL: {path} is not a journal ({error}); name another file") from None
    finally:
        db.close()


@contextmanager
def writing(db: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One database transaction: all of it reaches the disk, or none. Raises JournalError."""
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")
    except BaseException as error:
        # On a full disk SQLite may have rolled back already.
        if db.in_transaction:
            db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise _unusable(path, error) from None
        raise


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises JournalError if a query to an open file fails."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(path, error) from None


def _version(db: sqlite3.Connection, path: Path) -> int:
    """A file's version, 0 for an empty one. Raises SettingsError for an unknown one."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if found > VERSION:
        raise SettingsError(
            f"BALLAST_JOURNAL: {path} has version {found}, this keeper knows versions up to {VERSION}; "
            "run the newer keeper, or name another file for another key"
        )
    if found == 0 and tables:
        # The first version did not set user_version.
        if "transactions" not in tables:
            raise SettingsError(
                f"BALLAST_JOURNAL: {path} is not a journal (no table of transactions); name another file"
            )
        return 1
    return found


def _unusable(path: Path, error: sqlite3.Error) -> JournalError:
    text = str(error)
    if "locked" in text or "busy" in text:
        remedy = "another program holds it; end that one"
    elif "full" in text or "I/O" in text:
        remedy = "free space on its disk, or repair the disk"
    elif "readonly" in text or "unable to open" in text:
        remedy = "give the keeper's user the right to read and write the file and its folder"
    else:
        remedy = "look at the file and its disk"
    return JournalError(f"BALLAST_JOURNAL: {path} cannot be used now ({text}); {remedy}. Nothing is sent meanwhile")
