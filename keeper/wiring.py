"""Builds a keeper from its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog
from eth_typing import ChecksumAddress
from web3 import Web3

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.units import HOUR_S
from keeper.check.codes import kind_of
from keeper.errors import KeeperError, NotReadyError
from keeper.keys.limited import Limited, steps_of
from keeper.keys.load import advice, load_signer
from keeper.look.book_file import BookFile
from keeper.look.fund_reader import FundReader, ask, connect_to
from keeper.look.interventions import Chronicle
from keeper.look.outlook import OutlookReader
from keeper.look.rpc import EndpointStatus
from keeper.loop import Fund, Keeper
from keeper.ops.facts import bounds_of
from keeper.ops.health import health
from keeper.ops.liveness import Stop, stopping
from keeper.ops.metrics import Metrics
from keeper.ops.notifier import Notifier, sender_to, services_of
from keeper.ops.observer import Observer
from keeper.ops.ping import Pinger, Urls, urls_of
from keeper.ops.server import Response, Server
from keeper.ops.startup import patiently
from keeper.ops.troubles import Troubles
from keeper.ops.watch import AlertThread, Transactions, Watch
from keeper.page.wiring import status_page
from keeper.plan.standby import Turn, turn_on
from keeper.sending.journal import Journal
from keeper.sending.sender import Sender, sender_for
from keeper.sending.upkeep import UpkeepCalls
from keeper.settings import NO_PING, Secrets, Settings, load_books, pulse_path
from keeper.view import Viewer

log = structlog.get_logger("keeper")

Sending = tuple[Sender, tuple[FundReader, ...], Stop, tuple[Observer, ...], Troubles]
"""The sender, the funds' readers, the stop event, the observers, and the known troubles."""
T = TypeVar("T")


def readers_of(settings: Settings, secrets: Secrets, books: Sequence[Book] | None = None) -> tuple[FundReader, ...]:
    """A checked reader for each fund, all over one connection. Raises SettingsError, ChainError."""
    chains = _connected(settings, secrets, books)
    _check(settings, chains)
    return chains


def _connected(settings: Settings, secrets: Secrets, books: Sequence[Book] | None = None) -> tuple[FundReader, ...]:
    """The readers, unchecked: sends no requests. Raises SettingsError."""
    found = books or load_books(settings)
    w3 = connect_to(settings, secrets, found[0].chain_id)
    files = [None] * len(books) if books else [BookFile(path) for path in settings.books]
    return tuple(FundReader(w3, book, file) for book, file in zip(found, files, strict=True))


def _check(settings: Settings, chains: Sequence[FundReader]) -> None:
    for chain in chains:
        chain.check(settings.chain_id)


def turn_of(settings: Settings, chain_id: int) -> Turn:
    """This keeper's turn among those of its funds, on their chain."""
    return turn_on(network_of(chain_id), settings.standby_rank, settings.standby_blocks)


@contextmanager
def sending(settings: Settings, secrets: Secrets, *, patience: int | None, watched: bool = False) -> Iterator[Sending]:
    """Yields what sending needs; SIGTERM and SIGINT stop it. Checks every setting before it opens the journal.

    `patience` as in `Sender`. `watched`: runs unattended. Then HTTP server, alerts and dead-man's switch start before
    the first request to a node, and the start waits out passing trouble. Raises SettingsError, and Interrupted if
    stopped meanwhile; unless `watched` also ChainError, JournalError, KeyServiceError.
    """
    chains, stop, troubles = _connected(settings, secrets), Stop(), Troubles()
    first = chains[0]
    with ExitStack() as stack:
        around = stack.enter_context(watching(settings, secrets, chains, stop, troubles)) if watched else Around()
        with _last_words(troubles):

            def when_ready(step: Callable[[], T]) -> T:
                return patiently(step, stop, troubles) if watched else step()

            if settings.kms_key_id is None:
                # Before the signal handlers: it may ask for a password, and Ctrl-C must end that at once.
                signer = load_signer(settings, secrets)
            if watched:
                stack.enter_context(stopping(stop))
            if settings.kms_key_id is not None:
                signer = when_ready(lambda: load_signer(settings, secrets))
            address = Web3.to_checksum_address(signer.address)
            around.follow(address)
            when_ready(lambda: _check(settings, chains))
            when_ready(lambda: _require_ether(first, address))
            limited = Limited(signer, first.book.chain_id, steps_of(chain.book for chain in chains))
            if (better := advice(settings, secrets)) is not None:
                log.warning("key", advice=better)
            if not watched:
                stack.enter_context(stopping(stop))
            journal = stack.enter_context(when_ready(lambda: Journal(settings.journal, first.book.chain_id, address)))
            sender = sender_for(first, limited, journal, settings, secrets, stop, patience)
        log.info("keeper", funds=[chain.book.fund for chain in chains], account=address, chain=first.book.chain_id)
        yield sender, chains, stop, around.observers, troubles


@contextmanager
def _last_words(troubles: Troubles) -> Iterator[None]:
    """Records the error that ends the keeper at its start, so that alerts, health and dead-man's switch report it."""
    try:
        yield
    except Exception as error:
        text = str(error) if isinstance(error, KeeperError) else f"unforeseen {type(error).__name__}; see the log"
        troubles.hold("start", text, final=True)
        raise


def _require_ether(chain: FundReader, address: ChecksumAddress) -> None:
    """Raises NotReadyError if the account has no ether, ChainError."""
    if ask(lambda: chain.w3.eth.get_balance(address), "balance") == 0:
        raise NotReadyError(f"account {address}: has no ether on chain {chain.book.chain_id}; fund it for gas")


@dataclass(frozen=True)
class Around:
    """The loop's observers, none by default; `follow` gives them the keeper's account."""

    observers: tuple[Observer, ...] = ()
    follow: Callable[[ChecksumAddress], None] = lambda _address: None


@contextmanager
def watching(
    settings: Settings, secrets: Secrets, chains: Sequence[FundReader], stop: Stop, troubles: Troubles
) -> Iterator[Around]:
    """Runs the observers that the settings ask for until the `with` block ends; none if the settings name none. Sends
    no requests to a node. Raises SettingsError."""
    asked = (settings.http_port, secrets.alert_urls, secrets.ping_url, os.environ.get("NOTIFY_SOCKET"))
    if all(each is None for each in asked):
        yield Around()
        return
    first = chains[0]
    bounds = bounds_of(settings)
    watch = Watch([chain.book for chain in chains], stop, endpoints=partial(_endpoints, first), troubles=troubles)
    metrics = Metrics(watch.facts)
    notifier = None
    if secrets.alert_urls is not None:
        notifier = Notifier(
            settings.journal.with_name(settings.journal.name + ".alerts.json"),
            settings.alert_repeat_hours * HOUR_S,
            sender_to(services_of(secrets.alert_urls)),
            metrics.alert_sent,
        )

    def follow(address: ChecksumAddress) -> None:
        watch.follow(
            lambda: ask(lambda: first.w3.eth.get_balance(address), "balance"),
            Transactions(settings.journal, first.book.chain_id, address),
        )

    observers: tuple[Observer, ...] = (watch, metrics)
    with ExitStack() as stack:
        stack.enter_context(AlertThread(watch.facts, bounds, notifier, troubles=troubles))
        if (urls := _ping_urls(secrets)) is not None:
            ping = Pinger(watch.facts, bounds, urls, settings.ping_seconds, metrics.pinged, troubles)
            stack.enter_context(ping)
        if settings.http_port is not None:
            page = stack.enter_context(status_page(settings, chains, watch.facts, bounds))
            observers = (*observers, page)
            routes: dict[str, Callable[[], Response]] = {
                "/health": lambda: health(watch.facts(), bounds),
                "/metrics": metrics.response,
                **page.routes(),
            }
            stack.enter_context(Server(settings.http_host, settings.http_port, routes, troubles))
        yield Around(observers, follow)


def _ping_urls(secrets: Secrets) -> Urls | None:
    """The URLs of the dead-man's switch, None without one."""
    if secrets.ping_url is None:
        return None
    fail = None if secrets.ping_fail_url is None else secrets.ping_fail_url.get_secret_value()
    return urls_of(secrets.ping_url.get_secret_value(), fail, fails=fail != NO_PING)


def _endpoints(chain: FundReader) -> tuple[EndpointStatus, ...]:
    """Status of the nodes, empty if the connection does not track it."""
    status: Callable[[], tuple[EndpointStatus, ...]] | None = getattr(chain.w3.provider, "status", None)
    return () if status is None else status()


@contextmanager
def keeper_of(settings: Settings, secrets: Secrets, *, patience: int | None, watched: bool = False) -> Iterator[Keeper]:
    """Yields a keeper that may send; parameters and errors as of `sending`."""
    with sending(settings, secrets, patience=patience, watched=watched) as (
        sender,
        chains,
        stop,
        observers,
        troubles,
    ):
        turn = turn_of(settings, chains[0].book.chain_id)
        if turn.wait:
            log.info("standby", rank=turn.rank, takes_over_after_blocks=turn.wait)
        funds = [
            Fund(
                chain,
                Viewer(chain, settings),
                pulse_path(settings, chain.book),
                turn,
                # For observers only: what the keeper sends does not depend on it.
                Chronicle(chain.w3, chain.book) if observers else None,
                UpkeepCalls(chain.w3, chain.book, sender.address, settings.payee or sender.address)
                if "upkeep" in chain.book.contracts
                else None,
                OutlookReader(chain.w3, chain.book, kind_of) if observers else None,
            )
            for chain in chains
        ]
        yield Keeper(
            funds,
            chains[0].head,
            sender,
            stop,
            poll_seconds=settings.poll_seconds,
            observers=observers,
            troubles=troubles,
        )
