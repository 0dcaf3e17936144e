"""Finds what exists of a deployment, and what is left to deploy.

Contracts reference each other by addresses, which follow from the deployer's nonces. So the deployment keeps an
existing contract if it would deploy the same now, byte for byte: code, and arguments with the addresses of all others.
After a plain interruption that holds for all. If another transaction took a nonce in between, or the fund's file has
changed, it deploys again those contracts that would differ, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, has_code
from ballast.deployment.creation import created_address
from ballast.deployment.journal import DeploymentJournal
from ballast.deployment.sender import content_of, receipt_of
from ballast.preflight.problems import DeployError
from ballast.values import NO_ADDRESS

INDEX = "index_token"


@dataclass(frozen=True)
class Standing:
    """A deployed contract. `content`: keccak-256 of its creation code."""

    address: str
    content: str


@dataclass(frozen=True)
class DeploymentPlan:
    """`at`: the address of every contract, in the order of deployment; `stands`: those that exist already."""

    at: dict[str, str]
    stands: frozenset[str]

    @property
    def missing(self) -> tuple[str, ...]:
        """What is left to deploy, in order."""
        return tuple(name for name in self.at if name not in self.stands)


def plan(
    names: Sequence[str],
    stands: Mapping[str, Standing],
    deployer: str,
    nonce: int,
    creation: Callable[[str, Mapping[str, str]], bytes],
) -> DeploymentPlan:
    """Plans which existing contracts to keep, and the addresses of all. `names`: all contracts in the order of
    deployment; `nonce`: the deployer's next; `creation`: creation code of a contract, given all addresses."""
    kept = {name: stands[name] for name in names if name in stands}
    while True:
        missing = [name for name in names if name not in kept]
        new = {name: created_address(deployer, nonce + place) for place, name in enumerate(missing)}
        at = {name: kept[name].address if name in kept else new[name] for name in names}
        others = [name for name in kept if content_of(creation(name, at)) != kept[name].content]
        if not others:
            return DeploymentPlan(at, frozenset(kept))
        for name in others:
            del kept[name]


def standing(w3: Web3, journal: DeploymentJournal, names: Collection[str]) -> dict[str, Standing]:
    """The contracts that the journal's transactions created. Raises DeployError if contracts exist but the node has no
    receipts of them."""
    found: dict[str, Standing] = {}
    hidden: dict[str, str] = {}
    for sent in journal.sent:
        receipt = receipt_of(w3, sent.hash) if sent.step in names else None
        if receipt is not None and receipt["status"] == 1:
            found[sent.step] = Standing(str(receipt["contractAddress"]), sent.content)
        elif receipt is None and sent.step in names:
            address = created_address(journal.deployer, sent.nonce)
            hidden |= {sent.step: address} if has_code(w3, address) else {}
    if hidden and not found:
        step, address = next(iter(hidden.items()))
        raise DeployError(
            f"{step}: a contract stands at {address}, but this node knows no transaction of the journal; use a node "
            "that keeps receipts, or name another --book to begin a new deployment"
        )
    return found


def is_seeded(w3: Web3, index: str) -> bool:
    """Whether an index token has its seed."""
    answer = call_view(w3, index, "componentsPointer()", ["address"]) if has_code(w3, index) else None
    return answer is not None and to_checksum_address(answer[0]) != NO_ADDRESS


def require_unseeded(w3: Web3, stands: Mapping[str, Standing], found: DeploymentPlan) -> None:
    """Raises DeployError if the plan would create a second fund beside one that has its seed."""
    index = stands.get(INDEX)
    if index is None or not found.missing or not is_seeded(w3, index.address):
        return
    raise DeployError(
        f"{INDEX}: the fund stands at {index.address} with its seed, but file or contracts have changed since: "
        f"{', '.join(found.missing)} would be others. Take the file and the release that it was deployed with, or "
        "write its address book with `ape run book`"
    )
