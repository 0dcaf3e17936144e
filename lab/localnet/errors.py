"""Errors with one line for people: what is wrong, the value found, and what would be right."""

from __future__ import annotations


class LocalnetError(Exception):
    """Anything about the local chain, or what runs on it, that its user can understand and put right."""


class MonthError(LocalnetError):
    """A month file does not follow the format."""


class ReservesError(LocalnetError):
    """A reserves file does not follow the format, or does not fit the month."""
