"""Fixtures: a deployed fund, once per module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import Web3

from keeper.sending.journal import Journal
from lab.localnet.world import World
from tests.keeper.checking import Check, checking
from tests.keeper.deployed_fund import Field, deployed
from tests.keeper.sending import journal_of, put_back


@pytest.fixture(scope="module")
def field(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The fund of April 2021 at the local mainnet's prices; the node goes on by itself from there."""
    with deployed(world, w3, tmp_path_factory.mktemp("book")) as found:
        yield found


@pytest.fixture
def due(field: Field, test_isolation: None) -> Iterator[None]:
    """A month that can be determined; the chain is put back afterwards."""
    with put_back(field):
        field.to_determination()
        yield


@pytest.fixture
def journal(field: Field, tmp_path: Path) -> Iterator[Journal]:
    """An empty journal of the keeper's key."""
    with journal_of(field, tmp_path) as found:
        yield found


@pytest.fixture
def check(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Check]:
    """`check`, in this process."""
    with checking(field, tmp_path, monkeypatch, capsys) as run:
        yield run
