"""A plugin for pytest, `-p tools.coverage.tracing`: records what of the contracts' code the tests execute.

Each transaction is traced just before it is sent, as a call in the block that it will be mined in, because the node
keeps no steps of transactions; calls, and estimates that fail, after they were answered. The steps are joined with the
tree of calls, which shows whose code a step belongs to. The compiler's metadata at a code's end identifies the
contract.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
from web3 import HTTPProvider

from tests.helpers.contracts import Artifact, Call
from tools.coverage.compiled import compiled, creation
from tools.coverage.kept import keep

SAME = 500
"""How often the same function of a view is traced with the same outcome in a file of tests."""
LONGEST = 8_000_000
"""Gas above which no steps are requested: those of tests that burn all gas there is would fill the memory."""
PATIENCE_S = 600
"""Seconds after which a trace is given up."""
_STEPS = {"disableStack": True, "disableStorage": True, "disableMemory": True}
_CREATES = ("CREATE", "CREATE2")
_CALLS = ("CALL", "STATICCALL", "DELEGATECALL", "CALLCODE", *_CREATES)

Send = Any
Names = Callable[[Mapping[str, Any]], str | None]
Hits = dict[str, dict[int, int]]
"""By contract and offset in its code (bytes): 1; for JUMPI 2 where it did not jump, 4 where it did, or both."""


@dataclass
class Part:
    """What the tests of one file executed.

    `unfit`: tests with a trace that could not be followed to its end. `other`: tests with a transaction whose outcome
    in the block was not that of its trace. `untraced`: transactions that were signed elsewhere, and all above LONGEST.
    `alike`: calls that were left out after SAME.
    """

    traced: int = 0
    unfit: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    untraced: int = 0
    alike: int = 0
    failed: bool = False
    hits: Hits = field(default_factory=dict)


@dataclass(frozen=True)
class Codes:
    """Which contract a code is of, in hex without 0x. `ends`: names by the metadata at its end; `creations`: creation
    code by name."""

    ends: Mapping[str, str]
    creations: Mapping[str, str]

    def of(self, code: str) -> str | None:
        """The contract that the code belongs to."""
        return self.ends.get(metadata(code.removeprefix("0x")))

    def created(self, data: str) -> str | None:
        """The contract that creation code with arguments creates."""
        return next((creation(name) for name, code in self.creations.items() if data.startswith(code, 2)), None)


def codes(output: Mapping[str, Any]) -> Codes:
    """The codes of the contracts as they are measured. Each has different metadata."""
    contracts: Mapping[str, Any] = output["contracts"]
    ends = {metadata(contracts[name]["object"]): name for name in contracts if creation(name) in contracts}
    return Codes(ends, {name: contracts[creation(name)]["object"] for name in ends.values()})


def metadata(code: str) -> str:
    """The metadata at the end of code in hex, or all of it where it is too short to have any."""
    return code[-2 * (int(code[-4:], 16) + 2) :] if len(code) > 6 else code


def walk(steps: list[dict[str, Any]], root: Mapping[str, Any], names: Names, hits: Hits) -> bool:
    """Add a trace's steps to `hits`. False where steps and calls do not fit together; the steps before that count.

    `names`: whose code a call runs, None for code that is none of ours; see `Recorder`.
    """
    stack: list[_Frame] = [_Frame.of(root, names)]
    for step in steps:
        depth, pc = step["depth"], step["pc"]
        while depth < len(stack):
            # A call that is left in the tree is not in the steps: the two are not of the same run.
            if next(stack.pop().calls, None) is not None:
                return False
        if depth > len(stack):
            called = stack[-1].called
            if called is None or depth != len(stack) + 1:
                return False
            stack.append(_Frame.of(called, names))
        frame = stack[-1]
        frame.called = None
        places = hits.setdefault(frame.name, {}) if frame.name is not None else {}
        if frame.jump is not None:
            places[frame.jump] = places.get(frame.jump, 0) | (2 if pc == frame.jump + 1 else 4)
            frame.jump = None
        if step["op"] == "JUMPI":
            frame.jump = pc
        else:
            places[pc] = 1
        if step["op"] in _CALLS:
            # A call has steps of its own only if code began to run: not without gas, without the ether that it is to
            # transfer, or where there is no code.
            frame.called = next(frame.calls, None)
    return all(next(frame.calls, None) is None for frame in stack)


@dataclass
class _Frame:
    """Code that runs: whose it is, the calls that it has yet to make, the one just made, the JUMPI just executed."""

    name: str | None
    calls: Iterator[Mapping[str, Any]]
    called: Mapping[str, Any] | None = None
    jump: int | None = None

    @classmethod
    def of(cls, call: Mapping[str, Any], names: Names) -> _Frame:
        # The tree has a contract's self-destruction as a call, which no instruction of that kind made.
        return cls(names(call), iter([one for one in call.get("calls", ()) if one["type"] != "SELFDESTRUCT"]))


class Recorder:
    """Sits between the tests and the node."""

    def __init__(self, send: Send, codes_: Codes) -> None:
        self.parts: dict[str, Part] = {}
        self.test = ""
        self._send = send
        self._codes = codes_
        self._seen: Counter[tuple[str, str, str, str]] = Counter()
        self._expected: dict[str, tuple[int, bool]] = {}
        self._busy = threading.local()
        self._patient: dict[str, HTTPProvider] = {}

    @property
    def file(self) -> str:
        """The file of the test that runs."""
        return self.test.partition("::")[0]

    @property
    def part(self) -> Part:
        """What that file's tests have executed."""
        return self.parts.setdefault(self.file, Part())

    def request(self, provider: HTTPProvider, method: str, params: Any) -> Any:
        """The node's answer to a test's request, which is traced if it runs code."""
        if getattr(self._busy, "now", False):
            return self._send(provider, method, params)
        self._busy.now = True
        try:
            if method == "eth_sendTransaction":
                return self._sent(provider, params)
            answer = self._send(provider, method, params)
            self._look(provider, method, params, answer)
            return answer
        finally:
            self._busy.now = False

    def _sent(self, provider: HTTPProvider, params: Any) -> Any:
        """Traces and sends a transaction that is to be mined at once; the answer."""
        price = self._send(provider, "eth_gasPrice", [])["result"]
        traced = self._trace(provider, [{"gasPrice": price, **params[0]}, "pending"], {})
        answer = self._send(provider, "eth_sendTransaction", params)
        if traced is not None and "result" in answer:
            self._expected[answer["result"]] = int(traced["gasUsed"], 16), "error" not in traced
        return answer

    def _look(self, provider: HTTPProvider, method: str, params: Any, answer: Mapping[str, Any]) -> None:
        if method == "eth_sendRawTransaction":
            self.part.untraced += 1
        elif method == "eth_getTransactionReceipt" and answer.get("result"):
            receipt = answer["result"]
            done = int(receipt["gasUsed"], 16), receipt["status"] == "0x1"
            if self._expected.pop(receipt["transactionHash"], done) != done:
                self.part.other.append(self.test)
        elif method == "eth_call" or (method == "eth_estimateGas" and "error" in answer):
            kind = (
                self.file,
                str(params[0].get("to", "")).lower(),
                str(params[0].get("data", ""))[:10],
                _outcome(answer),
            )
            self._seen[kind] += 1
            if self._seen[kind] > SAME:
                self.part.alike += 1
            else:
                block = params[1] if len(params) > 1 else "latest"
                # Overrides, such as of the block's time.
                others = dict(zip(("stateOverrides", "blockOverrides"), params[2:], strict=False))
                self._trace(provider, [params[0], block], others)

    def _trace(self, provider: HTTPProvider, params: list[Any], others: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Records what a call executes; the tree of its calls, None if the node refuses to trace it."""
        calls: Mapping[str, Any] | None = self._traced(provider, [*params, {"tracer": "callTracer", **others}])
        if not calls:
            return None
        names = self._who(provider, calls)
        if not names:
            return calls
        if int(calls["gasUsed"], 16) > LONGEST:
            self.part.untraced += 1
            return calls
        steps = self._traced(provider, [*params, {**_STEPS, **others}])
        if steps and steps["structLogs"]:
            self.part.traced += 1
            if not walk(steps["structLogs"], calls, lambda call: names.get(_place(call)), self.part.hits):
                self.part.unfit.append(self.test)
        return calls

    def _traced(self, provider: HTTPProvider, params: list[Any]) -> Any:
        """A trace, with a long time limit; None if the node refuses."""
        url = str(provider.endpoint_uri)
        if url not in self._patient:
            self._patient[url] = HTTPProvider(url, request_kwargs={"timeout": PATIENCE_S})
        return self._send(self._patient[url], "debug_traceCall", params).get("result")

    def _who(self, provider: HTTPProvider, root: Mapping[str, Any]) -> dict[str, str]:
        """Our contracts among the calls, by `_place`."""
        found: dict[str, str | None] = {}
        todo = [root]
        while todo:
            call = todo.pop()
            todo += call.get("calls", ())
            if call["type"] in _CREATES:
                found[_place(call)] = self._codes.created(str(call["input"]))
                # The node would return no code: it is not there yet, or no more.
                found[str(call.get("to", ""))] = self._codes.of(str(call.get("output", "")))
        todo = [root]
        while todo:
            call = todo.pop()
            todo += call.get("calls", ())
            address = _place(call)
            if address and address not in found and int(address, 16) > 0xFFFF:
                found[address] = self._codes.of(str(self._send(provider, "eth_getCode", [address, "latest"])["result"]))
        return {place: name for place, name in found.items() if name is not None}


def _place(call: Mapping[str, Any]) -> str:
    """The address whose code a call runs; of a creation its whole code, which is at no address."""
    return str(call["input"] if call["type"] in _CREATES else call.get("to", ""))


def _outcome(answer: Mapping[str, Any]) -> str:
    """Empty for a result, the error's selector or message for a refusal."""
    error = answer.get("error")
    if not isinstance(error, Mapping):
        return ""
    data = error.get("data")
    return data[:10] if isinstance(data, str) and len(data) >= 10 else str(error.get("message", "error"))


def pytest_configure(config: pytest.Config) -> None:
    """Start recording, and make the tests create the contracts as they are measured."""
    output = compiled()
    known = codes(output)
    send, create = HTTPProvider.make_request, Artifact.create
    recorder = Recorder(send, known)
    config.pluginmanager.register(_Watch(recorder, output["digest"]))

    def make_request(provider: HTTPProvider, method: Any, params: Any) -> Any:
        return recorder.request(provider, method, params)

    def create_measured(self: Artifact, *args: Any) -> Call:
        code = known.creations.get(self.name)
        return create(self if code is None else replace(self, code=bytes.fromhex(code)), *args)

    HTTPProvider.make_request = make_request  # type: ignore[method-assign]
    Artifact.create = create_measured  # type: ignore[method-assign]


class _Watch:
    """Names the running test to the recorder, and keeps what a file's tests executed once they have all run."""

    def __init__(self, recorder: Recorder, digest: str) -> None:
        self._recorder = recorder
        self._digest = digest

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begins a new file with its first test, to which fixtures of a module belong."""
        if nodeid.partition("::")[0] != self._recorder.file:
            self._keep()
        self._recorder.test = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Marks a file with a failed test, which then does not count."""
        self._recorder.part.failed |= report.failed

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Keeps the last file, unless the run was stopped in it."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._keep()

    def _keep(self) -> None:
        if part := self._recorder.parts.pop(self._recorder.file, None):
            keep({self._recorder.file: asdict(part)}, self._digest)
