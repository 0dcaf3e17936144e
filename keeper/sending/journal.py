"""What the keeper has signed, in SQLite: written before it is sent, so that a restart knows every nonce's fate.

One row for each signed transaction; several rows share a nonce where one replaces another. Signed transactions are no
secrets: they are what the network gets to see.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from keeper.errors import SettingsError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS transactions (
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
);
CREATE INDEX IF NOT EXISTS transactions_open ON transactions (chain_id, sender, status);
"""
_COLUMNS = "id, nonce, action, period, recipient, data, gas, max_fee, tip, hash, raw, signed_block, status, mined_block"


class Status(StrEnum):
    """Fate of a signed transaction."""

    SIGNED = "signed"  # written, perhaps sent
    MINED = "mined"
    REVERTED = "reverted"
    REPLACED = "replaced"  # another one with its nonce was mined


@dataclass(frozen=True)
class Entry:
    """A signed transaction. Fees are wei per gas; `raw` and `data` are 0x texts."""

    id: int
    nonce: int
    action: str
    period: int
    recipient: str
    data: str
    gas: int
    max_fee: int
    tip: int
    hash: str
    raw: str
    signed_block: int
    status: Status
    mined_block: int | None


class Journal:
    """The transactions of one account on one chain. One process at a time may hold a journal.

    Raises SettingsError where the file cannot be used.
    """

    def __init__(self, path: Path, chain_id: int, sender: str) -> None:
        self._chain_id = chain_id
        self._sender = sender
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = path.with_name(path.name + ".lock").open("w")
        except OSError as error:
            raise SettingsError(f"BALLAST_JOURNAL: {path} cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._guard.close()
            raise SettingsError(
                f"BALLAST_JOURNAL: {path} is in use by another keeper; give each its own journal and key"
            ) from None
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            # FULL: a row must be on the disk before its transaction is on the wire.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._guard.close()
            raise SettingsError(f"BALLAST_JOURNAL: {path} is not a journal ({error}); name another file") from None

    def close(self) -> None:
        self._db.close()
        self._guard.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(
        self,
        *,
        nonce: int,
        action: str,
        period: int,
        recipient: str,
        data: str,
        gas: int,
        max_fee: int,
        tip: int,
        tx_hash: str,
        raw: str,
        block: int,
    ) -> Entry:
        """Writes a signed transaction that is about to be sent."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO transactions (chain_id, sender, nonce, action, period, recipient, data, gas, max_fee, tip,"
                " hash, raw, signed_block, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._chain_id,
                    self._sender,
                    nonce,
                    action,
                    period,
                    recipient,
                    data,
                    gas,
                    str(max_fee),
                    str(tip),
                    tx_hash,
                    raw,
                    block,
                    Status.SIGNED,
                ),
            )
        return self._select("hash = ?", tx_hash)[0]

    def pending(self) -> list[Entry]:
        """Transactions whose fate is open, oldest first."""
        return self._select("status = ?", Status.SIGNED)

    def newest_mined(self) -> Entry | None:
        """The mined transaction with the highest nonce."""
        found = self._select("status IN ('mined', 'reverted')")
        return max(found, key=lambda entry: entry.nonce) if found else None

    def all(self) -> list[Entry]:
        """Everything, oldest first."""
        return self._select("1")

    def mined(self, entry: Entry, *, succeeded: bool, block: int, gas_used: int, gas_price: int) -> None:
        """Notes a receipt; the others with this nonce are thereby replaced."""
        with self._transaction():
            self._db.execute(
                "UPDATE transactions SET status = ? WHERE chain_id = ? AND sender = ? AND nonce = ? AND id != ?",
                (Status.REPLACED, self._chain_id, self._sender, entry.nonce, entry.id),
            )
            self._db.execute(
                "UPDATE transactions SET status = ?, mined_block = ?, gas_used = ?, gas_price = ? WHERE id = ?",
                (Status.MINED if succeeded else Status.REVERTED, block, gas_used, str(gas_price), entry.id),
            )

    def superseded(self, nonce: int) -> None:
        """Notes that a nonce was used by a transaction that is not in the journal."""
        self._set(nonce, Status.REPLACED)

    def reopen(self, nonce: int) -> None:
        """Notes that the fate of a nonce is open again: its block is no longer part of the chain."""
        self._set(nonce, Status.SIGNED)

    def _set(self, nonce: int, status: Status) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE transactions SET status = ?, mined_block = NULL"
                " WHERE chain_id = ? AND sender = ? AND nonce = ?",
                (status, self._chain_id, self._sender, nonce),
            )

    def _select(self, where: str, *values: str) -> list[Entry]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM transactions WHERE chain_id = ? AND sender = ? AND {where} ORDER BY id",
            (self._chain_id, self._sender, *values),
        ).fetchall()
        return [
            Entry(
                id=row[0],
                nonce=row[1],
                action=row[2],
                period=row[3],
                recipient=row[4],
                data=row[5],
                gas=row[6],
                max_fee=int(row[7]),
                tip=int(row[8]),
                hash=row[9],
                raw=row[10],
                signed_block=row[11],
                status=Status(row[12]),
                mined_block=row[13],
            )
            for row in rows
        ]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
