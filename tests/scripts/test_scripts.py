"""deploy, mint and redeem from the command line, and what the keeper shows of the fund."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ape
import click
import pytest
from eth_utils import to_checksum_address

from ballast.book import Book
from ballast.build import ROOT
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig, load_fund
from ballast.values import NO_ADDRESS
from lab.localnet.market import Market
from lab.testbed.funding import as_yaml, deal, deal_seed
from scripts.deploy import cli as deploy
from scripts.mint import cli as mint
from scripts.redeem import cli as redeem
from tests.helpers.edits import Edit, set_field
from tests.scripts.conftest import DEPLOYER_ACCOUNT, SHARES, Invoke, Ran, Run, WriteFund

NOBODY = to_checksum_address("0x" + "7b" * 20)


@pytest.fixture
def account() -> Any:
    return ape.accounts.test_accounts[3]


@pytest.fixture
def funded(account: Any, config: FundConfig, market: Market) -> Any:
    """The account with all that the seed takes, and fresh feeds."""
    market.post_feeds()
    deal_seed(account, config)
    return account


def refused(ran: Ran, *words: str) -> None:
    """The command ended with an error of one line that has all these words, and nothing else."""
    assert ran.code != 0, ran.out
    assert len(ran.error_lines) == 1, ran.errors
    line = ran.error_lines[0]
    assert line.startswith("Error: "), line
    for word in words:
        assert word in line, line


def amount_of(symbol: str, config: FundConfig, holder: str) -> int:
    """Token wei of a component that an account has."""
    token = next(component.token for component in config.components if component.symbol == symbol)
    return int(ape.project.ReferenceToken.at(token).balanceOf(holder))


def status_of(book_file: Path) -> str:
    """What `python -m keeper status` shows, which needs a node and an address book and nothing else."""
    provider: Any = ape.networks.active_provider
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BALLAST_")}
    shown = subprocess.run(
        [sys.executable, "-m", "keeper", "status"],
        cwd=book_file.parent,
        env={
            **inherited,
            "BALLAST_BOOK": str(book_file),
            "BALLAST_RPC_URL": str(provider.http_uri),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def test_life_of_a_fund(
    run_script: Run, write_fund: WriteFund, config: FundConfig, funded: Any, tmp_path: Path
) -> None:
    fund, book_file = write_fund(as_yaml(config)), tmp_path / "book.json"
    assert load_fund(fund) == config
    common = [str(fund), "--book", str(book_file)]
    signed = ["--account", DEPLOYER_ACCOUNT]

    ran = run_script("deploy", *common, *signed, "--yes")
    assert ran.code == 0, ran.errors
    book = Book.load(book_file)
    index = ape.project.IndexToken.at(book["index_token"])
    assert index.totalSupply() - index.pendingFee() == SHARES
    assert index.balanceOf(funded.address) == SHARES - index.LOCKED_SHARES()
    assert index.owner() == book["timelock"]
    assert book["rebalancer"] in ran.out

    shown = status_of(book_file)
    for word in ("UNI", "29.20", "33.22 %", "100.0000 shares", "determine (due)", book["index_token"]):
        assert word in shown, shown

    tokens, amounts, _ = index.previewMint(2 * 10**18)
    for token, amount in zip(tokens, amounts, strict=True):
        deal(funded, token, funded.address, amount)
    ran = run_script("mint", fund.as_posix(), "1.5", *common[1:], *signed, "--receiver", NOBODY, "--yes")
    assert ran.code == 0, ran.errors
    assert index.balanceOf(NOBODY) == 3 * 10**18 // 2
    assert "minted 1.5 shares" in ran.out

    held = index.balanceOf(funded.address)
    uni, aave = (amount_of(symbol, config, funded.address) for symbol in ("UNI", "AAVE"))
    ran = run_script("redeem", fund.as_posix(), "40", *common[1:], *signed, "--skip", "UNI", "--yes")
    assert ran.code == 0, ran.errors
    assert index.balanceOf(funded.address) == held - 40 * 10**18
    assert amount_of("UNI", config, funded.address) == uni
    assert amount_of("AAVE", config, funded.address) > aave
    assert "forfeited" in ran.out


def test_refusals_of_a_deployed_fund(
    invoke: Invoke, write_fund: WriteFund, config: FundConfig, funded: Any, tmp_path: Path
) -> None:
    fund, book_file = write_fund(as_yaml(config)), tmp_path / "book.json"
    deploy_fund(ape.project, funded, config, book_path=book_file)
    nonce = funded.nonce
    here = {"provider": ape.networks.active_provider, "fund": fund, "book_file": book_file}
    given = {"account": funded, "receiver": None, "slippage": "0.1 %", "deadline": "20 min", "dry": False, "yes": False}

    def redeems(shares: str, **more: Any) -> Ran:
        usual = {**given, "skipped": (), "in_kind": (), "to": None}
        return invoke(redeem, shares=shares, **{**here, **usual, **more})

    def mints(shares: str, **more: Any) -> Ran:
        return invoke(mint, shares=shares, **{**here, **given, "pay": None, "spend": None, **more})

    def mints_with(book: dict[str, Any]) -> Ran:
        other = tmp_path / "other.json"
        other.write_text(json.dumps(book))
        return mints("1", book_file=other)

    refused(
        invoke(deploy, account=funded, unsafe=False, another=False, yes=True, **here), str(book_file), "exists already"
    )
    refused(redeems("1000"), "holds 99.9 shares", "expected at least 1,000")
    refused(redeems("1", skipped=("DOGE",)), "'DOGE'", "unknown", "UNI")
    refused(redeems("1", skipped=("FARM",)), "skip", "FARM", "not held")
    refused(redeems("1", receiver=NO_ADDRESS), "receiver:", NO_ADDRESS, "other than zero")
    refused(redeems("all", account=ape.accounts.test_accounts[4]), "holds 0 shares")
    refused(mints("0"), "shares:", "'0'", "more than 0")
    refused(mints("1e400"), "shares:", "expected whole shares")
    refused(mints("1", slippage="50 %"), "slippage:", "0 to 10 %")
    # All that is lacking at once, in tokens.
    lacking = mints("1").error_lines
    assert lacking[0] == f"Error: {len(config.seeded())} problems:" and len(lacking) == len(config.seeded()) + 1
    assert any("holds 0 YFI" in line and "expected at least 0.00056" in line for line in lacking)
    raw = json.loads(book_file.read_text())
    refused(mints_with({**raw, "chain_id": 5}), "chain id", "is 1", "for 5")
    refused(mints_with({**raw, "contracts": {**raw["contracts"], "lens": NOBODY}}), "lens: no contract", NOBODY)
    refused(mints("1", book_file=tmp_path / "none.json"), "none.json", "no such file")
    assert funded.nonce == nonce


WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
UNI_POOL = "0xd3d2E2692501A5c9Ca623199D38826e513033a17"

BAD_ON_CHAIN: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "chain id": (set_field("chain_id")("11155111"), ("chain id", "this chain is 1", "11155111")),
    "unknown token": (set_field("components", 0, "token")(NOBODY), ("YFI", "unknown token", NOBODY)),
    "token decimals": (set_field("components", 0, "decimals")("6"), ("YFI", "decimals", "6", "18")),
    "feed without contract": (set_field("components", 1, "feed", "address")(NOBODY), ("COMP", "feed", NOBODY)),
    "feed is no feed": (set_field("eth_feed", "address")(WETH), ("eth_feed", "does not answer", "Chainlink")),
    "feed in the wrong currency": (
        set_field("components", 1, "feed", "quoted_in_eth")("true"),
        ("COMP", "8 decimals", "expected 18"),
    ),
    "weth": (set_field("weth")(NOBODY), ("weth", NOBODY)),
    "pool without contract": (set_field("components", 0, "pools", 0, "pair")(NOBODY), ("YFI", "pair", NOBODY)),
    "pool of another token": (set_field("components", 0, "pools", 0, "pair")(UNI_POOL), ("YFI", UNI_POOL, "WETH")),
}


@pytest.fixture
def deploys(invoke: Invoke, account: Any, tmp_path: Path) -> Callable[..., Ran]:
    """Runs the deployment of a file; whatever happens, there must be no book and nothing sent."""

    def run(fund: Path, unsafe: bool = False) -> Ran:
        book, nonce = tmp_path / "book.json", account.nonce
        here = {"provider": ape.networks.active_provider, "account": account, "another": False, "yes": True}
        ran = invoke(deploy, fund=fund, book_file=book, unsafe=unsafe, **here)
        assert not book.exists()
        assert account.nonce == nonce
        return ran

    return run


Deploys = Callable[..., Ran]


@pytest.mark.parametrize("name", BAD_ON_CHAIN)
def test_deploy_refuses_what_does_not_fit_the_chain(
    name: str, config: FundConfig, write_fund: WriteFund, funded: Any, deploys: Deploys
) -> None:
    edit, words = BAD_ON_CHAIN[name]
    raw = as_yaml(config)
    edit(raw)
    refused(deploys(write_fund(raw)), *words)


def test_deploy_refuses_an_account_without_tokens(
    config: FundConfig, write_fund: WriteFund, account: Any, market: Market, deploys: Deploys
) -> None:
    market.post_feeds()
    lines = deploys(write_fund(as_yaml(config))).error_lines
    assert lines[0] == f"Error: {len(config.seeded())} problems:"
    assert lines[1].startswith(f"account {account.address}: holds 0 YFI (0x0bc5")
    assert lines[1].endswith("expected 0.0566411985921079 for the seed; buy it, or send it there")


def test_deploy_refuses_an_account_without_ether(
    config: FundConfig, write_fund: WriteFund, funded: Any, deploys: Deploys
) -> None:
    funded.balance = 0
    refused(deploys(write_fund(as_yaml(config))), funded.address, "holds 0 ETH", "for gas")


def test_deploy_refuses_a_stale_feed(config: FundConfig, write_fund: WriteFund, funded: Any, deploys: Deploys) -> None:
    ape.chain.mine(deltatime=config.eth_feed.max_age + 60)
    lines = deploys(write_fund(as_yaml(config))).error_lines
    assert lines[0] == f"Error: {len(config.components) + 1} problems:"
    assert lines[1].startswith("eth_feed: ") and lines[1].endswith(" s old, expected 0 to 7200 s")
    assert all(line.endswith(" s old, expected 0 to 7200 s") for line in lines[2:])


def test_deploy_refuses_a_bad_file(config: FundConfig, write_fund: WriteFund, deploys: Deploys, tmp_path: Path) -> None:
    raw = as_yaml(config)
    raw["components"][2]["supply"] = "0"
    refused(deploys(write_fund(raw)), "components[2] (SNX).supply", "'0'")
    refused(deploys(tmp_path / "none.yaml"), "none.yaml", "no such file")


def test_unreachable_rpc(run_script: Run, write_fund: WriteFund, config: FundConfig) -> None:
    fund = write_fund(as_yaml(config))
    ran = run_script(
        "mint", str(fund), "1", "--account", DEPLOYER_ACCOUNT, network="ethereum:mainnet:http://127.0.0.1:9"
    )
    refused(ran, "http://127.0.0.1:9")


def test_mint_asks_once_for_all_that_it_sends(
    invoke: Invoke,
    write_fund: WriteFund,
    config: FundConfig,
    funded: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fund, book_file = write_fund(as_yaml(config)), tmp_path / "book.json"
    book = deploy_fund(ape.project, funded, config, book_path=book_file)
    index = ape.project.IndexToken.at(book["index_token"])
    tokens, amounts, _ = index.previewMint(10**18)
    for token, amount in zip(tokens, amounts, strict=True):
        deal(funded, token, funded.address, 2 * amount)
    given = {"shares": "1", "account": funded, "receiver": None, "slippage": None, "deadline": "20 min", "pay": None}
    here = {"provider": ape.networks.active_provider, "fund": fund, "book_file": book_file, "spend": None, "dry": False}
    nonce = funded.nonce
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(click.Abort):
        invoke(mint, yes=False, **given, **here)
    n = len(tokens)
    assert (
        f"ETH for gas: {n} approvals, so that the fund may take at most that (" in (out := capsys.readouterr().out)
        and f"Send {n + 1} transactions, about 0." in out
    )
    assert funded.nonce == nonce
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert invoke(mint, yes=False, **given, **here).code == 0
    assert funded.nonce == nonce + n + 1
    assert capsys.readouterr().out.count("approving ") == n
