"""Given weights: what a determination says, what targets come of it, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.rule.methodology import MethodologyError, Status, fixed_decisions, fixed_target_units
from ballast.units import WAD
from tests.contracts.methodologies.cases import DRAWN, baskets
from tests.contracts.methodologies.scene import TOKENS, Basket, Scene, as_words, confirmed_by, decisions, told
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts

ROUNDING = WAD // 10_000
HALVES = [(TOKENS[0], WAD // 2), (TOKENS[1], WAD // 2)]


@pytest.fixture(scope="module")
def fixed(scene: Scene, chain: Chain, owner: str) -> Contract:
    """Half and half."""
    return chain.deploy("FixedWeight", owner, HALVES, sender=owner)


def targets(chain: Chain, fixed: Contract, basket: Basket) -> list[int]:
    call = fixed.targetUnits(*basket.arguments())
    answer: list[int] = chain.read(call)
    assert answer == fixed_target_units(basket.basis, basket.units, basket.prices, basket.decimals)
    return answer


def test_what_rose_is_sold_and_what_fell_is_bought(chain: Chain, fixed: Contract) -> None:
    basket = Basket([WAD // 2] * 2, [10 * WAD, 10 * 10**6], [3 * WAD, WAD], [18, 6])
    # 40 dollars in all: 20 each.
    assert targets(chain, fixed, basket) == [6_666_666_666_666_666_666, 20 * 10**6]


def test_equal_weights(chain: Chain, fixed: Contract) -> None:
    """Three thirds cannot add up to one in 18 decimals: one of them has the wei that is left."""
    third = WAD // 3
    basket = Basket([third, third, third + 1], [9 * WAD, 0, 0], [WAD] * 3, [18] * 3)
    assert targets(chain, fixed, basket) == [9 * third, 9 * third, 9 * (third + 1)]


@pytest.mark.parametrize("off", [-ROUNDING, 2 * 10**13, ROUNDING])
def test_rounded_weights_count_as_they_are(chain: Chain, fixed: Contract, owner: str, off: int) -> None:
    """Within 0.01 % of 1 nothing is scaled; a wei further off everything is."""
    weights = [WAD // 4, WAD - WAD // 4 + off]
    chain.send(fixed.setWeights(list(zip(TOKENS[:2], weights, strict=True))), owner)
    assert [tuple(w) for w in chain.read(fixed.weights())] == list(zip(TOKENS[:2], weights, strict=True))
    basket = Basket(weights, [100 * WAD, 0], [WAD] * 2, [18] * 2)
    assert targets(chain, fixed, basket) == [25 * WAD, 75 * WAD + 100 * off]
    if abs(off) == ROUNDING:
        further = Basket([WAD // 4, weights[1] + (1 if off > 0 else -1)], [100 * WAD, 0], [WAD] * 2, [18] * 2)
        scaled = targets(chain, fixed, further)
        assert sum(scaled) == pytest.approx(100 * WAD, rel=1e-15) and sum(scaled) <= 100 * WAD


def test_without_a_price_the_others_are_scaled(chain: Chain, fixed: Contract) -> None:
    basket = Basket([WAD // 2, WAD // 4, WAD // 4], [10 * WAD, 7 * WAD, 30 * WAD], [WAD, 0, WAD], [18] * 3)
    # 40 dollars with a price, to be shared 2 to 1.
    assert targets(chain, fixed, basket) == [40 * (WAD * 2 // 3), 0, 40 * (WAD // 3)]


def test_what_has_no_weight_is_sold(chain: Chain, fixed: Contract) -> None:
    basket = Basket([0, WAD], [3 * WAD, WAD], [WAD, WAD], [18, 18])
    assert targets(chain, fixed, basket) == [0, 4 * WAD]


@pytest.mark.parametrize(
    ("basket", "what"),
    [
        (Basket([WAD], [0], [WAD], [18]), "nav"),
        (Basket([WAD], [WAD], [0], [18]), "nav"),
        (Basket([0, WAD], [WAD, WAD], [WAD, 0], [18, 18]), "weights"),
    ],
)
def test_outside_the_domain(chain: Chain, fixed: Contract, basket: Basket, what: str) -> None:
    call = fixed.targetUnits(*basket.arguments())
    assert_reverts(chain, call, "OutsideDomain", what.encode().ljust(32, b"\0"))
    with pytest.raises(MethodologyError) as caught:
        fixed_target_units(basket.basis, basket.units, basket.prices, basket.decimals)
    assert told(caught.value) == f"OutsideDomain({what})"


@DRAWN
@given(drawn=baskets(sized=True), off=st.integers(-ROUNDING, ROUNDING))
def test_targets_are_equal_on_any_basket(chain: Chain, fixed: Contract, drawn: Basket, off: int) -> None:
    whole = sum(drawn.basis) or 1
    weights = [b * (WAD + off) // whole for b in drawn.basis]
    weights[0] += WAD + off - sum(weights)
    basket = Basket(weights, drawn.units, drawn.prices, drawn.decimals)
    lines = zip(weights, basket.units, basket.prices, basket.decimals, strict=True)
    worth = sum(u * p // 10**d for _, u, p, d in lines)
    weighed = sum(w for w, p in zip(weights, basket.prices, strict=True) if p)
    if worth and weighed:
        units = targets(chain, fixed, basket)
        # What is bought is never worth more than NAV, but for what the weights as given are above 1.
        most = worth * max(WAD, weighed if abs(weighed - WAD) <= ROUNDING else WAD) // WAD
        assert sum(u * p // 10**d for u, p, d in zip(units, basket.prices, basket.decimals, strict=True)) <= most


def test_determination(chain: Chain, scene: Scene, fixed: Contract, owner: str) -> None:
    chain.send(scene.stage.setPrices(TOKENS[:2], [5 * WAD, 0]), owner)
    determined = chain.read(fixed.determine(scene.stage, scene.stage, []))
    expected = fixed_decisions(dict(HALVES), {TOKENS[0]: 5 * WAD, TOKENS[1]: 0})
    assert decisions(determined) == expected
    assert [(d.basis, d.weight, d.status, int(d.flags), d.price) for d in expected] == [
        (WAD // 2, WAD // 2, Status.INCLUDED, 0, 5 * WAD),
        (WAD // 2, WAD // 2, Status.INCLUDED, 8, 0),
    ]
    assert confirmed_by(expected, chain.read(fixed.confirm(as_words(expected)))) == expected


@pytest.mark.parametrize(
    ("weights", "error", "argument"),
    [
        ([(TOKENS[1], WAD // 2), (TOKENS[0], WAD // 2)], "UnfitWeight", TOKENS[0]),
        ([(TOKENS[0], WAD // 2), (TOKENS[0], WAD // 2)], "UnfitWeight", TOKENS[0]),
        ([(TOKENS[0], WAD), (TOKENS[1], 0)], "UnfitWeight", TOKENS[1]),
        ([("0x" + "00" * 20, WAD)], "UnfitWeight", "0x" + "00" * 20),
        ([(TOKENS[0], WAD - ROUNDING - 1)], "WeightsDoNotSum", WAD - ROUNDING - 1),
        ([(TOKENS[0], WAD), (TOKENS[1], ROUNDING + 1)], "WeightsDoNotSum", WAD + ROUNDING + 1),
        ([], "WeightsDoNotSum", 0),
    ],
)
def test_weights_that_do_not_fit(
    chain: Chain, fixed: Contract, owner: str, weights: Any, error: str, argument: Any
) -> None:
    assert_reverts(chain, fixed.setWeights(weights), error, argument, sender=owner)
    creation = chain.artifact("FixedWeight").create(owner, weights)
    assert_reverts(chain, creation, error, argument, sender=owner)


def test_weights_are_the_owners(chain: Chain, fixed: Contract, owner: str, stranger: str) -> None:
    call = fixed.setWeights([(TOKENS[2], WAD)])
    assert_reverts(chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)
    chain.send(call, owner)
    assert [tuple(w) for w in chain.read(fixed.weights())] == [(TOKENS[2], WAD)]
