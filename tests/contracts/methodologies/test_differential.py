"""The contract and the independent Python, on cases drawn at random: equal to the wei, or the same named error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ballast.rule.methodology import Cap, Decision, Rule, Status
from ballast.units import WAD
from tests.contracts.methodologies.cases import DRAWN, baskets, cases, rules
from tests.contracts.methodologies.scene import Basket, Case, Scene

NAMED = {"NoConstituents()", "OutsideDomain(nav)", "OutsideDomain(divisor)"}


@DRAWN
@given(case=cases(sized=True))
def test_determinations_are_equal(scene: Scene, case: Case) -> None:
    result = scene.agree(case)
    if isinstance(result, str):
        # Market caps of millions beside shares of thousands: nothing here lies outside the domain but emptiness.
        assert result in {"NoConstituents()", "OutsideDomain(nav)"}
    else:
        check_sums(case, result)


@DRAWN
@given(case=cases(sized=False))
def test_determinations_are_equal_at_the_edges_of_the_domain(scene: Scene, case: Case) -> None:
    result = scene.agree(case)
    if isinstance(result, str):
        assert result in NAMED
    else:
        check_sums(case, result)


@DRAWN
@given(rule=rules(), some=st.lists(baskets(sized=True), min_size=1, max_size=4))
def test_targets_are_equal(scene: Scene, rule: Rule, some: list[Basket]) -> None:
    assert scene.targets(rule, some) == [basket.expected(rule) for basket in some]


@DRAWN
@given(rule=rules(), some=st.lists(baskets(sized=False), min_size=1, max_size=4))
def test_targets_are_equal_at_the_edges_of_the_domain(scene: Scene, rule: Rule, some: list[Basket]) -> None:
    answers = scene.targets(rule, some)
    assert answers == [basket.expected(rule) for basket in some]
    assert {answer for answer in answers if isinstance(answer, str)} <= NAMED


def check_sums(case: Case, result: list[Decision]) -> None:
    """Sums of weights within their bounds, n being the number included, all bounds in wei.

    Nothing capped: at most n + sum(p) / NAV below 1 (each unit and each weight is floored), less than 1 / D above it (D
    is floored). Something capped: at most 2n below 1 for each pass, above it only by the divisor's rounding.
    """
    included = [d for d in result if d.status is Status.INCLUDED]
    frozen = {d.token for d in result if d.status is Status.FROZEN}
    nav = sum(
        h.unit * case.prices.get(h.token, 0) // 10**h.decimals
        for h in case.holdings()
        if not (h.suspended or h.written_off) and h.token not in frozen and h.sound
    )
    divisor = sum(d.basis * d.price for d in included) // nav
    total = sum(d.weight for d in included)
    assert all(d.weight == 0 for d in result if d.status is not Status.INCLUDED)
    plain = [d.price * (d.basis * WAD // divisor) // nav for d in included]
    most = WAD + WAD // divisor + 1
    if case.rule.cap is Cap.HARD and max(plain) > case.rule.cap_weight:
        assert WAD - 2 * case.rule.cap_passes * len(included) <= total <= most
    elif [d.weight for d in included] == plain:
        below = len(included) + sum(-(-d.price // nav) for d in included)
        assert WAD - below <= total < most
    else:
        assert case.rule.cap is Cap.FLEXIBLE
        assert WAD - 2 * case.rule.cap_passes * len(included) <= total <= most
