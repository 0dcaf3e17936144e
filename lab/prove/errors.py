"""Errors of the proving commands."""

from __future__ import annotations


class ProveError(Exception):
    """A proof could not be run, or its output was not understood."""
