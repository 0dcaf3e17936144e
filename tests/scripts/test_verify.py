"""`ape run verify`: sources of a deployed fund, handed in to a stand-in that compiles and compares with the chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from web3 import Web3

from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.fund_file import FundConfig
from ballast.verification import compiler_input
from ballast.verification.compiler_input import SourceError, compiled, made_by, standard_input
from ballast.verification.creation_transactions import creations
from ballast.verification.services import Etherscan, Job, Sourcify, Verdict, verify
from lab.localnet.market import Market
from lab.localnet.world import World
from lab.testbed.funding import as_yaml, deal_seed
from scripts.verify import cli as verify_command
from tests.helpers.verifier import KEY, MISMATCH, Compiler, StandIn, standing_in
from tests.scripts.conftest import Invoke, Run

SMALL = ("v3_lens", "fee_split", "nav_feed", "timelock")
"""Contracts of few sources, of which the fund has some."""


@dataclass(frozen=True)
class Scene:
    """A fund that stands, and the stand-in of both servers."""

    w3: Web3
    fund: Path
    book_path: Path
    book: Book
    server: StandIn
    compiler: Compiler

    @property
    def urls(self) -> tuple[str, ...]:
        return "--etherscan-url", self.server.url + "/api", "--sourcify-url", self.server.url, "--poll", "0.01"


def arguments_by_hash(w3: Web3) -> Any:
    """Sourcify's way: what stands behind the compiled code in the transaction."""
    contracts = compiled()

    def found(_given: Any, identifier: str, digest: str) -> str:
        sent = bytes(w3.eth.get_transaction(digest)["input"])  # type: ignore[arg-type]
        (own,) = [one for one in contracts if one.identifier == identifier]
        return sent[len(own.creation) :].hex()

    return found


@pytest.fixture(scope="module")
def scene(config: FundConfig, w3: Web3, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("verify")
    account = ape.accounts.test_accounts[3]
    Market(w3, world).post_feeds()
    deal_seed(account, config)
    book_path = folder / "book.json"
    book = deploy_fund(ape.project, account, config, book_path=book_path)
    fund = folder / "fund.yaml"
    fund.write_text(yaml.safe_dump(as_yaml(config), sort_keys=False), encoding="utf-8")
    compiler = Compiler(w3)
    with standing_in(compiler, arguments=arguments_by_hash(w3)) as server:
        yield Scene(w3, fund, book_path, book, server, compiler)


def job_of(scene: Scene, name: str) -> Job:
    creation = creations(scene.w3, scene.book, DeploymentJournal.load(journal_path(scene.book_path)))[name]
    contract = made_by(creation.code, compiled())
    assert contract is not None
    arguments = creation.code[len(contract.creation) :]
    given = standard_input(contract)
    return Job(1, scene.book[name], contract.identifier, contract.compiler, given, arguments, creation.hash)


def test_every_creation_is_found_with_and_without_the_journal(scene: Scene) -> None:
    journal = DeploymentJournal.load(journal_path(scene.book_path))
    found = creations(scene.w3, scene.book, journal)
    assert set(found) == set(scene.book.contracts)
    assert creations(scene.w3, scene.book, None) == found
    contracts = compiled()
    kinds = {name: made_by(creation.code, contracts) for name, creation in found.items()}
    assert all(kinds.values())
    assert {kinds[name].name for name in ("index_token", "rebalancer", "lens")} == {  # type: ignore[union-attr]
        "IndexToken",
        "Rebalancer",
        "FundLens",
    }
    later = replace(scene.book, deployed_block=scene.w3.eth.block_number + 1)
    assert creations(scene.w3, later, None) == {}, "a deployment is not looked for before its first block"


def test_the_command_verifies_on_both(
    scene: Scene, run_script: Run, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [name for name in SMALL if name in scene.book.contracts]
    scene.server.limited = 1
    only = [word for name in names for word in ("--contract", name)]
    command = ("verify", str(scene.fund), "--book", str(scene.book_path), *scene.urls, *only)
    ran = run_script(*command, ETHERSCAN_API_KEY=KEY)
    assert ran.code == 0, (ran.out + ran.errors, scene.server.broken)
    for name in names:
        assert f"{name}: Etherscan: verified" in ran.out and f"{name}: Sourcify: verified" in ran.out
        assert f"https://etherscan.io/address/{scene.book[name]}" in ran.out
    assert KEY not in ran.out + ran.errors
    assert scene.compiler.compiled == len(names), "both are given the same input"
    again = run_script(*command, ETHERSCAN_API_KEY=KEY)
    assert again.code == 0 and again.out.count("verified already") == 4 * len(names)
    assert scene.compiler.compiled == len(names)

    def refused(key: str, **more: Any) -> str:
        monkeypatch.setenv("ETHERSCAN_API_KEY", key)
        given: dict[str, Any] = {"etherscan_url": scene.urls[1], "sourcify_url": scene.urls[3], "poll": 0.01}
        given |= {"wanted": (), "only": tuple(names), "fund": scene.fund, "book_file": scene.book_path, **more}
        ran = invoke(verify_command, provider=ape.networks.active_provider, **given)
        assert ran.code == 1
        return ran.errors

    said = refused("X" * 34)
    assert re.fullmatch(r"Error: ETHERSCAN_API_KEY: .* refuses it .*\n", said)
    assert "X" * 34 not in said + "".join(capsys.readouterr())
    assert "contract 'vault': not in the book" in refused(KEY, only=("vault",))
    assert "ETHERSCAN_API_KEY: not set" in refused("", wanted=("etherscan",))


def test_a_changed_source_fails(scene: Scene) -> None:
    job = job_of(scene, "nav_feed")
    (file,) = [name for name in job.standard_input["sources"] if name.endswith("/NavFeed.sol")]
    text = job.standard_input["sources"][file]["content"]
    etherscan = Etherscan(KEY, scene.server.url + "/api", lambda _: None)
    sourcify = Sourcify(scene.server.url, lambda _: None)

    def handed_in(changed: str, verifier: Any) -> Any:
        scene.server.etherscan.clear()
        scene.server.sourcify.clear()
        given = {**job.standard_input, "sources": {**job.standard_input["sources"], file: {"content": changed}}}
        return verify(verifier, replace(job, standard_input=given), sleep=lambda _: None)

    other = text.replace("return uint80(block.timestamp);", "return uint80(block.timestamp + 1);")
    assert other != text
    said = handed_in(other, etherscan)
    assert (said.verdict, said.words) == (Verdict.FAILED, MISMATCH)
    assert handed_in(other, sourcify).verdict is Verdict.FAILED
    # A comment changes the metadata's hash alone: Sourcify's exact match fails, by our own rule.
    said = handed_in(text + "\n// a word more\n", sourcify)
    assert said.verdict is Verdict.FAILED and "found match, expected an exact match" in said.words
    broken = handed_in(text.replace("return uint80(", "return uint8("), etherscan)
    assert broken.verdict is Verdict.FAILED
    assert handed_in(text, etherscan).verdict is Verdict.VERIFIED
    wrong = replace(job, arguments=job.arguments[:-1] + b"\xff")
    scene.server.etherscan.clear()
    assert verify(etherscan, wrong, sleep=lambda _: None).verdict is Verdict.FAILED


def test_sources_that_are_not_the_build_s_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler_input, "is_current", lambda: False)
    with pytest.raises(SourceError, match="not compiled since they were changed; run `make compile`"):
        compiled()
    monkeypatch.undo()
    contract = compiled()[0]
    with pytest.raises(SourceError, match=rf"source {contract.file}: not found"):
        standard_input(contract, tmp_path)
