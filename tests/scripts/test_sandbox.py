"""`ape run sandbox up` on an empty chain with Sepolia's number: ordinary transactions of one account, and no fork."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ape
import click
import pytest
import yaml
from eth_abi import encode
from web3 import Web3

from ballast.abi import call_data
from ballast.book import Book
from ballast.build import ROOT
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.fund_file import load_fund, read_texts
from ballast.networks.exchanges import exchanges_of
from ballast.networks.presets import Exchange, network_of
from ballast.networks.rollups import GAS_PRICE_ORACLE
from ballast.packages import creation_code
from ballast.units import ETHER, GWEI
from lab.localnet.anvil import Cheats, anvil
from lab.localnet.rpc import HttpRpc, send
from lab.replay.measure import receipts_of
from sandbox import gas
from sandbox.book import SandboxBook
from sandbox.errors import SandboxError
from sandbox.plan import Plan, load_plan, parse_plan
from sandbox.uniswap import router_code
from sandbox.up import Bill, Files, sandbox_up
from scripts.mint import cli as mint
from scripts.sandbox import claim
from tests.scripts.conftest import Invoke, Ran
from tests.scripts.stopping import Stopped, stopped_at
from tests.scripts.terminal import terminal

FILE = ROOT / "funds" / "sandbox.yaml"
SEPOLIA = 11_155_111
BASE_SEPOLIA = 84_532
FIRST = 1_790_000_000
COMPONENTS = 4
"""As few as a cap of 25 % allows."""


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Ape's account there."""
    with ape.networks.parse_network_choice(url):
        yield ape.accounts.test_accounts[3]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with anvil(chain_id=SEPOLIA, timestamp=FIRST) as found:
        yield found


@pytest.fixture
def account(url: str) -> Iterator[Any]:
    """On the empty chain. What a test does to it is undone."""
    rpc = HttpRpc(url)
    snapshot = rpc.request("evm_snapshot")
    with connected(url) as found:
        try:
            yield found
        finally:
            rpc.request("evm_revert", snapshot)
            rpc.close()


@pytest.fixture(scope="module")
def whole() -> Plan:
    return load_plan(FILE)


def few() -> Any:
    """The file with so few components, a token of 8 decimals among them."""
    raw: Any = read_texts(FILE, "sandbox")
    raw["components"] = [*raw["components"][:2], *raw["components"][7:9]]
    for component, held in zip(raw["components"], ("40 %", "30 %", "20 %", "10 %"), strict=True):
        component["held"] = held
    raw["components"][2]["decimals"] = "8"
    return raw


Up = Callable[..., SandboxBook]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "sandbox.json")


@pytest.fixture
def up(account: Any, files: Files) -> Up:
    plan = parse_plan(few())

    def run(plan: Plan = plan, bills: list[Bill] | None = None, progress: Any = lambda _text: None) -> SandboxBook:
        consent = (lambda _bill: None) if bills is None else bills.append
        return sandbox_up(
            ape.project, account, plan, files, progress=progress, warn=lambda _text: None, consent=consent
        )

    return run


def sent_by(account: Any) -> list[Any]:
    w3 = account.provider.web3
    return receipts_of(w3, account.address, 1, w3.eth.block_number)


def test_a_whole_sandbox(whole: Plan, account: Any, files: Files, up: Up) -> None:
    """What it says beforehand is what it takes; what stands is a fund like any other."""
    bills: list[Bill] = []
    book = up(whole, bills)
    receipts = sent_by(account)
    used = sum(receipt["gasUsed"] for receipt in receipts)
    assert [bill.transactions for bill in bills] == [len(receipts)]
    assert used <= bills[0].gas <= used * (100 + gas.MARGIN) // 100
    assert bills[0].gas <= gas.MOST and bills[0].gas * 3 * GWEI < ETHER // 4
    assert len(whole.components) == 10
    assert max(receipt["gasUsed"] for receipt in receipts) < 2**24

    assert SandboxBook.load(files.sandbox) == book
    config, fund = load_fund(files.fund), Book.load(files.fund_book)
    assert config.chain_id == fund.chain_id == SEPOLIA
    assert fund.weth == book.numeraire.token
    index, rebalancer = ape.project.IndexToken.at(fund["index_token"]), ape.project.Rebalancer.at(fund["rebalancer"])
    assert index.totalSupply() == config.seed_shares
    for component in config.seeded():
        held = ape.project.SandboxToken.at(component.token).balanceOf(index.address)
        assert held == -(-component.seed_unit * config.seed_shares // 10**18)
    zap, feed = ape.project.Zap.at(fund["zap"]), ape.project.NavFeed.at(fund["nav_feed"])
    assert (zap.WETH(), zap.UNISWAP_V2()) == (book.numeraire.token, book.factory)
    exchanges = exchanges_of(SEPOLIA, fund.uniswap_v2_factory)
    assert exchanges is not None and exchanges.uniswap_v2 == book.factory
    # {USD} with 8 decimals: the share's price, to what rounding to whole token wei leaves
    assert 0 <= whole.share_price // 10**10 - feed.latestRoundData().answer <= 10
    supply = ape.project.LockedSupply.at(fund["locked_supply"])
    for planned, asset in zip(whole.components, book.components, strict=True):
        if planned.locked is not None:
            assert supply.supply(asset.token)[0] == planned.supply
    assert ape.project.Upkeep.at(fund["upkeep"]).checkUpkeep(b"")[0], "its first period can be determined"
    assert rebalancer.guardian() == account.address

    # Again: nothing is asked, nothing is sent.
    assert up(whole, bills) == book
    assert len(bills) == 1 and len(sent_by(account)) == len(receipts)


@pytest.mark.parametrize("taken", [False, True], ids=["before", "after"])
def test_stopped_and_run_again(taken: bool, account: Any, files: Files, up: Up) -> None:
    """Before or after the node has taken the transaction: market, listing, pools, a contract of the fund, the seed."""
    w3, bills = account.provider.web3, list[Bill]()
    for number in (2, 1, 2, 3, 12):
        with pytest.raises(Stopped), stopped_at(w3, number, taken=taken) as arrived:
            up(bills=bills)
        assert len(arrived) == 1
        assert not files.sandbox.exists()
    book = up(bills=bills)
    receipts = sent_by(account)
    assert all(receipt["status"] == 1 for receipt in receipts)
    # Each run told what was left; no step is in a block twice.
    assert [bill.transactions for bill in bills] == sorted((bill.transactions for bill in bills), reverse=True)
    assert bills[0].transactions == len(receipts)
    journals = [DeploymentJournal.load(journal_path(path)) for path in (files.sandbox, files.fund_book)]
    steps = [sent for journal in journals if journal is not None for sent in journal.sent]
    assert len({sent.step for sent in steps}) == len({sent.nonce for sent in steps}) == len(receipts)
    assert not bills[0].begun and bills[-1].begun
    assert up() == book and len(sent_by(account)) == len(receipts)


def dress(url: str, factory: str) -> None:
    """Puts a factory, with a pair, and Uniswap's router where Sepolia is known to have them."""
    known, rpc = network_of(SEPOLIA).uniswap_v2, HttpRpc(url)
    assert known is not None
    me, cheats = rpc.request("eth_accounts")[0], Cheats(rpc)
    for address, code in (
        (known.factory, creation_code(factory) + encode(["address"], [me])),
        (known.router, router_code(known.factory, me)),
    ):
        at = send(rpc, me, None, "0x" + code.hex(), gas=10**7)["contractAddress"]
        cheats.set_code(address, bytes.fromhex(rpc.request("eth_getCode", at, "latest")[2:]))
    send(
        rpc, me, known.factory, call_data("createPair(address,address)", "0x" + "11" * 20, "0x" + "22" * 20), gas=10**7
    )
    rpc.close()


@pytest.mark.parametrize("package", ["uniswap", "sushiswap"])
def test_where_the_chain_has_a_factory(package: str, account: Any, files: Files, up: Up, url: str) -> None:
    """Uniswap's own is used. One whose pairs have another code is not: a zap would not find them."""
    sources = {"uniswap": "@uniswap/v2-core/build", "sushiswap": "@sushiswap/core/deployments/mainnet"}
    dress(url, f"{sources[package]}/UniswapV2Factory.json")
    bills: list[Bill] = []
    book = up(bills=bills)
    own = package == "sushiswap"
    assert bills[0].own_exchange is own and bills[0].transactions == len(sent_by(account))
    assert (Exchange(book.factory, book.router) == network_of(SEPOLIA).uniswap_v2) is not own
    zap = ape.project.Zap.at(Book.load(files.fund_book)["zap"])
    assert zap.UNISWAP_V2() == book.factory


@pytest.mark.parametrize("stale", [False, True], ids=["prices young", "prices stale"])
@pytest.mark.parametrize("dear", [False, True], ids=["it is waited for", "it offers too little"])
def test_stopped_while_a_transaction_of_the_fund_is_pending(
    stale: bool, dear: bool, account: Any, files: Files, up: Up, url: str
) -> None:
    """It is the sandbox's own: waited for, or replaced where it offers less than blocks ask by now."""
    w3, rpc = account.provider.web3, HttpRpc(url)
    with pytest.raises(Stopped), stopped_at(w3, 8, taken=False) as arrived:
        up()
    rpc.request("evm_setAutomine", False)
    try:
        pending = Web3.to_hex(w3.eth.send_raw_transaction(arrived[0]))
        if dear:
            rpc.request("anvil_setNextBlockBaseFeePerGas", hex(1_000 * GWEI))
            if stale:
                rpc.request("evm_setNextBlockTimestamp", FIRST + 10**6)
            rpc.request("evm_mine")
            rpc.request("evm_setAutomine", True)
        elif stale:
            rpc.request("evm_setNextBlockTimestamp", FIRST + 10**6)
        waited: list[str] = []

        def progress(text: str) -> None:
            if text.endswith("was sent before, waiting for it"):
                waited.append(text)
                rpc.request("evm_mine")
                rpc.request("evm_setAutomine", True)

        up(progress=progress)
    finally:
        rpc.request("evm_setAutomine", True)
        rpc.close()
    assert len(waited) == (not dear)
    receipts = sent_by(account)
    assert all(receipt["status"] == 1 for receipt in receipts)
    assert (pending in [Web3.to_hex(receipt["transactionHash"]) for receipt in receipts]) is not dear
    assert Book.load(files.fund_book)["timelock"]


def test_prices_that_are_stale_after_a_long_stop(account: Any, files: Files, up: Up, url: str) -> None:
    w3 = account.provider.web3
    with pytest.raises(Stopped), stopped_at(w3, 6, taken=False):
        up()
    rpc = HttpRpc(url)
    rpc.request("evm_setNextBlockTimestamp", FIRST + 10**6)
    rpc.request("evm_mine")
    rpc.close()
    lines, bills, before = list[str](), list[Bill](), len(sent_by(account))
    book = up(progress=lines.append, bills=bills)
    assert len([line for line in lines if line.startswith("post: transaction")]) == 1
    assert [bill.transactions for bill in bills] == [len(sent_by(account)) - before]
    fund = Book.load(files.fund_book)
    assert ape.project.NavFeed.at(fund["nav_feed"]).latestRoundData().answer > 0
    assert ape.project.SandboxMarket.at(book.market).latest(0).round == 2


def test_too_little_ether_is_said_before_anything_is_sent(account: Any, files: Files, up: Up, url: str) -> None:
    rpc = HttpRpc(url)
    Cheats(rpc).set_balance(account.address, 10**15)
    rpc.close()
    with pytest.raises(
        SandboxError, match=r"holds 0\.001 ETH, expected at least [\d.]+ ETH for gas \([\d,]+ at .*fauc"
    ):
        up()
    assert sent_by(account) == []
    assert not journal_path(files.sandbox).exists()


def test_on_a_rollup_the_bill_has_the_fee_for_data(tmp_path: Path) -> None:
    plan, fee, files = parse_plan(few()), 10**13, Files(tmp_path / "sandbox.json")

    def bill(account: Any) -> Bill:
        bills: list[Bill] = []

        def no(told: Bill) -> None:
            bills.append(told)
            raise click.Abort

        quiet: Callable[[str], None] = lambda _text: None  # noqa: E731
        with pytest.raises(click.Abort):
            sandbox_up(ape.project, account, plan, files, progress=quiet, warn=quiet, consent=no)
        return bills[0]

    with anvil(chain_id=BASE_SEPOLIA, timestamp=FIRST) as url, connected(url) as account:
        w3, rpc = account.provider.web3, HttpRpc(url)
        without, price = bill(account), w3.eth.gas_price
        # PUSH32 fee, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: whatever is asked
        Cheats(rpc).set_code(GAS_PRICE_ORACLE, bytes.fromhex(f"7f{fee:064x}5f5260205ff3"))
        rpc.close()
        found = bill(account)
        # Each transaction but the 4 approvals and the seed.
        assert found.transactions == without.transactions
        assert found.gas - without.gas == (without.transactions - COMPONENTS - 1) * -(-fee // price) > 0
        assert found.wei == found.gas * price
        assert account.nonce == 0


def test_a_file_that_is_changed_in_between(account: Any, up: Up) -> None:
    """What would be another market is refused; nothing is sent."""
    w3, raw = account.provider.web3, few()
    with pytest.raises(Stopped), stopped_at(w3, 4, taken=False):
        up()
    count = len(sent_by(account))
    raw["components"][0]["supply"] = "600000000"
    with pytest.raises(SandboxError, match=r"list: stands, but file or contracts have changed since"):
        up(parse_plan(raw))
    assert len(sent_by(account)) == count
    raw = few()
    raw["fund"]["limits"]["batch_cap"] = "4 %"  # not of the market
    assert up(parse_plan(raw)).components


def test_a_market_that_is_not_the_books(account: Any, files: Files, up: Up) -> None:
    book = up()
    raw = json.loads(files.sandbox.read_text())
    raw["components"][0]["feed"] = book.components[1].feed
    files.sandbox.write_text(json.dumps(raw))
    with pytest.raises(SandboxError, match=r"feed\(uint256\) is 0x\w+, the sandbox book says 0x\w+"):
        up()


def test_chains_that_are_no_test_networks(w3: Web3, whole: Plan, files: Files) -> None:
    """The fork that the tests stand on has mainnet's number."""
    account = ape.accounts.test_accounts[3]
    nonce = account.nonce
    with pytest.raises(SandboxError, match=r"chain id: found 1, expected a test network: one of .*11155111"):
        sandbox_up(
            ape.project, account, whole, files, progress=print, warn=print, consent=lambda _bill: pytest.fail("asked")
        )
    assert account.nonce == nonce
    assert not files.sandbox.parent.joinpath("sandbox-sandbox.journal").exists()


def test_the_command(
    url: str,
    account: Any,
    invoke: Invoke,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a person runs it: one question, and a few lines of what stands where and what comes next."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(few(), sort_keys=False))
    book = tmp_path / "box.json"
    command = ["ape", "run", "sandbox", "up", str(plan), "--rpc", url, "--account", "TEST::3", "--book", str(book)]
    with terminal(command, dict(os.environ)) as shell:
        shell.answer("Send them? [y/N]", "n")
        assert shell.end() == 1
    assert sent_by(account) == []
    with terminal(command, dict(os.environ)) as shell:
        shell.answer("Send them? [y/N]", "y")
        assert shell.end() == 0, shell.shown
    shown = " ".join(shell.shown.split())
    found = SandboxBook.load(book.with_name("box-sandbox.json"))
    assert "4 test tokens with feeds and pools" in shown and "Uniswap V2 too" in shown
    for address in (found.market, found.numeraire.token, Book.load(book)["index_token"]):
        assert f"https://sepolia.etherscan.io/address/{address}" in shown
    assert found.components[-1].pair in shown
    assert "market: transaction https://sepolia.etherscan.io/tx/0x" in shown
    assert f"--book {book.with_name('box-sandbox.json')}" in shown and "python -m sandbox market" in shown

    here: dict[str, Any] = {"provider": account.provider, "account": ape.accounts.test_accounts[4], "book_file": book}
    usual: dict[str, Any] = {"receiver": None, "spend": None, "slippage": None, "deadline": "20 min", "yes": True}
    monkeypatch.setenv("COLUMNS", "200")

    def mints(pay: str, *, dry: bool = False) -> Ran:
        fund = book.with_suffix(".yaml")
        return invoke(mint, fund=fund, shares="1", pay=pay, dry=dry, **here, **usual)

    assert "; claim it, once a day, with `ape run sandbox claim`" in mints("weth").errors
    ways = ["--rpc", url, "--book", str(book), "--account", "TEST::4", "--yes"]
    with terminal(["ape", "run", "sandbox", "claim", str(plan), *ways], dict(os.environ)) as shell:
        assert shell.end() == 0, shell.shown
    assert "33.333333333333333333 tUNI" in shell.shown
    assert "claim: transaction https://sepolia.etherscan.io/tx/0x" in shell.shown
    with terminal(["ape", "run", "sandbox", "status", str(plan)], dict(os.environ)) as shell:
        assert shell.end() == 1
    assert "name the sandbox's node with --rpc" in " ".join(shell.shown.split())
    before = account.provider.web3.eth.block_number
    again = invoke(claim, plan=plan, receiver=None, yes=True, **here)
    assert again.code == 1 and "every faucet gave" in again.errors
    assert account.provider.web3.eth.block_number == before
    assert "in place of WETH wraps no ether; take tETH" in mints("eth").errors
    capsys.readouterr()
    for name in ("weth", "tETH"):
        ran, out = mints(name, dry=True), capsys.readouterr().out
        assert ran.code == 0 and "tETH" in out and "WETH" not in out, ran.errors
