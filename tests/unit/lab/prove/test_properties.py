"""The list of properties against the Solidity that states them, the contracts that they break, and the document."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.prove import proofs
from lab.prove.errors import ProveError
from lab.prove.halmos import Result
from lab.prove.proofs import Proof
from lab.prove.property_list import every_property, manual, seen

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
        alone = proofs.alone(text, proved.function)
        assert re.findall(r"function (check_\w+)\(", alone) == [proved.function]
        others = re.findall(r"function (?!check_)(\w+)\(", text)
        assert re.findall(r"function (?!check_)(\w+)\(", alone) == others


def test_every_broken_variant_fits_its_file_and_what_is_proved() -> None:
    proofs.check()
    for proved in every_property():
        (edit,) = proved.broken.edits
        imported = {path.relative_to(ROOT).as_posix() for path in proofs.imported(ROOT / proved.file)}
        assert edit.file in imported, proved.name
        assert edit.old != edit.new


def test_a_pattern_that_does_not_stand_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first = every_property()[0]
    (edit,) = first.broken.edits
    other = replace(first, broken=replace(first.broken, edits=(replace(edit, old="no such line"),)))
    monkeypatch.setattr(proofs, "every_property", lambda: (other,))
    with pytest.raises(ProveError, match="stands 0 times"):
        proofs.check()


def test_every_assembly_block_has_a_property() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "contracts").rglob("*.sol")
        if re.search(r"^\s*assembly", file.read_text(encoding="utf-8"), re.MULTILINE) and "testing" not in file.parts
    }
    broken = {edit.file for p in every_property() if p.name.startswith("assembly-") for edit in p.broken.edits}
    assert broken == files


def test_the_document_has_the_list() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert manual(text, seen()) == text, "run python -m lab.prove list"


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
    kept = replace(PROVED, name=first.name, sources=proofs.sources(first), says="in other words")
    kept = replace(kept, broken_sources=proofs.sources(first, broken=True))
    proofs.write(kept, out)
    (found,) = proofs.run([first], 1, lambda _: pytest.fail("proved again"), again=False, out=out)
    assert found == replace(kept, says=first.says, bound=first.bound)
