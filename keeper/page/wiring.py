"""Builds the status page from a keeper's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

from keeper.errors import SettingsError
from keeper.look.fund_reader import FundReader
from keeper.ops.facts import Bounds, Facts
from keeper.page.details import DetailsReader
from keeper.page.samples import Samples
from keeper.page.status import StatusPage
from keeper.settings import Settings

log = structlog.get_logger("keeper.page")


@contextmanager
def status_page(
    settings: Settings, chains: Sequence[FundReader], facts: Callable[[], Facts], bounds: Bounds
) -> Iterator[StatusPage]:
    """The page of these funds; its file of samples stays open until the `with` block ends."""
    with closing(_samples(samples_path(settings))) as samples:
        readers = [(chain.book, DetailsReader(chain.w3, chain.book)) for chain in chains]
        yield StatusPage(readers, facts=facts, bounds=bounds, samples=samples)


def _samples(path: Path) -> Samples:
    """Samples in this file, or in memory if it is unusable: plots must not stop a keeper."""
    try:
        return Samples(path)
    except SettingsError as error:
        log.warning("samples for the page are kept in memory alone", error=str(error))
        return Samples(Path(":memory:"))


def samples_path(settings: Settings) -> Path:
    """The file of samples: the setting, by default beside the journal."""
    return settings.history or settings.journal.with_name(f"{settings.journal.stem}-history.sqlite")
