"""Errors with one line for the user: what is wrong, the value found, and the value expected."""

from __future__ import annotations


class LocalnetError(Exception):
    """Any error of the local chain, or of what runs on it, that its user can understand and fix."""


class MonthError(LocalnetError):
    """A month file does not follow the format."""


class ReservesError(LocalnetError):
    """A reserves file does not follow the format, or does not fit the month."""
