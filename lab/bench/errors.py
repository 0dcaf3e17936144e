"""What can go wrong in a benchmark; each is one line for people."""

from __future__ import annotations

from lab.localnet.errors import LocalnetError


class BenchError(LocalnetError):
    """The benchmark could not be run or read; the message says what is wrong and what to do."""
