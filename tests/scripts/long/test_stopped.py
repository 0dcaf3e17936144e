"""A deployment that is stopped and run again: one fund, nothing sent twice, and a book in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ape
import pytest
from web3 import Web3

from ballast.book import Book
from ballast.deployment.creation import order
from ballast.deployment.deploy import Bill, deploy_fund
from ballast.deployment.journal import DeploymentJournal, DeploymentJournalError, alone, journal_path
from ballast.fund_file import FundConfig
from ballast.preflight import DeployError
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.replay.measure import receipts_of
from lab.testbed.funding import as_yaml, deal_seed
from scripts.book import cli as book_command
from scripts.deploy import cli as deploy_command
from tests.scripts.conftest import Invoke, Ran, WriteFund
from tests.scripts.stopping import Stopped, stopped_at, watched

COMPONENTS = 4
"""As few as a cap of 25 % allows."""


@pytest.fixture
def account(market: Market, small: FundConfig) -> Any:
    found = ape.accounts.test_accounts[3]
    market.post_feeds()
    deal_seed(found, small)
    return found


@pytest.fixture(scope="module")
def small(config: FundConfig) -> FundConfig:
    """A fund of a few components, with every kind of contract but anchors."""
    return config.model_copy(update={"components": config.components[:COMPONENTS]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.json"


Deploy = Callable[..., Book]


@pytest.fixture
def deploy(account: Any, small: FundConfig, path: Path) -> Deploy:
    def run(config: FundConfig = small, **more: Any) -> Book:
        return deploy_fund(ape.project, account, config, book_path=path, **more)

    return run


def steps_of(path: Path) -> set[tuple[str, int]]:
    """What the journal says was sent, with nonces."""
    journal = DeploymentJournal.load(journal_path(path))
    assert journal is not None
    return {(sent.step, sent.nonce) for sent in journal.sent}


def sent_by(w3: Web3, account: Any, first: int) -> tuple[int, int]:
    """The transactions of the account from a block on, and the gas of all but the seed: that takes 2,800 less in the
    second in which the index token was created, as it then writes the time that stands."""
    receipts = receipts_of(w3, account.address, first, w3.eth.block_number)
    assert all(receipt["status"] == 1 for receipt in receipts)
    return len(receipts), sum(receipt["gasUsed"] for receipt in receipts[:-1])


def uninterrupted(w3: Web3, account: Any, deploy: Deploy, path: Path) -> tuple[Book, tuple[int, int]]:
    """The book of a deployment that nothing stops, and what it sent; undone."""
    snapshot = ape.chain.snapshot()
    try:
        book = deploy()
        return book, sent_by(w3, account, book.deployed_block)
    finally:
        ape.chain.restore(snapshot)
        path.unlink(missing_ok=True)
        journal_path(path).unlink(missing_ok=True)


def test_stopped_at_every_transaction(w3: Web3, account: Any, deploy: Deploy, path: Path) -> None:
    """Before and after each reaches the node. The fund is the one that nothing stops, to the address and to the gas."""
    whole, sent = uninterrupted(w3, account, deploy, path)
    bills: list[Bill] = []
    stops = 0
    for stop in range(2 * sent[0]):
        with pytest.raises(Stopped), stopped_at(w3, 1, taken=stop % 2 == 1) as arrived:
            deploy(consent=bills.append)
        stops += len(arrived)
        assert not path.exists()
    assert stops == 2 * sent[0]
    assert deploy(consent=bills.append) == whole == Book.load(path)
    assert sent_by(w3, account, whole.deployed_block) == sent
    # Each run told what was left, and that was all that it sent; the last found all done and asked nothing.
    assert [bill.transactions for bill in bills] == [sent[0] - stop // 2 for stop in range(2 * sent[0])]
    assert [bill.gas for bill in bills] == sorted((bill.gas for bill in bills), reverse=True)
    assert deploy(consent=bills.append) == whole
    assert sent_by(w3, account, whole.deployed_block) == sent


def test_an_answer_that_is_lost(w3: Web3, account: Any, deploy: Deploy, path: Path) -> None:
    """A stop in the middle, and then the whole rest at once."""
    whole, sent = uninterrupted(w3, account, deploy, path)
    with pytest.raises(Stopped), stopped_at(w3, 9, taken=True) as arrived:
        deploy()
    assert len(arrived) == 1
    assert deploy() == whole
    assert sent_by(w3, account, whole.deployed_block) == sent


@pytest.mark.parametrize(
    ("last", "again"),
    [
        ("lens", ()),
        ("methodology", ("oracle", "posted_supply", "methodology")),
        ("index_token", ("oracle", "posted_supply", "methodology", "index_token")),
        ("rebalancer", ()),
    ],
)
def test_a_nonce_that_is_used_elsewhere(
    last: str, again: tuple[str, ...], w3: Web3, account: Any, small: FundConfig, deploy: Deploy, path: Path
) -> None:
    """After the last of them; those are deployed again that were told an address which is now another one's."""
    whole, sent = uninterrupted(w3, account, deploy, path)
    names = order(small)[: order(small).index(last) + 1]
    with pytest.raises(Stopped), stopped_at(w3, len(names), taken=True):
        deploy()
    account.transfer(ape.accounts.test_accounts[4], 1)
    book = deploy()
    assert {name for name in whole.contracts if book[name] == whole[name]} == {*names} - {*again}
    assert replace(book, contracts=whole.contracts) == whole
    assert sent_by(w3, account, whole.deployed_block)[0] == sent[0] + len(again) + 1


def test_a_nonce_that_is_taken_in_between(w3: Web3, account: Any, deploy: Deploy) -> None:
    """After it was signed, before it reaches the node."""
    taken: list[str] = []

    def steal(line: str) -> None:
        if line.startswith("oracle: transaction") and not taken:
            taken.append(line)
            account.transfer(ape.accounts.test_accounts[4], 1)

    with pytest.raises(
        DeployError, match=r"oracle: another transaction of 0x.* took nonce .* run the same command again"
    ):
        deploy(progress=steal)
    assert taken
    assert len(deploy().contracts) > 0


def test_a_nonce_that_is_used_before_the_answer(account: Any, deploy: Deploy) -> None:
    """While a person thinks about it. Nothing is sent that would land elsewhere."""
    nonce = account.nonce

    def thinks(_bill: Bill) -> None:
        account.transfer(ape.accounts.test_accounts[4], 1)

    with pytest.raises(DeployError, match=r"timelock: another transaction of 0x\w+ came between"):
        deploy(consent=thinks)
    assert account.nonce == nonce + 1
    assert deploy().contracts


def test_too_little_ether_in_the_middle(w3: Web3, account: Any, deploy: Deploy, path: Path) -> None:
    balance = account.balance

    def spend(line: str) -> None:
        if line.startswith("calendar: transaction"):
            account.balance = 10**12

    with pytest.raises(DeployError, match=r"expected at least .* ETH for its gas; send it some and run the same"):
        deploy(progress=spend)
    with pytest.raises(DeployError, match=r"holds 0\.00000\d* ETH, expected at least [\d.]+ ETH for gas \([\d,]+ at"):
        deploy()
    account.balance = balance
    before = account.nonce
    assert deploy().contracts
    assert account.nonce > before
    assert len(steps_of(path)) == len({step for step, _nonce in steps_of(path)})


def test_a_file_that_is_changed(w3: Web3, account: Any, small: FundConfig, deploy: Deploy, path: Path) -> None:
    """Before the seed what the change concerns is deployed again; afterwards it is refused, and nothing is sent."""
    with pytest.raises(Stopped), stopped_at(w3, len(order(small)), taken=True):
        deploy()
    other = small.model_copy(update={"supply_cap": small.supply_cap + 1})
    book = deploy(other)
    assert ape.project.IndexToken.at(book["index_token"]).supplyCap() == other.supply_cap
    nonce = account.nonce
    path.unlink()
    with pytest.raises(DeployError, match=f"index_token: the fund stands at {book['index_token']} with its seed, but"):
        deploy()
    assert deploy(other) == book
    assert account.nonce == nonce


def test_a_journal_of_somebody_else(account: Any, small: FundConfig, deploy: Deploy, path: Path) -> None:
    with pytest.raises(DeploymentJournalError, match="deployer is 0x"):
        DeploymentJournal(small.name, 1, ape.accounts.test_accounts[4].address, 1, 1).save(journal_path(path))
        deploy()
    journal_path(path).write_text('{"fund": "x"}')
    with pytest.raises(DeploymentJournalError, match=r"journal .*book\.journal: cannot be used"):
        deploy()


def test_one_deployment_at_a_time(account: Any, deploy: Deploy, path: Path) -> None:
    nonce = account.nonce
    with (
        alone(journal_path(path)),
        pytest.raises(DeploymentJournalError, match="another deployment is running beside it"),
    ):
        deploy()
    assert account.nonce == nonce
    assert deploy().contracts


# Without a journal


@pytest.fixture
def commands(invoke: Invoke, account: Any, small: FundConfig, write_fund: WriteFund, path: Path) -> Callable[..., Ran]:
    fund = write_fund(as_yaml(small))
    here = {"provider": ape.networks.active_provider, "fund": fund, "book_file": path}

    def run(name: str, **more: Any) -> Ran:
        if name == "deploy":
            usual = {"account": account, "unsafe": False, "another": False, "yes": True}
            return invoke(deploy_command, **{**here, **usual, **more})
        return invoke(book_command, **{**here, "deployer": None, "index": None, "block": None, **more})

    return run


def test_a_lost_book_is_written_from_the_chain(
    account: Any, deploy: Deploy, path: Path, commands: Callable[..., Ran]
) -> None:
    book = deploy()
    assert commands("book").code == 0
    path.unlink()
    assert commands("book").code == 0  # with the journal, which names the deployer
    assert Book.load(path) == book
    path.unlink()
    journal_path(path).unlink()
    assert "name it with --deployer" in commands("book").errors
    nonce = account.nonce
    refusal = commands("deploy").errors
    assert f"has deployed '{book.fund}' already, at {book['index_token']}" in refusal
    assert account.nonce == nonce
    assert "has created no index token" in commands("book", deployer=ape.accounts.test_accounts[4].address).errors
    assert commands("book", deployer=account.address).code == 0
    assert Book.load(path) == book
    replace(book, contracts={**book.contracts, "lens": book["filler"]}).save(path)
    assert "lens differ from what the chain has" in commands("book", deployer=account.address).errors


def test_a_seed_that_no_book_knows(w3: Web3, account: Any, deploy: Deploy, path: Path) -> None:
    """Stopped when the node has taken the seed; nothing is asked for and nothing is sent to write the book."""
    _, sent = uninterrupted(w3, account, deploy, path)
    with pytest.raises(Stopped), stopped_at(w3, sent[0], taken=True):
        deploy()
    assert not path.exists()
    ape.chain.mine(deltatime=10**6)  # every feed is stale by now
    nonce = account.nonce
    book = deploy()
    assert ape.project.IndexToken.at(book["index_token"]).totalSupply() > 0
    assert account.nonce == nonce


def test_a_begun_deployment_without_its_journal(
    w3: Web3, small: FundConfig, deploy: Deploy, path: Path, commands: Callable[..., Ran]
) -> None:
    with pytest.raises(Stopped), stopped_at(w3, len(order(small)), taken=True):
        deploy()
    assert "has no seed, the fund is not whole" in commands("book").errors
    journal_path(path).unlink()
    assert "was begun from" in commands("deploy").errors


# What is in no block yet


@pytest.fixture
def idle(w3: Web3) -> Iterator[HttpRpc]:
    """No blocks until one is asked for."""
    provider: Any = ape.networks.active_provider
    rpc = HttpRpc(str(provider.http_uri))
    rpc.request("evm_setAutomine", False)
    try:
        yield rpc
    finally:
        rpc.request("evm_setAutomine", True)


@pytest.mark.parametrize("case", ["waited for", "replaced", "mined while it is replaced"])
def test_one_that_is_in_no_block(case: str, w3: Web3, account: Any, deploy: Deploy, path: Path, idle: HttpRpc) -> None:
    """It is waited for; where its fee is below what is asked now, another one of its nonce takes its place.
    Whichever of the two is taken, it is the same contract."""
    with pytest.raises(Stopped), stopped_at(w3, 1, taken=True) as arrived:
        deploy()
    first = w3.eth.get_transaction(w3.keccak(hexstr=arrived[0]))
    assert first.get("blockNumber") is None
    told: list[str] = []

    def mine() -> None:
        idle.request("evm_setAutomine", True)
        idle.request("evm_mine")

    def hear(line: str) -> None:
        told.append(line)
        signed = line.startswith("timelock: transaction") and "offers" not in line
        if signed and case != "replaced":
            mine()

    # This node drops what has become too cheap; others keep it. So the fee that is asked is made to look higher.
    with watched(w3, mine, first["maxFeePerGas"] + 1 if case != "waited for" else None):
        book = deploy(progress=hear)
    assert any(("waiting for it" if case == "waited for" else "offers") in line for line in told), told
    assert ape.project.IndexToken.at(book["index_token"]).totalSupply() > 0
    assert len({nonce for _step, nonce in steps_of(path)}) == len({step for step, _nonce in steps_of(path)})
    (mined,) = w3.eth.get_block(book.deployed_block, full_transactions=True)["transactions"]
    assert isinstance(mined, Mapping) and mined["nonce"] == first["nonce"]
    assert (mined["hash"] == first["hash"]) == (case != "replaced")
    assert mined["maxFeePerGas"] * 8 >= first["maxFeePerGas"] * (9 if case == "replaced" else 8)
