"""Mutants of a small source, each operator at its place, and what is never touched; order, score and continuation."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from lab.mutation.__main__ import known, line, score, table
from lab.mutation.operators import OPERATORS, Mutant, masked, mutants, sample
from lab.mutation.trial import FIRST, FOLDERS, Result, code, ordered, reached, sources

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;
import {Part} from "./Part.sol";
error Bad(uint256 a);
contract C {
    bool constant ON = true;
    /// @notice a + b is 7.
    function f(uint256 a, uint256[] memory b) external nonReentrant onlyOwner due(A.B) returns (uint256 c) {
        require(a < 5 && g(a, b), Bad(a));
        if (a == 1) c = a; // 8
        c = b.min(a); /* 9 + 9 */
        emit Seen(c);
        ++c;
        assembly { mstore(0, 6) }
        return Part.up(c, a, 4) + a;
    }
}
"""


def changes(operator: str) -> set[tuple[int, str, str]]:
    return {(m.line, m.old.strip(), m.new.strip()) for m in mutants("C.sol", SOURCE) if m.operator == operator}


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("REL", {(9, "<", "<="), (10, "==", "!=")}),
        ("ARI", {(15, "+", "-")}),
        ("LOG", {(9, "&&", "||")}),
        ("NEG", {(10, "(a == 1)", "(!(a == 1))")}),
        ("RQN", {(9, "a < 5 && g(a, b)", "!(a < 5 && g(a, b))")}),
        ("RQD", {(9, "require(a < 5 && g(a, b), Bad(a));", "")}),
        ("CON", {(n, d, f"({d} {s} 1)") for n, d in ((9, "5"), (10, "1"), (15, "4")) for s in "+-"}),
        ("BOO", {(6, "true", "false")}),
        ("MIN", {(11, ".min(", ".max(")}),
        ("RND", {(15, ".up(", ".down(")}),
        ("DEL", {(11, "c = b.min(a);", ""), (12, "emit Seen(c);", ""), (13, "++c;", "")}),
        ("MOD", {(8, "nonReentrant", ""), (8, "onlyOwner", ""), (8, "due(A.B)", "")}),
    ],
)
def test_operator(operator: str, expected: set[tuple[int, str, str]]) -> None:
    assert changes(operator) == expected


def test_every_operator_is_named() -> None:
    assert {mutant.operator for mutant in mutants("C.sol", SOURCE)} == set(OPERATORS)


def test_mask_keeps_every_place() -> None:
    text = masked(SOURCE)
    assert len(text) == len(SOURCE)
    assert [i for i, c in enumerate(text) if c == "\n"] == [i for i, c in enumerate(SOURCE) if c == "\n"]
    assert not any(word in text for word in ("MIT", "pragma", "import", "error", "notice", "// 8", "9 + 9", "mstore"))


def test_applies_at_its_place_only() -> None:
    (mutant,) = (m for m in mutants("C.sol", SOURCE) if m.operator == "LOG")
    assert mutant.apply(SOURCE) == SOURCE.replace("&&", "||")
    with pytest.raises(ValueError, match=r"C\.sol line 9: ' && ' expected"):
        mutant.apply(" " + SOURCE)


def test_names_are_unique_in_the_contracts() -> None:
    texts = sources()
    files = [file for file in texts if Path(file).stem in FIRST]
    assert len(files) == len(FIRST)
    names = [mutant.name for file in files for mutant in mutants(file, texts[file])]
    assert len(names) == len(set(names))


def test_a_larger_sample_begins_with_the_smaller() -> None:
    every = mutants("C.sol", SOURCE)
    assert sample(every, 9, 1)[:4] == sample(every[::-1], 4, 1)
    assert sample(every, 9, 1) != sample(every, 9, 2)
    assert set(sample(every, 10**6, 1)) == set(every)
    with pytest.raises(ValueError, match="sample: -1"):
        sample(every, -1, 1)


def test_importers_are_found_through_others() -> None:
    texts = {
        "contracts/a/A.sol": 'import {X} from "@openzeppelin/X.sol";',
        "contracts/B.sol": 'import {A} from "./a/A.sol";',
        "contracts/c/C.sol": 'import {\n    B\n} from "../B.sol";',
        "contracts/D.sol": 'import {E} from "./E.sol";',
    }
    assert reached("contracts/a/A.sol", texts) == {"contracts/a/A.sol", "contracts/B.sol", "contracts/c/C.sol"}


def test_likely_tests_come_first_and_months_last() -> None:
    tests = [
        "tests/contracts/flow/test_m.py",
        "tests/contracts/a/test_a.py",
        "tests/contracts/rebalancer/test_bucket.py",
    ]
    assert ordered("contracts/libraries/Bucket.sol", tests) == [tests[2], tests[1], tests[0]]


def test_every_preference_names_tests() -> None:
    root = Path(__file__).parents[3]
    files = [str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("test_*.py")]
    assert [word for words in FIRST.values() for word in words if not any(f"/{word}" in file for file in files)] == []


def test_metadata_is_no_code() -> None:
    assert code("6001aabb0002") == "6001"
    assert code("") == ""


def result(name: str, state: str, operator: str = "REL") -> Result:
    return Result(name, "C.sol", 9, operator, " <\n ", "", state, None, 1.0)


def test_score_counts_what_could_be_noticed() -> None:
    states = ("killed", "timeout", "survived", "same", "not compiled", "killed")
    results = [result(str(i), state) for i, state in enumerate(states)]
    assert score(results) == (3, 4)
    assert table(results).splitlines()[-2:] == ["survived: C.sol:9 REL: < -> nothing", "score: 3 of 4 (75%)"]
    assert table([]).endswith("score: 0 of 0")
    assert line(results[0]) == "C.sol:9 REL: < -> nothing"


@pytest.mark.parametrize(
    ("contracts", "tests", "names"),
    [("c", "t", {"killed", "survived", "same"}), ("c", "u", {"killed", "same"}), ("d", "t", set())],
)
def test_results_hold_for_their_contracts_and_survival_for_its_tests(
    tmp_path: Path, contracts: str, tests: str, names: set[str]
) -> None:
    out = tmp_path / "mutation.json"
    entries = [asdict(result(state, state)) for state in ("killed", "survived", "same")]
    out.write_text(json.dumps({"contracts": "c", "tests": "t", "mutants": entries}))
    assert set(known(out, {"contracts": contracts, "tests": tests})) == names
    assert known(tmp_path / "none.json", {"contracts": "c", "tests": "t"}) == {}


def test_deleting_nothing_is_refused() -> None:
    mutant = Mutant("C.sol", 1, "DEL", 0, 3, "abc", "")
    assert mutant.apply("abcd") == "d"


def test_a_require_without_an_error_has_a_condition_too() -> None:
    (mutant,) = (m for m in mutants("C.sol", "require(g(a, b));") if m.operator == "RQN")
    assert mutant.apply("require(g(a, b));") == "require(!(g(a, b)));"
