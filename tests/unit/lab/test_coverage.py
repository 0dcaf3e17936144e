"""What of the contracts was executed, told from steps and calls of a trace, and counted in lines and branches."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.build import BUILD
from lab.coverage import compiled, report, tracing
from lab.coverage.compiled import Place, Source

A, B, TOKEN = "0x" + "a" * 40, "0x" + "b" * 40, "0x" + "c" * 40


def step(depth: int, pc: int, op: str = "ADD") -> dict[str, Any]:
    return {"depth": depth, "pc": pc, "op": op}


def test_steps_are_told_apart_by_the_calls_that_they_are_of() -> None:
    root = {
        "type": "CALL",
        "to": A,
        "calls": [
            {"type": "STATICCALL", "to": "0x" + "0" * 39 + "1"},  # the node itself answers: no steps
            {"type": "CALL", "to": B, "calls": [{"type": "CALL", "to": A}]},
            {"type": "CREATE", "to": TOKEN},
            {"type": "STATICCALL", "to": TOKEN},
        ],
    }
    names = {A: "Fund", B: "Filler", TOKEN: None}
    steps = [step(1, 0), step(1, 1), step(2, 0), step(3, 9), step(2, 5), step(2, 0), step(2, 0), step(1, 7)]
    # Between the calls from depth 1 the trace comes back to it.
    steps = [*steps[:5], step(1, 2), steps[5], step(1, 3), *steps[6:]]
    hits: tracing.Hits = {}
    assert tracing.walk(steps, root, names, hits)
    assert hits == {"Fund": {0: 1, 1: 1, 2: 1, 3: 1, 7: 1, 9: 1}, "Filler": {0: 1, 5: 1}}


def test_a_jump_is_followed_over_a_call() -> None:
    root = {"type": "CALL", "to": A, "calls": [{"type": "CALL", "to": B}]}
    steps = [step(1, 4, "JUMPI"), step(1, 5, "CALL"), step(2, 4, "JUMPI"), step(2, 30), step(1, 6, "JUMPI")]
    hits: tracing.Hits = {}
    assert tracing.walk(steps, root, {A: "Fund", B: "Fund"}, hits)
    assert hits["Fund"][4] == 2 | 4  # once each way
    assert 6 not in hits["Fund"]  # nothing came after it


def test_steps_of_a_call_that_is_not_known_are_refused() -> None:
    root = {"type": "CALL", "to": A}
    assert not tracing.walk([step(1, 0), step(2, 0)], root, {A: "Fund"}, {})


def test_contracts_are_told_by_the_end_of_their_code() -> None:
    marks = tracing.marks(BUILD)
    assert {"IndexToken", "Rebalancer", "MarketCap"} <= set(marks.values())
    assert tracing.metadata("0x6001aabb0002") == "aabb0002"
    assert tracing.metadata("0x60") == "0x60"


def test_places_follow_the_code_and_the_map() -> None:
    output = {
        "sources": {"contracts/A.sol": {"id": 3}, "contracts/B.sol": {"id": 4}},
        # PUSH2 0x5757; JUMPI; ADD; STOP
        "contracts": {"A": {"object": "615757" + "57" + "01" + "00", "sourceMap": "10:5:3:-:0;;20:2:4;:::-;:1:-1"}},
    }
    with pytest.raises(ValueError, match="invalid literal"):
        list(compiled.places({**output, "contracts": {"A": {"object": "00", "sourceMap": "x:1:3"}}}, "A"))
    assert list(compiled.places(output, "A"))[:3] == [
        Place(0, "contracts/A.sol", (10, 5), False),
        Place(3, "contracts/A.sol", (10, 5), True),
        Place(4, "contracts/B.sol", (20, 2), False),
    ]


TEXT = b"contract C {\n  if (a)\n    b();\n  c();\n}\n"


def test_lines_and_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    condition, call, other = (15, 6), (26, 3), (33, 3)
    source = Source("contracts/C.sol", TEXT, frozenset({(0, 40)}), {condition: condition})
    output: dict[str, Any] = {"contracts": {"C": None, "D": None}}
    found = {
        "C": [Place(0, source.name, (0, 40), False), Place(1, source.name, condition, True)],
        "D": [
            Place(1, source.name, condition, True),
            Place(2, source.name, call, False),
            Place(3, source.name, other, False),
        ],
    }
    monkeypatch.setattr(report, "sources", lambda _: {source.name: source})
    monkeypatch.setattr(report, "places", lambda _, contract: iter(found[contract]))
    # One jump each way is in different contracts: no jump went both ways.
    (one,) = report.reached(output, {"C": {0: 1, 1: 2}, "D": {1: 4, 2: 1}})
    assert (one.lines, one.lines_left) == (3, (4,))
    assert (one.branches, one.branches_left) == (2, (2,))
    (one,) = report.reached(output, {"C": {1: 6}})
    assert (one.lines_left, one.branches_left) == ((3, 4), ())
    assert report.figures([one])["lines_percent"] == 33.3
    assert "1/3" in report.table([one]) and "2/2" in report.table([one])


def test_what_processes_wrote_adds_up() -> None:
    parts = [{"hits": {"C": {"1": 2, "5": 1}}}, {"hits": {"C": {"1": 4}, "D": {"0": 1}}}]
    assert report.merged(parts) == {"C": {1: 6, 5: 1}, "D": {0: 1}}


def test_a_transaction_is_traced_as_a_call_on_the_block_before() -> None:
    asked: list[tuple[str, Any]] = []
    sent = {
        "blockNumber": "0x8",
        "from": B,
        "to": A,
        "gas": "0x5208",
        "value": "0x0",
        "input": "0x12",
        "gasPrice": "0x7",
    }
    block = {"timestamp": "0x99", "baseFeePerGas": "0x3"}

    def send(_: object, method: str, params: Any) -> dict[str, Any]:
        asked.append((method, params))
        if method == "debug_traceCall":
            calls = "tracer" in params[2]
            return {"result": {"type": "CALL", "to": A} if calls else {"structLogs": [step(1, 0), step(1, 5)]}}
        answers = {"eth_getTransactionByHash": sent, "eth_getBlockByNumber": block, "eth_getCode": "0x01aabb0002"}
        return {"result": answers.get(method, "0xabc")}

    recorder = tracing.Recorder(send, {"aabb0002": "Fund"})
    assert recorder.request(None, "eth_sendTransaction", [{}]) == {"result": "0xabc"}  # type: ignore[arg-type]
    assert recorder.hits == {"Fund": {0: 1, 5: 1}}
    traced = [params for method, params in asked if method == "debug_traceCall"]
    assert all(params[1] == "0x7" and params[0]["data"] == "0x12" for params in traced)
    assert traced[1][2]["blockOverrides"] == {"number": "0x8", "time": "0x99", "baseFee": "0x3"}
