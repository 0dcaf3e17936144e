"""Months before a client's words: two keepers race, so that calls may revert."""

from __future__ import annotations

from collections.abc import Iterable

from lab.chaos import dialects

EACH_MONTH = {"batch", "fields"}
"""What a client does to the questions of every month. Its words for a revert need one."""


def race(client: str) -> str:
    """The scenario's name."""
    return f"client-{client}-race"


def heard(clients: Iterable[str]) -> list[str]:
    """Those that are heard in every month."""
    return [client for client in clients if EACH_MONTH & dialects.tables()[client].keys()]
