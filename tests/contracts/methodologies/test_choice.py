"""Which candidates are in and what they weigh, by hand: ranks, caps, floors, frozen, leaving, without a price.

Each case is also computed in Python, and both sides must agree on every field.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.rule.methodology import Cap, Decision, Flag, State, Status
from ballast.units import WAD
from tests.contracts.methodologies.scene import NOW, PLAIN, TOKENS, Basket, Case, ListedComponent, Scene, simple

MILLION = 10**6
CENT = WAD // 100
QUARTER = WAD // 4
NONE = Flag(0)


def agreed(scene: Scene, case: Case) -> list[Decision]:
    result = scene.agree(case)
    assert not isinstance(result, str), result
    return result


def statuses(result: list[Decision]) -> list[tuple[Status, Flag]]:
    return [(d.status, d.flags) for d in result]


def weights(result: list[Decision]) -> list[int]:
    return [d.weight for d in result]


def test_of_equals_the_lower_address_stays(scene: Scene) -> None:
    case = simple([5 * MILLION, 7 * MILLION, 5 * MILLION, 5 * MILLION], rule=replace(PLAIN, top_n=2))
    out = (Status.OUTSIDE, Flag.BELOW_RANK)
    result = agreed(scene, case)
    assert statuses(result) == [(Status.INCLUDED, NONE), (Status.INCLUDED, NONE), out, out]
    assert weights(result) == [5 * WAD // 12, 7 * WAD // 12, 0, 0]


def test_rank_is_by_market_cap_and_not_by_supply(scene: Scene) -> None:
    case = simple([MILLION, 9 * MILLION, 2 * MILLION], rule=replace(PLAIN, top_n=1))
    prices = {TOKENS[0]: 10 * WAD, TOKENS[1]: WAD, TOKENS[2]: 4 * WAD}
    assert [d.status for d in agreed(scene, replace(case, prices=prices))] == [
        Status.INCLUDED,
        Status.OUTSIDE,
        Status.OUTSIDE,
    ]


def test_excess_goes_to_the_uncapped_in_proportion(scene: Scene) -> None:
    hard = replace(PLAIN, cap=Cap.HARD, cap_weight=QUARTER)
    # 50 % and 30 % become 25 %; the 30 % left over go to 12 % and 8 % in proportion.
    case = simple([5000 * MILLION, 3000 * MILLION, 1200 * MILLION, 800 * MILLION], rule=hard)
    assert weights(agreed(scene, case)) == [25 * CENT, 25 * CENT, 30 * CENT, 20 * CENT]


def test_one_pass_is_not_checked_again(scene: Scene) -> None:
    hard = replace(PLAIN, cap=Cap.HARD, cap_weight=QUARTER)
    case = simple([6000 * MILLION, 2400 * MILLION, 1600 * MILLION], rule=hard)
    assert weights(agreed(scene, case)) == [25 * CENT, 45 * CENT, 30 * CENT]


def test_all_capped_weigh_the_same(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.HARD, cap_weight=WAD // 5)
    assert weights(agreed(scene, simple([4 * MILLION, 3 * MILLION, 3 * MILLION], rule=rule))) == [WAD // 3] * 3
    basket = Basket([4 * MILLION, 2 * MILLION, MILLION], [WAD, 0, 0], [WAD, 2 * WAD, 4 * WAD], [18, 6, 0])
    # A third of one dollar each: 0.333 at 1, 0.166 at 2, 0.083 at 4, which is nothing of a token without decimals.
    assert scene.targets(rule, [basket]) == [[WAD // 3, 166_666, 0]]


def test_all_that_fail_the_floor_go_at_once(scene: Scene) -> None:
    rule = replace(PLAIN, floor_weight=10 * CENT, entry_weight=10 * CENT)
    result = agreed(scene, simple([810 * MILLION, 95 * MILLION, 95 * MILLION], [WAD, WAD, WAD], rule=rule))
    # Each alone would have come to 10.5 % without the other.
    small = (Status.OUTSIDE, Flag.BELOW_FLOOR)
    assert statuses(result) == [(Status.INCLUDED, NONE), small, small]
    assert weights(result) == [WAD, 0, 0]


def test_if_all_fail_the_floor_nobody_goes(scene: Scene) -> None:
    """There would be no index otherwise, and the month would be refused."""
    rule = replace(PLAIN, floor_weight=WAD // 2, entry_weight=WAD // 2)
    result = agreed(scene, simple([MILLION] * 3, [WAD, 0, 0], rule=rule))
    assert statuses(result) == [(Status.INCLUDED, NONE)] * 3
    assert weights(result) == [WAD // 3] * 3


def test_further_passes_of_the_cap(scene: Scene) -> None:
    hard = replace(PLAIN, cap=Cap.HARD, cap_weight=QUARTER, cap_passes=2)
    case = simple([4000 * MILLION, 2400 * MILLION, 1600 * MILLION, 1200 * MILLION, 800 * MILLION], rule=hard)
    # 40 % becomes 25 %. The 15 % left over lift 24 % to 30 %: above the cap. What that leaves lifts 20 to 21.9 %.
    assert weights(agreed(scene, case))[:2] == [QUARTER, QUARTER]
    # In a second pass another comes above it, and stays there: the third takes that as well.
    case = simple([5500 * MILLION, 1900 * MILLION, 1500 * MILLION, 600 * MILLION, 500 * MILLION], rule=hard)
    twice = weights(agreed(scene, case))
    thrice = weights(agreed(scene, replace(case, rule=replace(hard, cap_passes=3))))
    assert twice[:2] == thrice[:2] == [QUARTER, QUARTER]
    assert twice[2] > QUARTER == thrice[2]


def test_weights_are_shared_anew_once_only(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER, floor_weight=CENT // 2, entry_weight=20 * CENT)
    sizes = [5325 * MILLION, 2475 * MILLION, 2000 * MILLION, 200 * MILLION]
    result = agreed(scene, simple(sizes, [90 * CENT, 0, 10 * CENT], rule=rule))
    # Without the fourth the second comes above the cap, which halves what is not held: below the entry weight, and in.
    assert statuses(result) == [(Status.INCLUDED, NONE)] * 3 + [(Status.OUTSIDE, Flag.BELOW_FLOOR)]
    assert result[1].weight == WAD // 8


def test_staying_and_entering(scene: Scene) -> None:
    rule = replace(PLAIN, floor_weight=CENT // 2, entry_weight=2 * CENT)
    sizes = [9540 * MILLION, 100 * MILLION, 40 * MILLION, 100 * MILLION, 220 * MILLION]
    result = agreed(scene, simple(sizes, [WAD, 1, 1], rule=rule))
    small = (Status.OUTSIDE, Flag.BELOW_FLOOR)
    stays = (Status.INCLUDED, NONE)
    assert statuses(result) == [stays, stays, small, small, stays]


@pytest.mark.parametrize("held", [True, False])
def test_exactly_the_floor_is_enough(scene: Scene, held: bool) -> None:
    case = simple([9700 * MILLION, 300 * MILLION], [WAD, 1] if held else [WAD])
    enough = 3 * CENT if not held else agreed(scene, case)[1].weight

    def at(floor: int) -> Status:
        rule = replace(PLAIN, floor_weight=floor if held else 0, entry_weight=floor if not held else WAD - 1)
        return agreed(scene, replace(case, rule=rule))[1].status

    assert at(enough) is Status.INCLUDED
    assert at(enough + 1) is Status.OUTSIDE


def test_flexible_cap_goes_half_way(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER)
    case = simple([5000 * MILLION, 3000 * MILLION, 2000 * MILLION], [60 * CENT, 0, 40 * CENT], rule=rule)
    # (25 + 60) / 2, (25 + 0) / 2, and the rest to the only one that is free.
    expected = [42 * CENT + CENT // 2, 12 * CENT + CENT // 2, 45 * CENT]
    assert weights(agreed(scene, case)) == expected
    basket = Basket([5000 * MILLION, 3000 * MILLION, 2000 * MILLION], [60 * CENT, 0, 40 * CENT], [WAD] * 3, [18] * 3)
    assert scene.targets(rule, [basket]) == [expected]


def test_flexible_cap_above_the_weight_does_not_bind(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER)
    case = simple([5000 * MILLION, 2500 * MILLION, 2500 * MILLION], [80 * CENT, 10 * CENT, 10 * CENT], rule=rule)
    assert weights(agreed(scene, case)) == [50 * CENT, 25 * CENT, 25 * CENT]


def test_smallest_flexible_cap(scene: Scene) -> None:
    """The middle of a cap of 1 wei and nothing held is 0, and what it left goes to the others all the same."""
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=1)
    case = simple([5000 * MILLION, 5000 * MILLION], [0, 0], rule=rule)
    case = replace(case, lines=simple([1] * 3, [0, 0, WAD]).lines, prices=dict.fromkeys(TOKENS[:3], WAD))
    # What is held and no candidate is told beside them.
    assert weights(agreed(scene, case)) == [WAD // 2] * 2 + [0]
    basket = Basket([0, 9 * MILLION, MILLION], [WAD, 0, 0], [WAD] * 3, [18] * 3)
    assert scene.targets(rule, [basket]) == [[0, WAD // 2, WAD // 2]]


def test_what_is_frozen_is_out_of_what_the_others_share(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER)
    sizes = [10**10, 35_000 * MILLION, 21_000 * MILLION, 14_000 * MILLION]
    values = [30 * WAD, 42 * WAD, 28 * WAD]
    result = agreed(scene, simple(sizes, values, states={0: State.FROZEN}, rule=rule))
    assert [d.status for d in result] == [Status.FROZEN] + [Status.INCLUDED] * 3
    # 42 of the 70 dollars that are shared are 60 %, so 50 % become 42.5 %; 28 are 40 %, so 30 % may stay. What is left
    # over, 7.5 %, is shared 3 to 2.
    assert weights(result) == [0, 425 * WAD // 1000, 345 * WAD // 1000, 23 * CENT]


def test_frozen_but_not_held_is_outside(scene: Scene) -> None:
    result = agreed(scene, simple([MILLION] * 3, [WAD], states={1: State.FROZEN}))
    assert statuses(result) == [(Status.INCLUDED, NONE), (Status.OUTSIDE, NONE), (Status.INCLUDED, NONE)]


def test_leaving_has_no_weight_but_its_value_is_shared(scene: Scene) -> None:
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER)
    sizes = [10**10, 6000 * MILLION, 4000 * MILLION, 2000 * MILLION]
    result = agreed(scene, simple(sizes, [50 * WAD, 50 * WAD], states={0: State.LEAVING}, rule=rule))
    assert [d.status for d in result] == [Status.LEAVING] + [Status.INCLUDED] * 3
    # 50 % holds 50 of 100 dollars: 37.5 %. 33 % holds nothing: 12.5 %. The rest goes to the last.
    assert weights(result) == [0, 375 * WAD // 1000, 125 * WAD // 1000, WAD // 2]


def test_what_is_suspended_is_frozen_unless_it_leaves(scene: Scene) -> None:
    """Neither counts in NAV: the flexible cap of the two others is that of two dollars, not of four."""
    rule = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=QUARTER)
    case = simple([MILLION] * 4, [WAD] * 4, states={1: State.LEAVING}, rule=rule)
    lines = [replace(line, suspended_until=NOW + 1) if i < 2 else line for i, line in enumerate(case.lines)]
    result = agreed(scene, replace(case, lines=lines))
    assert [d.status for d in result] == [Status.FROZEN, Status.LEAVING, Status.INCLUDED, Status.INCLUDED]
    assert weights(result)[2:] == [WAD // 2] * 2
    # A suspension that is over is none.
    over = [replace(line, suspended_until=NOW) for line in case.lines]
    assert agreed(scene, replace(case, lines=over))[0].status is Status.INCLUDED


def test_what_is_written_off_is_outside(scene: Scene) -> None:
    case = simple([MILLION] * 3, [WAD] * 3, states={1: State.LEAVING})
    lines = [replace(line, written_off=i < 2) for i, line in enumerate(case.lines)]
    result = agreed(scene, replace(case, lines=lines))
    assert statuses(result) == [(Status.OUTSIDE, NONE), (Status.OUTSIDE, NONE), (Status.INCLUDED, NONE)]


@pytest.mark.parametrize(
    ("amount", "price", "status"),
    [
        (2**160, WAD, Status.FROZEN),
        (2**119, 10**6, Status.FROZEN),
        (2**119 - 1, 10**6, Status.INCLUDED),
        (2**98, WAD, Status.FROZEN),
    ],
)
def test_a_balance_that_is_not_sound_stops_nobody(scene: Scene, amount: int, price: int, status: Status) -> None:
    """An infinite mint that is sent to the fund as a gift, a unit above all measure, or one of such a value."""
    case = simple([10**9, 10**15, 10**9], [WAD] * 3)
    lines = [replace(line, amount=amount) if i == 1 else line for i, line in enumerate(case.lines)]
    result = agreed(scene, replace(case, lines=lines, prices={**case.prices, TOKENS[1]: price}))
    assert [d.status for d in result] == [Status.INCLUDED, status, Status.INCLUDED]
    assert status is Status.INCLUDED or weights(result) == [WAD // 2, 0, WAD // 2]


def test_what_is_held_and_no_candidate_is_told_with_its_price(scene: Scene) -> None:
    case = simple([MILLION, MILLION], [WAD])
    lines = [*case.lines, ListedComponent(TOKENS[5], 3 * WAD), ListedComponent(TOKENS[6], WAD)]
    prices = {**case.prices, TOKENS[5]: 7 * WAD, TOKENS[6]: 2**100}
    result = agreed(scene, replace(case, lines=lines, prices=prices))
    assert [(d.token, d.status, d.price, d.basis) for d in result[2:]] == [
        (TOKENS[5], Status.OUTSIDE, 7 * WAD, 0),
        (TOKENS[6], Status.OUTSIDE, 0, 0),
    ]


def test_without_a_price(scene: Scene) -> None:
    case = simple([MILLION] * 4, [WAD, WAD])
    result = agreed(scene, replace(case, prices={**case.prices, TOKENS[1]: 0, TOKENS[2]: 0}))
    fine = (Status.INCLUDED, NONE)
    assert statuses(result) == [fine, (Status.FROZEN, Flag.NO_PRICE), (Status.OUTSIDE, Flag.NO_PRICE), fine]
    assert weights(result) == [WAD // 2, 0, 0, WAD // 2]


def test_targets_leave_out_what_has_no_price_or_basis(scene: Scene) -> None:
    basket = Basket([MILLION, 0, MILLION, MILLION], [WAD, WAD, 5 * WAD, 0], [WAD, WAD, 0, WAD], [18] * 4)
    # Two dollars in all: what has no basis counts in NAV, what has no price does not.
    assert scene.targets(PLAIN, [basket]) == [[WAD, 0, 0, WAD]]


def test_nav_is_floored_once_or_for_each(scene: Scene) -> None:
    basket = Basket([MILLION, MILLION], [15, 15], [WAD, WAD], [1, 1])
    # 1.5 dollars each in tokens of one decimal: nothing is lost, and both ways agree.
    once, each = (scene.targets(replace(PLAIN, floor_each=how), [basket]) for how in (False, True))
    assert once == each == [[15, 15]]
    # 3 x 0.5 wei of a dollar: 1 in all, nothing for each. A third of it buys 3 of the 10 parts of a token.
    dust = Basket([1] * 3, [5] * 3, [1] * 3, [1] * 3)
    assert scene.targets(replace(PLAIN, floor_each=False), [dust]) == [[3] * 3]
    assert scene.targets(replace(PLAIN, floor_each=True), [dust]) == ["OutsideDomain(nav)"]
