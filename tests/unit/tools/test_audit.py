"""What is read of the audit tools' reports, and that only a reasoned entry explains a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tools.audit import __main__ as audit
from tools.audit import semgrep, slither
from tools.audit.findings import AuditError, Entry, Finding, judged, triage
from tools.audit.native_ids import native

FUND = Finding("slither", "unused-return", "Lens.fund", "Medium", "why")
OTHER = Finding("slither", "unused-return", "Lens.fundAndPools", "Medium", "why")


def test_only_a_finding_that_an_entry_names_is_explained() -> None:
    entries = [
        Entry("slither", "unused-return", r"Lens\.fund", "a view"),
        Entry("slither", "unused-return", r"Gone\.fund", "was there"),
        Entry("wake", "unused-return", r".*", "another tool's"),
        Entry("slither", "tx-origin", r".*", "another kind"),
    ]
    left, idle = judged([FUND, OTHER], entries)
    assert left == [OTHER]
    assert idle == entries[1:]


def test_an_entry_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "triage.yaml"
    path.write_text("wake:\n  - {check: reentrancy, where: Zap, reason: ' '}\n")
    with pytest.raises(AuditError, match=r"triage.yaml: wake reentrancy at Zap: expected a reason"):
        triage(path)
    path.write_text("wake:\n  - {check: reentrancy, where: Zap, reason: the lock}\n")
    assert triage(path) == [Entry("wake", "reentrancy", "Zap", "the lock")]


def test_every_entry_of_the_list_is_of_a_tool_that_runs() -> None:
    assert {entry.tool for entry in triage()} <= {*audit.TOOLS, audit.SEMGREP}


def test_a_place_is_the_first_function_named() -> None:
    function = {"type": "function", "name": "fund", "type_specific_fields": {"parent": {"name": "Lens"}}}
    variable: dict[str, Any] = {"type": "variable", "name": "sum"}
    assert slither.place({"elements": [variable, function]}) == "Lens.fund"
    assert slither.place({"elements": [variable]}) == "sum"


def test_a_function_that_slither_cannot_read_is_a_finding() -> None:
    said = "ERROR:ContractSolcParsing:Impossible to generate IR for Lens.fund (contracts/Lens.sol#2-9):"
    (found,) = slither.unread(said + "\n" + said)
    assert (found.check, found.where) == ("not-analysed", "Lens.fund")
    assert slither.unread("nothing") == []


def test_a_finding_of_semgrep() -> None:
    raw = {
        "check_id": "rules.security.exact-balance-check",
        "path": "contracts/periphery/Zap.sol",
        "start": {"line": 7},
        "extra": {"severity": "WARNING", "message": "compared"},
    }
    assert semgrep.read(raw) == Finding("semgrep", "exact-balance-check", "Zap", "WARNING", "line 7: compared")


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([FUND], 0, "1 findings of slither; 0 not explained"),
        ([FUND, OTHER], 1, "not explained: slither Medium unused-return at Lens.fundAndPools: why"),
        ([], 1, "explains nothing any more: slither unused-return at Lens.fund"),
    ],
)
def test_the_command_fails_on_what_does_not_agree(
    found: list[Finding], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(audit.TOOLS, "slither", lambda _: found)
    monkeypatch.setattr(audit, "triage", lambda: [Entry("slither", "unused-return", "Lens.fund", "a view")])
    monkeypatch.setattr(audit, "OUT", tmp_path / "audit.json")
    done = CliRunner().invoke(audit.main, ["slither"])
    assert done.exit_code == code
    assert said in done.output
    assert (tmp_path / "audit.json").exists()


def test_semgrep_by_name_needs_rules() -> None:
    done = CliRunner().invoke(audit.main, ["semgrep"])
    assert done.exit_code == 1
    assert "--rules" in done.output


def test_numbers_of_what_the_language_declares_are_negative() -> None:
    text = '{"id":18,"overloadedDeclarations":[4294967278,4294967279],"value":"4294967295","referencedDeclaration":%s}'
    wanted = '{"id":18,"overloadedDeclarations":[-18,-17],"value":"4294967295","referencedDeclaration":%s}'
    assert native(text % 4294967268) == wanted % -28
    assert native('{"src":4294867295}') == '{"src":4294867295}'
