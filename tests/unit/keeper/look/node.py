"""A node that knows one chain by heart and answers over HTTP, and what can be wrong with its answers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eth_utils import keccak

from keeper.look.rpc import EndpointLimits, EndpointPool
from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.waiting import PATIENCE_S

HEAD = 5_000
ACCOUNT = "0x" + "11" * 20
DIGEST = "0x" + "ab" * 32
RAW = "0x02f8"
TOPIC = "0x" + "cd" * 32

Body = bytes | tuple[int, bytes]


def hash_of(number: int) -> str:
    """A block's hash."""
    return f"0x{number:064x}"


def block(number: int = HEAD) -> dict[str, Any]:
    """A block."""
    return {
        "number": hex(number),
        "hash": hash_of(number),
        "parentHash": hash_of(number - 1),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "baseFeePerGas": hex(10**9),
        "extraData": "0x",
        "transactions": [],
    }


def receipt() -> dict[str, Any]:
    """The receipt of `DIGEST`."""
    return {
        "transactionHash": DIGEST,
        "blockHash": hash_of(HEAD - 1),
        "blockNumber": hex(HEAD - 1),
        "status": "0x1",
        "gasUsed": hex(21_000),
        "effectiveGasPrice": hex(10**9),
        "type": "0x2",
        "logs": [],
    }


def log_in(number: int) -> dict[str, Any]:
    """The event of a block: each hundredth has one."""
    return {
        "address": ACCOUNT,
        "topics": [TOPIC],
        "data": "0x",
        "blockNumber": hex(number),
        "blockHash": hash_of(number),
        "transactionHash": DIGEST,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


def logs(params: list[Any]) -> list[Any]:
    """The events of a range."""
    first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
    return [log_in(number) for number in range(-(-first // 100) * 100, last + 1, 100)]


def block_of(params: list[Any]) -> Any:
    """The block that is asked for."""
    return block() if params[0] == "latest" else block(int(params[0], 16)) if int(params[0], 16) <= HEAD else None


TRUTH: dict[str, Callable[[list[Any]], Any]] = {
    "eth_chainId": lambda _: "0x1",
    "eth_blockNumber": lambda _: hex(HEAD),
    "eth_getBlockByNumber": block_of,
    "eth_call": lambda _: "0x" + "00" * 31 + "07",
    "eth_getCode": lambda _: "0x60",
    "eth_getBalance": lambda _: hex(10**30),
    "eth_getTransactionCount": lambda _: "0x5",
    "eth_getTransactionReceipt": lambda _: receipt(),
    "eth_getLogs": logs,
    "eth_estimateGas": lambda _: hex(21_000),
    "eth_createAccessList": lambda _: {"accessList": [{"address": ACCOUNT, "storageKeys": [TOPIC]}], "gasUsed": "0x1"},
    "eth_gasPrice": lambda _: hex(2 * 10**9),
    "eth_maxPriorityFeePerGas": lambda _: hex(10**9),
    "eth_feeHistory": lambda _: {"oldestBlock": "0x1", "reward": [["0x3b9aca00"], ["0x77359400"], ["0x0"]]},
    "eth_sendRawTransaction": lambda params: "0x" + keccak(hexstr=params[0]).hex(),
    "eth_syncing": lambda _: False,
}
ASKED: dict[str, list[Any]] = {
    "eth_chainId": [],
    "eth_blockNumber": [],
    "eth_getBlockByNumber": ["latest", False],
    "eth_call": [{"to": ACCOUNT, "data": "0x"}, "latest"],
    "eth_getCode": [ACCOUNT, "latest"],
    "eth_getBalance": [ACCOUNT, "latest"],
    "eth_getTransactionCount": [ACCOUNT, "pending"],
    "eth_getTransactionReceipt": [DIGEST],
    "eth_getLogs": [{"address": ACCOUNT, "topics": [[TOPIC]], "fromBlock": "0x1", "toBlock": "0xff"}],
    "eth_estimateGas": [{"to": ACCOUNT, "data": "0x"}, "latest"],
    "eth_createAccessList": [{"to": ACCOUNT, "data": "0x"}, "latest"],
    "eth_gasPrice": [],
    "eth_maxPriorityFeePerGas": [],
    "eth_feeHistory": ["0x3", "latest", [50]],
    "eth_sendRawTransaction": [RAW],
    "eth_syncing": [],
}


@dataclass
class Node:
    """A running node. `says`: what it answers in place of a method's truth, `{"result": ...}` or `{"error": ...}`, or
    the whole body, perhaps with a status; `batch`: what becomes of a batch's body. `asked`: the methods of each HTTP
    request; `ranges`: blocks of each question for events."""

    url: str = ""
    says: dict[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)
    batch: Callable[[list[Any]], Body] | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    ranges: list[int] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def result(self, method: str, value: Any) -> None:
        """From now on it answers a method with this."""
        self.says[method] = lambda _: {"result": value}

    def error(self, method: str, code: int, message: str, **data: Any) -> None:
        """From now on it answers a method with this error."""
        self.says[method] = lambda _: {"error": {"code": code, "message": message, **data}}

    def answer(self, question: dict[str, Any]) -> Any:
        """The answer, or the whole body."""
        method, params = question["method"], question["params"]
        if method == "eth_getLogs":
            self.ranges.append(int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1)
        said = self.says[method](question) if method in self.says else None
        if isinstance(said, bytes | tuple):
            return said
        said = {"result": TRUTH[method](params)} if said is None else said
        return {"jsonrpc": "2.0", "id": question["id"], **said}

    def body(self, content: bytes) -> Body:
        """What is sent back."""
        asked = json.loads(content)
        questions = asked if isinstance(asked, list) else [asked]
        self.asked.append(tuple(question["method"] for question in questions))
        answers = [self.answer(question) for question in questions]
        whole = next((answer for answer in answers if isinstance(answer, bytes | tuple)), None)
        if whole is not None:
            return whole
        if isinstance(asked, list):
            return self.batch(answers) if self.batch is not None else json.dumps(answers).encode()
        return json.dumps(answers[0]).encode()


@contextlib.contextmanager
def node() -> Iterator[Node]:
    """Runs one until the block ends."""
    found = Node()

    class Handler(JsonHandler):
        def posted(self, body: bytes) -> None:
            said = found.body(body)
            status, content = said if isinstance(said, tuple) else (200, said)
            self.answer(content, status)

    with serving(Handler) as found.url:
        yield found


@dataclass
class Pair:
    """Two nodes of one chain, and the pool over them; the first one is preferred. `now`: the pool's clock, seconds."""

    first: Node
    second: Node
    pool: EndpointPool
    now: float = 1_000.0

    def ask(self, method: str, params: list[Any] | None = None) -> Any:
        """The result, or the error."""
        answer: Any = self.pool.make_request(method, ASKED[method] if params is None else params)  # type: ignore[arg-type]
        return answer["result"] if "result" in answer else answer["error"]

    def reasons(self) -> list[str]:
        """Why each is put aside; "" for one in order."""
        return [status.reason for status in self.pool.status()]


@contextlib.contextmanager
def pair(**options: Any) -> Iterator[Pair]:
    """Two nodes and a pool over them, until the block ends. Options are the pool's."""
    with node() as first, node() as second:
        found: Pair

        def clock() -> float:
            return found.now

        options = {"limits": EndpointLimits(chain_id=1), "check_s": 10_000, "timeout_s": PATIENCE_S, **options}
        pool = EndpointPool([first.url, second.url], clock=clock, **options)
        pool.roster.look_timeout_s = PATIENCE_S
        found = Pair(first, second, pool)
        yield found
