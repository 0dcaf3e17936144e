"""Converts pydantic's errors about a file's content to lines for people: field, value found, what is expected."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def invalid_lines(error: ValidationError, raw: dict[str, Any]) -> list[str]:
    """A line per problem of `raw`."""
    return [line for each in error.errors(include_url=False) for line in _line(each, raw).splitlines()]


def _line(first: ErrorDetails, raw: dict[str, Any]) -> str:
    """One error as a line; of a check of several fields, a line per problem that it found."""
    where = _where(first["loc"], raw)
    if first["type"] == "missing":
        return f"{where}: missing"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown field"
    if first["type"] == "literal_error":
        return f"{where}: found {first['input']!r}, expected {first['ctx']['expected']}"
    message = str(first["msg"]).removeprefix("Value error, ")
    if isinstance(first["input"], (dict, list, tuple, BaseModel)):
        if first["type"] == "value_error":
            return f"{where}.{message}" if where else message
        return f"{where}: {message[0].lower()}{message[1:]}"
    return f"{where}: found {first['input']!r}, {message[0].lower()}{message[1:]}"


def _where(location: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """Dotted path of a field, with the symbol of a component."""
    words: list[str] = []
    here: Any = raw
    for step in location:
        here = here[step] if _has(here, step) else None
        if isinstance(step, int):
            symbol = here.get("symbol") if isinstance(here, dict) else None
            words[-1] += f"[{step}]" + (f" ({symbol})" if symbol else "")
        else:
            words.append(step)
    return ".".join(words)


def _has(container: Any, step: int | str) -> bool:
    if isinstance(container, dict):
        return step in container
    return isinstance(container, (list, tuple)) and isinstance(step, int) and step < len(container)
