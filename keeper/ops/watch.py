"""Whoever watches the keeper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from keeper.chain import Chain
from keeper.ops.heart import Stop
from keeper.ops.observer import Observer
from keeper.ops.server import Server
from keeper.page.wiring import status_page
from keeper.settings import Secrets, Settings


@contextmanager
def watching(
    settings: Settings, secrets: Secrets, chains: Sequence[Chain], account: str, stop: Stop
) -> Iterator[tuple[Observer, ...]]:
    """The observers that the settings ask for, at work until the block ends."""
    del secrets, stop
    if settings.http_port is None:
        yield ()
        return
    with (
        status_page(settings, chains, account) as page,
        Server(settings.http_host, settings.http_port, page.routes()),
    ):
        yield (page,)
