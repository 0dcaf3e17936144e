"""Errors of the fuzzing commands."""

from __future__ import annotations


class FuzzError(Exception):
    """A run could not be made, or its output was not understood."""
