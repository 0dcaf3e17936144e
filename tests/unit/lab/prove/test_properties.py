"""The list of properties against the Solidity that states them, the contracts that they break, and the document."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab.prove import manual as manual_
from lab.prove import proofs
from lab.prove.assembly import blocks
from lab.prove.errors import ProveError
from lab.prove.halmos import Result
from lab.prove.manual import Seen, manual, seen, stale
from lab.prove.proofs import Proof
from lab.prove.property_list import every_property
from lab.prove.sources import alone, code, imported, sources

ROOT = Path(__file__).parents[4]
PROVED = Proof("a", "says", Result.PROVED, 1.0, "bound", Result.REFUTED, 1.0, False, "sources", "broken")


def test_every_property_is_listed_once_and_stands_in_solidity() -> None:
    listed = [(proved.contract, proved.function) for proved in every_property()]
    stated = {
        (file.name.removesuffix(".t.sol"), function)
        for file in (ROOT / "lab" / "prove").rglob("*Proofs.t.sol")
        for function in re.findall(r"function (check_\w+)\(", file.read_text(encoding="utf-8"))
    }
    assert len(listed) == len(set(listed)) == len({proved.name for proved in every_property()})
    assert set(listed) == stated
    for proved in every_property():
        assert (ROOT / proved.file).exists(), proved.name


def test_a_property_stands_alone_in_its_file() -> None:
    for proved in every_property():
        text = (ROOT / proved.file).read_text(encoding="utf-8")
        left = alone(text, proved.function)
        assert re.findall(r"function (check_\w+)\(", left) == [proved.function]
        others = re.findall(r"function (?!check_)(\w+)\(", text)
        assert re.findall(r"function (?!check_)(\w+)\(", left) == others


def test_every_broken_variant_fits_its_file_and_what_is_proved() -> None:
    proofs.check()
    for proved in every_property():
        (edit,) = proved.broken.edits
        files = {path.relative_to(ROOT).as_posix() for path in imported(ROOT / proved.file)}
        assert edit.file in files, proved.name
        assert edit.old != edit.new


def test_a_pattern_that_does_not_stand_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first = every_property()[0]
    (edit,) = first.broken.edits
    other = replace(first, broken=replace(first.broken, edits=(replace(edit, old="no such line"),)))
    monkeypatch.setattr(proofs, "every_property", lambda: (other,))
    with pytest.raises(ProveError, match="stands 0 times"):
        proofs.check()


def test_every_assembly_block_has_a_property() -> None:
    """Which breaks that file, so that it is seen to notice."""
    compared = {block: {e.file for e in p.broken.edits} for p in every_property() for block in p.blocks}
    assert list(compared) and set(compared) == set(blocks())
    for block, files in compared.items():
        assert {Path(file).stem for file in files} == {block.partition(".")[0]}


def test_assembly_is_found_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "contracts" / "testing").mkdir(parents=True)
    text = (
        "contract C {\n"
        "    function a(\n        uint256[] memory b\n    ) internal {\n        assembly {\n        }\n    }\n"
        '    function a(address b) internal {\n        assembly ("memory-safe") {\n        }\n    }\n'
        "    // in assembly\n"
        "    function c() internal {\n        assembly {\n        }\n        assembly {\n        }\n    }\n"
        "    function d() internal {\n    }\n}\n"
    )
    (tmp_path / "contracts" / "C.sol").write_text(text)
    (tmp_path / "contracts" / "testing" / "Mock.sol").write_text(text)
    assert blocks(tmp_path) == ["C.a(uint256[])", "C.a(address)", "C.c", "C.c"]


def test_the_document_has_the_list() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = ", ".join(stale(seen()))
    assert manual(text, seen()) == text, f"python -m lab.prove list says it; stale, make prove ARGS=--stale: {told}"


@pytest.mark.parametrize(
    ("result", "broken", "open_", "holds"),
    [
        (Result.PROVED, Result.REFUTED, False, True),
        (Result.PROVED, Result.PROVED, False, False),  # vacuous
        (Result.PARTLY, Result.REFUTED, False, False),
        (Result.TIMEOUT, Result.REFUTED, False, False),
        (Result.TIMEOUT, Result.REFUTED, True, True),
        (Result.REFUTED, Result.REFUTED, True, False),
    ],
)
def test_what_holds(result: Result, broken: Result, open_: bool, holds: bool) -> None:
    assert replace(PROVED, result=result, broken=broken, open=open_).holds is holds


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ProveError, match="unknown properties: nothing"):
        proofs.chosen(["nothing"], quick=False)


def test_what_is_known_of_the_same_sources_is_not_proved_again(tmp_path: Path) -> None:
    first = every_property()[0]
    out = tmp_path / "proofs.json"
    kept = replace(PROVED, name=first.name, sources=sources(first), says="in other words")
    kept = replace(kept, broken_sources=sources(first, broken=True))
    proofs.write(kept, out)
    (found,) = proofs.run([first], 1, lambda _: pytest.fail("proved again"), again=False, out=out)
    assert found == replace(kept, says=first.says, bound=first.bound)


def _tree(folder: Path) -> Path:
    """What the sources of a proof are read from."""
    for name in ("contracts", "lab/prove"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "package-lock.json", folder)
    return folder


def test_a_change_of_a_contract_changes_the_digest_of_what_is_proved_of_it(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    file = root / "contracts" / "libraries" / "ProRata.sol"
    of_it = ["pro-rata-up", "mint-never-lowers", "fee-rises-with-supply"]
    looked_at = proofs.chosen([*of_it, "period-comes-back", "month-ends"], quick=False)
    before = {p.name: sources(p, root) for p in looked_at}
    assert before == {p.name: sources(p) for p in looked_at}
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("library ProRata {", "// In other words.\nlibrary ProRata  {"), encoding="utf-8")
    assert {p.name: sources(p, root) for p in looked_at} == before
    file.write_text(text.replace("++part", "part += 1"), encoding="utf-8")
    assert {p.name for p in looked_at if sources(p, root) != before[p.name]} == set(of_it)


def test_comments_do_not_count() -> None:
    text = 'a = "// no /* comment */"; // one\n/* one\n more */ b   = 1;'
    assert code(text) == 'a = "// no /* comment */"; b = 1;'


def test_what_was_found_of_other_sources_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = every_property()[:2]
    kept = replace(PROVED, name=first.name, broken_sources=sources(first, broken=True))
    out = tmp_path / "proofs.json"
    proofs.write(kept, out)
    proofs.write(replace(kept, name=second.name, sources=sources(second), broken="unjudged"), out)
    monkeypatch.setattr(manual_, "SNAPSHOT", out)
    found = seen()
    assert found == {first.name: Seen("stale", "refuted", 1.0, 1.0), second.name: Seen("proved", "unjudged", 1.0, 1.0)}
    assert stale(found) == [first.name]


def test_what_is_stale_or_unjudged_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = every_property()[:3]
    out = tmp_path / "proofs.json"
    for proved, stale_ in ((first, False), (second, True), (third, False)):
        entry = replace(PROVED, name=proved.name, broken_sources=sources(proved, broken=True))
        entry = replace(entry, sources="other" if stale_ else sources(proved))
        proofs.write(replace(entry, broken="unjudged") if proved is third else entry, out)
    monkeypatch.setattr(proofs, "SNAPSHOT", out)
    names = [p.name for p in (first, second, third)]
    assert [p.name for p in proofs.chosen(names, quick=False, stale=True)] == [second.name, third.name]
    assert len(proofs.chosen(names, quick=False)) == 3


def test_a_snapshot_keeps_what_is_not_found_anew(tmp_path: Path) -> None:
    first, second = every_property()[:2]
    out, to = tmp_path / "proofs.json", tmp_path / "snapshot.json"
    for proved in (first, second):
        kept = replace(PROVED, name=proved.name, sources=sources(proved), broken_sources="of before")
        proofs.write(kept, to)
    proofs.write(replace(PROVED, name=first.name, sources=sources(first), result=Result.TIMEOUT), out)
    proofs.snapshot(to, out)
    found = {entry["property"]: entry for entry in json.loads(to.read_text())["properties"]}
    assert (found[first.name]["result"], found[second.name]["result"]) == ("timeout", "proved")
    assert found[second.name]["broken"] == "unjudged"
    assert len(found) == len(every_property())


def test_figures_say_what_is_not_proved() -> None:
    names = [p.name for p in every_property()]
    found = dict.fromkeys(names, Seen("proved", "refuted", 1.0, 2.0))
    marks = f"{manual_.BEGIN}\n{manual_.END}\n"
    n = len(names)
    all_ = f"Of {n} properties **{n} are proved, {n} of them with the broken variant refuted**; {3 * n} s without"
    assert all_ in manual(marks, found)
    assert "- Not proved" not in manual(marks, found)
    found |= {names[0]: Seen("timeout", "refuted", 240.2, 1.0), names[1]: Seen("proved", "timeout", 1.0, 1.0)}
    del found[names[2]]
    text = manual(marks, found)
    assert f"- Not proved: `{names[0]}` (timeout after 240 s), `{names[2]}` (unjudged).\n" in text
    assert f"- Proved, the variant not refuted: `{names[1]}` (timeout).\n" in text
