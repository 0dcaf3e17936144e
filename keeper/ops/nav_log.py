"""Logs when NAV leaves out a component that the fund holds, so that NAV never drops silently."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from keeper.output.condition import without
from keeper.state import FundState

log = structlog.get_logger("keeper")


class NavLog:
    """Logs each change of the components missing from one fund's NAV. `symbol`: the symbol of a token."""

    def __init__(self, fund: str, symbol: Callable[[str], str]) -> None:
        self._fund = fund
        self._symbol = symbol
        self._said: tuple[str, ...] = ()

    def looked(self, state: FundState) -> None:
        """Call after each look."""
        found = tuple(without(state, self._symbol))
        if found and found != self._said:
            log.warning("NAV is incomplete", without=found, fund=self._fund)
        elif self._said and not found:
            log.info("NAV is complete again", fund=self._fund)
        self._said = found
