"""What is read from forge's report, and that lists which no longer fit are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.fuzz import forge, mutants
from lab.fuzz.campaign import Campaign, add
from lab.fuzz.errors import FuzzError
from lab.fuzz.mutant_list import Edit, Mutant, every_mutant

PASSED = """
Ran 1 test for lab/fuzz/Invariants.t.sol:FixedWeightInvariants
[PASS] invariant_fund() (runs: 10, calls: 5000, reverts: 0)

╭--------------------+----------------+-------+---------+----------╮
| Contract           | Selector       | Calls | Reverts | Discards |
+==================================================================+
| FixedWeightHandler | mint           | 307   | 0       | 35       |
|--------------------+----------------+-------+---------+----------|
| FixedWeightHandler | veto           | 287   | 0       | 279      |
╰--------------------+----------------+-------+---------+----------╯

Suite result: ok. 1 passed; 0 failed; 0 skipped; finished in 4.31s (4.30s CPU time)
"""
FAILED = """
Ran 1 test for lab/fuzz/Invariants.t.sol:MarketCapInvariants
[FAIL: splitting gains nothing (component 2: whole 58, parts 39)]
\t[Sequence] (original: 452, shrunk: 8)
\t\tsender=0x82EE addr=[lab/fuzz/Invariants.t.sol:MarketCapHandler]0x5615 calldata=stick(uint256) args=[7]
 invariant_fund() (runs: 3, calls: 1500, reverts: 1)

Failing tests:
[FAIL: splitting gains nothing (component 2: whole 58, parts 39)]
 invariant_fund() (runs: 3, calls: 1500, reverts: 1)
"""


def test_a_report_of_two_setups_is_read() -> None:
    suites = forge.read(PASSED + FAILED)
    assert [suite.setup for suite in suites] == ["FixedWeightInvariants", "MarketCapInvariants"]
    assert [suite.calls for suite in suites] == [5000, 1500]
    assert suites[0].failure is None
    assert suites[1].failure == "splitting gains nothing (component 2: whole 58, parts 39)"
    assert suites[0].handlers == {"mint": forge.Handler(272, 35), "veto": forge.Handler(8, 279)}


def test_what_is_no_report_gives_no_suites() -> None:
    assert forge.read("Error: Compiler run failed") == ()


def test_chunks_add_up() -> None:
    campaign = Campaign("c", "h", 1, 0, 500, 0, 0, 0.0, [], {})
    report = forge.Report(forge.read(PASSED + FAILED), "")
    add(campaign, report)
    add(campaign, report)
    assert (campaign.calls, campaign.discarded) == (13_000, 628)
    assert campaign.handlers["mint"] == {"made": 544, "discarded": 70}
    assert len(campaign.failures) == 2


def test_every_mutant_still_fits_the_contracts() -> None:
    mutants.check()
    assert len({mutant.name for mutant in every_mutant()}) == len(every_mutant())


@pytest.mark.parametrize(("old", "count"), [("no such line", 0), ("line", 2)])
def test_a_pattern_that_does_not_stand_once_is_refused(tmp_path: Path, old: str, count: int) -> None:
    (tmp_path / "A.sol").write_text("line one\nline two\n")
    mutant = Mutant("broken", "any", (Edit("A.sol", old, "new"),))
    with pytest.raises(FuzzError, match=f"mutant broken: pattern stands {count} times in A.sol, expected once"):
        mutants.check([mutant], tmp_path)
