"""`ape run pools`: the address book's pools from the file, or from the factories, and what does not serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ape
import click
import pytest

from ballast.book import Book, BookPool
from ballast.fund_file import FundConfig
from lab.testbed.funding import as_yaml
from scripts.pools import cli as pools
from tests.scripts.conftest import Invoke, Ran, WriteFund
from tests.scripts.test_scripts import NOBODY, refused

Pools = Callable[..., Ran]


@pytest.fixture
def run(
    invoke: Invoke,
    book_file: Path,
    write_fund: WriteFund,
    config: FundConfig,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Pools:
    monkeypatch.setenv("COLUMNS", "300")

    def called(raw: dict[str, Any] | None = None, **more: Any) -> Ran:
        fund = write_fund(raw or as_yaml(config))
        given = {"find": False, "named": (), "least": "0.1", "yes": True, "book_file": book_file}
        capsys.readouterr()
        ran = invoke(pools, provider=ape.networks.active_provider, fund=fund, **{**given, **more})
        return replace(ran, out=capsys.readouterr().out)

    return called


def without_pools(config: FundConfig) -> dict[str, Any]:
    raw = as_yaml(config)
    for component in raw["components"]:
        component.pop("pools", None)
    return raw


def test_the_book_follows_the_file(run: Pools, book_file: Path, config: FundConfig) -> None:
    before = Book.load(book_file)
    same = run()
    assert same.code == 0 and same.out.startswith("nothing to change")
    bare = run(without_pools(config))
    assert bare.code == 0, bare.errors
    count = sum(len(c.pools) for c in before.candidates)
    assert bare.out.count("\n- ") + bare.out.startswith("- ") == count
    assert "no pool; a keeper cannot trade it" in bare.out
    assert not any(c.pools for c in Book.load(book_file).candidates)
    back = run()
    assert back.code == 0 and back.out.count("WETH deep") == count
    assert Book.load(book_file) == before


def test_found_in_the_factories(run: Pools, book_file: Path, config: FundConfig) -> None:
    """All that the file names stand in the exchanges' factories."""
    before = Book.load(book_file)
    ran = run(without_pools(config), find=True)
    assert ran.code == 0, ran.errors
    assert "factory of uniswap: 0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f" in ran.out
    after = Book.load(book_file)
    for candidate in before.candidates:
        now = after.candidate(candidate.token)
        assert now is not None and set(candidate.pools) <= set(now.pools)
    assert replace(after, candidates=before.candidates) == before
    # As many WETH as no pool has: none serves.
    deep = run(without_pools(config), find=True, least="1e9")
    assert deep.code == 0 and not any(c.pools for c in Book.load(book_file).candidates)


def test_what_does_not_serve_is_told_at_once_and_nothing_is_written(
    run: Pools, book_file: Path, config: FundConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = book_file.read_bytes()
    raw = as_yaml(config)
    raw["components"][0]["pools"][0]["pair"] = NOBODY
    raw["components"][1]["pools"][0]["pair"] = config.components[2].pools[0].pair
    wrong = run(raw)
    assert wrong.code == 1
    lines = wrong.error_lines
    assert (
        lines[0] == "Error: 2 problems:"
        and "no contract there" in lines[1]
        and "expected the token and WETH" in lines[2]
    )
    refused(run(named=("uniswap:" + NOBODY,)), "factory: expected with --find")
    refused(run(find=True, named=("uniswap:" + NOBODY,)), "no contract at", NOBODY)
    refused(run(find=True, named=("curve:" + config.weth,)), "expected uniswap:0x")
    refused(run(find=True, least="much"), "least: found 'much'")
    monkeypatch.setattr("click.confirm", lambda *_args, **_more: (_ for _ in ()).throw(click.Abort()))
    with pytest.raises(click.Abort):
        run(without_pools(config), yes=False)
    assert book_file.read_bytes() == before


def test_a_book_that_somebody_else_writes_meanwhile(
    run: Pools, book_file: Path, config: FundConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book.load(book_file)
    first = book.candidates[0]
    pool = BookPool("uniswap", NOBODY)
    other = replace(book, candidates=(replace(first, pools=(*first.pools, pool)), *book.candidates[1:]))
    monkeypatch.setattr("click.confirm", lambda *_args, **_more: other.save(book_file))
    refused(run(without_pools(config), yes=False), "has changed meanwhile")
    assert Book.load(book_file) == other
