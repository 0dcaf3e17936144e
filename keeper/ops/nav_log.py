"""Says in the log when NAV is without a component that the fund holds, so that it is never lower in silence."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from keeper.output.condition import without
from keeper.state import FundState

log = structlog.get_logger("keeper")


class NavLog:
    """A line for each change of what one fund's NAV is without. `symbol`: of a token."""

    def __init__(self, fund: str, symbol: Callable[[str], str]) -> None:
        self._fund = fund
        self._symbol = symbol
        self._said: tuple[str, ...] = ()

    def looked(self, state: FundState) -> None:
        """To be called after each look."""
        found = tuple(without(state, self._symbol))
        if found and found != self._said:
            log.warning("NAV is incomplete", without=found, fund=self._fund)
        elif self._said and not found:
            log.info("NAV is complete again", fund=self._fund)
        self._said = found
