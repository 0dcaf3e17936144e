"""deploy, status, mint and redeem from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ape
import pytest
from eth_utils import to_checksum_address

from ballast.book import Book
from ballast.config import FundConfig, load_fund
from localnet.market import Market
from replay.funding import deal, deal_seed
from tests.scripts.conftest import DEPLOYER, SHARES, Ran, Run, WriteFund, as_yaml

ZERO = "0x" + "00" * 20
NOBODY = to_checksum_address("0x" + "7b" * 20)
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def account() -> Any:
    return ape.accounts.test_accounts[3]


def refused(ran: Ran, *words: str) -> None:
    """The command ended with an error of one line that has all these words, and nothing else."""
    assert ran.code != 0, ran.out
    assert len(ran.error_lines) == 1, ran.errors
    line = ran.error_lines[0]
    assert line.startswith("Error: "), line
    for word in words:
        assert word in line, line


def test_life_of_a_fund(
    run_script: Run, write_fund: WriteFund, config: FundConfig, account: Any, market: Market, tmp_path: Path
) -> None:
    fund, book_file = write_fund(as_yaml(config)), tmp_path / "book.json"
    assert load_fund(fund) == config
    market.post_feeds()
    deal_seed(account, config)
    common = [str(fund), "--book", str(book_file)]

    ran = run_script("deploy", *common, "--account", DEPLOYER)
    assert ran.code == 0, ran.errors
    book = Book.load(book_file)
    index = ape.project.IndexToken.at(book["index_token"])
    assert index.totalSupply() == SHARES
    assert index.balanceOf(account.address) == SHARES - index.LOCKED_SHARES()
    assert index.owner() == book["timelock"]
    assert book["rebalancer"] in ran.out

    refused(run_script("deploy", *common, "--account", DEPLOYER), "exists already")

    ran = run_script("status", *common)
    assert ran.code == 0, ran.errors
    for word in ("UNI", "29.20 USD", "33.22 %", "100 shares", "determine"):
        assert word in ran.out, ran.out

    shares = 3 * 10**18 // 2
    tokens, amounts = index.previewMint(shares)
    for token, amount in zip(tokens, amounts, strict=True):
        deal(account, token, account.address, amount * 2)
    ran = run_script("mint", *common[:1], "1.5", *common[1:], "--account", DEPLOYER, "--to", NOBODY)
    assert ran.code == 0, ran.errors
    assert index.balanceOf(NOBODY) == shares
    assert "minted 1.5 shares" in ran.out

    held = index.balanceOf(account.address)
    uni = ape.project.ReferenceToken.at(next(c.token for c in config.components if c.symbol == "UNI"))
    aave = ape.project.ReferenceToken.at(next(c.token for c in config.components if c.symbol == "AAVE"))
    uni_before, aave_before = uni.balanceOf(account.address), aave.balanceOf(account.address)
    ran = run_script("redeem", *common[:1], "40", *common[1:], "--account", DEPLOYER, "--skip", "UNI")
    assert ran.code == 0, ran.errors
    assert index.balanceOf(account.address) == held - 40 * 10**18
    assert uni.balanceOf(account.address) == uni_before
    assert aave.balanceOf(account.address) > aave_before
    assert "forfeited" in ran.out

    # What cannot be done is said in one line, and nothing is sent.
    nonce = account.nonce
    holder = [*common[1:], "--account", DEPLOYER]
    refused(run_script("redeem", *common[:1], "1000", *holder), "holds 59.9 shares", "expected at least 1,000")
    refused(run_script("redeem", *common[:1], "1", *holder, "--skip", "DOGE"), "'DOGE'", "unknown")
    refused(run_script("redeem", *common[:1], "1", *holder, "--to", ZERO), "to:", "other than zero")
    refused(run_script("mint", *common[:1], "0", *holder), "shares:", "more than 0")
    refused(run_script("mint", *common[:1], "1e400", *holder), "shares:", "expected whole shares")
    refused(run_script("mint", *common[:1], "1", *holder, "--slippage", "50 %"), "slippage:", "0 to 10 %")
    refused(run_script("mint", *common[:1], "5000", *holder), "holds", "expected at least")
    assert account.nonce == nonce

    raw = json.loads(book_file.read_text())
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**raw, "chain_id": 5}))
    refused(run_script("status", str(fund), "--book", str(other)), "chain id", "is 1", "for 5")
    other.write_text(json.dumps({**raw, "contracts": {**raw["contracts"], "lens": NOBODY}}))
    refused(run_script("status", str(fund), "--book", str(other)), "lens: no contract", NOBODY)
    refused(run_script("status", str(fund), "--book", str(tmp_path / "none.json")), "no such file", "deploy")


def set_field(*path: str | int) -> Callable[[object], Edit]:
    """Sets the field at `path` of a decoded fund."""

    def to(value: object) -> Edit:
        def edit(raw: dict[str, Any]) -> None:
            place: Any = raw
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value

        return edit

    return to


BAD_ON_CHAIN: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "chain id": (set_field("chain_id")("11155111"), ("chain id", "this chain is 1", "11155111")),
    "unknown token": (set_field("components", 0, "token")(NOBODY), ("YFI", "unknown token", NOBODY)),
    "token decimals": (set_field("components", 0, "decimals")(6), ("YFI", "decimals", "6", "18")),
    "feed without contract": (set_field("components", 1, "feed", "address")(NOBODY), ("COMP", "feed", NOBODY)),
    "ETH feed is no feed": (
        set_field("eth_feed", "address")("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        ("eth_feed", "does not answer", "Chainlink"),
    ),
    "weth": (set_field("weth")(NOBODY), ("weth", NOBODY)),
    "pool without contract": (set_field("components", 0, "pools", 0, "pair")(NOBODY), ("YFI", "pair", NOBODY)),
}


@pytest.mark.parametrize("name", BAD_ON_CHAIN)
def test_deploy_refuses_what_does_not_fit_the_chain(
    name: str,
    config: FundConfig,
    write_fund: WriteFund,
    account: Any,
    market: Market,
    invoke_deploy: Callable[[Path], Ran],
) -> None:
    edit, words = BAD_ON_CHAIN[name]
    raw = as_yaml(config)
    edit(raw)
    market.post_feeds()
    deal_seed(account, config)
    nonce = account.nonce
    refused(invoke_deploy(write_fund(raw)), *words)
    assert account.nonce == nonce


def test_deploy_refuses_an_account_without_tokens(
    config: FundConfig, write_fund: WriteFund, account: Any, market: Market, invoke_deploy: Callable[[Path], Ran]
) -> None:
    market.post_feeds()
    refused(invoke_deploy(write_fund(as_yaml(config))), account.address, "holds 0 wei of YFI", "for the seed")


def test_deploy_refuses_an_account_without_ether(
    config: FundConfig, write_fund: WriteFund, account: Any, market: Market, invoke_deploy: Callable[[Path], Ran]
) -> None:
    market.post_feeds()
    deal_seed(account, config)
    account.balance = 10**12
    refused(invoke_deploy(write_fund(as_yaml(config))), account.address, "0.000001 ETH", "for gas")


def test_deploy_refuses_a_stale_feed(
    config: FundConfig, write_fund: WriteFund, account: Any, market: Market, invoke_deploy: Callable[[Path], Ran]
) -> None:
    market.post_feeds()
    deal_seed(account, config)
    ape.chain.mine(deltatime=config.eth_feed.max_age + 60)
    refused(invoke_deploy(write_fund(as_yaml(config))), "eth_feed", "s old", "7200")


def test_deploy_refuses_a_bad_file(
    config: FundConfig, write_fund: WriteFund, invoke_deploy: Callable[[Path], Ran], tmp_path: Path
) -> None:
    raw = as_yaml(config)
    raw["components"][2]["supply"] = "0"
    refused(invoke_deploy(write_fund(raw)), "components[2] (SNX).supply", "'0'")
    refused(invoke_deploy(tmp_path / "none.yaml"), "none.yaml", "no such file")


def test_unreachable_rpc(run_script: Run, write_fund: WriteFund, config: FundConfig, tmp_path: Path) -> None:
    ran = run_script("status", str(write_fund(as_yaml(config))), network="ethereum:mainnet:http://127.0.0.1:9")
    assert ran.code != 0
    assert "127.0.0.1:9" in ran.errors
    assert "Traceback" not in ran.errors
