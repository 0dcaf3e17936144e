"""What the contracts refuse an owner, in words."""

from __future__ import annotations

import string

import pytest
from eth_utils import keccak

from ballast.abi import encode_call, types_of
from ballast.steering import owner_abi
from ballast.steering.refusals import WORDS, refusal
from ballast.units import DAY_S, WAD
from tests.unit.ballast.steering.fund import OTHER_FEED, STRANGER, UNI, context

ERRORS = {str(entry["name"]): entry for entry in owner_abi.errors().values()}


def said(signature: str, *arguments: object) -> str:
    return ": ".join(refusal(context(), encode_call(signature, *arguments)))


def test_words_with_units() -> None:
    assert said("FeedsDisagree(address,uint256,uint256)", UNI, 20 * WAD, 22 * WAD) == (
        "UNI: the new feed says 22 USD, the old one 20 USD, more than 5 % apart (FeedsDisagree): name the right feed; "
        "if the old one is wrong, give the new one a band and --correct UNI"
    )
    assert "the new feed says nothing" in said("FeedsDisagree(address,uint256,uint256)", UNI, 20 * WAD, 0)
    assert said("LimitOutOfBounds(bytes32)", b"lossBudget".ljust(32, b"\0")).startswith("loss_budget is outside")
    assert said("FeeAboveCeiling(uint256,uint256)", WAD // 10, WAD // 20).startswith("a fee of 10 % is above")
    assert said("TimelockInsufficientDelay(uint256,uint256)", 60, 2 * DAY_S).startswith("a delay of 1 min is below")
    role = bytes(keccak(text="PROPOSER_ROLE"))
    assert said("AccessControlUnauthorizedAccount(address,bytes32)", STRANGER, role) == (
        f"{STRANGER} does not have the role PROPOSER_ROLE (AccessControlUnauthorizedAccount): use an account that has "
        "the role"
    )
    assert "2023-11-14 22:13:20 UTC" in said("OlderSupply(address,uint256,uint256)", UNI, 1, 1_700_000_000)
    assert "0x" + "ff" * 32 in said("TimelockUnexecutedPredecessor(bytes32)", b"\xff" * 32)
    assert OTHER_FEED in said("UnfitFeed(address,address)", UNI, OTHER_FEED)


@pytest.mark.parametrize(
    "data", [b"", b"\x01", bytes.fromhex("deadbeef"), encode_call("UnfitWeight(address)", UNI)[:9]]
)
def test_what_is_not_known_is_shown_as_it_is(data: bytes) -> None:
    what, remedy = refusal(context(), data)
    assert what.startswith("reverts with") and remedy
    assert "no, thanks" in refusal(context(), encode_call("Error(string)", "no, thanks"))[0]


@pytest.mark.parametrize("name", sorted(WORDS))
def test_words_are_of_an_error_and_its_arguments(name: str) -> None:
    count = len(types_of(ERRORS[name]["inputs"]))
    for template in WORDS[name]:
        used = {int(field) for _, field, _, _ in string.Formatter().parse(template) if field}
        assert used <= set(range(count)), template
