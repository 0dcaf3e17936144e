"""The report of a token's largest holders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from web3 import Web3
from web3.exceptions import Web3RPCError

from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig, FundError
from ballast.units import WAD
from lab.localnet.market import Market
from lab.localnet.world import World
from lab.testbed.funding import as_yaml, deal_seed
from scripts import _holders
from scripts._holders import Holder, holders, inflows, sourced
from scripts._lockers import lockers
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.scripts.conftest import Invoke, Ran
from tests.scripts.test_scripts import refused

MILLION = 10**6


@dataclass(frozen=True)
class Scene:
    """A fund that computes UNI's supply from one locker, and three accounts that were sent some. `first`: the block
    before."""

    chain: Chain
    fund: Path
    book_file: Path
    book: Book
    token: Contract
    locker: str
    person: str
    passer: str
    first: int


@pytest.fixture(scope="module")
def scene(
    module_isolation: None, chain: Chain, world: World, config: FundConfig, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    folder = tmp_path_factory.mktemp("lockers")
    deployer = ape.accounts.test_accounts[3]
    locker, (person, passer) = (
        chain.deploy("LendingLocker", sender=deployer.address).address,
        (chain.account(name) for name in ("person", "passer")),
    )
    components = tuple(
        c.model_copy(update={"supply": None, "lockers": (locker,), "known_supply": c.supply})
        if c.symbol == "UNI"
        else c
        for c in config.components
    )
    config = config.model_copy(update={"components": components})
    fund, book_file = folder / "fund.yaml", folder / "book.json"
    fund.write_text(yaml.safe_dump(as_yaml(config), sort_keys=False), encoding="utf-8")
    Market(chain.rpc, world).post_feeds()
    deal_seed(deployer, config)
    book = deploy_fund(ape.project, deployer, config, book_path=book_file)
    token = chain.at("ReferenceToken", world.token("UNI").address)
    first = int(chain.rpc.request("eth_blockNumber"), 16) + 1
    for account, amount in ((locker, 900), (person, 700), (passer, 800)):
        chain.send(token.mint(account, amount * MILLION * WAD), person)
    # What it took in went on to the person.
    chain.send(token.transfer(person, 799 * MILLION * WAD), passer)
    return Scene(chain, fund, book_file, book, token, locker, person, passer, first)


def nothing(_: int) -> None:
    """Is told, and says nothing."""


def test_who_took_in_what(scene: Scene, w3: Web3) -> None:
    head = w3.eth.block_number
    seen: list[int] = []
    found = inflows(w3, scene.token.address, scene.first, head, seen.append)
    millions = {account: amount // (MILLION * WAD) for account, amount in found.items()}
    assert millions == {scene.locker: 900, scene.person: 1_499, scene.passer: 1}
    assert list(found) == [scene.person, scene.locker, scene.passer]
    assert seen[-1] == head


def test_balances_and_kinds(scene: Scene, w3: Web3) -> None:
    accounts = (scene.passer, scene.locker, scene.person, "0x" + "7b" * 20)
    found = holders(w3, scene.token.address, accounts, w3.eth.block_number, nothing)
    assert [(h.account, h.balance // (MILLION * WAD), h.is_contract) for h in found] == [
        (scene.person, 1_499, False),
        (scene.locker, 900, True),
        (scene.passer, 1, False),
    ]
    # An account with a key that has named a contract for itself is no contract.
    scene.chain.cheats.set_code(scene.person, bytes.fromhex("ef0100" + "11" * 20))
    (delegated,) = holders(w3, scene.token.address, [scene.person], w3.eth.block_number, nothing)
    assert delegated == Holder(scene.person, found[0].balance, False)


def test_a_node_that_limits_spans_is_asked_for_less(scene: Scene, w3: Web3, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = _holders._transfers

    def limited(node: Web3, token: str, first: int, last: int) -> Any:
        asked.append(last - first + 1)
        if last - first + 1 > 2:
            raise Web3RPCError("block range is too large")
        return original(node, token, first, last)

    head = w3.eth.block_number
    whole = inflows(w3, scene.token.address, scene.first - 30, head, nothing)
    monkeypatch.setattr(_holders, "_transfers", limited)
    assert inflows(w3, scene.token.address, scene.first - 30, head, nothing) == whole
    assert max(asked) > 2, "nothing was refused"

    def refusing(*_: Any) -> Any:
        raise Web3RPCError("too many results")

    monkeypatch.setattr(_holders, "_transfers", refusing)
    with pytest.raises(FundError, match="take a node that answers more"):
        inflows(w3, scene.token.address, scene.first, head, nothing)


def test_it_remembers_so_many_accounts_only(scene: Scene, w3: Web3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that took in most stay."""
    monkeypatch.setattr(_holders, "MAX_ACCOUNTS", 1)
    monkeypatch.setattr(_holders, "CHUNK", 1)
    found = inflows(w3, scene.token.address, scene.first, w3.eth.block_number, nothing)
    assert 0 < len(found) <= 2
    assert scene.locker in found
    monkeypatch.setattr(_holders, "MAX_BALANCES", 1)
    assert len(inflows(w3, scene.token.address, scene.first, w3.eth.block_number, nothing)) == 1


def test_sourced_lockers() -> None:
    assert sourced("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984")["0x1a9C8182C09F50C8318d769245beA52c32BE35BC"]
    assert sourced("0x" + "7b" * 20) == {}


Reports = Callable[..., tuple[Ran, str]]


@pytest.fixture
def reports(
    scene: Scene, invoke: Invoke, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Reports:
    """Reports UNI's holders; how it ended, and what it wrote, in one line."""
    monkeypatch.setenv("COLUMNS", "200")
    here = {"provider": ape.networks.active_provider, "fund": scene.fund, "book_file": scene.book_file}

    def run(**more: Any) -> tuple[Ran, str]:
        capsys.readouterr()
        usual = {"token": "UNI", "from_block": None, "blocks": 1_000, "top": 20}
        ran = invoke(lockers, **{**here, **usual, **more})
        return ran, " ".join(capsys.readouterr().out.split())

    return run


def test_the_report(scene: Scene, reports: Reports) -> None:
    ran, out = reports()
    assert ran.code == 0, ran.errors
    total = scene.chain.read(scene.token.totalSupply())
    places = [out.index(account) for account in (scene.person, scene.locker, scene.passer)]
    assert places == sorted(places)
    line = out[places[1] :].split("│", 5)
    assert [line[place].strip() for place in (1, 3, 4)] == ["900,000,000", "contract", "yes"]
    share = 900 * MILLION * WAD * 10_000 // total
    assert f"{share // 100}.{share % 100:02d} %" in line[2]
    assert f"1 lockers hold {share // 100}.{share % 100:02d} %" in out
    assert "this fund" in out
    assert scene.passer not in reports(top=2)[1]


def test_what_cannot_be_reported(scene: Scene, reports: Reports, w3: Web3) -> None:
    refused(reports(token="DOGE")[0], "'DOGE': unknown")
    refused(reports(from_block=w3.eth.block_number + 1)[0], "from-block: found", "at most the latest block")
