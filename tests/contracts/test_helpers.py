"""The helpers themselves: a helper that cannot fail would make every test that uses it pass for nothing."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S
from tests.helpers.chain import Chain, RevertedError
from tests.helpers.contracts import Contract
from tests.helpers.fund import Fund, through_timelock
from tests.helpers.reverts import ANY, assert_panics, assert_reverts

ACCOUNT = "0x00000000000000000000000000000000000000AA"


@pytest.fixture(scope="module")
def reverter(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("Reverter", sender=chain.account("deployer"))


def test_finds_the_error_and_its_arguments(chain: Chain, reverter: Contract) -> None:
    call = reverter.expected(7, ACCOUNT)
    assert assert_reverts(chain, call, "Expected") == (7, ACCOUNT)
    assert_reverts(chain, call, "Expected", 7, ACCOUNT.lower())
    assert_reverts(chain, call, "Expected", ANY, ACCOUNT)


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        ("succeed", (), "it succeeded"),
        ("other", (7, ACCOUNT), r"Other\(uint256,address\)"),
        ("text", (), r"a text: 'Expected\(uint256,address\)'"),
        ("silent", (), "0x"),
        ("overflow", (2,), "not in the ABI"),
    ],
)
def test_fails_for_anything_else(
    chain: Chain, reverter: Contract, function: str, arguments: tuple[object, ...], words: str
) -> None:
    call = getattr(reverter, function)(*arguments)
    with pytest.raises(AssertionError, match=words):
        assert_reverts(chain, call, "Expected")


@pytest.mark.parametrize("wrong", [(8, ACCOUNT), (7, "0x" + "bb" * 20), (7,), (ANY, 0)])
def test_fails_for_other_arguments(chain: Chain, reverter: Contract, wrong: tuple[object, ...]) -> None:
    with pytest.raises(AssertionError, match="expected"):
        assert_reverts(chain, reverter.expected(7, ACCOUNT), "Expected", *wrong)


def test_fails_for_an_error_that_the_abi_does_not_have(chain: Chain, reverter: Contract) -> None:
    with pytest.raises(AssertionError, match="0 errors Unknown"):
        assert_reverts(chain, reverter.expected(7, ACCOUNT), "Unknown")


def test_looks_in_the_abi_it_is_given(chain: Chain, reverter: Contract) -> None:
    token = chain.artifact("IndexToken")
    with pytest.raises(AssertionError, match="expected ZeroShares"):
        assert_reverts(chain, reverter.expected(7, ACCOUNT), "ZeroShares", of=token)


def test_panic_code_counts(chain: Chain, reverter: Contract) -> None:
    assert_panics(chain, reverter.overflow(2), 0x11)
    with pytest.raises(AssertionError):
        assert_panics(chain, reverter.overflow(2), 0x12)
    with pytest.raises(AssertionError):
        assert_panics(chain, reverter.expected(7, ACCOUNT), 0x11)


def test_sender_and_time_reach_the_call(chain: Chain, reverter: Contract) -> None:
    someone, other = chain.account("someone"), chain.account("other")
    call, moment = reverter.onlyFor(someone), chain.now() + DAY_S
    assert_reverts(chain, call, "Expected", moment, other, sender=other, at=moment)
    with pytest.raises(AssertionError, match="it succeeded"):
        assert_reverts(chain, call, "Expected", sender=someone)


def test_a_transaction_that_reverts_is_noticed(chain: Chain, reverter: Contract) -> None:
    someone, other = chain.account("someone"), chain.account("other")
    receipt = chain.send(reverter.onlyFor(someone), someone)
    assert int(receipt["status"], 16) == 1
    with pytest.raises(RevertedError, match="onlyFor") as caught:
        chain.send(reverter.onlyFor(someone), other)
    assert len(caught.value.data) == 68


def test_blocks_come_at_the_time_asked_for(chain: Chain, reverter: Contract) -> None:
    someone, begin = chain.account("someone"), chain.now()
    chain.send(reverter.onlyFor(someone), someone)
    assert chain.now() == begin + 1
    chain.send(reverter.onlyFor(someone), someone, at=begin + 500)
    assert chain.now() == begin + 500
    chain.send(reverter.onlyFor(someone), someone, at=begin + 500)
    assert chain.now() == begin + 500
    chain.move_to(begin + 600)
    assert chain.now() == begin + 600


def test_fixture_stands_in_the_published_state(fund: Fund, month: object) -> None:
    assert len(fund.tokens()) == 12
    through_timelock(fund, fund.index.setSupplyCap(7))
    assert fund.chain.read(fund.index.supplyCap()) == 7
