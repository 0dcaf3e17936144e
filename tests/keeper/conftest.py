"""Fixtures: a deployed fund, once per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web3 import Web3

from localnet.world import World
from tests.keeper.field import Field, deployed


@pytest.fixture(scope="module")
def field(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The fund of April 2021 at the local mainnet's prices; the node goes on by itself from there."""
    with deployed(world, w3, tmp_path_factory.mktemp("book")) as found:
        yield found
