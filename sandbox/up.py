"""Makes a sandbox: the market, then the fund's file, then the fund, then the book.

It can be stopped at any moment: the same call again continues from what is deployed. The sandbox's book is written
last: where it exists, everything is deployed. Nothing but ordinary transactions of one account is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book
from ballast.deployment.creation import creation, order, predicted
from ballast.deployment.deploy import deploy_fund, new_journal, sender_of
from ballast.deployment.journal import DeploymentJournal, alone, journal_path
from ballast.deployment.resume import INDEX, is_seeded
from ballast.deployment.sender import receipt_of
from ballast.files import replace_whole
from ballast.fund_file import FundConfig
from ballast.networks.faucets import ether_from
from ballast.networks.presets import TEST_CHAINS, network_of
from ballast.networks.rollups import creation_gas
from ballast.values import decimal, ether_text
from sandbox import gas
from sandbox.book import SandboxAsset, SandboxBook, sandbox_path
from sandbox.errors import SandboxError
from sandbox.plan import Plan, fund_fields, fund_of, imagined
from sandbox.steps import Builder, Made
from sandbox.uniswap import standing_exchange

Progress = Callable[[str], None]
CONTRACT = "SandboxMarket"
_ROUND = ["uint80", "int256", "uint256"]


@dataclass(frozen=True)
class Bill:
    """What is left to send, at most: transactions, gas, and its cost at the current gas price. `begun`: something is
    deployed already; `own_exchange`: Uniswap V2 is deployed too."""

    transactions: int
    gas: int
    wei: int
    begun: bool
    own_exchange: bool


@dataclass(frozen=True)
class Files:
    """The files that are written: the fund's address book, and beside it the fund's file and the sandbox's book."""

    fund_book: Path

    @property
    def fund(self) -> Path:
        return self.fund_book.with_suffix(".yaml")

    @property
    def sandbox(self) -> Path:
        return sandbox_path(self.fund_book)


def require_test_network(chain_id: int) -> None:
    """Raises SandboxError on any chain that is not listed as a test network."""
    if chain_id not in TEST_CHAINS:
        listed = ", ".join(map(str, TEST_CHAINS))
        raise SandboxError(f"chain id: found {chain_id}, expected a test network: one of {listed}; nothing was sent")


def sandbox_up(
    project: Any,
    account: Any,
    plan: Plan,
    files: Files,
    *,
    progress: Progress,
    warn: Progress,
    consent: Callable[[Bill], None],
) -> SandboxBook:
    """Makes the plan's sandbox from an Ape account on the connected chain, or the rest of it; returns its book.

    `consent`: called once before the first transaction, if any is left; an exception from it ends the run. Raises
    SandboxError and DeployError (for what the chain or the account lacks: before the first transaction), and
    DeploymentJournalError.
    """
    w3: Web3 = account.provider.web3
    chain_id = w3.eth.chain_id
    require_test_network(chain_id)
    if files.sandbox.exists():
        book = SandboxBook.load(files.sandbox)
        require_standing(w3, book)
        return book
    config = fund_of(plan, imagined(plan, chain_id))
    journal = journal_path(files.sandbox)
    with alone(journal):
        progress("checking chain, account and what stands")
        sender = sender_of(account, f"{config.name} (sandbox)", journal, progress)
        # If it was stopped among the fund's transactions, one of those may be pending.
        begun = DeploymentJournal.load(journal_path(files.fund_book))
        sender.settle(() if begun is None else begun.sent)
        exchange = standing_exchange(w3, chain_id)
        code = bytes(getattr(project, CONTRACT).contract_type.deployment_bytecode.to_bytes())
        builder = Builder(w3, sender, account.address, plan, exchange, code)
        if not builder.began:  # nothing was begun, or on a chain that no longer exists
            sender.journal = replace(new_journal(account, sender.journal.fund), sent=sender.journal.sent)
        stale = builder.began and _is_stale(w3, builder.market, plan, files)
        seeds = dict(zip((c.symbol for c in config.seeded()), config.seed_amounts(), strict=True))
        missing = _missing(w3, config, files)
        codes = chain(builder.data_left(seeds), _codes(project, account, config, missing))
        bill = _bill(w3, builder, config, missing, codes, stale)
        if bill.transactions:
            _require_ether(w3, account.address, bill)
            consent(bill)
        made = builder.build(seeds)
        if stale:
            sender.send("post", encode_call("post(uint64[])", _prices(w3, made.market, plan)[0]), made.market)
    config = fund_of(plan, made.placed)
    _write_fund(files.fund, plan, made)
    deploy_fund(project, account, config, book_path=files.fund_book, progress=progress, unsafe=True, warn=warn)
    book = _book(w3, account, plan, made, files, sender.journal.first_block)
    require_standing(w3, book)
    book.save(files.sandbox)
    return book


def require_standing(w3: Web3, book: SandboxBook) -> None:
    """Raises SandboxError unless the chain matches the book."""
    chain_id = w3.eth.chain_id
    if book.chain_id != chain_id:
        raise SandboxError(f"chain id: this chain is {chain_id}, the sandbox book is for {book.chain_id}")

    def expect(view: str, right: str, *arguments: int) -> None:
        answer = call_view(w3, book.market, view, ["address"], *arguments)
        found = to_checksum_address(answer[0]) if answer else None
        if found != right:
            raise SandboxError(
                f"market {book.market}: {view} is {found}, the sandbox book says {right}; "
                "where the chain was begun anew, remove the books"
            )

    expect("FACTORY()", book.factory)
    for asset in book.assets:
        expect("token(uint256)", asset.token, asset.number)
        expect("feed(uint256)", asset.feed, asset.number)
        if asset.pair:
            expect("pair(uint256)", asset.pair, asset.number)


# What is left, and what it costs


def _steps(config: FundConfig) -> list[str]:
    """Steps of the fund itself."""
    return [*order(config), *(f"approve {component.symbol}" for component in config.seeded()), "seed"]


def _missing(w3: Web3, config: FundConfig, files: Files) -> list[str]:
    """Steps of the fund that are not done according to its journal."""
    journal = DeploymentJournal.load(journal_path(files.fund_book))
    done = set() if journal is None else _mined(w3, journal)
    return [step for step in _steps(config) if step not in done]


def _codes(project: Any, account: Any, config: FundConfig, missing: list[str]) -> Iterator[bytes]:
    """Approximate data that creates the fund's contracts: of the right length, with addresses not yet known."""
    names = order(config)
    at = predicted(account.address, 0, names)
    for name in names:
        if name in missing:
            contract, arguments = creation(name, config, at, account)
            yield bytes(getattr(project, contract)(*arguments).data)


def _bill(
    w3: Web3, builder: Builder, config: FundConfig, missing: list[str], codes: Iterable[bytes], stale: bool
) -> Bill:
    """The bill of what is left. `codes`: the data that is left to send, for which a rollup takes a fee."""
    left, steps = [*builder.left()], _steps(config)
    assets = 1 + len(config.components)
    amount = sum(gas.of_step(step.name, assets, step.pools) for step in left) + stale * gas.POST
    # {gas} = {gas} * {steps} / {steps}: an estimate; nothing is promised after a stop
    amount += gas.FUND * len(missing) // len(steps)
    price = w3.eth.gas_price
    amount += creation_gas(w3, network_of(w3.eth.chain_id), codes, price)
    transactions = len(left) + len(missing) + stale
    own = any(step.name == "factory" for step in left)
    begun = builder.began or len(missing) < len(steps)
    return Bill(transactions, amount, amount * price, begun, own)


def _mined(w3: Web3, journal: DeploymentJournal) -> set[str]:
    """Steps that succeeded."""
    found = ((sent.step, receipt_of(w3, sent.hash)) for sent in journal.sent)
    return {step for step, receipt in found if receipt is not None and receipt["status"] == 1}


def _require_ether(w3: Web3, account: str, bill: Bill) -> None:
    have = w3.eth.get_balance(Web3.to_checksum_address(account))
    if have < bill.wei:
        raise SandboxError(
            f"account {account}: holds {ether_text(have, up=False)}, expected at least {ether_text(bill.wei)} for gas "
            f"({bill.gas:,} at {decimal(w3.eth.gas_price, 9)} gwei); {ether_from(w3.eth.chain_id)}"
        )


# On the way


def _is_stale(w3: Web3, market: str | None, plan: Plan, files: Files) -> bool:
    """Whether the fund's deployment might find the prices stale after a long stop, so that they have to be posted
    again."""
    if market is None or files.fund_book.exists() or _is_seeded(w3, files):
        return False
    _answers, date = _prices(w3, market, plan)
    return int(w3.eth.get_block("latest")["timestamp"]) - date > plan.feed.max_age // 2


def _prices(w3: Web3, market: str, plan: Plan) -> tuple[list[int], int]:
    """A market's current prices, USD with 8 decimals by number, and when they were posted. Raises SandboxError unless
    it has all tokens."""
    read = [call_view(w3, market, "latest(uint256)", _ROUND, number) for number in range(len(plan.assets))]
    rows = [row for row in read if row is not None]
    if len(rows) != len(plan.assets):
        raise SandboxError(f"market {market}: does not answer the prices of {len(plan.assets)} tokens")
    return [int(row[1]) for row in rows], int(rows[0][2])


def _is_seeded(w3: Web3, files: Files) -> bool:
    """Whether the fund in the journal has its seed: then no price is needed any more."""
    journal = DeploymentJournal.load(journal_path(files.fund_book))
    for sent in () if journal is None else journal.sent:
        receipt = receipt_of(w3, sent.hash) if sent.step == INDEX else None
        if receipt is not None and receipt["status"] == 1 and is_seeded(w3, str(receipt["contractAddress"])):
            return True
    return False


def _write_fund(path: Path, plan: Plan, made: Made) -> None:
    head = f"# {plan.fund.get('name')}: a fund of test tokens, made by `ape run sandbox up`. Steer it by this file.\n\n"
    replace_whole(path, head + yaml.safe_dump(fund_fields(plan, made.placed), sort_keys=False, width=120))


def _book(w3: Web3, account: Any, plan: Plan, made: Made, files: Files, first_block: int) -> SandboxBook:
    fund = Book.load(files.fund_book)
    pairs = ("", *made.placed.pairs)
    assets = tuple(
        SandboxAsset(number, asset.symbol, token, asset.decimals, feed, pair)
        for number, (asset, token, feed, pair) in enumerate(
            zip(plan.assets, made.placed.tokens, made.placed.feeds, pairs, strict=True)
        )
    )
    return SandboxBook(
        chain_id=w3.eth.chain_id,
        first_block=min(first_block, fund.deployed_block),
        operator=account.address,
        market=made.market,
        factory=made.exchange.factory,
        router=made.exchange.router,
        numeraire=assets[0],
        components=assets[1:],
        heartbeat=plan.feed.heartbeat,
        max_age=plan.feed.max_age,
        fund_file=files.fund.name,
        fund_book=files.fund_book.name,
    )
