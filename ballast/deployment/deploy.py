"""Deploys a fund with Ape and seeds it.

It checks everything that it can before the first transaction, so that a mistake costs nothing. You can stop it at any
moment: the same call again resumes from the contracts that exist (`ballast.deployment.resume`), and changes nothing if
all exist. It writes the address book last: if that exists, the deployment is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book, BookCandidate
from ballast.deployment.check import check_deployment
from ballast.deployment.creation import creation, order
from ballast.deployment.journal import DeploymentJournal, DeploymentJournalError, alone, journal_path
from ballast.deployment.resume import INDEX, DeploymentPlan, is_seeded, plan, require_unseeded, standing
from ballast.deployment.sender import DeploymentSender
from ballast.fund_file import FundConfig
from ballast.networks.presets import network_of
from ballast.networks.rollups import creation_gas
from ballast.parts import Component
from ballast.preflight import DEPLOYMENT_GAS, SEED_GAS, preflight

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Bill:
    """What is left to send: number of transactions, and the contracts among them. `gas`: an upper estimate, on a rollup
    including the cost of the contracts' data; `wei`: its cost at the current gas price; `begun`: some contracts exist
    already."""

    transactions: int
    contracts: tuple[str, ...]
    gas: int
    wei: int
    begun: bool


def deploy_fund(
    project: Any,
    account: Any,
    config: FundConfig,
    *,
    book_path: Path | None = None,
    progress: Progress | None = None,
    unsafe: bool = False,
    warn: Progress | None = None,
    consent: Callable[[Bill], None] | None = None,
) -> Book:
    """Deploys and seeds the fund from an Ape account on the connected chain; returns its address book.

    The seed shares, less the locked ones, go to the account. `book_path`: path of the book, with the journal beside it;
    None: writes neither, and an interrupted deployment cannot be resumed. `unsafe`: accepts problems that are unsafe
    but not errors (see `preflight`); `warn` gets all warnings, accepted problems included. `consent`: called once
    before the first transaction; an exception from it ends the deployment. Raises DeployError (before the first
    transaction, unless the chain itself fails later) and DeploymentJournalError.
    """
    say = progress or (lambda _text: None)
    path = None if book_path is None else journal_path(book_path)
    with alone(path):
        book = _deployed(project, account, config, path, say, unsafe=unsafe, warn=warn or say, consent=consent)
        if book_path is not None:
            book.save(book_path)
            say(f"address book: {book_path}")
        return book


def book_of(config: FundConfig, at: Mapping[str, str], first_block: int) -> Book:
    """The address book of a fund with its contracts at these addresses, none created before `first_block`."""
    return Book(
        fund=config.name,
        chain_id=config.chain_id,
        deployed_block=first_block,
        contracts=dict(at),
        weth=config.weth,
        candidates=tuple(
            BookCandidate(component.symbol, component.token, component.decimals, component.book_pools())
            for component in config.ordered()
        ),
        timelock_delay=config.timelock_delay,
        uniswap_v2_factory=config.uniswap_v2_factory,
    )


def approve(account: Any, token: str, spender: str, amount: int) -> None:
    """Approves `amount` token wei for `spender`, unless the allowance suffices: see `approvals`."""
    for data in approvals(account.provider.web3, account.address, token, spender, amount):
        account.transfer(token, value=0, data=data)


def approvals(w3: Web3, owner: str, token: str, spender: str, amount: int) -> tuple[bytes, ...]:
    """Calldata of the token's calls that approve `amount` token wei for `spender`; none if the allowance suffices.

    Sets a lower allowance to 0 first, as some tokens require that. Plain calldata, as some tokens return nothing.
    """
    allowed = call_view(w3, token, "allowance(address,address)", ["uint256"], owner, spender)
    current = allowed[0] if allowed else 0
    if current >= amount:
        return ()
    values = (0, amount) if current else (amount,)
    return tuple(encode_call("approve(address,uint256)", spender, value) for value in values)


# One deployment


def _deployed(
    project: Any,
    account: Any,
    config: FundConfig,
    path: Path | None,
    say: Progress,
    *,
    unsafe: bool,
    warn: Progress,
    consent: Callable[[Bill], None] | None,
) -> Book:
    """`deploy_fund` with its journal at `path`."""
    w3: Web3 = account.provider.web3
    say("checking chain, account, tokens and feeds")
    sender = sender_of(account, config.name, path, say)
    sender.settle()
    stands = standing(w3, sender.journal, order(config))
    if not stands:  # nothing deployed yet, or on a chain that no longer exists
        sender.journal = replace(new_journal(account, config.name), sent=sender.journal.sent)

    def creating(name: str, at: Mapping[str, str]) -> bytes:
        contract, arguments = creation(name, config, at, account, sender.journal.dated)
        return bytes(getattr(project, contract)(*arguments).data)

    found = plan(order(config), stands, account.address, w3.eth.get_transaction_count(account.address), creating)
    require_unseeded(w3, stands, found)
    if not is_seeded(w3, found.at[INDEX]):
        bill = _bill(w3, account, config, found, creating)
        for warning in preflight(w3, account.address, config, unsafe=unsafe, gas=bill.gas):
            warn(f"warning: {warning}")
        if consent is not None:
            consent(bill)
        for name in found.missing:
            sender.create(name, creating(name, found.at), found.at[name])
        check_deployment(w3, found.at, config, seeded=False)
        _seed(sender, account, found.at[INDEX], config)
    check_deployment(w3, found.at, config, seeded=True)
    return book_of(config, found.at, sender.journal.first_block)


def sender_of(account: Any, name: str, path: Path | None, say: Progress) -> DeploymentSender:
    """A sender with the journal at `path`, or a new one. Raises DeploymentJournalError if that journal is of another
    fund, chain or deployer."""
    journal = None if path is None else DeploymentJournal.load(path)
    new = new_journal(account, name)
    if journal is not None:
        for field in ("fund", "chain_id", "deployer"):
            was, now = getattr(journal, field), getattr(new, field)
            if was != now:
                what = f"journal {path}: {field} is {was}, now {now}; name another --book to begin anew"
                raise DeploymentJournalError(what)
    return DeploymentSender(account, journal or new, path, say)


def new_journal(account: Any, name: str) -> DeploymentJournal:
    """The journal of a deployment that starts now."""
    latest = account.provider.web3.eth.get_block("latest")
    # nothing of the fund can be in an earlier block than the next
    numbers = int(latest["number"]) + 1, int(latest["timestamp"])
    return DeploymentJournal(name, account.provider.web3.eth.chain_id, account.address, *numbers)


def _bill(
    w3: Web3,
    account: Any,
    config: FundConfig,
    found: DeploymentPlan,
    creating: Callable[[str, Mapping[str, str]], bytes],
) -> Bill:
    sizes = {name: len(creating(name, found.at)) for name in found.at}
    done = sum(size for name, size in sizes.items() if name in found.stands)
    # {gas} = {gas} * {byte} / {byte}: the gas of a creation depends mostly on the length of its code
    gas = DEPLOYMENT_GAS - (DEPLOYMENT_GAS - SEED_GAS) * done // sum(sizes.values())
    calls = sum(1 for _ in _approvals(w3, account, found.at[INDEX], config))
    price = w3.eth.gas_price
    gas += creation_gas(w3, network_of(config.chain_id), (creating(name, found.at) for name in found.missing), price)
    return Bill(len(found.missing) + calls + 1, found.missing, gas, gas * price, bool(found.stands))


def _approvals(w3: Web3, account: Any, index: str, config: FundConfig) -> Iterator[tuple[Component, bytes]]:
    for component, amount in zip(config.seeded(), config.seed_amounts(), strict=True):
        for data in approvals(w3, account.address, component.token, index, amount):
            yield component, data


def _seed(sender: DeploymentSender, account: Any, index: str, config: FundConfig) -> None:
    for component, data in _approvals(account.provider.web3, account, index, config):
        sender.send(f"approve {component.symbol}", data, component.token)
    seeded = config.seeded()
    tokens, units = [c.token for c in seeded], [c.seed_unit for c in seeded]
    given = tokens, units, config.seed_shares, to_checksum_address(account.address)
    sender.send("seed", encode_call("seed(address[],uint256[],uint256,address)", *given), index)
