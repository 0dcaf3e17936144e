"""Classifies a node's refusal of a signed transaction.

Clients have no codes for it, only messages: refusals.toml lists them by client, with their sources. An operator's file
in the same format takes precedence (BALLAST_REFUSALS).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from keeper.errors import SettingsError

BUILT_IN = Path(__file__).with_name("refusals.toml")
SHORTEST = 4
"""Fewest characters of a text: a shorter one would match anything."""


class Refusal(StrEnum):
    """Kinds of refusals. Their order decides if a message matches several: a revert's reason can be any text, and the
    refusal of a known transaction may mention its nonce too; the last are the least specific."""

    REVERTED = "reverted"  # the node ran the transaction, and it would revert
    KNOWN = "known"  # the node has it already
    FUNDS = "funds"  # the account cannot pay for it
    NONCE_TOO_LOW = "nonce_too_low"  # the nonce is used
    NONCE_TOO_HIGH = "nonce_too_high"  # the node lacks an earlier nonce
    REPLACEMENT = "replacement"  # the node has another with the nonce, and requires higher fees to replace it
    FEE_CAP = "fee_cap"  # it pays more than the node's fee cap
    GAS_LIMIT = "gas_limit"  # its gas limit is above a block's or a transaction's
    REJECTED = "rejected"  # it can never be mined
    POOL_FULL = "pool_full"  # no room in the pool, in general or for the account
    UNDERPRICED = "underpriced"  # its fee is too low
    UNAVAILABLE = "unavailable"  # the node, or a proxy in front of it, accepts nothing now
    UNKNOWN = "unknown"  # a message that no table has


Table = tuple[tuple[Refusal, re.Pattern[str]], ...]
"""Patterns in matching order."""


def refusal_of(message: str) -> Refusal:
    """The kind of refusal in a node's `message`; UNKNOWN if no table has it. Never raises."""
    text = _plain(message)
    return next((kind for kind, pattern in (*_added, *_built_in()) if pattern.search(text)), Refusal.UNKNOWN)


def use(path: Path | None) -> None:
    """Uses the operator's file before the built-in one from now on; None: only the built-in. Raises SettingsError."""
    global _added  # noqa: PLW0603 (one table for the process, as the secrets of keeper.output.redact)
    _added = () if path is None else read(path)


_added: Table = ()


@functools.cache
def _built_in() -> Table:
    return read(BUILT_IN)


def read(path: Path) -> Table:
    """The patterns of a file, one per kind in it. Raises SettingsError."""
    texts: dict[Refusal, list[str]] = {}
    for kind, text in _texts(path):
        texts.setdefault(kind, []).append(text)
    return tuple(
        (kind, re.compile("|".join(rf"(?<!\w){re.escape(_plain(text))}(?!\w)" for text in texts[kind])))
        for kind in Refusal
        if kind in texts
    )


def _texts(path: Path) -> Iterator[tuple[Refusal, str]]:
    kinds = [kind.value for kind in Refusal if kind is not Refusal.UNKNOWN]
    for client, table in _loaded(path).items():
        if not isinstance(table, dict):
            raise _wrong(path, client, table, "expected a table of a client, [name]")
        for kind, listed in table.items():
            if kind != "sources" and kind not in kinds:
                raise _wrong(path, f"{client}.{kind}", listed, f"expected one of sources, {', '.join(kinds)}")
            if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
                raise _wrong(path, f"{client}.{kind}", listed, "expected a list of texts")
            for text in listed:
                if len(_plain(text)) < SHORTEST:
                    raise _wrong(path, f"{client}.{kind}", text, f"expected at least {SHORTEST} characters")
                if kind != "sources":
                    yield Refusal(kind), text


def _loaded(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"BALLAST_REFUSALS: {path} cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"BALLAST_REFUSALS: {path} is not TOML: {' '.join(str(error).split())}") from None


def _wrong(path: Path, field: str, value: object, expected: str) -> SettingsError:
    return SettingsError(f"BALLAST_REFUSALS: {path}: {field} is {value!r}: {expected}")


def _plain(text: str) -> str:
    """Text in lower case, with one space between words."""
    return " ".join(text.lower().split())
