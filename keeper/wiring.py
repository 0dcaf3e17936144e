"""A keeper put together from its settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import structlog

from ballast.book import Book
from keeper.chain import Chain, ask, connect
from keeper.errors import SettingsError
from keeper.loop import Fund, Keeper, Viewer
from keeper.ops.heart import Stop, stopping
from keeper.ops.watch import watching
from keeper.sending.journal import Journal
from keeper.sending.sender import sender_for
from keeper.settings import Secrets, Settings, load_account, load_books, pulse_path
from keeper.standby import Turn

log = structlog.get_logger("keeper")


def chains_of(settings: Settings, secrets: Secrets, books: Sequence[Book] | None = None) -> tuple[Chain, ...]:
    """One for each fund, over one connection, checked. Raises SettingsError, ChainError."""
    w3 = connect(secrets.rpc_url.get_secret_value())
    chains = tuple(Chain(w3, book) for book in books or load_books(settings))
    for chain in chains:
        chain.check(settings.chain_id)
    return chains


def turn_of(settings: Settings) -> Turn:
    """This keeper's turn among those of its funds."""
    return Turn(settings.standby_rank, settings.standby_blocks)


@contextmanager
def keeper_of(settings: Settings, secrets: Secrets, *, watched: bool = False) -> Iterator[Keeper]:
    """A keeper that may send, and stops on SIGTERM and SIGINT. Every setting is checked before the journal is opened.

    `watched`: with its HTTP server and alerts, where the settings ask for them. Raises SettingsError, ChainError.
    """
    account = load_account(settings, secrets)
    chains = chains_of(settings, secrets)
    first = chains[0]
    if ask(lambda: first.w3.eth.get_balance(account.address), "balance") == 0:
        raise SettingsError(f"account {account.address}: has no ether on chain {first.book.chain_id}; fund it for gas")
    stop, turn = Stop(), turn_of(settings)
    funds = [Fund(chain, Viewer(chain, settings), pulse_path(settings, chain.book), turn) for chain in chains]
    with ExitStack() as stack:
        stack.enter_context(stopping(stop))
        observers = stack.enter_context(watching(settings, secrets, chains, account.address, stop)) if watched else ()
        journal = stack.enter_context(Journal(settings.journal, first.book.chain_id, account.address))
        sender = sender_for(first, account, journal, settings, secrets, stop)
        log.info(
            "keeper",
            funds=[fund.name for fund in funds],
            account=account.address,
            chain=first.book.chain_id,
            standby_rank=turn.rank,
            takes_over_after_blocks=turn.wait,
        )
        yield Keeper(funds, first.head, sender, stop, poll_seconds=settings.poll_seconds, observers=observers)
