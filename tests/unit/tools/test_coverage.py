"""What of the contracts was executed, told from steps and calls of a trace, and counted in lines and branches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider

from ballast.build import ROOT
from tools.coverage import compiled, kept, report, tracing
from tools.coverage.compiled import Place, Source
from tools.coverage.rewritten import rewritten

A, B, TOKEN = "0x" + "a" * 40, "0x" + "b" * 40, "0x" + "c" * 40


def walk(steps: list[dict[str, Any]], root: dict[str, Any], names: dict[str, str], hits: tracing.Hits) -> bool:
    return tracing.walk(steps, root, lambda call: names.get(call["to"]), hits)


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
    names = {A: "Fund", B: "Filler"}
    steps = [step(1, 0, "STATICCALL"), step(1, 1, "CALL"), step(2, 0, "CALL"), step(3, 9), step(2, 5)]
    # Between the calls from depth 1 the trace comes back to it.
    steps += [step(1, 2, "CREATE"), step(2, 0), step(1, 3, "STATICCALL"), step(2, 0), step(1, 7)]
    hits: tracing.Hits = {}
    assert walk(steps, root, names, hits)
    assert hits == {"Fund": {0: 1, 1: 1, 2: 1, 3: 1, 7: 1, 9: 1}, "Filler": {0: 1, 5: 1}}


def test_calls_without_steps() -> None:
    """One without gas, one without the ether that it should bring; the end of a contract is no call of its code."""
    root = {
        "type": "CALL",
        "to": A,
        "calls": [
            {"type": "CALL", "to": B, "error": "out of gas"},
            {"type": "CALL", "to": B, "error": "insufficient balance for transfer"},
            {"type": "SELFDESTRUCT", "to": B},
            {"type": "CALL", "to": TOKEN},
        ],
    }
    steps = [step(1, 0, "CALL"), step(1, 1, "CALL"), step(1, 2, "CALL"), step(2, 7), step(1, 3)]
    hits: tracing.Hits = {}
    assert walk(steps, root, {A: "Fund", B: "Filler", TOKEN: "Token"}, hits)
    assert hits == {"Fund": {0: 1, 1: 1, 2: 1, 3: 1}, "Token": {7: 1}}


def test_a_jump_is_followed_over_a_call() -> None:
    root = {"type": "CALL", "to": A, "calls": [{"type": "CALL", "to": B}]}
    steps = [step(1, 4, "JUMPI"), step(1, 5, "CALL"), step(2, 4, "JUMPI"), step(2, 30), step(1, 6, "JUMPI")]
    hits: tracing.Hits = {}
    assert walk(steps, root, {A: "Fund", B: "Fund"}, hits)
    assert hits["Fund"][4] == 2 | 4  # once each way
    assert 6 not in hits["Fund"]  # nothing came after it


def test_steps_of_a_call_that_is_not_known_are_refused() -> None:
    root = {"type": "CALL", "to": A}
    assert not walk([step(1, 0), step(2, 0)], root, {A: "Fund"}, {})
    assert not walk([step(1, 0, "CALL"), step(2, 0)], root, {A: "Fund"}, {})


def test_calls_that_no_step_made_are_refused() -> None:
    inner = {"type": "CALL", "to": B, "calls": [{"type": "CALL", "to": A}]}
    steps = [step(1, 0, "CALL"), step(2, 0), step(1, 1)]
    assert not walk(steps, {"type": "CALL", "to": A, "calls": [inner]}, {}, {})
    assert not walk(steps[:1], {"type": "CALL", "to": A, "calls": [inner, inner]}, {}, {})


NODE = HTTPProvider("http://127.0.0.1:1")
FUND = {"Fund": {"object": "6001aabb0002"}, "Fund (creation)": {"object": "6002" + "6001aabb0002"}}


def test_contracts_are_told_by_their_code() -> None:
    codes = tracing.codes({"contracts": FUND})
    assert codes.of("0x6009aabb0002") == "Fund"
    assert codes.of("0x6001aabc0002") is None
    assert codes.of("0x") is None
    assert codes.created("0x6002" + "6001aabb0002" + "00" * 32) == "Fund (creation)"
    assert codes.created("0x6003") is None
    assert tracing.metadata("6001aabb0002") == "aabb0002"
    assert tracing.metadata("60") == "60"


def test_require_is_measured_as_an_if() -> None:
    text = """\
        // require(nothing) here
        require(a(1, [x]) && b, Bad(a, "c"));
        if (x) require(b, Bad()); else c();
        require(
            a,
            Bad()
        );
"""
    assert [" ".join(line.split()) for line in rewritten(text).split("\n")] == [
        "// require(nothing) here",
        '{ if (!(a(1, [x]) && b)) revert Bad(a, "c"); }',
        "if (x) { if (!(b)) revert Bad(); } else c();",
        "{ if (!(",
        "a)) revert",
        "Bad()",
        "; }",
        "",
    ]


@pytest.mark.parametrize(
    "text", ["require(a);", "require(a, /* b */ // c\n Bad());", "return require(a, b)", "require(a"]
)
def test_another_require_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="require: "):
        rewritten(text)


def test_no_require_is_left() -> None:
    for path in sorted((ROOT / "contracts").rglob("*.sol")):
        if path.is_relative_to(ROOT / "contracts" / "testing"):
            continue
        text = path.read_text()
        measured = rewritten(text)
        assert measured.count("\n") == text.count("\n")
        assert not [line for line in measured.split("\n") if line.strip().startswith("require(")]


def test_what_was_executed_is_kept_until_code_or_file_change(tmp_path: Path) -> None:
    part = {"failed": False, "hits": {}, "traced": 3}
    kept.keep({"tests/conftest.py": part}, "code", tmp_path)
    assert kept.kept(["tests/conftest.py", "tests/__init__.py"], "code", tmp_path)["tests/conftest.py"]["traced"] == 3
    assert not kept.kept(["tests/conftest.py"], "other code", tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace('"state": "', '"state": "0'))  # as if the file were another by now
    assert not kept.kept(["tests/conftest.py"], "code", tmp_path)
    kept.keep({"tests/conftest.py": part}, "code", tmp_path)
    kept.keep({"tests/conftest.py": {**part, "failed": True}}, "code", tmp_path)
    assert not kept.kept(["tests/conftest.py"], "code", tmp_path)


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
    source = Source("contracts/C.sol", TEXT, frozenset({(0, 40)}), {condition: condition, other: other})
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
    assert (one.branches, one.branches_left, one.no_jump) == (2, (2,), (4,))
    (one,) = report.reached(output, {"C": {1: 6}})
    assert (one.lines_left, one.branches_left) == ((3, 4), ())
    assert report.figures([one])["lines_percent"] == 33.3
    assert "1/3" in report.table([one]) and "2/2" in report.table([one])


def test_what_processes_wrote_adds_up() -> None:
    parts = [{"hits": {"C": {"1": 2, "5": 1}}}, {"hits": {"C": {"1": 4}, "D": {"0": 1}}}]
    assert report.merged(parts) == {"C": {1: 6, 5: 1}, "D": {0: 1}}


def node(asked: list[tuple[str, Any]]) -> tracing.Send:
    """A node that runs the fund's code in each transaction and call, for 9 gas."""

    def send(_: object, method: str, params: Any) -> dict[str, Any]:
        asked.append((method, params))
        if method == "debug_traceCall":
            tree = {"type": "CALL", "to": A, "gasUsed": "0x9"}
            return {"result": tree if "tracer" in params[2] else {"structLogs": [step(1, 0), step(1, 5)]}}
        receipt = {"transactionHash": "0xabc", "gasUsed": "0x9", "status": "0x1"}
        answers = {"eth_getTransactionReceipt": receipt, "eth_getCode": "0x01aabb0002", "eth_gasPrice": "0x7"}
        return {"result": answers.get(method, "0xabc")}

    return send


def test_a_transaction_is_traced_in_the_block_to_come() -> None:
    asked: list[tuple[str, Any]] = []
    recorder = tracing.Recorder(node(asked), tracing.codes({"contracts": FUND}))
    recorder.test = "tests/test_a.py::test_b"
    assert recorder.request(NODE, "eth_sendTransaction", [{"to": A}]) == {"result": "0xabc"}
    assert recorder.parts["tests/test_a.py"].hits == {"Fund": {0: 1, 5: 1}}
    methods = [method for method, _ in asked]
    assert methods.index("debug_traceCall") < methods.index("eth_sendTransaction")
    traced = [params for method, params in asked if method == "debug_traceCall"]
    assert all(params[:2] == [{"to": A, "gasPrice": "0x7"}, "pending"] for params in traced)
    recorder.request(NODE, "eth_getTransactionReceipt", ["0xabc"])
    assert recorder.part.other == []


def test_a_transaction_that_did_other_than_its_trace_is_told() -> None:
    recorder = tracing.Recorder(node([]), tracing.codes({"contracts": FUND}))
    recorder.test = "tests/test_a.py::test_b"
    recorder.request(NODE, "eth_sendTransaction", [{"to": A}])
    recorder._expected["0xabc"] = 8, True
    recorder.request(NODE, "eth_getTransactionReceipt", ["0xabc"])
    recorder.request(NODE, "eth_sendRawTransaction", ["0x"])
    assert (recorder.part.other, recorder.part.untraced) == (["tests/test_a.py::test_b"], 1)


def test_what_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "LONGEST", 8)
    recorder = tracing.Recorder(node([]), tracing.codes({"contracts": FUND}))
    recorder.request(NODE, "eth_call", [{"to": A}, "latest"])
    assert (recorder.part.traced, recorder.part.untraced, recorder.part.hits) == (0, 1, {})


def test_a_view_is_traced_for_each_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "SAME", 1)
    errors = [None, None, {"data": "0x11223344"}, {"data": "0x11223344"}, {"data": "0x55667788"}, {"message": "no"}]
    answers = iter(errors)
    plain = node([])

    def send(provider: object, method: str, params: Any) -> Any:
        if method != "eth_call":
            return plain(provider, method, params)
        error = next(answers)
        return {"result": "0x"} if error is None else {"error": error}

    recorder = tracing.Recorder(send, tracing.codes({"contracts": FUND}))
    for _ in errors:
        recorder.request(NODE, "eth_call", [{"to": A, "data": "0x12345678"}, "latest"])
    assert (recorder.part.traced, recorder.part.alike) == (4, 2)


def test_a_file_is_kept_once_all_its_tests_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        tracing, "keep", lambda parts, _: written.extend((file, part["failed"]) for file, part in parts.items())
    )
    recorder = tracing.Recorder(node([]), tracing.codes({"contracts": FUND}))
    watch = tracing._Watch(recorder, "code")
    failed = pytest.TestReport("a.py::two", ("a.py", 1, "two"), {}, "failed", None, "call")
    for test in ("a.py::one", "a.py::two", "b.py::one"):
        watch.pytest_runtest_logstart(test)
        recorder.request(NODE, "eth_call", [{"to": A}, "latest"])
        if test == failed.nodeid:
            watch.pytest_runtest_logreport(failed)
    assert written == [("a.py", True)]
    watch.pytest_sessionfinish(pytest.ExitCode.INTERRUPTED)
    assert written == [("a.py", True)]
    watch.pytest_sessionfinish(pytest.ExitCode.TESTS_FAILED)
    assert written == [("a.py", True), ("b.py", False)]
