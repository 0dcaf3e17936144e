"""Parses lists of circulating supplies to post, and checks whether each may be posted.

Supplies are whole tokens, times Unix seconds, fractions have 18 decimals. The contract (`PostedSupply`) checks what the
poster posts; the checks here cover more than it can know, and come before anything is sent.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from ballast.errors import UserError
from ballast.parts import MAX_COMPONENTS, Model, Text, integer
from ballast.units import DAY_S, WAD
from ballast.values import parse_date

COLUMNS = ("token", "supply", "date")
REMEDY = f"expected CSV with the columns {', '.join(COLUMNS)}, or a JSON list of objects with these fields"


class SuppliesError(UserError, ValueError):
    """An unreadable list of supplies; one line for people."""


class PostedEntry(Model):
    """One line of a list: `token`: symbol or address; `supply`: whole tokens at `date`."""

    token: Text
    supply: Annotated[int, integer(1, 2**88 - 1)]
    date: Annotated[int, BeforeValidator(parse_date)]


@dataclass(frozen=True)
class Standing:
    """A candidate's supply on the chain.

    `posted`: whether the fund reads it from the posted supplies; `supply` and `date`: the posted ones (0: none).
    `confirmed`: by the last started month, 0 for none. `total`: the token's total supply, rounded down; None if the
    token does not return it.
    """

    posted: bool
    supply: int
    date: int
    confirmed: int
    total: int | None


@dataclass(frozen=True)
class Terms:
    """Criteria for a supply: the current time, the next determination's, and the methodology's bounds."""

    now: int
    determination: int
    max_age: int
    max_jump: int


@dataclass(frozen=True)
class Verdict:
    """Result for one entry. `reason`: why it cannot be posted, "" if it can; `stands`: exactly this is posted
    already."""

    reason: str = ""
    stands: bool = False


def parse_supplies(text: str) -> tuple[PostedEntry, ...]:
    """A list of supplies, JSON if it begins with a bracket or brace, else CSV. Raises SuppliesError, which names the
    line."""
    rows = _json_rows(text) if text.lstrip()[:1] in "[{" and text.strip() else _csv_rows(text)
    if not rows or len(rows) > MAX_COMPONENTS:
        raise SuppliesError(f"supplies: found {len(rows)} lines, expected 1 to {MAX_COMPONENTS}")
    entries = tuple(_entry(place, row) for place, row in enumerate(rows, 1))
    seen: set[str] = set()
    for entry in entries:
        if (name := entry.token.lower()) in seen:
            raise SuppliesError(f"supplies: {entry.token} stands there twice, expected each once")
        seen.add(name)
    return entries


def judge(entry: PostedEntry, standing: Standing, terms: Terms) -> Verdict:
    """Whether an entry can be posted, given what is on the chain."""
    stands = standing.posted and (entry.supply, entry.date) == (standing.supply, standing.date)
    return Verdict(stands=True) if stands else Verdict(next(_reasons(entry, standing, terms), ""))


def _reasons(entry: PostedEntry, standing: Standing, terms: Terms) -> Iterator[str]:
    if not standing.posted:
        yield "its supply is not read from the posted ones"
    if not standing.supply:
        yield "none was posted yet, and its first supply is the timelock's to post"
    if not standing.confirmed:
        yield "no started month has confirmed a supply: until then the timelock posts"
    if entry.date > terms.now:
        yield "dated in the future"
    if entry.date < standing.date:
        yield "older than the one that stands"
    if terms.determination - entry.date > terms.max_age:
        yield f"older than {terms.max_age // DAY_S} days at the next determination"
    bound = standing.confirmed * terms.max_jump // WAD  # {whole tok} = {whole tok} * {1e18} / {1e18}, down
    least, most = max(standing.confirmed - bound, 1), standing.confirmed + bound
    if not least <= entry.supply <= most:
        yield f"expected {least:,} to {most:,}, the bound around the confirmed {standing.confirmed:,}"
    if standing.total is None:
        yield "the token does not say how much of it exists"
    elif entry.supply > standing.total:
        yield f"above the {standing.total:,} that exist"


def going_stale(dates: Mapping[str, int], determination: int, max_age: int) -> tuple[str, ...]:
    """Tokens whose posted supply (`dates` by token; 0: none) will be too old at the next determination, so that the
    confirmed ones would count instead. A supply counts up to and including an age of `max_age` seconds."""
    return tuple(token for token, date in dates.items() if determination - date > max_age)


def change(now: int, then: int) -> int | None:
    """Change of a supply as a part of `then`, 18 decimals, rounded towards zero; None if `then` is 0."""
    if not then:
        return None
    size = abs(now - then) * WAD // then
    return size if now >= then else -size


def _csv_rows(text: str) -> list[dict[str, Any]]:
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff")), skipinitialspace=True, strict=True)
    try:
        rows = [[cell.strip() for cell in line] for line in lines if line and not line[0].lstrip().startswith("#")]
    except csv.Error as error:
        raise SuppliesError(f"supplies: not CSV ({error}), {REMEDY}") from None
    if not rows or sorted(rows[0]) != sorted(COLUMNS):
        raise SuppliesError(f"supplies: found the columns {', '.join(rows[0]) if rows else 'none'}, {REMEDY}")
    for place, row in enumerate(rows[1:], 1):
        if len(row) != len(COLUMNS):
            raise SuppliesError(f"supplies line {place}: found {len(row)} fields, expected {len(COLUMNS)}")
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _json_rows(text: str) -> list[Any]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuppliesError(f"supplies: not JSON ({error}), {REMEDY}") from None
    if not isinstance(rows, list):
        raise SuppliesError(f"supplies: found no list, {REMEDY}")
    return rows


def _entry(place: int, row: Any) -> PostedEntry:
    name = row.get("token") if isinstance(row, dict) else None
    where = f"supplies line {place}" + (f" ({name})" if isinstance(name, str) else "")
    try:
        return PostedEntry.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise SuppliesError(f"{where} {field}: missing") from None
        if first["type"] == "extra_forbidden":
            raise SuppliesError(f"{where} {field}: unknown field, expected {', '.join(COLUMNS)}") from None
        message = str(first["msg"]).removeprefix("Value error, ")
        found = f" {field}: found {first['input']!r}" if field else ""
        raise SuppliesError(f"{where}{found}, {message[0].lower()}{message[1:]}") from None


def summary(reasons: Iterable[tuple[str, str]], entries: int) -> str:
    """Text of one line: the entries that cannot be posted, by symbol with the reason, and a remedy."""
    found = [f"{symbol}: {reason}" for symbol, reason in reasons]
    return f"supplies: {len(found)} of {entries} cannot be posted ({'; '.join(found)}); correct them or leave them out"
