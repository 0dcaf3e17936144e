"""Mutants of a small source, each operator at its place, and what is never touched; order, score and continuation."""

from __future__ import annotations

from pathlib import Path

import pytest

from ballast.build import ROOT
from lab.mutation.compiler import Compiler, imported, sources
from lab.mutation.operators import OPERATORS, masked, masked_but_assembly, mutants, sample
from lab.mutation.store import code_digest, equivalent, known, line, score, table, write
from lab.mutation.trial import INVARIANTS, Result, Sources
from lab.solidity.areas import CONTRACTS, FILES
from lab.solidity.suite import TESTS

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
        assembly {
            mstore(0, add(0x40, iszero(c)))
        }
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
        ("ARI", {(17, "+", "-")}),
        ("LOG", {(9, "&&", "||")}),
        ("NEG", {(10, "(a == 1)", "(!(a == 1))")}),
        ("RQN", {(9, "a < 5 && g(a, b)", "!(a < 5 && g(a, b))")}),
        ("RQD", {(9, "require(a < 5 && g(a, b), Bad(a));", "")}),
        ("CON", {(n, d, f"({d} {s} 1)") for n, d in ((9, "5"), (10, "1"), (17, "4")) for s in "+-"}),
        ("BOO", {(6, "true", "false")}),
        ("MIN", {(11, ".min(", ".max(")}),
        ("RND", {(17, ".up(", ".down(")}),
        ("DEL", {(11, "c = b.min(a);", ""), (12, "emit Seen(c);", ""), (13, "++c;", "")}),
        ("ASM", {(15, "add", "sub"), (15, "iszero", "")}),
        ("ASC", {(15, "0", "1"), (15, "0x40", "65"), (15, "0x40", "63")}),
        ("ASD", {(15, "mstore(0, add(0x40, iszero(c)))", "")}),
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


def test_assembly_alone_is_left_of_the_other_mask() -> None:
    text = masked_but_assembly(SOURCE)
    assert len(text) == len(SOURCE)
    assert text.split() == ["assembly", "{", "mstore(0,", "add(0x40,", "iszero(c)))", "}"]


def test_names_are_unique_in_the_contracts() -> None:
    texts = sources()
    files = [file for file in texts if Path(file).stem in FILES]
    assert len(files) == len(FILES)
    names = [mutant.name for file in files for mutant in mutants(file, texts[file])]
    assert len(names) == len(set(names))


def test_a_name_stays_where_other_lines_are_added() -> None:
    moved = SOURCE.replace("error Bad", "\nerror Worse(uint256 b);\nerror Bad")
    assert [m.name for m in mutants("C.sol", moved)] == [m.name for m in mutants("C.sol", SOURCE)]


def test_before_a_unit_a_constant_stays_a_plain_number() -> None:
    found = mutants("C.sol", "uint256 constant A = 30 days;\nuint256 constant B = 1e18;\n")
    assert {m.new for m in found} == {"31", "29", "(1e18 + 1)", "(1e18 - 1)"}


def test_changes_that_read_alike_are_numbered() -> None:
    names = [m.name for m in mutants("C.sol", "uint256 a = b + b + c;\n") if m.operator == "ARI"]
    assert names == ["C.sol ARI + -> -: uint256 a = b + b + c;", "C.sol ARI + -> -: uint256 a = b + b + c; #2"]


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
    found = {name for name in texts if "contracts/a/A.sol" in imported(name, texts)}
    assert found == {"contracts/a/A.sol", "contracts/B.sol", "contracts/c/C.sol"}


def test_every_folder_of_tests_is_an_area() -> None:
    folders = {path.name for path in (ROOT / TESTS).iterdir() if path.is_dir() and list(path.rglob("*.t.sol"))}
    assert folders == set(CONTRACTS)
    assert {folder for folders in FILES.values() for folder in folders} == set(CONTRACTS)


def test_each_file_is_reached_by_a_contract_under_test() -> None:
    found = Sources.of(sources())
    for file in (file for file in found.texts if Path(file).stem in FILES):
        first, *_, last = found.stages(file)
        assert first[1], f"{file}: no contract of CONTRACTS[{first[0]!r}] imports it"
        assert last[0] == INVARIANTS


def test_the_compiler_sees_what_a_mutant_changes() -> None:
    texts = {"contracts/A.sol": "pragma solidity 0.8.30; contract A { function f() external {} }"}
    changed = {"contracts/A.sol": texts["contracts/A.sol"].replace("f()", "g()")}
    with Compiler() as compiler:
        first, second = compiler.compile(texts, texts), compiler.compile(changed, changed)
        assert first is not None
        assert second is not None
        assert first["A"].creation != second["A"].creation
        assert compiler.compile({"contracts/A.sol": "contract A {"}, texts) is None
        assert compiler.compile(texts, texts) == first


def test_imports_are_followed() -> None:
    texts = {"contracts/A.sol": 'import {B} from "./b/B.sol";', "contracts/b/B.sol": 'import {C} from "@oz/C.sol";'}
    assert imported("contracts/A.sol", texts) == set(texts)


def test_comments_are_no_code() -> None:
    texts = sources()
    file = "contracts/libraries/ProRata.sol"
    code = code_digest(Sources.of(texts), file)
    assert code_digest(Sources.of({**texts, file: texts[file] + "// more\n"}), file) == code
    assert code_digest(Sources.of({**texts, file: texts[file].replace("128", "129")}), file) != code


def result(name: str, state: str, operator: str = "REL", code: str = "c") -> Result:
    return Result(name, "C.sol", 9, operator, " <\n ", "", state, None, 1.0, code)


def test_score_counts_what_could_be_noticed() -> None:
    states = ("killed", "timeout", "survived", "same", "not compiled", "killed", "survived")
    results = [result(str(i), state) for i, state in enumerate(states)]
    assert score(results, {}) == (3, 5)
    assert score(results, {"6": "nobody reads it"}) == (3, 4)
    text = table(results, {"6": "nobody reads it"})
    assert text.splitlines()[-2:] == ["survived: 9: 2", "score: 3 of 4 (75.0%)"]
    assert table([], {}).endswith("score: 0 of 0")
    assert line(results[0]) == "9: 0"


@pytest.mark.parametrize(
    ("code", "tests", "names"),
    [("c", "t", {"killed", "survived", "same"}), ("c", "u", {"killed", "same"}), ("d", "t", set())],
)
def test_what_holds_is_not_tried_again(tmp_path: Path, code: str, tests: str, names: set[str]) -> None:
    out = tmp_path / "mutation.json"
    write([result(state, state) for state in ("killed", "survived", "same")], "t", out)
    assert set(known({"C.sol": code}, tests, out)) == names
    assert known({"C.sol": code}, tests, tmp_path / "none.json") == {}


def test_an_equivalent_mutant_is_one_of_the_mutants() -> None:
    texts = sources()
    names = {m.name for file in texts if Path(file).stem in FILES for m in mutants(file, texts[file])}
    assert sorted(set(equivalent()) - names) == []
