"""Runs each check in isolation: an exception becomes a failure line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from keeper.check import account, books, components, deployed, endpoints, feeds, past, pools, roles, schedule
from keeper.check.context import CheckContext, Endpoint
from keeper.check.lines import Level, Line, Says
from keeper.errors import KeeperError
from keeper.output import redact

Check = Callable[[], Iterable[Line]]
"""A check bound to its arguments; it may raise."""

UNSEEN = "see the failures above it; if there is none, report it with the output of `--json`"


def run(context: CheckContext) -> tuple[Line, ...]:
    """The lines of all checks, in an operator's order."""
    return tuple(line for name, subject, check in _checks(context) for line in guarded(name, subject, check))


def guarded(name: str, subject: str, check: Check) -> tuple[Line, ...]:
    """A check's lines, plus a failure if it raises; without secrets."""
    found: list[Line] = []
    try:
        found.extend(check())
    except KeeperError as error:
        found.append(Says(name, subject).failure(f"could not be looked at: {error}", UNSEEN))
    except Exception as error:  # the other checks must still run
        found.append(Says(name, subject).failure(f"could not be looked at ({type(error).__name__})", UNSEEN))
    # Our messages hold no secrets; those of libraries and nodes may.
    return tuple(replace(line, text=redact.clean(line.text)) for line in found)


def failed(lines: Iterable[Line]) -> bool:
    """Whether there is a failure to fix before the keeper starts."""
    return any(line.level is Level.FAILURE for line in lines)


def _checks(context: CheckContext) -> Iterator[tuple[str, str, Check]]:
    yield "address book", "BALLAST_BOOK", partial(books.books, context)
    yield "key", "account", partial(account.key, context)
    yield "file", "secrets", partial(past.private_files, context)
    yield "journal", str(context.settings.journal), partial(past.journal, context)
    yield "disk", str(context.settings.journal), partial(past.disk, context)
    for endpoint in context.endpoints:
        yield "answers", endpoint.name, partial(endpoints.answers, endpoint)
        if not _reachable(endpoint):
            continue
        yield "chain id", endpoint.name, partial(endpoints.chain, context, endpoint)
        yield "head", endpoint.name, partial(endpoints.head, endpoint)
        yield "block hash", endpoint.name, partial(endpoints.by_hash, endpoint)
        yield "events", endpoint.name, partial(endpoints.logs, context, endpoint)
        yield "access lists", endpoint.name, partial(endpoints.access_list, context, endpoint)
    yield "agreement", "endpoints", partial(endpoints.agree, context)
    for endpoint in context.private:
        yield "private endpoint", endpoint.name, partial(endpoints.private, endpoint)
    yield from _of_account(context)
    yield from _of_funds(context)


def _reachable(endpoint: Endpoint) -> bool:
    try:
        return endpoint.chain_id > 0
    except KeeperError:
        return False


def _of_account(context: CheckContext) -> Iterator[tuple[str, str, Check]]:
    main, known = context.main, context.known_account
    if main is None:
        return
    yield "price of gas", main.name, partial(account.cap, context, main)
    if known is None:
        return
    yield "account", known, partial(account.plain, main, known)
    yield "nonce", known, lambda: account.nonce(main, known, _past(context, known))
    yield "balance", known, partial(account.balance, context, main, known)


def _past(context: CheckContext, known: str) -> past.Past:
    return past.past_of(context.settings.journal, context.chain_id or 0, known)


def _of_funds(context: CheckContext) -> Iterator[tuple[str, str, Check]]:
    if context.main is None:
        yield "fund", "all", partial(_unseen, context)
        return
    known = context.known_account
    for fund in context.funds:
        name = fund.book.fund
        yield "contract", name, partial(deployed.code, fund)
        yield "wiring", name, partial(deployed.wiring, fund)
        yield "owner", name, partial(deployed.owners, fund)
        if known is not None:
            yield "roles", known, partial(roles.roles, fund, known)
        yield "token", name, partial(feeds.tokens, fund)
        yield "feed", name, partial(feeds.feeds, fund)
        yield "sequencer", name, partial(feeds.sequencer, fund)
        yield "anchor", name, partial(feeds.anchors, fund)
        yield "pool", name, partial(pools.pools, fund)
        yield "depth", name, partial(pools.depth, fund)
        yield "state", name, partial(components.states, fund)
        yield "brakes", name, partial(components.brakes, fund)
        yield "schedule", name, partial(schedule.schedule, fund)


def _unseen(context: CheckContext) -> Iterator[Line]:
    chain = "its chain" if context.chain_id is None else f"chain {context.chain_id}"
    yield Says("fund", "all").failure(
        f"not looked at: no endpoint answers on {chain}",
        "put the endpoints and address books right first",
    )
