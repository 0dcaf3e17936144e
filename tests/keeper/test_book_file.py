"""A running keeper follows its address book's pools, and nothing else that may be written there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.look.book_file import BookFile
from keeper.look.fund_reader import FundReader
from tests.keeper.deployed_fund import Field


@pytest.fixture
def path(field: Field, tmp_path: Path) -> Path:
    found = tmp_path / "book.json"
    field.book.save(found)
    return found


def test_pools_that_are_taken_away_and_come_back(field: Field, path: Path) -> None:
    chain = FundReader(field.w3, field.book, BookFile(path))
    head = chain.head()
    tokens = {token for token, pools in chain.read(head)[1].pools.items() if pools}
    gone = max(field.book.candidates, key=lambda one: one.token in tokens)
    others = tuple(replace(one, pools=()) if one == gone else one for one in field.book.candidates)
    replace(field.book, candidates=others).save(path)
    assert {token for token, pools in chain.read(head)[1].pools.items() if pools} == tokens - {gone.token}
    field.book.save(path)
    assert {token for token, pools in chain.read(head)[1].pools.items() if pools} == tokens
    assert chain.book == field.book


def test_anything_else_is_left_alone(field: Field, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = FundReader(field.w3, field.book, BookFile(path))
    raw = json.loads(path.read_text())
    without_lens = [{**raw["candidates"][0], "pools": [{"venue": "uniswap-v3", "pair": raw["weth"], "fee_bps": 30}]}]
    for text in (
        json.dumps({**raw, "contracts": {**raw["contracts"], "rebalancer": raw["weth"]}}),
        json.dumps({**raw, "candidates": without_lens}),
        "{",
    ):
        path.write_text(text)
        chain.read(chain.head())
        assert chain.book == field.book
    path.unlink()
    chain.read(chain.head())
    assert chain.book == field.book
    assert "address book not taken" in "".join(capsys.readouterr())
