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
    "Zap",
)
START_S = DAY_S
"""The first block, so long after the fork's head."""


@dataclass(frozen=True)
class Measured:
    """Gas by number of components and operation; empty for competitors that were not measured."""

    ours: dict[int, dict[str, int]]
    set_v2: dict[int, dict[str, int]]
    floor: dict[int, dict[str, int]]


def builds_of(project: Any) -> dict[str, Build]:
    """What the benchmark deploys and calls, by name."""
    return {name: _build(project, name) for name in CONTRACTS}


def chain_of(on: ForkedChain) -> Chain:
    """The fork as the benchmark drives it."""
    return Chain(on.rpc, builds_of(on.project))


def _names(project: Any) -> dict[str, str]:
    """Function by selector, of everything that is compiled here."""
    entries = [
        entry for contract in project.contracts.values() for entry in plain_abi(contract) if entry["type"] == "function"
    ]
    return {"0x" + selector(entry).hex(): str(entry["name"]) for entry in entries}


def _build(project: Any, name: str) -> Build:
    contract = getattr(project, name).contract_type
    abi = plain_abi(contract)
    return Build(name, abi, bytes.fromhex(contract.deployment_bytecode.bytecode[2:]))


def measure(on: ForkedChain, sizes: Sequence[int], *, peers: bool, say: Callable[[str], None]) -> Measured:
    """Measures every size on a chain of the same state and time; without `peers` only ours."""
    found = Measured({}, {}, {})
    chain = chain_of(on)
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
            swapped = _zaps(here, on, found.floor if peers else None, say) if n in zaps.SIZES else {}
            say(f"{n} components: ours")
            found.ours[n], _ = ours.measure(here, on.project, on.accounts[0])
            found.ours[n] |= swapped
    return found


def _zaps(
    here: arena.Arena, on: ForkedChain, floor: dict[int, dict[str, int]] | None, say: Callable[[str], None]
) -> dict[str, int]:
    """Gas of the zap's operations; what they cost at least is added to `floor`."""
    n = len(here.assets)
    if floor is not None:
        say(f"{n} components: the zap's floor")
        with _taken_back(here.chain):
            floor[n] |= zaps.floors(here)
    say(f"{n} components: the zap")
    with _taken_back(here.chain):
        return zaps.measure(here, on.project, on.accounts[0])


def call_trees(on: ForkedChain, n: int, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Where the gas of our operations goes, for one size. The fork must be a fresh one: after a snapshot was taken
    back, anvil misses the code of some contracts when it traces."""
    here = _arena(chain_of(on), on, n, say)
    say(f"{n} components: ours")
    _, hashes = ours.measure(here, on.project, on.accounts[0])
    say(f"{n} components: traces")
    names = _names(on.project)
    return {op: trace.tree_of(on.rpc, digest, names) for op, digest in hashes.items()}


def _arena(chain: Chain, on: ForkedChain, n: int, say: Callable[[str], None]) -> arena.Arena:
    chain.move_to(on.world.head + START_S)
    say(f"{n} components: tokens, feeds and pools")
    return arena.build(chain, on.world, n)


@contextlib.contextmanager
def _taken_back(chain: Chain) -> Iterator[None]:
    """Takes back what the block did, so that all competitors meet the same pools at the same time."""
    before = chain.cheats.snapshot()
    yield
    chain.cheats.revert(before)
