"""Runs the benchmark on Ape's fork of a local mainnet and leaves nothing running."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ballast.abi import selector
from ballast.units import DAY_S
from lab.bench import arena, floor, ours, set_v2, trace, zaps
from lab.testbed.chain import Build, Chain, plain_abi
from lab.testbed.forked import ForkedChain

SIZES = (5, 10, 14, 20, 30)
CONTRACTS = (
    "BareFund",
    "BareMinter",
    "BareSwaps",
    "BareZap",
    "BenchToken",
    "IndexToken",
    "Rebalancer",
    "ReferenceFeed",
    "Upkeep",
    "Zap",
)
START_S = DAY_S
"""Seconds from the fork's head to the first block."""


@dataclass(frozen=True)
class Measured:
    """Gas by number of components and operation; empty for competitors that were not measured."""

    ours: dict[int, dict[str, int]]
    set_v2: dict[int, dict[str, int]]
    floor: dict[int, dict[str, int]]


def builds_of(project: Any) -> dict[str, Build]:
    """Builds of the contracts that the benchmark deploys and calls, by name."""
    return {name: _build(project, name) for name in CONTRACTS}


def chain_of(on: ForkedChain) -> Chain:
    """A Chain on the fork, with the benchmark's builds."""
    return Chain(on.rpc, builds_of(on.project))


def _names(project: Any) -> dict[str, str]:
    """Function name by selector, for all contracts compiled here."""
    entries = [
        entry for contract in project.contracts.values() for entry in plain_abi(contract) if entry["type"] == "function"
    ]
    return {"0x" + selector(entry).hex(): str(entry["name"]) for entry in entries}


def _build(project: Any, name: str) -> Build:
    contract = getattr(project, name).contract_type
    abi = plain_abi(contract)
    return Build(name, abi, bytes.fromhex(contract.deployment_bytecode.bytecode[2:]))


def measure(on: ForkedChain, sizes: Sequence[int], *, peers: bool, say: Callable[[str], None]) -> Measured:
    """Measures every size from the same chain state and time; without `peers` only ours."""
    found = Measured({}, {}, {})
    chain = chain_of(on)
    for n in sizes:
        with taken_back(chain):
            here = arena_of(chain, on, n, say)
            if peers:
                say(f"{n} components: the bare floor")
                with taken_back(chain):
                    found.floor[n] = floor.measure(here)
                say(f"{n} components: Set Protocol V2")
                with taken_back(chain):
                    found.set_v2[n] = set_v2.measure(here)
            swapped = _zaps(here, on, found.floor if peers else None, say) if n in zaps.SIZES else {}
            say(f"{n} components: ours")
            found.ours[n], _ = ours.measure(here, on.project, on.accounts[0])
            found.ours[n] |= swapped
    return found


def _zaps(
    here: arena.Arena, on: ForkedChain, floor: dict[int, dict[str, int]] | None, say: Callable[[str], None]
) -> dict[str, int]:
    """Gas of the zap's operations; adds their floors to `floor`."""
    n = len(here.assets)
    if floor is not None:
        say(f"{n} components: the zap's floor")
        with taken_back(here.chain):
            floor[n] |= zaps.floors(here)
    say(f"{n} components: the zap")
    with taken_back(here.chain):
        return zaps.measure(here, on.project, on.accounts[0])


def call_trees(on: ForkedChain, n: int, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Call trees with the gas of our operations, for one size. Needs a fresh fork: after a snapshot is reverted,
    anvil's traces miss the code of some contracts."""
    here = arena_of(chain_of(on), on, n, say)
    say(f"{n} components: ours")
    _, hashes = ours.measure(here, on.project, on.accounts[0])
    say(f"{n} components: traces")
    names = _names(on.project)
    return {op: trace.tree_of(on.rpc, digest, names) for op, digest in hashes.items()}


def arena_of(chain: Chain, on: ForkedChain, n: int, say: Callable[[str], None]) -> arena.Arena:
    chain.move_to(on.world.head + START_S)
    say(f"{n} components: tokens, feeds and pools")
    return arena.build(chain, on.world, n)


@contextlib.contextmanager
def taken_back(chain: Chain) -> Iterator[None]:
    """Reverts what the `with` block did, so that all competitors start with the same pools at the same time."""
    before = chain.cheats.snapshot()
    yield
    chain.cheats.revert(before)
