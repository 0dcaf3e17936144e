"""What is read of the audit tools' reports, and that only a reasoned entry explains a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
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
    assert {entry.tool for entry in triage()} <= {*audit.TOOLS, semgrep.OTHERS}


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


def raw(rule: str, path: Path, first: int, last: int) -> dict[str, Any]:
    return {
        "check_id": f"rules.security.{rule}",
        "path": path.name,
        "start": {"line": first},
        "end": {"line": last},
        "extra": {"severity": "WARNING", "message": "compared"},
    }


def test_a_finding_of_semgrep_is_of_the_last_function_above_its_end(tmp_path: Path) -> None:
    path = tmp_path / "Zap.sol"
    path.write_text(
        "contract Zap {\n    constructor() {\n    }\n    function mint(\n        uint256 shares\n    ) {\n    }\n}\n"
    )
    found = semgrep.read(raw("exact-balance-check", path, 4, 6), tmp_path)
    assert found == Finding("semgrep", "exact-balance-check", "Zap.mint", "WARNING", "line 4: compared")
    assert semgrep.read(raw("any", path, 2, 3), tmp_path, semgrep.OTHERS).where == "Zap.constructor"
    assert semgrep.read(raw("any", path, 1, 1), tmp_path).where == "Zap"


def test_a_rule_finds_just_what_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "Broken.sol"
    path.write_text("x; // found: origin\ny;\n")
    right = raw("origin", path, 1, 1)
    semgrep.check(tmp_path, [right])
    with pytest.raises(AuditError, match=r"origin does not find line 1 of Broken.sol"):
        semgrep.check(tmp_path, [])
    with pytest.raises(AuditError, match=r"origin should not find line 2 of Broken.sol"):
        semgrep.check(tmp_path, [right, raw("origin", path, 2, 2)])


def test_every_rule_has_a_broken_contract() -> None:
    rules = yaml.safe_load((semgrep.RULES / "ballast.yaml").read_text())["rules"]
    text = "".join(file.read_text() for file in (semgrep.RULES / "broken").rglob("*.sol"))
    assert [rule["id"] for rule in rules if f"// found: {rule['id']}\n" not in text] == []


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


def test_rules_of_others_need_a_folder() -> None:
    done = CliRunner().invoke(audit.main, ["semgrep-others"])
    assert done.exit_code == 1
    assert "--rules" in done.output


def test_which_of_others_rules_ran_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("semgrep-others", "any", r"Zap\.mint", "why")
    monkeypatch.setattr(semgrep, "others", lambda *_: [])
    monkeypatch.setattr(audit, "triage", lambda: [entry])
    monkeypatch.setattr(audit, "OUT", tmp_path / "audit.json")
    done = CliRunner().invoke(audit.main, ["semgrep-others", "--rules", str(tmp_path)])
    assert done.exit_code == 0
    assert "explains nothing" not in done.output


def test_numbers_of_what_the_language_declares_are_negative() -> None:
    text = '{"id":18,"overloadedDeclarations":[4294967278,4294967279],"value":"4294967295","referencedDeclaration":%s}'
    wanted = '{"id":18,"overloadedDeclarations":[-18,-17],"value":"4294967295","referencedDeclaration":%s}'
    assert native(text % 4294967268) == wanted % -28
    assert native('{"src":4294867295}') == '{"src":4294867295}'
