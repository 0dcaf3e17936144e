"""The status page put together from a keeper's settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keeper.chain import Chain
from keeper.page.details import DetailsReader
from keeper.page.history import History
from keeper.page.notes import Patience
from keeper.page.status import Shown, StatusPage
from keeper.sending.journal import read_journal
from keeper.settings import Settings


@contextmanager
def status_page(settings: Settings, chains: Sequence[Chain], account: str) -> Iterator[StatusPage]:
    """The page of these funds, of one chain, for the journal of this account; its file of samples is open until the
    block ends. Raises SettingsError if that file cannot be used."""
    chain_id = chains[0].book.chain_id
    history = History(history_path(settings))
    try:
        yield StatusPage(
            {chain.book.fund: Shown(chain.book, DetailsReader(chain.w3, chain.book)) for chain in chains},
            journal=lambda: read_journal(settings.journal, chain_id, account),
            history=history,
            patience=Patience(settings.silent_seconds, settings.overdue_seconds, settings.open_seconds),
        )
    finally:
        history.close()


def history_path(settings: Settings) -> Path:
    """Where samples are kept: beside the journal unless the settings say otherwise."""
    return settings.history or settings.journal.with_name(f"{settings.journal.stem}-history.sqlite")
