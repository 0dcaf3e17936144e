"""Runs each check in isolation: an exception becomes a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from keeper.check import account, deployed, endpoints, feeds, files, month, pools, purse, supplies
from keeper.check.context import CheckContext, Node
from keeper.check.findings import Finding, Level, Says
from keeper.errors import KeeperError
from keeper.output import redact

Check = Callable[[], Iterable[Finding]]
"""A check bound to its arguments; it may raise."""

UNSEEN = "see the failures above it; if there is none, report it with the output of `--json`"


def run(context: CheckContext) -> tuple[Finding, ...]:
    """The findings of all checks, in the order in which an operator fixes them."""
    return tuple(finding for name, subject, check in _checks(context) for finding in guarded(name, subject, check))


def guarded(name: str, subject: str, check: Check) -> tuple[Finding, ...]:
    """A check's findings, plus a failure if it raises; without secrets."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except Exception as error:  # the other checks must still run
        why = f": {error}" if isinstance(error, KeeperError) else f" ({type(error).__name__})"
        found.append(Says(name, subject).failure(f"could not be looked at{why}", UNSEEN))
    # The keeper's own messages contain no secrets; those of libraries and nodes may.
    return tuple(replace(finding, text=redact.clean(finding.text)) for finding in found)


def failed(findings: Iterable[Finding]) -> bool:
    """Whether there is a failure to fix before the keeper starts."""
    return any(finding.level is Level.FAILURE for finding in findings)


_OF_FUND = {
    "contract": deployed.code,
    "wiring": deployed.wiring,
    "owner": deployed.owners,
    "token": feeds.tokens,
    "feed": feeds.feeds,
    "sequencer": feeds.sequencer,
    "anchor": feeds.anchors,
    "pool": pools.pools,
    "depth": pools.depth,
    "poster": supplies.poster,
    "supplies": supplies.ages,
    "state": month.states,
    "brakes": month.brakes,
    "schedule": month.schedule,
    "upkeep": purse.upkeep,
}


def _checks(context: CheckContext) -> Iterator[tuple[str, str, Check]]:
    path = str(context.settings.journal)
    yield "address book", "BALLAST_BOOK", partial(files.books, context)
    yield "key", "account", partial(account.key, context)
    yield "file", "secrets", partial(files.private_files, context)
    yield "journal", path, partial(files.journal, context)
    yield "disk", path, partial(files.disk, context)
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
    if context.main is None:
        yield "fund", "all", partial(_unseen, context)
        return
    yield "price of gas", context.main.name, partial(account.cap, context, context.main)
    known = context.known_account
    if known is not None:
        yield "account", known, partial(account.plain, context.main, known)
        yield "nonce", known, partial(account.nonce, context, context.main, known)
        yield "balance", known, partial(account.balance, context, context.main, known)
    for fund in context.funds:
        if known is not None:
            yield "roles", known, partial(deployed.roles, fund, known)
        for name, check in _OF_FUND.items():
            yield name, fund.book.fund, partial(check, fund)


def _reachable(endpoint: Node) -> bool:
    try:
        return endpoint.chain_id > 0
    except KeeperError:
        return False


def _unseen(context: CheckContext) -> Iterator[Finding]:
    chain = "its chain" if context.chain_id is None else f"chain {context.chain_id}"
    yield Says("fund", "all").failure(
        f"not looked at: no endpoint answers on {chain}", "put the endpoints and address books right first"
    )
