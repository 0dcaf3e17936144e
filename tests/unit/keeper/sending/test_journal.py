"""The journal: fates, versions of its file, and what it says when the disk does not take any more."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from keeper.errors import JournalError, SettingsError
from keeper.ops.memory import steady
from keeper.sending.journal import CANCEL, Entry, Journal, Status, read_journal
from keeper.sending.schema import VERSION

SENDER = "0x" + "aa" * 20
FIRST_VERSION = """
CREATE TABLE IF NOT EXISTS transactions (
    id INTEGER PRIMARY KEY, chain_id INTEGER NOT NULL, sender TEXT NOT NULL, nonce INTEGER NOT NULL,
    action TEXT NOT NULL, period INTEGER NOT NULL, recipient TEXT NOT NULL, data TEXT NOT NULL, gas INTEGER NOT NULL,
    max_fee TEXT NOT NULL, tip TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, raw TEXT NOT NULL,
    signed_block INTEGER NOT NULL, status TEXT NOT NULL, mined_block INTEGER, gas_used INTEGER, gas_price TEXT
);
CREATE INDEX IF NOT EXISTS transactions_open ON transactions (chain_id, sender, status);
"""
"""What the journal was before its file had versions."""


def add(journal: Journal, nonce: int, tag: str, action: str = "trade", deadline: int | None = None) -> Entry:
    return journal.add(
        nonce=nonce,
        action=action,
        period=24_255,
        recipient="0x" + "bb" * 20,
        data="0x01",
        gas=10**6,
        max_fee=2**70,
        tip=1,
        tx_hash=f"0x{tag}",
        raw=f"0xraw{tag}",
        block=7,
        deadline=deadline,
    )


def test_journal_survives_and_tells_fates(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    with Journal(path, 1, SENDER) as journal:
        first, second = add(journal, 0, "a"), add(journal, 0, "b")
        add(journal, 1, "c")
        assert first.max_fee == 2**70
    with Journal(path, 1, SENDER) as journal:
        assert [e.hash for e in journal.open()] == ["0xa", "0xb", "0xc"]
        journal.mined(second, succeeded=True, block=9, gas_used=5, gas_price=3)
        assert [(e.hash, e.status) for e in journal.all()] == [
            ("0xa", Status.REPLACED),
            ("0xb", Status.MINED),
            ("0xc", Status.PENDING),
        ]
        journal.superseded(1)
        assert journal.open() == []
        journal.reopen(0)
        assert [e.hash for e in journal.open()] == ["0xa", "0xb", "0xc"]
    # another account or chain has a history of its own
    with Journal(path, 5, SENDER) as journal:
        assert journal.all() == []


def test_questions_leave_nothing_behind(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal, steady() as tidy:
        add(journal, 0, "a")
        journal.open()
        tidy()
        before = sys.getallocatedblocks()
        for _ in range(100):
            journal.open()
        tidy()
        assert sys.getallocatedblocks() - before < 20


def test_journal_refuses_the_same_transaction_twice(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal:
        add(journal, 0, "a")
        with pytest.raises(JournalError, match="UNIQUE"):
            add(journal, 1, "a")
        assert len(journal.all()) == 1
        # What failed is not left half done.
        assert add(journal, 1, "b").nonce == 1


def test_one_process_holds_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, 1, SENDER), pytest.raises(SettingsError, match="in use by another keeper"):
        Journal(path, 1, SENDER)
    Journal(path, 1, SENDER).close()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("hello, this is no database at all, but long enough to be looked at\n" * 50)
    with pytest.raises(SettingsError, match="is not a journal"):
        Journal(path, 1, SENDER)
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal.sqlite", 1, SENDER)


def test_times_of_every_change(tmp_path: Path) -> None:
    now = [100.9]
    with Journal(tmp_path / "journal.sqlite", 1, SENDER, clock=lambda: now[0]) as journal:
        entry = add(journal, 0, "a", deadline=7_000)
        assert (entry.status, entry.signed_at, entry.deadline, entry.confirmed) == (Status.PENDING, 100, 7_000, False)
        steps: list[Callable[[], None]] = [
            lambda: journal.sent(entry),
            lambda: journal.submitted(entry),
            lambda: journal.sent(entry),  # no way back
            lambda: journal.mined(entry, succeeded=True, block=9, gas_used=5, gas_price=2**70),
            lambda: journal.confirmed(entry),
            lambda: journal.reopen(0),
        ]
        for step in steps:
            now[0] += 10
            step()
        assert journal.changes(entry) == [
            (Status.PENDING, 100),
            (Status.SENT, 110),
            (Status.SUBMITTED, 120),
            (Status.MINED, 140),
            (Status.CONFIRMED, 150),
            (Status.SENT, 160),
        ]
        (found,) = journal.open()
        assert (found.mined_block, found.gas_used, found.gas_price, found.lost_block) == (None, None, None, 9)


def test_what_is_confirmed_is_not_looked_at_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal:
        one, two = add(journal, 0, "a"), add(journal, 1, "b")
        journal.mined(two, succeeded=False, block=9, gas_used=5, gas_price=3)
        journal.mined(one, succeeded=True, block=9, gas_used=5, gas_price=3)
        assert [entry.nonce for entry in journal.unconfirmed()] == [0, 1]
        journal.confirmed(journal.all()[0])
        journal.confirmed(journal.all()[1])
        assert journal.unconfirmed() == []
        assert [(e.status, e.confirmed) for e in journal.all()] == [(Status.CONFIRMED, True), (Status.REVERTED, True)]


def test_a_noop_cancels_and_another_call_replaces(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal:
        call, dearer, noop, second = (
            add(journal, 0, "a"),
            add(journal, 0, "b"),
            add(journal, 0, "c", CANCEL),
            add(journal, 0, "d", CANCEL),
        )
        journal.mined(second, succeeded=True, block=9, gas_used=5, gas_price=3)
        cancelled, replaced = Status.CANCELLED, Status.REPLACED
        assert [e.status for e in journal.all()] == [cancelled, cancelled, replaced, Status.MINED]
        journal.reopen(0)
        assert journal.current(0) == journal.all()[3]
        journal.mined(call, succeeded=True, block=10, gas_used=5, gas_price=3)
        assert [e.status for e in journal.all()] == [Status.MINED, replaced, replaced, replaced]
        journal.reopen(0)
        assert journal.current(0).hash == "0xa"
        # What is signed after that is what is wanted.
        add(journal, 0, "e")
        assert journal.current(0).hash == "0xe"
        assert {dearer.hash, noop.hash} < {entry.hash for entry in journal.of(0)}


def test_a_reorganization_opens_a_nonce_and_all_above_it(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal:
        for nonce in range(4):
            journal.mined(add(journal, nonce, str(nonce)), succeeded=True, block=9, gas_used=5, gas_price=3)
        add(journal, 4, "open")
        assert [entry.nonce for entry in journal.closed_from(2)] == [2, 3]
        journal.reopen(2)
        assert [entry.nonce for entry in journal.open()] == [2, 3, 4]
        assert journal.closed_from(2) == []


def first_version(path: Path) -> None:
    """A file of the first version: one transaction of each status, and a mined one long before."""
    rows = [
        ("old", "mined", 10),
        ("m", "mined", 100),
        ("r", "reverted", 90),
        ("x", "replaced", None),
        ("s", "signed", None),
    ]
    with closing(sqlite3.connect(path)) as db:
        db.executescript(FIRST_VERSION)
        for nonce, (tag, status, block) in enumerate(rows):
            values = (
                1,
                SENDER,
                nonce,
                "trade",
                24_255,
                "0xb",
                "0x1",
                7,
                str(2**70),
                "3",
                tag,
                f"raw{tag}",
                5,
                status,
                block,
            )
            db.execute(
                "INSERT INTO transactions (chain_id, sender, nonce, action, period, recipient, data, gas, max_fee, tip,"
                " hash, raw, signed_block, status, mined_block) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        db.commit()


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first_version(path)
    before = read_journal(path, 1)
    with Journal(path, 1, SENDER) as journal:
        found = journal.all()
        assert [(e.hash, e.status, e.mined_block) for e in found] == [
            ("old", Status.CONFIRMED, 10),
            ("m", Status.MINED, 100),
            ("r", Status.REVERTED, 90),
            ("x", Status.REPLACED, None),
            ("s", Status.SENT, None),
        ]
        assert (found[0].max_fee, found[0].raw, found[0].signed_at, found[0].deadline) == (2**70, "rawold", None, None)
        assert [e.hash for e in journal.open()] == ["s"]
        assert [e.hash for e in journal.unconfirmed()] == ["m", "r"]
        # Read before it was opened for writing, only what is confirmed was not known yet.
        assert [e.hash for e in before] == [e.hash for e in found]
        assert [e.status for e in before[1:]] == [e.status for e in found[1:]]
        add(journal, 5, "new")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    with Journal(path, 1, SENDER) as journal:
        assert len(journal.all()) == 6


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first_version(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE changes (something INTEGER)")
        db.commit()
    with pytest.raises(JournalError, match="already exists"):
        Journal(path, 1, SENDER)
    assert [entry.status for entry in read_journal(path, 1)][-1] is Status.SENT
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (0,)
        assert "signed_at" not in {row[1] for row in db.execute("PRAGMA table_info(transactions)")}


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path, 1, SENDER).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    for use in (lambda: Journal(path, 1, SENDER), lambda: read_journal(path, 1)):
        with pytest.raises(
            SettingsError, match=f"has version {VERSION + 1}, this keeper knows versions up to {VERSION}"
        ):
            use()


def test_reading_needs_no_lock_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "journal.sqlite"
    assert read_journal(path, 1) == [] and not path.exists()
    with Journal(path, 1, SENDER) as journal:
        entry = add(journal, 0, "a")
        assert read_journal(path, 1) == [entry] == read_journal(path, 1, SENDER)
        # also while it writes
        with journal._writing():
            journal._set("nonce = 0", Status.SENT)
            assert read_journal(path, 1)[0].status is Status.PENDING
        assert read_journal(path, 1)[0].status is Status.SENT
        assert read_journal(path, 1, "0x" + "bb" * 20) == [] == read_journal(path, 5)
    assert len(read_journal(path, 1)) == 1
    other = tmp_path / "text"
    other.write_text("no database at all, but long enough to be looked at" * 50)
    with pytest.raises(SettingsError, match="is not a journal"):
        read_journal(other, 1)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="no table of transactions"):
        Journal(path, 1, SENDER)
    assert path.read_bytes() == before


@contextmanager
def full(journal: Journal, path: Path) -> Iterator[None]:
    """No page more for the file, as on a full disk."""
    used = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={used}")
    yield
    journal._db.execute("PRAGMA max_page_count=100000")


@contextmanager
def locked(journal: Journal, path: Path) -> Iterator[None]:
    """Another program writes and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def readonly(journal: Journal, path: Path) -> Iterator[None]:
    """Nobody may write."""
    journal._db.execute("PRAGMA query_only=1")
    yield
    journal._db.execute("PRAGMA query_only=0")


@pytest.mark.parametrize(
    ("trouble", "said", "remedy"),
    [
        (full, "database or disk is full", "free space"),
        (locked, "database is locked", "end that one"),
        (readonly, "readonly database", "the right to read and write"),
    ],
)
def test_what_cannot_be_written_is_said_and_then_goes_on(
    tmp_path: Path, trouble: Callable[..., AbstractContextManager[None]], said: str, remedy: str
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, 1, SENDER, busy_s=0.01) as journal:
        entry = add(journal, 0, "a")
        large = "b" * 100_000  # more than the file's pages have room for
        with trouble(journal, path):
            with pytest.raises(JournalError) as caught:
                add(journal, 1, large)
            assert all(word in str(caught.value) for word in (str(path), said, remedy, "Nothing is sent"))
            assert journal.all() == [entry]
        assert add(journal, 1, large).nonce == 1
        assert len(journal.all()) == 2


def test_a_journal_that_is_locked_at_the_start_is_worth_another_try(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first_version(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="locked"):
            Journal(path, 1, SENDER, busy_s=0.01)
    Journal(path, 1, SENDER).close()
