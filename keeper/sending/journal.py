"""The journal of signed transactions, in SQLite. The keeper writes each before it sends it, so that after a restart it
can determine what became of every nonce.

One row per signed transaction; replacements share a nonce. Signed transactions are not secret: the network sees them.

    pending -> sent -> submitted -> mined -> confirmed        open: the first three
                                 -> reverted                  mined, but its call failed
                                 -> replaced, cancelled       another transaction with its nonce was mined
    mined, confirmed, reverted, replaced, cancelled -> sent   a reorganization removed the nonce's block
"""

from __future__ import annotations

import errno
import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from keeper.errors import NotReadyError, SettingsError
from keeper.sending.schema import BUSY_S, open_for_writing, opened_for_reading, reading, writing

CANCEL = "cancel"
"""Action of a no-op: an empty transaction to the account itself that uses up a nonce."""

_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
"""File errors that may go away by themselves."""

_FIRST_COLUMNS = (
    "id, nonce, action, period, recipient, data, gas, max_fee, tip, hash, raw, signed_block, status, mined_block,"
    " gas_used, gas_price"
)
_COLUMNS = _FIRST_COLUMNS + ", signed_at, deadline, confirmed_at, lost_block"


class Status(StrEnum):
    """Status of a signed transaction."""

    PENDING = "pending"  # signed and written, never sent
    SENT = "sent"  # sent; unknown whether a node has it
    SUBMITTED = "submitted"  # a node has it
    MINED = "mined"  # has a receipt, without enough confirmations yet
    CONFIRMED = "confirmed"  # the receipt has enough confirmations
    REVERTED = "reverted"  # mined, but its call failed: only gas was spent
    REPLACED = "replaced"  # another transaction with its nonce was mined
    CANCELLED = "cancelled"  # a no-op took its nonce

    @property
    def open(self) -> bool:
        """Whether it may still be mined."""
        return self in OPEN


OPEN = (Status.PENDING, Status.SENT, Status.SUBMITTED)


@dataclass(frozen=True)
class Entry:
    """A signed transaction. Fees and `gas_price` (the price paid) are wei per gas; `raw` and `data` are 0x hex; times
    are Unix seconds.

    `mined_block`, `gas_used`, `gas_price`: from its receipt, None before. `signed_at`: None if the journal's first
    version wrote it. `deadline`: chain time after which the call is pointless, None: no deadline. `confirmed`: whether
    its receipt has enough confirmations (also of a reverted one). `lost_block`: for an open transaction whose receipt a
    reorganization removed, its former block, until the keeper signs something else with the nonce.
    """

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
    gas_used: int | None = None
    gas_price: int | None = None
    signed_at: int | None = None
    deadline: int | None = None
    confirmed: bool = False
    lost_block: int | None = None


def read_journal(path: Path, chain_id: int, sender: str | None = None) -> list[Entry]:
    """All transactions on a chain, of one sender if given, oldest first; empty if there is no file yet.

    Safe beside a running keeper: takes no lock and writes nothing. Raises SettingsError if the file is not a journal or
    has a newer version, JournalError if it cannot be read now.
    """
    if not path.exists():
        return []
    where, values = "chain_id = ?", [str(chain_id)]
    if sender is not None:
        where, values = f"{where} AND sender = ?", [*values, sender]
    with opened_for_reading(path) as (db, version):
        if version == 0:
            return []
        columns = _COLUMNS if version > 1 else f"{_FIRST_COLUMNS}, NULL, NULL, NULL, NULL"
        rows = db.execute(f"SELECT {columns} FROM transactions WHERE {where} ORDER BY id", values).fetchall()
    return [_entry(row) for row in rows]


class Journal:
    """The transactions of one account on one chain. Only one process at a time may have a journal open.

    The constructor raises SettingsError if the file cannot be used, NotReadyError while another keeper uses it or the
    disk fails. The constructor and every method raise JournalError if it cannot be read or written now; a failed write
    changes nothing.
    """

    def __init__(
        self,
        path: Path,
        chain_id: int,
        sender: str,
        *,
        clock: Callable[[], float] = time.time,
        busy_s: float = BUSY_S,
    ) -> None:
        self.path = path
        self._chain_id = chain_id
        self._sender = sender
        self._clock = clock
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = path.with_name(path.name + ".lock").open("w")
        except OSError as error:
            kind = NotReadyError if error.errno in _PASSING else SettingsError
            raise kind(f"BALLAST_JOURNAL: {path} cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._guard.close()
            raise NotReadyError(
                f"BALLAST_JOURNAL: {path} is in use by another keeper; give each its own journal and key"
            ) from None
        try:
            self._db = open_for_writing(path, busy_s)
        except BaseException:
            self._guard.close()
            raise
        # All queries share one cursor: the connection keeps up to 200 dead references to cursors.
        self._cursor = self._db.cursor()

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
        deadline: int | None = None,
    ) -> Entry:
        """Writes a signed transaction before it is sent."""
        values = {
            "chain_id": self._chain_id,
            "sender": self._sender,
            "nonce": nonce,
            "action": action,
            "period": period,
            "recipient": recipient,
            "data": data,
            "gas": gas,
            # as text: wei overflow SQLite's 64-bit integers
            "max_fee": str(max_fee),
            "tip": str(tip),
            "hash": tx_hash,
            "raw": raw,
            "signed_block": block,
            "status": Status.PENDING,
            "deadline": deadline,
            "signed_at": self._now(),
        }
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        with self._writing():
            self._db.execute(
                "UPDATE transactions SET lost_block = NULL WHERE chain_id = ? AND sender = ? AND nonce = ?",
                (*self._me, nonce),
            )
            found = self._db.execute(f"INSERT INTO transactions ({names}) VALUES ({marks})", tuple(values.values()))
            self._changed(f"id = {found.lastrowid}")
        return self._select("hash = ?", tx_hash)[0]

    def open(self) -> list[Entry]:
        """Open transactions, oldest first."""
        return self._select(f"status IN ({_marks(OPEN)})")

    def unconfirmed(self) -> list[Entry]:
        """Mined transactions without enough confirmations yet, lowest nonce first."""
        found = self._select("status IN (?, ?) AND confirmed_at IS NULL", Status.MINED, Status.REVERTED)
        return sorted(found, key=lambda entry: entry.nonce)

    def of(self, nonce: int) -> list[Entry]:
        """All transactions signed with a nonce, oldest first."""
        return self._select("nonce = ?", nonce)

    def last_nonce(self) -> int | None:
        """The highest nonce in the journal, None if it is empty."""
        highest = "nonce = (SELECT max(nonce) FROM transactions WHERE chain_id = ? AND sender = ?)"
        entries = self._select(highest, *self._me)
        return entries[0].nonce if entries else None

    def current(self, nonce: int) -> Entry:
        """The transaction to push for an open nonce: the newest, or the one mined before its block left the chain."""
        entries = self.of(nonce)
        return next((entry for entry in entries if entry.lost_block is not None), entries[-1])

    def closed_from(self, nonce: int) -> list[Entry]:
        """Transactions with this nonce or a higher one that are not open, oldest first."""
        return self._select(f"nonce >= ? AND status NOT IN ({_marks(OPEN)})", nonce)

    def all(self) -> list[Entry]:
        """All transactions of the account, oldest first."""
        return self._select("1")

    def changes(self, entry: Entry) -> list[tuple[Status, int]]:
        """Each status that an entry has had and when it began (Unix seconds), oldest first."""
        with reading(self.path):
            rows = self._db.execute("SELECT status, at FROM changes WHERE transaction_id = ? ORDER BY id", (entry.id,))
            return [(Status(status), at) for status, at in rows]

    def sent(self, entry: Entry) -> None:
        """Records that a transaction is about to be sent."""
        self._advance(entry, Status.SENT, (Status.PENDING,))

    def submitted(self, entry: Entry) -> None:
        """Records that a node has it."""
        self._advance(entry, Status.SUBMITTED, (Status.PENDING, Status.SENT))

    def mined(self, entry: Entry, *, succeeded: bool, block: int, gas_used: int, gas_price: int) -> None:
        """Records a receipt. The other transactions with this nonce become replaced; calls that lost it to a no-op
        become cancelled."""
        others = f"nonce = {entry.nonce} AND id != {entry.id}"
        gone = "confirmed_at = NULL, mined_block = NULL, lost_block = NULL"
        with self._writing():
            if entry.action == CANCEL:
                self._set(f"{others} AND action != '{CANCEL}'", Status.CANCELLED, gone)
                others = f"{others} AND action = '{CANCEL}'"
            self._set(others, Status.REPLACED, gone)
            self._set(
                f"id = {entry.id}",
                Status.MINED if succeeded else Status.REVERTED,
                "confirmed_at = NULL, lost_block = NULL, mined_block = ?, gas_used = ?, gas_price = ?",
                (block, gas_used, str(gas_price)),
            )

    def confirmed(self, entry: Entry) -> None:
        """Records that a receipt has enough confirmations."""
        with self._writing():
            self._db.execute("UPDATE transactions SET confirmed_at = ? WHERE id = ?", (self._now(), entry.id))
            self._set(f"id = {entry.id} AND status = '{Status.MINED}'", Status.CONFIRMED)

    def superseded(self, nonce: int) -> None:
        """Records that a transaction outside the journal used a nonce."""
        with self._writing():
            self._set(f"nonce = {nonce}", Status.REPLACED, "mined_block = NULL, confirmed_at = NULL")

    def reopen(self, nonce: int) -> None:
        """Records that this nonce and all above it are open again: their blocks have left the chain."""
        with self._writing():
            self._set(
                f"nonce >= {nonce} AND status NOT IN ({_marks(OPEN)})",
                Status.SENT,
                "lost_block = coalesce(mined_block, lost_block), mined_block = NULL, gas_used = NULL, gas_price = NULL,"
                " confirmed_at = NULL",
            )

    @property
    def _me(self) -> tuple[int, str]:
        return self._chain_id, self._sender

    def _now(self) -> int:
        return int(self._clock())

    def _advance(self, entry: Entry, status: Status, before: tuple[Status, ...]) -> None:
        """Advances an entry's status, unless it is already further."""
        if entry.status in before:
            with self._writing():
                self._set(f"id = {entry.id} AND status IN ({_marks(before)})", status)

    def _set(self, where: str, status: Status, more: str = "", values: tuple[object, ...] = ()) -> None:
        """Sets the status and further columns of the rows `where`, and records the time of each change."""
        # Before the update: afterwards nothing marks the rows that it changed.
        self._changed(f"({where}) AND status != '{status}'", status)
        changes = f"{more}, status = ?" if more else "status = ?"
        self._db.execute(
            f"UPDATE transactions SET {changes} WHERE chain_id = ? AND sender = ? AND {where}",
            (*values, status, *self._me),
        )

    def _changed(self, where: str, status: Status = Status.PENDING) -> None:
        self._db.execute(
            "INSERT INTO changes (transaction_id, status, at)"
            f" SELECT id, ?, ? FROM transactions WHERE chain_id = ? AND sender = ? AND {where} ORDER BY id",
            (status, self._now(), *self._me),
        )

    def _select(self, where: str, *values: object) -> list[Entry]:
        with reading(self.path):
            rows = self._cursor.execute(
                f"SELECT {_COLUMNS} FROM transactions WHERE chain_id = ? AND sender = ? AND {where} ORDER BY id",
                (*self._me, *values),
            ).fetchall()
        return [_entry(row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with writing(self._db, self.path):
            yield


def _marks(statuses: tuple[Status, ...]) -> str:
    """Statuses as an SQL list."""
    return ", ".join(f"'{status}'" for status in statuses)


def _entry(row: sqlite3.Row) -> Entry:
    """A row of `_COLUMNS`."""
    return Entry(
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
        # "signed": the file is still in its first version, not opened for writing since.
        status=Status.SENT if row[12] == "signed" else Status(row[12]),
        mined_block=row[13],
        gas_used=row[14],
        gas_price=None if row[15] is None else int(row[15]),
        signed_at=row[16],
        deadline=row[17],
        confirmed=row[18] is not None,
        lost_block=row[19],
    )
