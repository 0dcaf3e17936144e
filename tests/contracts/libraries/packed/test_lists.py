"""Lists that are copied whole between contracts: what arrives, and what is no list."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import example, given
from hypothesis import strategies as st

from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts, failure

WORD = st.integers(0, 2**256 - 1)
LIST = st.lists(WORD, max_size=40)
ODD = "0x000000000000000000000000000000000000bEEF"
"""Where answers of any shape come from."""
RETURN, REVERT = 0xF3, 0xFD


@pytest.fixture(scope="module")
def lists(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("ListsHarness", sender=chain.account("deployer"))


def answers(chain: Chain, data: bytes, ending: int = RETURN) -> None:
    """Makes the contract at ODD answer every call with these bytes, or revert with them."""
    size = len(data).to_bytes(2, "big")
    # PUSH2 size, PUSH1 12, PUSH0, CODECOPY, PUSH2 size, PUSH0, RETURN or REVERT: the 12 bytes before the data
    head = b"\x61" + size + b"\x60\x0c\x5f\x39\x61" + size + b"\x5f" + bytes([ending])
    chain.cheats.set_code(ODD, head + data)


def short(data: object) -> str:
    """The size of some bytes, to name a test by."""
    return f"{len(data)} bytes" if isinstance(data, bytes) else "list"


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


@given(sent=LIST)
@example(sent=[])
@example(sent=[2**256 - 1])
@example(sent=list(range(200)))
@FUZZ
def test_a_list_goes_there_and_back(chain: Chain, lists: Contract, sent: list[int]) -> None:
    """The other side decodes with Solidity's own checks and answers with what it read."""
    assert chain.read(lists.askOne(lists, sent)) == sent
    accounts = [word % 2**160 for word in sent]
    assert chain.read(lists.askAddresses(lists, [f"0x{account:040x}" for account in accounts])) == accounts


@given(sent=st.tuples(LIST, LIST, LIST, LIST))
@example(sent=([], [], [], []))
@example(sent=([], [1], [], [2, 3]))
@FUZZ
def test_four_lists_arrive_apart(chain: Chain, lists: Contract, sent: tuple[list[int], ...]) -> None:
    expected = [word for list_ in sent for word in (len(list_), *list_)]
    assert chain.read(lists.askFour(lists, *sent)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (words(32, 0), []),
        (words(32, 0, 7), []),
        (words(32, 1, 7), [7]),
        (words(32, 1, 7) + b"\x01", [7]),
        (words(32, 2, 7, 8, 9), [7, 8]),
        (words(32, 100, *range(100)), list(range(100))),
    ],
    ids=short,
)
def test_answers_that_are_lists(chain: Chain, lists: Contract, answer: bytes, expected: list[int]) -> None:
    """What stands behind the entries does not matter."""
    answers(chain, answer)
    assert chain.read(lists.askOne(ODD, [1])) == expected
    assert chain.read(lists.askFour(ODD, [1], [], [2, 3], [4])) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        words(32),
        words(32, 0)[:63],
        words(0, 0),
        words(64, 0),
        words(64, 0, 0),
        words(33, 0, 0),
        words(2**255 + 32, 0),
        words(32, 1),
        words(32, 1, 7)[:95],
        words(32, 3, 7, 8),
        words(32, 2**251, 7),
        words(32, 2**256 - 1, 7),
    ],
    ids=short,
)
def test_answers_that_are_no_lists(chain: Chain, lists: Contract, answer: bytes) -> None:
    """Too short, beginning elsewhere, or counting more than is there."""
    answers(chain, answer)
    assert_reverts(chain, lists.askOne(ODD, [1]), "NoList", ODD)
    assert_reverts(chain, lists.askFour(ODD, [], [], [], []), "NoList", ODD)


def test_an_account_without_code_answers_no_list(chain: Chain, lists: Contract, stranger: str) -> None:
    assert_reverts(chain, lists.askAddresses(stranger, []), "NoList", stranger)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        keccak(text="Expected(uint256)")[:4] + words(7),
        bytes.fromhex("08c379a0") + encode(["string"], ["x" * 1000]),
    ],
    ids=short,
)
def test_reverts_are_passed_on_with_their_data(chain: Chain, lists: Contract, data: bytes) -> None:
    answers(chain, data, REVERT)
    for call in (lists.askOne(ODD, list(range(9))), lists.askFour(ODD, [1], [2], [3], [4])):
        assert failure(chain, call) == data
