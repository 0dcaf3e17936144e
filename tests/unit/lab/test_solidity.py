"""What is read out of forge's words on the tests in Solidity."""

from __future__ import annotations

import subprocess

import pytest

from lab.solidity.errors import SolidityError
from lab.solidity.suite import read

PASSED = """Ran 2 tests for tests/solidity/a/A.t.sol:ATest
[PASS] test_one() (gas: 1)
[PASS] test_two(uint256) (runs: 64, μ: 1, ~: 1)
Suite result: ok. 2 passed; 0 failed; 0 skipped; finished in 1ms (1ms CPU time)

Ran 1 test suite in 2ms (1ms CPU time): 2 tests passed, 0 failed, 0 skipped (2 total tests)
"""
FAILED = """Ran 1 test for tests/solidity/a/A.t.sol:ATest
[PASS] test_one() (gas: 1)
Suite result: ok. 1 passed; 0 failed; 0 skipped; finished in 1ms (1ms CPU time)

Ran 1 test for tests/solidity/b/B.t.sol:BTest
[FAIL: half: 3, expected 4] test_half() (gas: 1)
Suite result: FAILED. 0 passed; 1 failed; 0 skipped; finished in 1ms (1ms CPU time)

Ran 2 test suites in 2ms (1ms CPU time): 1 tests passed, 1 failed, 0 skipped (2 total tests)
"""


def done(code: int, output: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, output, "")


def test_all_that_passed_are_counted() -> None:
    run = read(done(0, PASSED))
    assert (run.passed, run.failed) == (2, None)


@pytest.mark.parametrize(
    "line",
    [
        "[FAIL: half: 3, expected 4] test_half() (gas: 1)",
        "[FAIL: EvmError: Revert; counterexample: calldata=0x args=[1]] test_half(uint256) (runs: 1)",
        "[FAIL] test_half() (gas: 1)",
        "[FAIL: list[1]: 2, expected 3] test_half() (gas: 1)",
    ],
)
def test_the_first_that_failed_is_named_with_its_contract(line: str) -> None:
    output = FAILED.replace("[FAIL: half: 3, expected 4] test_half() (gas: 1)", line)
    assert read(done(1, output)).failed == "BTest.test_half"


@pytest.mark.parametrize(("code", "output"), [(1, PASSED), (0, FAILED), (1, "Compiler run failed"), (0, "")])
def test_what_is_no_verdict_is_refused(code: int, output: str) -> None:
    with pytest.raises(SolidityError, match="no verdict"):
        read(done(code, output))
