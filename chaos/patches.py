"""What the launcher sets in the keeper's process so that a scenario takes seconds: how long a request may take."""

from __future__ import annotations

import keeper.chain


def shorten_timeouts(seconds: float) -> None:
    """The keeper gives up a request after so many seconds, in place of its own figure."""
    keeper.chain.TIMEOUT_S = seconds  # type: ignore[assignment]
