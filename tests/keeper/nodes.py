"""Nodes, endpoints in front of them and a clock by hand, for what is asked of several endpoints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3.types import RPCEndpoint

from keeper.look.rpc import EndpointLimits, EndpointPool
from keeper.look.rpc.endpoint import Answer, NoEndpointError
from lab.localnet.rpc import HttpRpc
from tests.helpers.waiting import PATIENCE_S
from tests.keeper.endpoints import EndpointProxy, endpoint

ONE = "0x" + "11" * 20
"""A contract whose code returns its first storage slot."""
REVERTS = "0x" + "22" * 20
"""One that always reverts."""


@dataclass
class Hands:
    """A clock that stands still until it is moved, seconds."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Desk:
    """A pool over endpoints in front of one node."""

    node: HttpRpc
    ends: list[EndpointProxy]
    clock: Hands
    pool: EndpointPool
    log: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, *params: Any) -> Any:
        """The result, or the error with its code and message."""
        answer: Any = self.pool.make_request(RPCEndpoint(method), list(params))
        return answer["result"] if "result" in answer else answer["error"]

    def batch(self, *questions: tuple[str, list[Any]]) -> Any:
        """Answers of a batch."""
        return self.pool.make_batch_request([(RPCEndpoint(method), params) for method, params in questions])

    def refused(self, method: str, *params: Any) -> NoEndpointError:
        """The error where no endpoint gives an answer."""
        try:
            answer = self.ask(method, *params)
        except NoEndpointError as error:
            return error
        raise AssertionError(f"{method}: answered {answer}")

    def reasons(self) -> list[str]:
        """Why each endpoint is put aside; "" for one in order."""
        return [status.reason for status in self.pool.status()]

    def trips(self) -> list[int]:
        """How many HTTP requests each endpoint has had."""
        return [len(end.trips) for end in self.ends]

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Who is looked at, and the first endpoint, may take a moment only: for one that does not answer at all."""
        roster = self.pool.roster
        first = roster.endpoints[0]
        patient = first._timeout_s, roster.look_timeout_s
        first._timeout_s = roster.look_timeout_s = 0.3
        try:
            yield
        finally:
            first._timeout_s, roster.look_timeout_s = patient

    def mine(self, blocks: int = 1) -> int:
        """Mines; the latest block."""
        for _ in range(blocks):
            self.node.request("evm_mine")
        return int(self.node.request("eth_blockNumber"), 16)


@contextlib.contextmanager
def desk(node: HttpRpc, count: int, **options: Any) -> Iterator[Desk]:
    """So many endpoints in front of the node, until the block ends. Options are the pool's."""
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(endpoint(node.url)) for _ in range(count)]
        clock = Hands()
        options.setdefault("limits", EndpointLimits(chain_id=1))
        pool = EndpointPool([end.url for end in ends], clock=clock, timeout_s=PATIENCE_S, **options)
        pool.roster.look_timeout_s = PATIENCE_S
        yield Desk(node, ends, clock, pool)


def furnish(node: HttpRpc) -> LocalAccount:
    """Puts the two contracts there; a new account with ether."""
    node.request("anvil_setCode", ONE, "0x60005460005260206000f3")
    node.request("anvil_setStorageAt", ONE, "0x0", "0x" + "00" * 31 + "07")
    node.request("anvil_setCode", REVERTS, "0x60006000fd")
    account: LocalAccount = Account.create()
    node.request("anvil_setBalance", account.address, hex(10**18))
    return account


def signed(node: HttpRpc, account: LocalAccount) -> tuple[str, str]:
    """A transaction of the account to itself with its next nonce: hash and bytes."""
    nonce = int(node.request("eth_getTransactionCount", account.address, "latest"), 16)
    made = account.sign_transaction(
        {
            "type": 2,
            "chainId": 1,
            "nonce": nonce,
            "to": account.address,
            "value": 0,
            "gas": 21_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    return made.hash.to_0x_hex(), made.raw_transaction.to_0x_hex()


def in_place_of(method: str, result: Any) -> Any:
    """A change that gives another result for a method."""

    def change(question: dict[str, Any], answer: Answer) -> Answer:
        if question["method"] != method:
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "result": result}

    return change


def older(node: HttpRpc, number: int) -> Any:
    """A change that gives a block of the past as the latest."""
    block = node.request("eth_getBlockByNumber", hex(number), False)
    return in_place_of("eth_getBlockByNumber", block)
