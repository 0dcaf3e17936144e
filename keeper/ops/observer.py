"""Observers of the loop's looks and actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from keeper.errors import KeeperError
from keeper.ops.pulse import Pulse
from keeper.ops.troubles import Troubles
from keeper.view import View


class Observer(Protocol):
    """The loop calls it in its own thread, so it must be quick; the loop records its exceptions and goes on."""

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        """Called after a look at a fund and its step."""

    def failed(self, fund: str, error: KeeperError) -> None:
        """Called after a look or step that failed."""


class Observers:
    """Several observers as one; an error in one stops neither the others nor the loop."""

    def __init__(self, observers: Iterable[Observer] = (), troubles: Troubles | None = None) -> None:
        self._observers = tuple(observers)
        self._troubles = troubles or Troubles()

    def __bool__(self) -> bool:
        return bool(self._observers)

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        self._tell(lambda observer: observer.looked(fund, view, pulse))

    def failed(self, fund: str, error: KeeperError) -> None:
        self._tell(lambda observer: observer.failed(fund, error))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                what(observer)
            except Exception as error:
                self._troubles.unforeseen(type(observer).__name__, error, wording=False)
