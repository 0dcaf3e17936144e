"""A keeper put together from its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import structlog
from web3 import Web3

from ballast.book import Book
from ballast.units import HOUR_S
from keeper.errors import SettingsError
from keeper.keys.limited import Limited, steps_of
from keeper.keys.load import advice, load_signer
from keeper.look.chain import Chain, ask, connect_to
from keeper.look.interventions import Chronicle
from keeper.loop import Fund, Keeper
from keeper.ops.facts import Endpoint, bounds_of
from keeper.ops.health import health
from keeper.ops.liveness import Stop, stopping
from keeper.ops.metrics import Metrics
from keeper.ops.notifier import Notifier, sender_to, services_of
from keeper.ops.observer import Observer
from keeper.ops.server import Response, Server
from keeper.ops.watch import AlertThread, Transactions, Watch
from keeper.page.wiring import status_page
from keeper.plan.standby import Turn
from keeper.sending.journal import Journal
from keeper.sending.sender import Sender, sender_for
from keeper.sending.upkeep import UpkeepCalls
from keeper.settings import Secrets, Settings, load_books, pulse_path
from keeper.view import Viewer

log = structlog.get_logger("keeper")

Sending = tuple[Sender, tuple[Chain, ...], Stop, tuple[Observer, ...]]
"""What sends, the funds' chains, what stops it, and who watches."""


def chains_of(settings: Settings, secrets: Secrets, books: Sequence[Book] | None = None) -> tuple[Chain, ...]:
    """One for each fund, over one connection, checked. Raises SettingsError, ChainError."""
    found = books or load_books(settings)
    w3 = connect_to(settings, secrets, found[0].chain_id)
    chains = tuple(Chain(w3, book) for book in found)
    for chain in chains:
        chain.check(settings.chain_id)
    return chains


def turn_of(settings: Settings) -> Turn:
    """This keeper's turn among those of its funds."""
    return Turn(settings.standby_rank, settings.standby_blocks)


@contextmanager
def sending(settings: Settings, secrets: Secrets, *, patience: int | None, watched: bool = False) -> Iterator[Sending]:
    """What it takes to send, stopped by SIGTERM and SIGINT. Every setting is checked before the journal is opened.

    `patience` as in `Sender`; `watched`: with HTTP server and alerts, where the settings ask for them. Raises
    SettingsError, ChainError.
    """
    signer = load_signer(settings, secrets)
    chains = chains_of(settings, secrets)
    first, stop = chains[0], Stop()
    address = Web3.to_checksum_address(signer.address)
    if ask(lambda: first.w3.eth.get_balance(address), "balance") == 0:
        raise SettingsError(f"account {address}: has no ether on chain {first.book.chain_id}; fund it for gas")
    limited = Limited(signer, first.book.chain_id, steps_of(chain.book for chain in chains))
    if (better := advice(settings, secrets)) is not None:
        log.warning("key", advice=better)
    with ExitStack() as stack:
        stack.enter_context(stopping(stop))
        observers = stack.enter_context(watching(settings, secrets, chains, address, stop)) if watched else ()
        journal = stack.enter_context(Journal(settings.journal, first.book.chain_id, address))
        sender = sender_for(first, limited, journal, settings, secrets, stop, patience)
        log.info("keeper", funds=[chain.book.fund for chain in chains], account=address, chain=first.book.chain_id)
        yield sender, chains, stop, observers


@contextmanager
def watching(
    settings: Settings, secrets: Secrets, chains: Sequence[Chain], account: str, stop: Stop
) -> Iterator[tuple[Observer, ...]]:
    """The observers that the settings ask for, at work until the block ends; none where nobody watches. Raises
    SettingsError."""
    if settings.http_port is None and secrets.alert_urls is None and "NOTIFY_SOCKET" not in os.environ:
        yield ()
        return
    first = chains[0]
    bounds = bounds_of(settings)
    watch = Watch(
        [chain.book for chain in chains],
        stop,
        balance=lambda: ask(lambda: first.w3.eth.get_balance(first.w3.to_checksum_address(account)), "balance"),
        transactions=Transactions(settings.journal, first.book.chain_id, account),
        endpoints=partial(_endpoints, first),
    )
    metrics = Metrics(watch.facts)
    notifier = None
    if secrets.alert_urls is not None:
        notifier = Notifier(
            settings.journal.with_name(settings.journal.name + ".alerts.json"),
            settings.alert_repeat_hours * HOUR_S,
            sender_to(services_of(secrets.alert_urls)),
            metrics.alert_sent,
        )
    observers: tuple[Observer, ...] = (watch, metrics)
    with ExitStack() as stack:
        if settings.http_port is not None:
            page = stack.enter_context(status_page(settings, chains, watch.facts, bounds))
            observers = (*observers, page)
            routes: dict[str, Callable[[], Response]] = {
                "/health": lambda: health(watch.facts(), bounds),
                "/metrics": metrics.response,
                **page.routes(),
            }
            stack.enter_context(Server(settings.http_host, settings.http_port, routes))
        stack.enter_context(AlertThread(watch.facts, bounds, notifier))
        yield observers


def _endpoints(chain: Chain) -> tuple[Endpoint, ...]:
    """How the nodes stand, where the connection knows."""
    status: Callable[[], tuple[Endpoint, ...]] | None = getattr(chain.w3.provider, "status", None)
    return () if status is None else status()


@contextmanager
def keeper_of(settings: Settings, secrets: Secrets, *, patience: int | None, watched: bool = False) -> Iterator[Keeper]:
    """A keeper that may send. As `sending`."""
    with sending(settings, secrets, patience=patience, watched=watched) as (sender, chains, stop, observers):
        turn = turn_of(settings)
        if turn.wait:
            log.info("standby", rank=turn.rank, takes_over_after_blocks=turn.wait)
        funds = [
            Fund(
                chain,
                Viewer(chain, settings),
                pulse_path(settings, chain.book),
                turn,
                # For those who watch: what is sent does not depend on it.
                Chronicle(chain.w3, chain.book) if observers else None,
                UpkeepCalls(chain.w3, chain.book, sender.address, settings.payee or sender.address)
                if "upkeep" in chain.book.contracts
                else None,
            )
            for chain in chains
        ]
        yield Keeper(funds, chains[0].head, sender, stop, poll_seconds=settings.poll_seconds, observers=observers)
