"""How a command's calls reach the chain: sent from an account, or written into a file for a multi-signature account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from ape.cli import account_option

from ballast.book import Book
from ballast.files import replace_json
from ballast.fund_file import FundError
from ballast.steering.operations import TimelockCall
from ballast.steering.safe import batch_file

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Submission:
    """`account`: Ape's, None with `safe`, a file for a multi-signature account; `yes`: do not ask."""

    account: Any
    safe: Path | None
    yes: bool

    def check(self) -> None:
        """Raises FundError unless exactly one way is given, and a file that does not exist yet."""
        if self.safe is not None and self.safe.exists():
            raise FundError(f"safe: {self.safe} exists already; remove it or name another file")
        if (self.account is None) == (self.safe is None):
            raise FundError("account: expected either --account, or --safe with a file")


def submission_options(command: F) -> F:
    """--account, --safe, --yes."""
    account: Any = account_option(prompt=None)
    safe = click.option(
        "--safe",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write it to this file for Safe's Transaction Builder, and send nothing.",
    )
    yes = click.option("--yes", is_flag=True, help="Do not ask before it is sent.")
    found: F = account(safe(yes(command)))
    return found


def write_batch(
    path: Path, calls: Sequence[TimelockCall], book: Book, time: int, deed: str, what: str, safe: str
) -> str:
    """Writes the calls to a file for Safe's Transaction Builder; a line about it. `time`: Unix seconds, of the block
    that was read; `safe`: the multi-signature account, "" where it is not known."""
    content = batch_file(calls, book.chain_id, time, f"{book.fund}: {deed}", what, safe)
    replace_json(path, content, indent=2)
    return f"{path}: {what}, for the Transaction Builder of {safe or 'a proposer'}; nothing was sent"
