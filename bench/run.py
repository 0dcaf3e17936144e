"""Runs the benchmark on Ape's fork of a local mainnet and leaves nothing running."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils import keccak

from bench import arena, floor, ours, set_v2, trace
from bench.chain import Build, Chain, signature
from localnet.anvil import ROOT
from localnet.rpc import HttpRpc
from localnet.session import DEFAULT_MONTH, NETWORK, fork_environment
from localnet.world import World

SIZES = (5, 10, 14, 20, 30)
CONTRACTS = ("BareFund", "BareSwaps", "BenchToken", "IndexToken", "Rebalancer", "ReferenceFeed")
START_S = 86_400
"""The first block, so long after the fork's head."""


@dataclass(frozen=True)
class Measured:
    """Gas by number of components and operation; empty for competitors that were not measured."""

    ours: dict[int, dict[str, int]]
    set_v2: dict[int, dict[str, int]]
    floor: dict[int, dict[str, int]]


@dataclass(frozen=True)
class Stage:
    """The connected fork. `project` and `account` are Ape's."""

    rpc: HttpRpc
    world: World
    project: Any
    account: Any
    builds: dict[str, Build]
    names: dict[str, str]
    """Function by selector, of everything that is compiled here."""


@contextlib.contextmanager
def stage(month: str | Path = DEFAULT_MONTH) -> Iterator[Stage]:
    """Starts the local mainnet of a month and Ape's fork of it until the block ends."""
    with fork_environment(month) as environment:
        os.environ.update(environment)
        # Here, because it reads the environment when it is imported.
        import ape  # noqa: PLC0415
        from ape.logging import LogLevel, logger  # noqa: PLC0415

        logger.set_level(LogLevel.WARNING)
        project = ape.Project(ROOT)
        builds = {name: _build(project, name) for name in CONTRACTS}
        world = World.load(environment["BALLAST_WORLD"])
        with ape.networks.parse_network_choice(NETWORK) as provider:
            rpc = HttpRpc(str(provider.http_uri))
            try:
                yield Stage(rpc, world, project, ape.accounts.test_accounts[0], builds, _names(project))
            finally:
                rpc.close()


def _names(project: Any) -> dict[str, str]:
    entries = [
        entry for contract in project.contracts.values() for entry in _abi(contract) if entry["type"] == "function"
    ]
    return {"0x" + keccak(text=signature(entry))[:4].hex(): str(entry["name"]) for entry in entries}


def _abi(contract: Any) -> list[dict[str, Any]]:
    return [entry.model_dump(mode="json", by_alias=True, exclude_none=True) for entry in contract.abi]


def _build(project: Any, name: str) -> Build:
    contract = getattr(project, name).contract_type
    abi = _abi(contract)
    return Build(name, abi, bytes.fromhex(contract.deployment_bytecode.bytecode[2:]))


def measure(on: Stage, sizes: Sequence[int], *, peers: bool, say: Callable[[str], None]) -> Measured:
    """Measures every size on a chain of the same state and time; without `peers` only ours."""
    found = Measured({}, {}, {})
    chain = Chain(on.rpc, on.builds)
    for n in sizes:
        with taken_back(chain):
            here = _arena(chain, on, n, say)
            if peers:
                say(f"{n} components: the bare floor")
                with taken_back(chain):
                    found.floor[n] = floor.measure(here)
                say(f"{n} components: Set Protocol V2")
                with taken_back(chain):
                    found.set_v2[n] = set_v2.measure(here)
            say(f"{n} components: ours")
            found.ours[n], _ = ours.measure(here, on.project, on.account)
    return found


def call_trees(on: Stage, n: int, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Where the gas of our operations goes, for one size. The stage must be a fresh one: after a snapshot was taken
    back, anvil misses the code of some contracts when it traces."""
    here = _arena(Chain(on.rpc, on.builds), on, n, say)
    say(f"{n} components: ours")
    _, hashes = ours.measure(here, on.project, on.account)
    say(f"{n} components: traces")
    return {op: trace.tree_of(on.rpc, digest, on.names) for op, digest in hashes.items()}


def _arena(chain: Chain, on: Stage, n: int, say: Callable[[str], None]) -> arena.Arena:
    chain.move_to(on.world.head + START_S)
    say(f"{n} components: tokens, feeds and pools")
    return arena.build(chain, on.world, n)


@contextlib.contextmanager
def taken_back(chain: Chain) -> Iterator[None]:
    """Takes back what the block did, so that all competitors meet the same pools at the same time."""
    before = chain.cheats.snapshot()
    yield
    chain.cheats.revert(before)
