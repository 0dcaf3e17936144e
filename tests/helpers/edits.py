"""Edits of a decoded fund, for tests of fund files that must be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Edit = Callable[[dict[str, Any]], object]


def set_field(*path: str | int) -> Callable[[object], Edit]:
    """Makes an edit that sets the field at `path`."""

    def to(value: object) -> Edit:
        def edit(raw: dict[str, Any]) -> None:
            place: Any = raw
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value

        return edit

    return to
