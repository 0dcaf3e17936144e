"""A month's supplies posted from the command line, and what is refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from eth_utils import to_checksum_address

from ballast.book import Book
from ballast.cli import open_fund
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig, FundError
from ballast.units import DAY_S
from lab.localnet.market import Market
from lab.localnet.world import World
from lab.testbed.funding import as_yaml, deal_seed
from lab.testbed.loopback import serving
from scripts import _supplies
from scripts._supplies import text_of
from scripts.supplies import cli as supplies
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.scripts.conftest import Invoke, Ran, Run
from tests.scripts.test_scripts import refused

POSTER = "TEST::4"
STRANGER = to_checksum_address("0x" + "7b" * 20)
"""Nobody's token."""


@dataclass(frozen=True)
class Scene:
    """A fund whose first month was started and ended, and its poster."""

    chain: Chain
    world: World
    fund: Path
    book_file: Path
    book: Book
    deployer: Any
    poster: Any
    rebalancer: Contract
    posted: Contract
    methodology: Contract

    def standing(self, symbol: str) -> tuple[int, int]:
        supply, date = self.chain.read(self.posted.supply(self.token(symbol)))
        return supply, date

    def token(self, symbol: str) -> str:
        return self.world.token(symbol).address

    def next(self) -> None:
        """To what the fund waits for, with fresh prices."""
        self.chain.move_to(self.chain.read(self.rebalancer.workable(), at=self.chain.now() + 1)[2])
        Market(self.chain.rpc, self.world).post_feeds()

    def rows(self, *changed: tuple[str, int]) -> list[tuple[str, int]]:
        """Supplies of some tokens: what stands, in hundredths."""
        return [(symbol, self.standing(symbol)[0] * part // 100) for symbol, part in changed]


@pytest.fixture(scope="module")
def scene(
    module_isolation: None, chain: Chain, world: World, config: FundConfig, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    folder = tmp_path_factory.mktemp("supplies")
    deployer, poster = (ape.accounts.test_accounts[i] for i in (3, 4))
    roles = config.roles.model_copy(update={"poster": poster.address})
    config = config.model_copy(update={"roles": roles})
    fund, book_file = folder / "fund.yaml", folder / "book.json"
    fund.write_text(yaml.safe_dump(as_yaml(config), sort_keys=False), encoding="utf-8")
    Market(chain.rpc, world).post_feeds()
    deal_seed(deployer, config)
    book = deploy_fund(ape.project, deployer, config, book_path=book_file)
    made = {name: chain.at(kind, book[name]) for name, kind in _CONTRACTS.items()}
    rebalancer, guardian = made["rebalancer"], chain.impersonate(deployer.address)
    parts = rebalancer, made["posted_supply"], made["methodology"]
    whole = Scene(chain, world, fund, book_file, book, deployer, poster, *parts)
    whole.next()
    chain.send(rebalancer.determine(), guardian)
    whole.next()
    chain.send(rebalancer.start(), guardian)
    chain.send(rebalancer.endMonth(), guardian)
    return whole


_CONTRACTS = {"rebalancer": "Rebalancer", "posted_supply": "PostedSupply", "methodology": "MarketCap"}

Posts = Callable[..., tuple[Ran, str]]


@pytest.fixture
def posts(
    scene: Scene, invoke: Invoke, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Posts:
    """Posts these supplies as of now, as the poster; how it ended, and what it wrote, in one line."""
    monkeypatch.setenv("COLUMNS", "200")
    here = {"provider": ape.networks.active_provider, "fund": scene.fund, "book_file": scene.book_file}

    def run(rows: list[tuple[str, int]], *, date: int | None = None, **more: Any) -> tuple[Ran, str]:
        path = tmp_path / "list.csv"
        dated = scene.chain.now() if date is None else date
        path.write_text("token,supply,date\n" + "".join(f"{name},{supply},{dated}\n" for name, supply in rows))
        capsys.readouterr()
        usual = {"source": str(path), "account": scene.poster, "dry": False, "yes": True}
        ran = invoke(supplies, **{**here, **usual, **more})
        return ran, " ".join(capsys.readouterr().out.split())

    return run


def nonces(scene: Scene) -> list[int]:
    return [scene.chain.nonce(account.address) for account in (scene.poster, scene.deployer)]


def test_a_list_is_posted_in_one_transaction_and_can_be_run_again(
    scene: Scene, run_script: Run, tmp_path: Path
) -> None:
    wanted = scene.rows(("UNI", 99), ("COMP", 98))
    date = scene.chain.now()
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"token": s, "supply": n, "date": date} for s, n in wanted]))
    before, blocks = nonces(scene), scene.chain.read(scene.posted.supply(scene.token("AAVE")))
    arguments = (str(scene.fund), "--book", str(scene.book_file), "--from", str(path), "--yes")
    ran = run_script("supplies", *arguments, "--account", POSTER)
    assert ran.code == 0, ran.errors
    assert [scene.standing(symbol) for symbol, _ in wanted] == [(supply, date) for _, supply in wanted]
    assert scene.chain.read(scene.posted.supply(scene.token("AAVE"))) == blocks
    assert nonces(scene) == [before[0] + 1, before[1]]
    for word in ("UNI", "-1.00 %", "-2.00 %", "0 days", "ok", "posted 2 supplies", scene.poster.address):
        assert word in ran.out, ran.out
    again = run_script("supplies", *arguments)
    assert again.code == 0, again.errors
    assert "nothing to post: all of them stand" in again.out
    assert nonces(scene) == [before[0] + 1, before[1]]


def test_a_dry_run_needs_no_account_and_sends_nothing(scene: Scene, posts: Posts) -> None:
    before = nonces(scene)
    ran, out = posts(scene.rows(("UNI", 99)), dry=True, account=None)
    assert (ran.code, nonces(scene)) == (0, before), ran.errors
    assert "ok" in out
    ran, _ = posts(scene.rows(("UNI", 110)), dry=True, account=None)
    refused(ran, "1 of 1 cannot be posted (UNI: above the 523,687,372 that exist)")
    ran, _ = posts(scene.rows(("UNI", 200)), dry=True, account=None)
    refused(ran, "1 of 1 cannot be posted (UNI: expected")


def test_what_cannot_be_posted_is_one_line_and_nothing_is_sent(scene: Scene, posts: Posts) -> None:
    chain, before, (uni, dated) = scene.chain, nonces(scene), scene.standing("UNI")
    mixed = scene.rows(("COMP", 100), ("UNI", 126), ("AAVE", 74))
    ran, out = posts(mixed)
    refused(ran, "supplies: 2 of 3 cannot be posted (UNI: expected", "AAVE: expected", "nothing was sent")
    assert "ok" in out, "the table shows those that fit"
    refused(posts([("UNI", uni)], date=dated - 1)[0], "UNI: older than the one that stands")
    refused(posts([("UNI", uni)], date=chain.now() + DAY_S)[0], "UNI: dated in the future")
    refused(posts([("DOGE", 5)])[0], "'DOGE' is no candidate, the fund has", "leave it out")
    refused(posts([(STRANGER, 5)])[0], "is no candidate")
    refused(posts([("UNI", uni), (scene.token("UNI"), uni)])[0], "UNI stands there twice")
    assert nonces(scene) == before


def test_what_it_reads_of_each_candidate(scene: Scene) -> None:
    provider: Any = ape.networks.active_provider
    found = _supplies.read(ape.project, open_fund(ape.project, provider, scene.fund, scene.book_file))
    rows = {row.token: row for row in scene.chain.read(scene.methodology.candidates())}
    assert found.standings.keys() == rows.keys()
    for token, standing in found.standings.items():
        contract = scene.chain.at("ReferenceToken", token)
        one = 10 ** scene.chain.read(contract.decimals())
        assert standing.total == scene.chain.read(contract.totalSupply()) // one
        assert (standing.supply, standing.date) == scene.chain.read(scene.posted.supply(token))
        assert standing.confirmed == standing.supply, "nothing was posted since the month started"
        assert standing.posted
    assert found.terms.determination == scene.chain.read(scene.rebalancer.workable(), at=scene.chain.now())[2]


def test_who_may_not(scene: Scene, posts: Posts) -> None:
    rows, before = scene.rows(("UNI", 99)), nonces(scene)
    ran, _ = posts(rows, account=scene.deployer)
    refused(ran, f"account {scene.deployer.address}: is not the poster, expected {scene.poster.address}", "setPoster")
    refused(posts(rows, account=None)[0], "account: none given", scene.poster.address, "--account")
    owner = scene.chain.impersonate(scene.book["timelock"])
    scene.chain.send(scene.posted.setPoster("0x" + "00" * 20), owner)
    refused(posts(rows)[0], "the fund has no poster", "setPoster")
    assert nonces(scene) == before


def test_posted_already(scene: Scene, posts: Posts) -> None:
    ran, _ = posts(scene.rows(("UNI", 99)))
    assert ran.code == 0, ran.errors
    before = nonces(scene)
    refused(posts(scene.rows(("UNI", 98)), date=scene.chain.now() + 0)[0], "has posted it for the coming determination")
    assert nonces(scene) == before


def test_a_month_is_open(scene: Scene, posts: Posts) -> None:
    guardian, before = scene.chain.impersonate(scene.deployer.address), nonces(scene)[0]
    rows = scene.rows(("UNI", 80))
    scene.next()
    scene.chain.send(scene.rebalancer.determine(), guardian)
    refused(posts(rows)[0], "a month is determined: the poster posts when it has ended", "nothing was sent")
    scene.next()
    scene.chain.send(scene.rebalancer.start(), guardian)
    refused(posts(rows)[0], "a month is trading: the poster posts when it has ended", "nothing was sent")
    assert nonces(scene)[0] == before
    scene.chain.send(scene.rebalancer.endMonth(), scene.chain.impersonate(scene.book["timelock"]))
    assert posts(rows)[0].code == 0


def test_too_old_for_the_next_determination(scene: Scene, posts: Posts) -> None:
    uni, dated = scene.standing("UNI")
    max_age = scene.chain.read(scene.methodology.rule()).maxSupplyAge
    scene.chain.move_to(dated + max_age + 10 * DAY_S)
    Market(scene.chain.rpc, scene.world).post_feeds()
    now = scene.chain.now()
    refused(posts([("UNI", uni)], date=now - max_age - 1)[0], "UNI: older than 100 days at the next determination")
    assert posts([("UNI", uni)], date=now - max_age + DAY_S)[0].code == 0


def test_books_of_other_funds(scene: Scene, posts: Posts, tmp_path: Path) -> None:
    contracts = {k: v for k, v in scene.book.contracts.items() if k != "posted_supply"}
    other = tmp_path / "other.json"
    replace(scene.book, contracts=contracts).save(other)
    refused(posts(scene.rows(("UNI", 99)), book_file=other)[0], "names no posted_supply")
    replace(scene.book, contracts={**contracts, "posted_supply": scene.book["lens"]}).save(other)
    refused(posts(scene.rows(("UNI", 99)), book_file=other)[0], "knows no poster", "the timelock posts")


# Where a list comes from


class Answers(BaseHTTPRequestHandler):
    """Serves a list, one that is too long, a redirection, and nothing."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.send_response({"/list": 200, "/long": 200, "/moved": 302}.get(path, 404))
        self.send_header("Location", "/list")
        self.end_headers()
        self.wfile.write(b"a" * (_supplies.MAX_BYTES + 1) if path == "/long" else b"token,supply,date\n")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with serving(Answers) as url:
        yield url


def test_a_list_over_http(server: str) -> None:
    assert text_of(f"{server}/list") == "token,supply,date\n"
    for path, words in {"long": "longer than", "moved": "answers 302", "none": "answers 404"}.items():
        with pytest.raises(FundError, match=words):
            text_of(f"{server}/{path}?key=secret")


@pytest.mark.parametrize(
    "url", ["http://example.org/list", "ftp://127.0.0.1/list", "file:///etc/hosts", "https:///list", "http://[/x"]
)
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(FundError, match=r"expected https://\.\.\., or http:// on this machine"):
        text_of(url)


def test_an_address_s_secret_is_not_shown(server: str) -> None:
    with pytest.raises(FundError) as told:
        text_of(f"{server.replace('//', '//me:word@')}/none?key=secret")
    assert "word" not in str(told.value)
    assert "secret" not in str(told.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FundError, match="No such file"):
        text_of(str(tmp_path / "none.csv"))
    long = tmp_path / "long.csv"
    long.write_bytes(b"a" * (_supplies.MAX_BYTES + 1))
    with pytest.raises(FundError, match="longer than"):
        text_of(str(long))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(FundError, match="no text in UTF-8"):
        text_of(str(binary))


def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setattr(_supplies, "WHOLE_S", -1)
    with pytest.raises(FundError, match="takes more than"):
        text_of(f"{server}/list")
