"""A node's endpoint with faults: a proxy on the loopback that spoils what its rules say.

A rule names a method (`*`: any), a fault, and for how many calls. It ends by itself: after that many calls, or after
`within_s` seconds of real time at the latest. Batches are taken apart: a fault of the connection spoils the whole HTTP
request, a fault of an answer that answer alone. A rule's fault has arrived when the keeper was given an answer that
differs from the node's because of it.

A proxy may also speak another client's dialect all the time (`lab/chaos/dialects.py`).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from eth_utils import keccak

from ballast.units import GWEI
from lab.chaos.dialects import Reply, Speaker, failure, success
from lab.chaos.odd import odd
from lab.testbed.loopback import JsonHandler, serving

ANY = "*"
SEND = "eth_sendRawTransaction"

CONNECTION_KINDS = ("http_500", "http_429", "timeout", "reset", "dropped", "malformed", "slow", "odd")
"""Faults of a whole HTTP request. `dropped`: the node gets it, and the connection breaks before the answer. `odd`: an
answer of a shape that no node should give (`lab/chaos/odd.py`)."""
ANSWER_KINDS = (
    "older_head",
    "older_state",
    "wrong_chain_id",
    "no_receipt",
    "already_known",
    "refused",
    "swallowed",
    "price",
    "not_pending",
    "empty",
)
"""Faults of one answer. `older_head`: the node knows no later block; `older_state`: it answers from an older block,
whichever was requested. `already_known`: the node gets the transaction, the answer is the error that it has it.
`refused`: an error, and the node gets nothing. `swallowed`: a hash as if all were well, and the node gets nothing."""
KINDS = CONNECTION_KINDS + ANSWER_KINDS

MAX_CALLS = 10_000
MAX_SECONDS = 60.0
HANG_S = 5.0
"""Longest that a request is held back, seconds."""
_TAGGED = {"eth_call": 1, "eth_getBalance": 1, "eth_getTransactionCount": 1, "eth_getCode": 1, "eth_estimateGas": 1}
"""Methods with a block parameter, and its position."""


@dataclass
class Rule:
    """An armed fault. `times`: calls of the method it spoils, after letting `skip` pass; `within_s`: real seconds after
    which it is over in any case. `blocks`: how far an older head lies back; `factor`: of a price; `message`: of a
    refusal; `delay_s`: how long an answer is held back; `shape`: of an odd answer."""

    kind: str
    method: str = ANY
    times: int = 1
    skip: int = 0
    within_s: float = 10.0
    blocks: int = 3
    factor: int = 50
    message: str = "internal error"
    delay_s: float = 0.3
    shape: str = ""
    harmless: bool = False
    """Counts its calls and spoils none of them."""
    hits: int = 0
    """Calls that matched."""
    arrived: int = 0
    """Answers with the fault in them that were sent to the keeper."""
    ended_at: float | None = None
    """Monotonic real time."""
    armed_at: float = 0.0
    head: int | None = None
    """The block that an older head stays at."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"rule.kind: {self.kind!r}, expected one of {', '.join(KINDS)}")
        if not 0 < self.times <= MAX_CALLS:
            raise ValueError(f"rule.times: {self.times}, expected 1 to {MAX_CALLS}")
        if not 0 < self.within_s <= MAX_SECONDS:
            raise ValueError(f"rule.within_s: {self.within_s}, expected at most {MAX_SECONDS:.0f} s")

    def over(self, now: float) -> bool:
        """Whether the rule has ended."""
        if self.ended_at is None and (self.hits >= self.times or now - self.armed_at > self.within_s):
            self.ended_at = now
        return self.ended_at is not None

    def takes(self, method: str, now: float) -> bool:
        """Whether to spoil this call of the method; counts it."""
        if self.over(now) or self.method not in (ANY, method):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        if self.hits >= self.times:
            self.ended_at = now
        return True


@dataclass
class Proxy:
    """A running proxy: its URL, the rules that are armed, and how often each method was called."""

    node: str
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    """HTTP requests, a batch being one."""
    speaker: Speaker | None = None
    """The dialect that it speaks, if not the node's."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, rule: Rule) -> Rule:
        """Puts a rule into force."""
        with self.lock:
            rule.armed_at = time.monotonic()
            self.rules.append(rule)
        return rule

    def disarm(self, rule: Rule) -> None:
        """Ends a rule now."""
        with self.lock:
            rule.ended_at = rule.ended_at or time.monotonic()

    def count(self, arrived: Iterable[Rule], by: int = 1) -> None:
        """Adds `by` to the count of each rule whose fault is in an answer, before the answer goes out."""
        with self.lock:
            for rule in arrived:
                rule.arrived += by

    def note(self, calls: list[dict[str, Any]]) -> list[list[Rule]]:
        """Counts the calls of one HTTP request; for each call the rules that spoil it."""
        now = time.monotonic()
        with self.lock:
            self.requests += 1
            found = []
            for call in calls:
                method = str(call.get("method"))
                self.asked[method] += 1
                found.append([rule for rule in self.rules if rule.takes(method, now) and not rule.harmless])
            return found


@contextlib.contextmanager
def proxy(node: str, dialect: str = "") -> Iterator[Proxy]:
    """Runs a proxy in front of `node` (a URL on 127.0.0.1) until the block ends. `dialect`: which it speaks. Raises
    ValueError."""
    host = urlsplit(node).hostname
    if host != "127.0.0.1":
        raise ValueError(f"node: {node!r}, expected a URL on 127.0.0.1")
    running = Proxy(node, speaker=Speaker.of(dialect) if dialect else None)
    with serving(_handler(running)) as running.url:
        yield running


class _BrokenError(Exception):
    """Makes the handler reset the connection."""


def _handler(running: Proxy) -> type[JsonHandler]:
    parts = urlsplit(running.node)

    class Handler(JsonHandler):
        upstream: http.client.HTTPConnection | None = None

        def posted(self, body: bytes) -> None:
            asked = json.loads(body)
            calls = asked if isinstance(asked, list) else [asked]
            rules = running.note(calls)
            connection = next((rule for row in rules for rule in row if rule.kind in CONNECTION_KINDS), None)
            arrived = [connection] if connection is not None else []
            try:
                reply = self._reply(asked, calls, rules, connection, arrived)
            except _BrokenError:
                reply = None
            # Counted first, so that whoever has the answer finds it counted.
            running.count(arrived)
            if reply is None:
                self._reset()
                return
            try:
                self.answer(reply.body, reply.status, **reply.headers)
            except OSError:
                if connection is None or connection.kind not in ("slow", "timeout"):
                    running.count(arrived, -1)  # the client went away: nothing has arrived

        def _reply(
            self,
            asked: Any,
            calls: list[dict[str, Any]],
            rules: list[list[Rule]],
            connection: Rule | None,
            arrived: list[Rule],
        ) -> Reply:
            """The reply; adds to `arrived` the rules whose fault is in it."""
            kind = connection.kind if connection is not None else ""
            match kind:
                case "http_500":
                    return Reply(b"internal server error", 500)
                case "http_429":
                    return Reply(b'{"error": "too many requests"}', 429, {"Retry_After": "1"})
                case "reset":
                    raise _BrokenError
                case "timeout" | "slow":
                    time.sleep(min(HANG_S, connection.delay_s if connection else 0))
                    if kind == "timeout":
                        raise _BrokenError
            if running.speaker is not None and (passing := running.speaker.refusal(asked)) is not None:
                return passing
            answers = []
            for call, row in zip(calls, rules, strict=True):
                answer, met = self._one(call, [rule for rule in row if rule.kind in ANSWER_KINDS])
                arrived += met
                answers.append(running.speaker.said(call, answer) if running.speaker is not None else answer)
            if kind == "dropped":
                raise _BrokenError
            text = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
            if connection is not None and kind == "odd":
                reply = odd(connection.shape, connection.method, calls, answers, isinstance(asked, list))
                if reply.body == text:
                    arrived.remove(connection)
                return reply
            return Reply(text[: len(text) // 2] if kind == "malformed" else text)

        def _one(self, call: dict[str, Any], rules: list[Rule]) -> tuple[dict[str, Any], list[Rule]]:
            """The answer to one call, and the rules that make it differ from the node's."""
            for rule in rules:
                if rule.kind in ("refused", "empty") or (rule.kind == "swallowed" and call["method"] == SEND):
                    return in_place_of(call, rule), [rule]
            answer, met = self._forward(call), []
            for rule in rules:
                before, answer = answer, self._spoilt(call, answer, rule)
                met += [rule] if answer != before else []
            return answer, met

        def _spoilt(self, call: dict[str, Any], answer: dict[str, Any], rule: Rule) -> dict[str, Any]:
            """The node's answer with a rule's fault in it."""
            if rule.kind in ("older_head", "older_state"):
                if rule.head is None:
                    rule.head = int(self._ask("eth_blockNumber"), 16) - rule.blocks
                if rule.kind == "older_head" and self._number(pinned(call)) > rule.head:
                    return failure(call, "header not found")
                then = aged(call, rule.head, pinned(call) if rule.kind == "older_state" else "")
                return older(answer if then == call else self._forward(then), call, rule.head)
            if rule.kind == "not_pending" and (then := without_pending(call)) != call:
                return self._forward(then)
            return spoilt(answer, call, rule)

        def _ask(self, method: str, *params: Any) -> Any:
            return self._forward({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})["result"]

        def _number(self, block_hash: str) -> int:
            """Number of a block, 0 for none."""
            block = self._ask("eth_getBlockByHash", block_hash, False) if block_hash else None
            return int(block["number"], 16) if block else 0

        def _forward(self, call: dict[str, Any]) -> dict[str, Any]:
            for last in (False, True):
                if self.upstream is None:
                    self.upstream = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=30)
                try:
                    self.upstream.request("POST", "/", json.dumps(call), {"Content-Type": "application/json"})
                    answer: dict[str, Any] = json.loads(self.upstream.getresponse().read())
                    return answer
                except (OSError, http.client.HTTPException):
                    self.upstream.close()
                    self.upstream = None
                    # The node had closed a kept-alive connection: retried once, except for a transaction.
                    if last or call["method"] == SEND:
                        raise _BrokenError from None
            raise AssertionError("not reached")

        def _reset(self) -> None:
            """Breaks the connection so that the client sees a reset, not an end."""
            with contextlib.suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            self.close_connection = True

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()
            if self.upstream is not None:
                self.upstream.close()

    return Handler


def in_place_of(call: dict[str, Any], rule: Rule) -> dict[str, Any]:
    """The answer to a call that the node never gets."""
    if rule.kind == "refused":
        return failure(call, rule.message)
    return success(call, None if rule.kind == "empty" else "0x" + keccak(hexstr=call["params"][0]).hex())


def pinned(call: dict[str, Any]) -> str:
    """The hash of the block that a call is pinned to, "" if none."""
    params, place = call.get("params") or [], _TAGGED.get(call["method"], 0)
    block = params[place] if place and len(params) > place else None
    return str(block.get("blockHash", "")) if isinstance(block, dict) else ""


def aged(call: dict[str, Any], head: int, besides: str = "") -> dict[str, Any]:
    """The call as a node would run it whose latest block is `head`. `besides`: hash of a block that it replaces by
    `head` too."""
    method, params = call["method"], list(call.get("params") or [])
    if method in _TAGGED:
        place = _TAGGED[method]
        params += ["latest"] * (place + 1 - len(params))
        if params[place] in ("latest", "pending") or (besides and pinned(call) == besides):
            params[place] = hex(head)
    elif method == "eth_getBlockByNumber" and params and params[0] in ("latest", "pending"):
        params[0] = hex(head)
    return {**call, "params": params}


def older(answer: dict[str, Any], call: dict[str, Any], head: int) -> dict[str, Any]:
    """The answer of a node that knows no block after `head`."""
    result = answer.get("result")
    if call["method"] == "eth_blockNumber":
        return success(call, hex(head))
    if isinstance(result, dict) and call["method"] in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        number = result.get("blockNumber")
        if number is not None and int(number, 16) > head:
            return success(call, None)
    blocks = call["method"] in ("eth_getBlockByNumber", "eth_getBlockByHash")
    if blocks and isinstance(result, dict) and int(result["number"], 16) > head:
        return success(call, None)
    return answer


def without_pending(call: dict[str, Any]) -> dict[str, Any]:
    """The call as a node would run it that does not expose its pool."""
    params = ["latest" if param == "pending" else param for param in call.get("params") or []]
    return {**call, "params": params}


def spoilt(answer: dict[str, Any], call: dict[str, Any], rule: Rule) -> dict[str, Any]:
    """The node's answer with a rule's fault in it."""
    method, result = call["method"], answer.get("result")
    match rule.kind:
        case "wrong_chain_id" if method in ("eth_chainId", "net_version"):
            return success(call, "0x5" if method == "eth_chainId" else "5")
        case "no_receipt" if method == "eth_getTransactionReceipt":
            return success(call, None)
        case "already_known" if method == SEND:
            return failure(call, "already known")
        case "not_pending" if method == "eth_getTransactionByHash":
            if isinstance(result, dict) and result.get("blockNumber") is None:
                return success(call, None)
        case "price":
            return success(call, _dearer(method, result, rule.factor))
    return answer


def _dearer(method: str, result: Any, factor: int) -> Any:
    if method in ("eth_gasPrice", "eth_maxPriorityFeePerGas"):
        return hex(max(int(result, 16), GWEI) * factor)
    if method == "eth_getBlockByNumber" and isinstance(result, dict) and "baseFeePerGas" in result:
        return {**result, "baseFeePerGas": hex(int(result["baseFeePerGas"], 16) * factor)}
    if method == "eth_feeHistory" and isinstance(result, dict):
        fees = [hex(int(fee, 16) * factor) for fee in result.get("baseFeePerGas", [])]
        rewards = [[hex(int(tip, 16) * factor) for tip in row] for row in result.get("reward") or []]
        return {**result, "baseFeePerGas": fees, **({"reward": rewards} if rewards else {})}
    return result
