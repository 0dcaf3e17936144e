"""A whole sandbox as a user makes it: `ape run sandbox up`, a market, a keeper, one short month."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import Web3

from ballast.book import Book
from ballast.build import ROOT
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.deployment.sender import receipt_of
from ballast.units import ETHER, GWEI
from keeper.look.fund_reader import FundReader
from lab.localnet.errors import LocalnetError
from lab.sandbox.chain import CHAIN_ID, FAUCET_WEI, Dressed
from lab.sandbox.gate import gate
from lab.sandbox.person import Answer, Shown, typed
from lab.sandbox.short_month import Parties, carry, figures_of, sent_by, start_market, wait_out
from lab.testbed.keepers import KeeperProcess, start_process
from sandbox.book import SandboxBook, sandbox_path
from sandbox.decide import POST_GAS, pool_off_bps
from sandbox.reader import MarketReader

PASSWORD = "not a secret"
SPARE_POSTS = 3
"""Posts that the gas budget of the restarted market still allows."""
ACCOUNT = "me"
PLAN = ROOT / "funds" / "sandbox.yaml"
KEEPER_WEI = ETHER // 20
ITERATIONS = 2
"""Of the key file's hash: few, as the key is worth nothing."""
QUICK = {
    "BALLAST_POLL_SECONDS": "0.05",
}
"""The keeper's settings for short months."""


@dataclass
class User:
    """A person with a key file that Ape knows, a folder for their fund, and the node's URL."""

    url: str
    folder: Path
    address: str
    plan: Path = PLAN
    said: list[Shown] = field(default_factory=list)

    @property
    def book(self) -> Path:
        return self.folder / "sandbox.json"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a shell after the set-up, without any setting of a keeper's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BALLAST_", "APE_"))}
        return {**inherited, "APE_DATA_FOLDER": str(self.folder / "ape"), "PYTHONPATH": str(ROOT)}

    @property
    def up_command(self) -> list[str]:
        options = ["--rpc", self.url, "--account", ACCOUNT, "--book", str(self.book)]
        return ["ape", "run", "sandbox", "up", str(self.plan), *options]

    def up(self) -> Shown:
        """Runs `up`, which makes the sandbox, or the rest of it. Raises LocalnetError."""
        asked = (Answer("Send them? [y/N]", "y"), Answer("Enter passphrase", PASSWORD, hidden=True))
        answers = () if sandbox_path(self.book).exists() else asked  # no prompts where all is deployed
        shown = typed(self.up_command, self.environment, answers)
        if shown.code:
            raise LocalnetError(f"sandbox up: ended with code {shown.code}:\n{shown.output}")
        self.said.append(shown)
        return shown

    def python(self, *arguments: str, **settings: str) -> Shown:
        """Runs one of our Python commands. Raises LocalnetError."""
        words = " ".join(("python", *arguments))
        shown = typed([sys.executable, *arguments], {**self.environment, **settings}, words=words)
        if shown.code:
            raise LocalnetError(f"{words}: ended with code {shown.code}:\n{shown.output}")
        self.said.append(shown)
        return shown


@contextlib.contextmanager
def user_of(chain: Dressed, folder: Path, plan: Path = PLAN, key: str | None = None) -> Iterator[User]:
    """A user with a key, a new one if none is given, and the faucet's ether, in an emptied folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ape" / "accounts").mkdir(parents=True)
    made = Account.create() if key is None else Account.from_key(key)
    keyfile = folder / "ape" / "accounts" / f"{ACCOUNT}.json"
    keyfile.write_text(json.dumps(Account.encrypt(made.key, PASSWORD, iterations=ITERATIONS)))
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    chain.give(made.address, FAUCET_WEI)
    yield User(chain.url, folder, str(made.address), plan)


def whole(chain: Dressed, user: User) -> dict[str, Any]:
    """Runs everything from nothing to the end of a short month; its figures. Raises LocalnetError."""
    began = time.monotonic()
    w3 = Web3(Web3.HTTPProvider(chain.url))
    before = w3.eth.get_balance(Web3.to_checksum_address(user.address))
    time_before = chain.cheats.now()
    shown = user.up()
    spent = before - w3.eth.get_balance(Web3.to_checksum_address(user.address))
    figures = made_of(w3, user)
    made = {
        **figures,
        "wei": str(spent),
        "wei_at_3_gwei": str(figures["gas"] * 3 * GWEI),
        "seconds": round(shown.seconds, 1),
        "chain_seconds": chain.cheats.now() - time_before,
        "prompts": shown.prompts,
    }
    at_work = time.monotonic()
    month = short_month(chain, user, w3)
    return {
        "up": made,
        **month,
        "seconds": {"month": round(time.monotonic() - at_work, 1), "all": round(time.monotonic() - began, 1)},
    }


def made_of(w3: Web3, user: User) -> dict[str, Any]:
    """Every step of `up` with its gas, from the chain's receipts."""
    journals = [DeploymentJournal.load(journal_path(path)) for path in (sandbox_path(user.book), user.book)]
    steps = []
    for journal in journals:
        if journal is None:
            raise LocalnetError("sandbox up: left no journal")
        # A transaction that was stopped before the node had it is signed again, and may be the same to the byte.
        for sent in {sent.hash: sent for sent in journal.sent}.values():
            receipt = receipt_of(w3, sent.hash)
            if receipt is None:
                continue  # never reached the node: another one was sent in its place
            steps.append({"step": sent.step, "gas": int(receipt["gasUsed"]), "succeeded": receipt["status"] == 1})
    return {
        "transactions": w3.eth.get_transaction_count(Web3.to_checksum_address(user.address)),
        "gas": sum(step["gas"] for step in steps),
        "steps": steps,
    }


def short_month(chain: Dressed, user: User, w3: Web3) -> dict[str, Any]:
    """Runs a market and a keeper until a month is done; its figures. Raises LocalnetError."""
    keeper_account = Account.create()
    chain.give(keeper_account.address, KEEPER_WEI)
    book = Book.load(user.book)
    reader = FundReader(w3, book)
    shared = {"BALLAST_RPC_URL": user.url, "BALLAST_BOOK": str(user.book), **QUICK}
    folders = {name: user.folder / name for name in ("market", "keeper")}
    for folder in folders.values():
        folder.mkdir()
    before = w3.eth.get_transaction_count(Web3.to_checksum_address(user.address))
    stack = contextlib.ExitStack()
    between = stack.enter_context(gate(user.url))
    market_settings = {
        **shared,
        "BALLAST_RPC_URL": between.url,
        "BALLAST_MARKET_KEYSTORE": str(user.folder / "ape" / "accounts" / f"{ACCOUNT}.json"),
        "BALLAST_MARKET_KEYSTORE_PASSWORD_FILE": str(user.folder / "password"),
    }
    market = KeeperProcess(folders["market"], folders["market"] / "log", market_settings, start_market)
    keeper = KeeperProcess(
        folders["keeper"],
        folders["keeper"] / "log",
        {**shared, "BALLAST_PRIVATE_KEY": keeper_account.key.to_0x_hex()},
        start_process,
    )
    with stack:
        for process in (market, keeper):
            process.start()
            stack.callback(process.end)
        month = carry(Parties(chain, reader, market, keeper, between))
        pools_off = _pools_off(reader, user)
        market.end()
        spent = sent_by(folders["market"] / "market.sqlite", CHAIN_ID)["gas"]
        most = str(spent + SPARE_POSTS * POST_GAS)
        poor = KeeperProcess(
            folders["market"],
            folders["market"] / "poor.log",
            {**market_settings, "BALLAST_MARKET_GAS_PER_DAY": most},
            start_market,
        )
        poor.start()
        stack.callback(poor.end)
        wait_out(Parties(chain, reader, poor, keeper, between), SandboxBook.load(sandbox_path(user.book)).heartbeat)
    if "budget used up" not in poor.log():
        raise LocalnetError(f"market: with {most} gas a day it does not say what it skips{poor.tail()}")
    sent = sent_by(folders["market"] / "market.sqlite", CHAIN_ID)
    used = w3.eth.get_transaction_count(Web3.to_checksum_address(user.address)) - before
    if used != sent["transactions"]:
        raise LocalnetError(f"market: its journal has {sent['transactions']} transactions, its account sent {used}")
    return {
        "month": figures_of(month, reader, book.deployed_block),
        "market": {
            **sent,
            "pools_off_pct": pools_off,
            "gas_before_budget_used_up": spent,
        },
        "keeper": sent_by(folders["keeper"] / "keeper.sqlite", CHAIN_ID),
        "components": len(SandboxBook.load(sandbox_path(user.book)).components),
    }


def _pools_off(reader: FundReader, user: User) -> dict[str, float]:
    """How far each pool is off its feed at the end, percent."""
    book = SandboxBook.load(sandbox_path(user.book))
    state = MarketReader(reader.w3, book).read(reader.head())
    decimals = [asset.decimals for asset in book.assets]
    symbols = {asset.number: asset.symbol for asset in book.components}
    return {symbols[pool.number]: pool_off_bps(pool, state.answers, decimals) / 100 for pool in state.pools}
