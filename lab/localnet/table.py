"""CSV files with a header, read whole: every row is checked, and an error names file, line and column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from eth_utils import is_address, to_checksum_address

from lab.localnet.errors import ReservesError

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """A row and its line in the file."""

    number: int
    values: Mapping[str, str | None]

    def __getitem__(self, column: str) -> str:
        """The text of a column, empty where the row has none."""
        return (self.values.get(column) or "").strip()

    def wrong(self, column: str, expected: str) -> ReservesError:
        """The error for a text that is not what is expected."""
        return ReservesError(f"line {self.number}: {column}: {self[column]!r}, expected {expected}")

    def address(self, column: str) -> str:
        """A checksummed address. Raises ReservesError."""
        if not is_address(self[column]):
            raise self.wrong(column, "an address")
        return str(to_checksum_address(self[column]))

    def wei(self, column: str, least: int, most: int, expected: str) -> int:
        """Whole WETH as a decimal text to wei; digits beyond the 18th are dropped. Raises ReservesError."""
        try:
            amount = Decimal(self[column]).scaleb(18)
        except ArithmeticError:
            raise self.wrong(column, expected) from None
        if not amount.is_finite() or not least <= amount <= most:
            raise self.wrong(column, expected)
        return int(amount)


def load(path: str | Path, what: str, parse: Callable[[Iterable[str]], Iterable[T]]) -> tuple[T, ...]:
    """Parse a file's lines with `parse`. Raises ReservesError."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            return tuple(parse(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ReservesError(f"{what} {str(path)!r} cannot be read: {error}") from error
    except ReservesError as error:
        raise ReservesError(f"{path}: {error}") from error


def lines_of(text: Iterable[str], columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table that has these columns; others are allowed. Raises ReservesError."""
    reader = csv.DictReader(text)
    header = reader.fieldnames or []
    for column in columns:
        if column not in header:
            raise ReservesError(f"column {column!r}: missing, expected {', '.join(columns)}")
    for values in reader:
        yield Row(reader.line_num, values)
