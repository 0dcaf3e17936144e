"""Runs the benchmark on Ape's fork of a local mainnet and leaves nothing running."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballast.abi import selector
from ballast.units import DAY_S
from lab.bench import arena, floor, ours, set_v2, trace
from lab.localnet.anvil import ROOT
from lab.localnet.rpc import HttpRpc
from lab.localnet.session import DEFAULT_MONTH, NETWORK, fork_environment
from lab.localnet.world import World
from lab.testbed.chain import Build, Chain

SIZES = (5, 10, 14, 20, 30)
CONTRACTS = ("BareFund", "BareSwaps", "BenchToken", "IndexToken", "Rebalancer", "ReferenceFeed")
START_S = DAY_S
"""The first block, so long after the fork's head."""


@dataclass(frozen=True)
class Measured:
    """Gas by number of components and operation; empty for competitors that were not measured."""

    ours: dict[int, dict[str, int]]
    set_v2: dict[int, dict[str, int]]
    floor: dict[int, dict[str, int]]


@dataclass(frozen=True)
class Ground:
    """A local mainnet that is running, and what Ape knows. `project` is Ape's."""

    world: World
    project: Any
    builds: dict[str, Build]
    names: dict[str, str]
    """Function by selector, of everything that is compiled here."""

    @contextlib.contextmanager
    def fork(self) -> Iterator[Stage]:
        """A fork of it until the block ends. One at a time."""
        import ape  # noqa: PLC0415 (the ground has set its environment)

        with ape.networks.parse_network_choice(NETWORK, disconnect_after=True) as provider:
            rpc = HttpRpc(str(provider.http_uri))
            try:
                yield Stage(rpc, self, provider, ape.accounts.test_accounts)
            finally:
                rpc.close()


@dataclass(frozen=True)
class Stage:
    """The connected fork. `provider` and `accounts` are Ape's."""

    rpc: HttpRpc
    ground: Ground
    provider: Any
    accounts: Any

    @property
    def world(self) -> World:
        return self.ground.world

    @property
    def project(self) -> Any:
        return self.ground.project


@contextlib.contextmanager
def ground(month: str | Path = DEFAULT_MONTH) -> Iterator[Ground]:
    """Starts the local mainnet of a month until the block ends."""
    with fork_environment(month) as environment:
        os.environ.update(environment)
        # Here, because it reads the environment when it is imported.
        import ape  # noqa: PLC0415
        from ape.logging import LogLevel, logger  # noqa: PLC0415

        logger.set_level(LogLevel.WARNING)
        project = ape.Project(ROOT)
        yield Ground(World.load(environment["BALLAST_WORLD"]), project, builds_of(project), _names(project))


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Starts a local mainnet and Ape's fork of it until the block ends."""
    with ground() as on, on.fork() as forked:
        yield forked


def builds_of(project: Any) -> dict[str, Build]:
    """What the benchmark deploys and calls, by name."""
    return {name: _build(project, name) for name in CONTRACTS}


def _names(project: Any) -> dict[str, str]:
    entries = [
        entry for contract in project.contracts.values() for entry in _abi(contract) if entry["type"] == "function"
    ]
    return {"0x" + selector(entry).hex(): str(entry["name"]) for entry in entries}


def _abi(contract: Any) -> list[dict[str, Any]]:
    return [entry.model_dump(mode="json", by_alias=True, exclude_none=True) for entry in contract.abi]


def _build(project: Any, name: str) -> Build:
    contract = getattr(project, name).contract_type
    abi = _abi(contract)
    return Build(name, abi, bytes.fromhex(contract.deployment_bytecode.bytecode[2:]))


def measure(on: Stage, sizes: Sequence[int], *, peers: bool, say: Callable[[str], None]) -> Measured:
    """Measures every size on a chain of the same state and time; without `peers` only ours."""
    found = Measured({}, {}, {})
    chain = Chain(on.rpc, on.ground.builds)
    for n in sizes:
        with _taken_back(chain):
            here = _arena(chain, on, n, say)
            if peers:
                say(f"{n} components: the bare floor")
                with _taken_back(chain):
                    found.floor[n] = floor.measure(here)
                say(f"{n} components: Set Protocol V2")
                with _taken_back(chain):
                    found.set_v2[n] = set_v2.measure(here)
            say(f"{n} components: ours")
            found.ours[n], _ = ours.measure(here, on.project, on.accounts[0])
    return found


def call_trees(on: Stage, n: int, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Where the gas of our operations goes, for one size. The stage must be a fresh one: after a snapshot was taken
    back, anvil misses the code of some contracts when it traces."""
    here = _arena(Chain(on.rpc, on.ground.builds), on, n, say)
    say(f"{n} components: ours")
    _, hashes = ours.measure(here, on.project, on.accounts[0])
    say(f"{n} components: traces")
    return {op: trace.tree_of(on.rpc, digest, on.ground.names) for op, digest in hashes.items()}


def _arena(chain: Chain, on: Stage, n: int, say: Callable[[str], None]) -> arena.Arena:
    chain.move_to(on.world.head + START_S)
    say(f"{n} components: tokens, feeds and pools")
    return arena.build(chain, on.world, n)


@contextlib.contextmanager
def _taken_back(chain: Chain) -> Iterator[None]:
    """Takes back what the block did, so that all competitors meet the same pools at the same time."""
    before = chain.cheats.snapshot()
    yield
    chain.cheats.revert(before)
