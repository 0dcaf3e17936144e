"""Fixtures for all tests: the local mainnet they stand on, and a clean chain for each.

Tests under tests/unit need no chain (`make unit`), and nothing here loads Ape before a test needs it: that takes
seconds. All others run on a fork of the local mainnet (`make test`), each between a snapshot and its restoration. A
fixture that changes the chain has scope "module" or "function": what it did is undone at the end of that scope. Scope
"session" is for what only reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import requests
import structlog
from hypothesis import HealthCheck, settings
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from lab.localnet.market import Market
from lab.localnet.month_file import Month, load_month
from lab.localnet.rpc import Web3Rpc
from lab.localnet.session import DEFAULT_MONTH
from lab.localnet.world import World
from tests.helpers.artifacts import compiled
from tests.helpers.chain import Chain
from tests.helpers.contracts import Artifact

# How long an example takes is the machine's affair: no deadline, and no complaint about slow data.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def ape() -> ModuleType:
    """Ape, loaded when it is first asked for."""
    return import_module("ape")


def on_chain(request: pytest.FixtureRequest) -> bool:
    """Whether the test needs the chain."""
    return "unit" not in request.path.parts


def clean_chain(request: pytest.FixtureRequest) -> Iterator[None]:
    """Snapshot before, restore after, whatever happens between."""
    if not on_chain(request):
        yield
        return
    connected: Web3 = request.getfixturevalue("w3")
    base_fee = connected.eth.get_block("pending")["baseFeePerGas"]
    snapshot = ape().chain.snapshot()
    try:
        yield
    finally:
        ape().chain.restore(snapshot)
        # anvil's snapshots leave the next block's base fee out.
        connected.provider.make_request(RPCEndpoint("anvil_setNextBlockBaseFeePerGas"), [hex(base_fee)])


@pytest.fixture(scope="module", autouse=True)
def module_isolation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undoes what a module's fixtures did."""
    yield from clean_chain(request)


@pytest.fixture(autouse=True)
def test_isolation(request: pytest.FixtureRequest, module_isolation: None) -> Iterator[None]:
    """Undoes what a test did."""
    yield from clean_chain(request)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Undoes what a command run in this process set up: its log goes to a stderr that is closed after the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def world() -> World:
    """What stands on the local mainnet."""
    path = os.environ.get("BALLAST_WORLD")
    if path is None:
        pytest.fail("BALLAST_WORLD is not set: these tests stand on the local mainnet, run 'make test'")
    return World.load(path)


@pytest.fixture(scope="session")
def w3() -> Web3:
    """The fork that Ape is connected to."""
    provider = ape().networks.active_provider
    assert provider is not None, "no chain: run 'make test'"
    connected: Web3 = provider.web3
    return connected


@pytest.fixture(scope="session", autouse=True)
def quick_connection(request: pytest.FixtureRequest) -> None:
    """Spares Ape's connection two thirds of what a question costs this process: the settings of proxies, read anew for
    each, and the chain id, asked for beside each call."""
    if not any("unit" not in item.path.parts for item in request.session.items):
        return
    connected: Web3 = request.getfixturevalue("w3")
    session = requests.Session()
    session.trust_env = False
    connected.provider = HTTPProvider(
        connected.provider.endpoint_uri,  # type: ignore[attr-defined]
        session=session,
        cache_allowed_requests=True,
        cacheable_requests={RPCEndpoint("eth_chainId")},
    )


@pytest.fixture(scope="session")
def artifacts() -> Callable[[str], Artifact]:
    """The project's contracts by name."""
    return compiled(ape().project)


@pytest.fixture(scope="session")
def chain(w3: Web3, artifacts: Callable[[str], Artifact]) -> Chain:
    """The fork."""
    return Chain(Web3Rpc(w3), artifacts)


@pytest.fixture(scope="session")
def month() -> Month:
    """The published month that the local mainnet stands in."""
    return load_month(Path(os.environ.get("BALLAST_MONTH", DEFAULT_MONTH)))


@pytest.fixture
def market(w3: Web3, world: World) -> Market:
    """The market at the month's prices."""
    return Market(w3, world)
