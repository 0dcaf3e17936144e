"""Errors of the benchmarks; each message is one line for the user."""

from __future__ import annotations

from lab.localnet.errors import LocalnetError


class BenchError(LocalnetError):
    """The benchmark could not be run or read; the message says what is wrong and what to do."""
