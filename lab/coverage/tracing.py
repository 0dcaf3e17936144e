"""A plugin for pytest, `-p lab.coverage.tracing`: keeps what of the contracts' code the tests have executed.

After each transaction and call, and each estimate that fails, the node is asked for its steps. They are joined with the
tree of calls, which says whose code a step is of. The compiler's metadata at a code's end says which contract it is.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider

from ballast.build import BUILD

FOLDER = "BALLAST_COVERAGE"
"""Names the folder for what was executed; each process writes a file."""
SAME = 60
"""So many times a view's same function is traced with the same outcome; then it has been seen often enough."""
_STEPS = {"disableStack": True, "disableStorage": True, "disableMemory": True}
_CREATE = ("CREATE", "CREATE2")

Send = Any
Hits = dict[str, dict[int, int]]
"""By contract and place in its code (bytes): 1; for JUMPI 2 where it did not jump, 4 where it did, or both."""


def marks(build: Path = BUILD) -> dict[str, str]:
    """The end of each contract's code (hex): the compiler's metadata, which is another for each; to its name."""
    types: dict[str, Any] = json.loads(build.read_text())["contractTypes"]
    found = {}
    for name, kind in types.items():
        code = (kind.get("runtimeBytecode") or {}).get("bytecode") or "0x"
        if len(code) > 4:
            found[metadata(code)] = name
    return found


def metadata(code: str) -> str:
    """The metadata at the end of code in hex, or all of it where it is too short to have any."""
    return code[-2 * (int(code[-4:], 16) + 2) :] if len(code) > 6 else code


def walk(steps: list[dict[str, Any]], root: Mapping[str, Any], names: Mapping[str, str | None], hits: Hits) -> bool:
    """Add a trace's steps to `hits`. False where steps and calls do not fit together; what came before counts.

    `names`: the contract at each address that has code, None for one that is none of ours.
    """
    stack: list[tuple[str | None, Iterator[Mapping[str, Any]]]] = []

    def enter(call: Mapping[str, Any]) -> None:
        name = None if call["type"] in _CREATE else names.get(str(call.get("to", "")))
        # Calls of accounts without code, and of what the node itself answers, have no steps.
        inner = [c for c in call.get("calls", ()) if c["type"] in _CREATE or str(c.get("to", "")) in names]
        stack.append((name, iter(inner)))

    enter(root)
    waiting: dict[int, tuple[dict[int, int], int]] = {}
    for step in steps:
        depth, pc = step["depth"], step["pc"]
        while depth < len(stack):
            stack.pop()
            waiting.pop(len(stack) + 1, None)
        if depth > len(stack):
            call = next(stack[-1][1], None)
            if call is None or depth != len(stack) + 1:
                return False
            enter(call)
        if depth in waiting:
            places, jump = waiting.pop(depth)
            places[jump] = places.get(jump, 0) | (2 if pc == jump + 1 else 4)
        name = stack[-1][0]
        if name is None:
            continue
        places = hits.setdefault(name, {})
        if step["op"] == "JUMPI":
            waiting[depth] = places, pc
        else:
            places[pc] = 1
    return True


class Recorder:
    """Stands between the tests and the node."""

    def __init__(self, send: Send, names: Mapping[str, str]) -> None:
        self.hits: Hits = {}
        self.unfit = 0
        self.traced = 0
        self._send = send
        self._names = names
        self._seen: Counter[tuple[str, str, bool]] = Counter()
        self._busy = threading.local()

    def request(self, provider: HTTPProvider, method: str, params: Any) -> Any:
        """What the node answers to a test's request, which is traced if it ran code."""
        answer = self._send(provider, method, params)
        if getattr(self._busy, "now", False):
            return answer
        self._busy.now = True
        try:
            self._look(provider, method, params, answer)
        finally:
            self._busy.now = False
        return answer

    def _look(self, provider: HTTPProvider, method: str, params: Any, answer: Mapping[str, Any]) -> None:
        failed = "error" in answer
        if method in ("eth_sendRawTransaction", "eth_sendTransaction") and not failed:
            self._trace_again(provider, answer["result"])
        elif method == "eth_call" or (method == "eth_estimateGas" and failed):
            kind = (str(params[0].get("to", "")).lower(), str(params[0].get("data", ""))[:10], failed)
            self._seen[kind] += 1
            if self._seen[kind] <= SAME:
                block = params[1] if len(params) > 1 else "latest"
                # Such as a call at another time than the block's.
                others = dict(zip(("stateOverrides", "blockOverrides"), params[2:], strict=False))
                self._trace(provider, [params[0], block], others)

    def _trace_again(self, provider: HTTPProvider, sent: str) -> None:
        """Trace a mined transaction as a call on the block before, at its own block's time and base fee.

        The node keeps no steps of transactions. One that is not mined yet is left out.
        """
        found = self._send(provider, "eth_getTransactionByHash", [sent]).get("result")
        if not found or not found.get("blockNumber"):
            return
        number = int(found["blockNumber"], 16)
        block = self._send(provider, "eth_getBlockByNumber", [hex(number), False])["result"]
        request = {key: found[key] for key in ("from", "to", "gas", "value", "gasPrice") if found.get(key)}
        request["data"] = found["input"]
        others = {"number": hex(number), "time": block["timestamp"], "baseFee": block["baseFeePerGas"]}
        self._trace(provider, [request, hex(number - 1)], {"blockOverrides": others})

    def _trace(self, provider: HTTPProvider, params: list[Any], others: Mapping[str, Any]) -> None:
        method = "debug_traceCall"
        calls = self._send(provider, method, [*params, {"tracer": "callTracer", **others}]).get("result")
        if not calls:
            return
        names = self._who(provider, calls)
        if not any(names.values()):
            return
        steps = self._send(provider, method, [*params, {**_STEPS, **others}]).get("result")
        if steps and steps["structLogs"]:
            self.traced += 1
            self.unfit += not walk(steps["structLogs"], calls, names, self.hits)

    def _who(self, provider: HTTPProvider, root: Mapping[str, Any]) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        todo = [root]
        while todo:
            call = todo.pop()
            todo += call.get("calls", ())
            address = str(call.get("to", ""))
            if address and address not in found and int(address, 16) > 0xFFFF:
                code = str(self._send(provider, "eth_getCode", [address, "latest"])["result"])
                if code != "0x":
                    found[address] = self._names.get(metadata(code))
        return found


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record."""
    send = HTTPProvider.make_request
    recorder = Recorder(send, marks())
    config.stash[_RECORDER] = recorder

    def make_request(provider: HTTPProvider, method: Any, params: Any) -> Any:
        return recorder.request(provider, method, params)

    HTTPProvider.make_request = make_request  # type: ignore[method-assign]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write down what was executed."""
    recorder = config.stash[_RECORDER]
    path = Path(os.environ[FOLDER]) / f"{os.getpid()}.json"
    document = {"traced": recorder.traced, "unfit": recorder.unfit, "hits": recorder.hits}
    path.write_text(json.dumps(document))


_RECORDER = pytest.StashKey[Recorder]()
