"""Packed targets: what comes out of `at` and `unpack` is what was put, with the price rounded down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ballast.rule import packed
from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.packed import kept, targets_of

MAX_UNIT, MAX_PRICE = 2**120 - 1, 2**100 - 1
Given = tuple[int, int, int]
"""Side, unit (token wei per 1e18 shares), price (USD, 18 decimals)."""


@pytest.fixture(scope="module")
def harness(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("PackedHarness", sender=chain.account("deployer"))


def put(chain: Chain, harness: Contract, before: list[Given], list_: list[Given], widest: int) -> Any:
    """What the harness says, after checks that all ways to read the list agree and that memory behind it is whole."""
    said = chain.read(harness.targets(before, list_, widest))
    assert [tuple(t) for t in said.found] == [tuple(t) for t in said.unpacked]
    assert targets_of(said.packed) == [tuple(t) for t in said.found]
    assert [(t.side, t.unit, t.price) for t in packed.targets(said.packed)] == [tuple(t) for t in said.found]
    assert said.behind == 2**256 - 1
    return said


def expected(list_: list[Given]) -> list[Given]:
    return [(side, unit, kept(price)) for side, unit, price in list_]


def up_to(bits: int) -> st.SearchStrategy[int]:
    """Numbers of any length up to `bits`, the short ones as often as the long ones."""
    return st.integers(0, bits).flatmap(lambda b: st.integers(2**b // 2, 2**b - 1))


LISTS = st.integers(1, 120).flatmap(
    lambda bits: st.lists(st.tuples(st.integers(0, 2), up_to(bits), up_to(100)), max_size=12)
)


@given(list_=LISTS, before=LISTS)
@example(list_=[], before=[])
@example(list_=[(2, MAX_UNIT, MAX_PRICE)] * 50, before=[(1, 1, 1)] * 50)
@example(list_=[(0, 0, 0)] * 3, before=[(2, MAX_UNIT, MAX_PRICE)] * 3)
@example(list_=[(1, 255, 2**25 - 1), (2, 0, 2**25), (0, 1, 2**25 + 1)], before=[])
@FUZZ
def test_what_is_put_comes_out(chain: Chain, harness: Contract, list_: list[Given], before: list[Given]) -> None:
    """Though something else was put there before, as when steps are limited."""
    before = before[: len(list_)]
    widest = 0
    for _, unit, _ in (*list_, *before):
        widest |= unit
    said = put(chain, harness, before, list_, widest)
    assert [tuple(t) for t in said.found] == expected(list_)


@pytest.mark.parametrize("width", range(1, 16))
def test_units_take_as_many_bytes_as_the_widest(chain: Chain, harness: Contract, width: int) -> None:
    """The smallest and the largest that need so many bytes, beside small ones."""
    for widest in (256 ** (width - 1), 256**width - 1):
        list_ = [(side, unit, MAX_PRICE) for side in range(3) for unit in (0, 1, widest)]
        said = put(chain, harness, [], list_, widest)
        assert [tuple(t) for t in said.found] == expected(list_)
        assert (said.packed[0], len(said.packed)) == (width, 1 + len(list_) * (4 + width))


def test_no_unit_at_all_takes_a_byte(chain: Chain, harness: Contract) -> None:
    said = put(chain, harness, [], [(0, 0, 7)], 0)
    assert said.packed == bytes([1]) + (7).to_bytes(4, "big") + b"\0"


@pytest.mark.parametrize("bits", range(101))
def test_prices_are_rounded_down_by_less_than_a_part_in_two_million(bits: int) -> None:
    """The model itself, and that the project's reader keeps prices in the same way."""
    for price in {max(0, 2**bits - 1), 2**bits, 2**bits + 1, 2**bits * 3 // 2}:
        assert kept(price) == packed.kept_price(price)
        assert kept(price) <= price < kept(price) + max(1, -(-price // 2**21))
        assert kept(price) == price or price >= 2**25


@given(price=up_to(100))
@FUZZ
def test_any_price_is_kept_as_the_model_says(chain: Chain, harness: Contract, price: int) -> None:
    said = put(chain, harness, [], [(1, 5, price)], 5)
    assert said.found[0].price == kept(price) == packed.kept_price(price)
