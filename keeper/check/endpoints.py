"""Checks of each node: it answers, is on the right chain and up to date, and offers all that the keeper needs."""

from __future__ import annotations

from collections.abc import Iterator

from eth_typing import HexStr
from web3 import Web3
from web3.types import FilterParams

from ballast.networks.presets import network_of
from ballast.units import DAY_S
from keeper.check.context import CheckContext, Node
from keeper.check.findings import Finding, Says
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.history import CHUNK
from keeper.look.rpc import NoEndpointError

OLDEST_HEAD_S = 120
"""Oldest acceptable head, seconds: ten blocks of mainnet."""
MAX_AHEAD_S = 15
"""Seconds in the future beyond which a head suggests that this host's clock is slow."""
MAX_BEHIND = 5
"""Ethereum blocks by which an endpoint may lag behind the best."""


def answers(endpoint: Node) -> Iterator[Finding]:
    """The node answers."""
    says = Says("answers", endpoint.name)
    try:
        _ = endpoint.chain_id
    except ChainError as error:
        remedy = "check the URL in BALLAST_RPC_URL, its key, and that this host may reach it; or take it out"
        yield says.failure(str(error), remedy)
    else:
        yield says.ok(endpoint.client or "answers")


def chain(context: CheckContext, endpoint: Node) -> Iterator[Finding]:
    """The node is on the configured chain."""
    says = Says("chain id", endpoint.name)
    if context.chain_id is None or endpoint.chain_id == context.chain_id:
        yield says.ok(f"chain {endpoint.chain_id}")
    else:
        yield says.failure(
            f"is on chain {endpoint.chain_id}, expected {context.chain_id}",
            f"put a node of chain {context.chain_id} into BALLAST_RPC_URL, or name the book of a fund on this chain",
        )


def head(endpoint: Node) -> Iterator[Finding]:
    """The node's latest block is recent by this host's clock."""
    says = Says("head", endpoint.name)
    age = endpoint.seen_at - endpoint.head["timestamp"]
    seen = f"block {endpoint.head['number']}, {_apart(age)}"
    if endpoint.development and (age > OLDEST_HEAD_S or age < -MAX_AHEAD_S):
        yield says.warning(
            f"{seen}; {endpoint.client} is a development chain with a time of its own",
            "right for trying things out; a real fund needs a node of its chain",
        )
    elif age < -MAX_AHEAD_S:
        yield says.failure(
            seen,
            "set this host's clock (timedatectl set-ntp true); if it is right, the node is not to be trusted",
        )
    elif age > OLDEST_HEAD_S:
        yield says.failure(
            f"{seen}, expected at most {OLDEST_HEAD_S} s",
            "the node lags or stands still: wait until it has caught up, or take another; or this host's clock is fast",
        )
    else:
        yield says.ok(seen)


def _apart(age: float) -> str:
    size = abs(age)
    shown = f"{size:.0f} s" if size < 2 * DAY_S else f"{size / DAY_S:,.0f} days"
    return f"{shown} old" if age >= 0 else f"{shown} in the future"


def by_hash(endpoint: Node) -> Iterator[Finding]:
    """The node reads the state of a block by its hash (EIP-1898)."""
    says = Says("block hash", endpoint.name)
    block = {"blockHash": Web3.to_hex(endpoint.head["hash"]), "requireCanonical": True}
    call = {"to": "0x" + "00" * 19 + "04", "data": "0x01"}  # the identity precompile returns its input
    try:
        sound = endpoint.request("eth_call", call, block).get("result") == "0x01"
    except ChainError:
        sound = False
    if sound:
        yield says.ok("reads the state of a block by its hash")
    else:
        yield says.failure(
            "does not read the state of a block by its hash (EIP-1898)",
            "take a node that does: reads pinned to a number may come from two blocks in a reorganization",
        )


def logs(context: CheckContext, endpoint: Node) -> Iterator[Finding]:
    """The node gives events over as many blocks as the keeper requests at once."""
    says = Says("events", endpoint.name)
    for book in context.sound_books[:1]:
        last = endpoint.head["number"]
        first = max(0, min(book.deployed_block, last), last - CHUNK + 1)
        wanted: FilterParams = {
            "address": Web3.to_checksum_address(book["rebalancer"]),
            "fromBlock": first,
            "toBlock": last,
            "topics": [[HexStr(contracts.topic("Rebalancer", event)) for event in ("Started", "Traded")]],
        }
        try:
            found = endpoint.ask(lambda eth, wanted=wanted: eth.get_logs(wanted))  # type: ignore[misc]
        except ChainError as error:
            yield says.warning(
                f"no events of {last - first + 1} blocks ({error})",
                f"take a node that gives events over {CHUNK:,} blocks; without them the keeper paces a month only by "
                "what it has seen itself",
            )
        else:
            yield says.ok(f"{len(found)} of the newest {last - first + 1:,} blocks")


def access_list(context: CheckContext, endpoint: Node) -> Iterator[Finding]:
    """Whether the node makes access lists; the keeper works without them."""
    says = Says("access lists", endpoint.name)
    for book in context.sound_books[:1]:
        call = {"to": book["rebalancer"], "data": contracts.call_data("Rebalancer", "workable")}
        try:
            made = isinstance(endpoint.request("eth_createAccessList", call, "latest").get("result"), dict)
        except ChainError:
            made = False
        yield says.ok("makes them" if made else "does not make them; a batch takes about 1.7 % more gas")


def agree(context: CheckContext) -> Iterator[Finding]:
    """All answering endpoints are on one chain: none far behind the best, and the same block at a common height."""
    sound = []
    for endpoint in context.endpoints:
        try:
            if endpoint.chain_id == context.chain_id:
                sound.append((int(endpoint.head["number"]), endpoint))
        except ChainError:
            continue
    if len(sound) < 2:
        if len(context.endpoints) == 1:
            yield Says("agreement", "endpoints").warning(
                "one endpoint only",
                "name a second one of another service in BALLAST_RPC_URL, separated by a comma: when one fails the "
                "keeper goes on with the other",
            )
        return
    best = max(number for number, _ in sound)
    lowest = min(number for number, _ in sound)
    hashes = {}
    for number, endpoint in sound:
        if best - number > network_of(context.chain_id or 0).blocks(MAX_BEHIND):
            yield Says("agreement", endpoint.name).warning(
                f"block {number}, {best - number} behind the best", "wait until it has caught up; or replace it"
            )
        hashes[endpoint.name] = Web3.to_hex(endpoint.ask(lambda eth: eth.get_block(lowest))["hash"])
    says = Says("agreement", "endpoints")
    if len(set(hashes.values())) == 1:
        yield says.ok(f"{len(sound)} see the same block {lowest}")
        return
    seen = ", ".join(f"{name} {digest[:10]}" for name, digest in hashes.items())
    yield says.failure(
        f"they see different blocks {lowest}: {seen}",
        "run it again: two nodes may differ for a moment at the head; if it stays, one of them is wrong: find out "
        "which with a third (a block explorer) and take it out",
    )


def private(endpoint: Node) -> Iterator[Finding]:
    """The private endpoint is reachable. Its answer does not matter, as most only accept transactions."""
    says = Says("private endpoint", endpoint.name)
    try:
        endpoint.request("eth_chainId")
    except ChainError as error:
        if not (isinstance(error.__cause__, NoEndpointError) and error.__cause__.answered):
            remedy = "check BALLAST_PRIVATE_RPC_URL; without it batches go to the public pool of transactions"
            yield says.failure(str(error), remedy)
            return
    yield says.ok("answers")
