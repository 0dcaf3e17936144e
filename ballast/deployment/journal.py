"""The journal of a deployment's transactions, in a file beside the address book.

The deployment records every transaction before it sends it. So whatever stops it, the next run finds what exists: the
hash binds sender, nonce and content, and its receipt proves that exactly this was done. The file stays after the
deployment, and contains no secrets.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ballast.errors import UserError
from ballast.files import replace_json
from ballast.values import checked_address


class DeploymentJournalError(UserError, ValueError):
    """An unusable journal; the message names the file and what to do."""


@dataclass(frozen=True)
class Sent:
    """A transaction that may have been sent. `step`: a contract's name in the address book, "approve SYMBOL" or "seed";
    `content`: keccak-256 of its recipient and data."""

    step: str
    nonce: int
    hash: str
    content: str


@dataclass(frozen=True)
class DeploymentJournal:
    """The journal of one fund, chain and deployer. `first_block`: nothing of the fund is in an earlier one; `dated`:
    date of the fund's first supplies, Unix seconds."""

    fund: str
    chain_id: int
    deployer: str
    first_block: int
    dated: int
    sent: tuple[Sent, ...] = ()

    def save(self, path: Path) -> None:
        """Writes the journal atomically. Raises OSError."""
        replace_json(path, asdict(self), indent=2)

    @classmethod
    def load(cls, path: Path) -> DeploymentJournal | None:
        """Reads and checks a journal; None if there is none. Raises DeploymentJournalError."""
        try:
            return cls._from_json(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise DeploymentJournalError(
                f"journal {path}: cannot be used ({type(error).__name__}: {error}); without it a deployment that was "
                "begun is not found again: put it right, or name another --book to begin a new one"
            ) from None

    @classmethod
    def _from_json(cls, raw: dict[str, Any]) -> DeploymentJournal:
        deployer = checked_address(raw["deployer"], "deployer")
        sent = tuple(Sent(str(s["step"]), int(s["nonce"]), str(s["hash"]), str(s["content"])) for s in raw["sent"])
        first_block, dated = int(raw["first_block"]), int(raw["dated"])
        return cls(str(raw["fund"]), int(raw["chain_id"]), deployer, first_block, dated, sent)


@contextmanager
def alone(path: Path | None) -> Iterator[None]:
    """Locks the journal's folder against other deployments within the `with` block. None: there is no journal. Raises
    DeploymentJournalError if another process has the lock."""
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)  # locking the folder leaves no file behind
    try:
        _lock(folder, path)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, path: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DeploymentJournalError(
            f"journal {path}: another deployment is running beside it; wait until it has ended, or end it"
        ) from None


def journal_path(book: Path) -> Path:
    """Path of the journal of the deployment that writes this address book; a name that no book can have."""
    return book.with_suffix(".journal")
