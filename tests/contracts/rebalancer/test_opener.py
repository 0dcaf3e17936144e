"""The opening plan: lists, targets, sides and sums, against a model; and the published month to the wei."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from tests.helpers.bench import (
    BUYS,
    FROZEN,
    HELD,
    KINDS,
    LEAVING,
    LIMITS,
    NEWCOMER,
    OUTSIDE,
    SELLS,
    SUPPLY,
    Bench,
    confirmed,
)
from tests.helpers.filling import FILLER, UNSHRUNK
from tests.helpers.fund import EXECUTION
from tests.helpers.packed import components_of, kept, targets_of, words_at
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, SELL, usd


class Checked(SimpleNamespace):
    """A plan's fields, its list also where it is the old one, and the units held."""


def model(
    units: Sequence[int],
    posted: Sequence[int],
    wanted: Mapping[int, int],
    listed: set[int],
    step: int,
    frozen: Collection[int] = (),
) -> dict[str, Any]:
    """The plan for units held, posted prices (those of the determination too) and posted targets, by token position.
    What is held is worth more than dust (see test_dropping.py), so that only what is not held can go."""
    prices = [0 if i in frozen else price for i, price in enumerate(posted)]
    decimals = [kind.decimals for kind in KINDS]
    value = [usd(u, p, d) for u, p, d in zip(units, posted, decimals, strict=True)]
    nav = sum(value)  # what is frozen counts
    targets: dict[int, int] = {}
    for i in range(len(KINDS)):
        wants = wanted.get(i, 0) if prices[i] else 0
        if (i not in listed and i not in wanted) or (wants == 0 and units[i] == 0):
            continue
        targets[i] = wants if prices[i] else units[i]
    most = nav * step // WAD
    excess = surplus = 0
    for i, target in list(targets.items()):
        aim = usd(target, prices[i], decimals[i])
        if not prices[i]:
            continue
        if aim > value[i] + most:
            excess += aim - value[i] - most
            targets[i] = target * (value[i] + most) // aim
        elif value[i] > aim:
            surplus += value[i] - aim
    if excess and surplus:
        excess = min(excess, surplus)
        for i, target in targets.items():
            if prices[i] and units[i] > target:
                targets[i] += (units[i] - target) * excess // surplus
    aims = {i: usd(t, prices[i], decimals[i]) for i, t in targets.items()}
    sells = [i for i, t in targets.items() if prices[i] and t < units[i]]
    buys = [i for i, t in targets.items() if prices[i] and t > units[i]]
    return {
        "targets": targets,
        "prices": prices,
        "basis": {i: wanted.get(i, 0) if prices[i] else 0 for i in targets},
        "sides": {i: SELL if i in sells else BUY if i in buys else 0 for i in targets},
        "nav": nav,
        "surplus": sum(value[i] - aims[i] for i in sells) * WAD // nav,
        "held": sum(value[i] for i in buys) * WAD // nav,
        "buyTargets": sum(aims[i] for i in buys) * WAD // nav,
    }


def unpacked(plan: Any) -> Any:
    """The plan with its list and targets taken apart."""
    return plan._replace(list=components_of(plan.list), targets=targets_of(plan.targets))


def plan_of(bench: Bench) -> Any:
    return unpacked(bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION))


def listed_entries(bench: Bench) -> list[Any]:
    """The index token's list as it is."""
    return components_of(words_at(bench.chain, bench.chain.read(bench.index.componentsPointer())))


def check_plan(
    bench: Bench,
    prices: Sequence[int],
    wanted: Mapping[int, int],
    step: int = WAD // 10,
    frozen: Collection[int] = (),
) -> Any:
    """The plan is the model's; the plan. `wanted`: what is included."""
    listed_now = [component.token for component in bench.chain.read(bench.index.components())]
    listed = {i for i, token in enumerate(bench.tokens) if token.address in listed_now}
    supply = bench.chain.read(bench.index.totalSupply())
    units = [balance * WAD // supply for balance in bench.holdings()]
    plan = plan_of(bench)
    changed, plan = plan.changed, plan._replace(list=plan.list or listed_entries(bench))
    expected = model(units, prices, wanted, listed, step, frozen)
    positions = [i for i in range(len(KINDS)) if i in expected["targets"]]
    assert [c.token for c in plan.list] == [bench.tokens[i].address for i in positions]
    assert [c.decimals for c in plan.list] == [KINDS[i].decimals for i in positions]
    assert [t.unit for t in plan.targets] == [expected["targets"][i] for i in positions]
    assert [t.side for t in plan.targets] == [expected["sides"][i] for i in positions]
    assert [t.price for t in plan.targets] == [kept(expected["prices"][i]) for i in positions]
    assert plan.basis == [confirmed(expected["basis"][i]) for i in positions]
    found = (plan.nav, plan.surplus, plan.held, plan.buyTargets)
    assert found == tuple(expected[name] for name in ("nav", "surplus", "held", "buyTargets"))
    assert changed == ([c.token for c in plan.list] != listed_now)
    return Checked(**plan._asdict(), units=[units[i] for i in positions])


PRICES = [kind.price for kind in KINDS]
TARGETS = {i: kind.target for i, kind in enumerate(KINDS)}


def determine(bench: Bench, targets: Mapping[int, int], statuses: Mapping[int, int] | None = None) -> None:
    bench.post_targets(targets, statuses)
    bench.determine()


def test_union_of_holdings_and_constituents(bench: Bench) -> None:
    """A leaver is held for sale, a newcomer is listed for buying."""
    leaver = {i: t for i, t in TARGETS.items() if i != 2}
    determine(bench, leaver)
    plan = check_plan(bench, PRICES, leaver)
    assert len(plan.list) == len(KINDS)
    assert (plan.targets[2].side, plan.targets[2].unit) == (SELL, 0)
    assert plan.targets[NEWCOMER].side == BUY
    assert plan.changed


def test_a_constituent_stays_however_little_it_is_worth(bench: Bench) -> None:
    determine(bench, TARGETS)
    prices = [1 if i == 2 else p for i, p in enumerate(PRICES)]
    bench.post_prices(prices)
    plan = check_plan(bench, prices, TARGETS)
    assert bench.tokens[2].address in [c.token for c in plan.list]


def test_a_holding_without_a_price_is_held(bench: Bench) -> None:
    """Out of NAV and weights, whether it is a constituent or a leaver."""
    for wanted in (TARGETS, {i: t for i, t in TARGETS.items() if i != 0}):
        snapshot = bench.chain.cheats.snapshot()
        determine(bench, wanted)
        prices = [0, *PRICES[1:]]
        bench.post_prices(prices)
        plan = check_plan(bench, prices, wanted)
        assert (plan.targets[0].side, plan.targets[0].unit, plan.targets[0].price) == (0, plan.units[0], 0)
        bench.chain.cheats.revert(snapshot)


def test_a_newcomer_without_a_price_is_not_listed(bench: Bench) -> None:
    determine(bench, TARGETS)
    prices = [0 if i == NEWCOMER else p for i, p in enumerate(PRICES)]
    bench.post_prices(prices)
    plan = check_plan(bench, prices, TARGETS)
    assert bench.tokens[NEWCOMER].address not in [c.token for c in plan.list]
    assert not plan.changed


@pytest.mark.parametrize("i", [0, 1, HELD])
def test_what_is_frozen_is_held_as_it_is(bench: Bench, i: int) -> None:
    """Its value counts in NAV, and nothing of it is traded, whatever its target would have been."""
    determine(bench, TARGETS, {i: FROZEN})
    included = {k: t for k, t in TARGETS.items() if k != i}
    plan = check_plan(bench, PRICES, included, frozen={i})
    assert plan.targets[i] == (0, plan.units[i], 0)
    units = [balance * WAD // SUPPLY for balance in bench.holdings()]
    assert plan.nav == sum(usd(u, k.price, k.decimals) for u, k in zip(units, KINDS, strict=True))
    bench.start()
    assert bench.chain.read(bench.rebalancer.opening()).nav == plan.nav
    held, at = bench.holdings()[i], EXECUTION + 1800
    other = SELLS[0] if i != SELLS[0] else SELLS[1]
    for sells, buys, side in (([i], [BUYS[-1]], 0), ([other], [i], 0)):
        call = bench.rebalancer.trade((sells, [1], [FILLER], buys, 0, bench.filler, b""))
        assert_reverts(bench.chain, call, "WrongSide", bench.tokens[i], side, at=at, of=bench.rebalancer)
    assert bench.holdings()[i] == held


def test_frozen_and_not_held_is_not_listed(bench: Bench) -> None:
    determine(bench, TARGETS, {NEWCOMER: FROZEN})
    plan = check_plan(bench, PRICES, {i: t for i, t in TARGETS.items() if i != NEWCOMER}, frozen={NEWCOMER})
    assert bench.tokens[NEWCOMER].address not in [c.token for c in plan.list]
    assert not plan.changed


@pytest.mark.parametrize("status", [LEAVING, OUTSIDE])
def test_leaving_and_outside_are_sold(bench: Bench, status: int) -> None:
    """Though they have a basis; what is not held of them is not listed."""
    determine(bench, TARGETS, {1: status, NEWCOMER: status})
    plan = check_plan(bench, PRICES, {i: t for i, t in TARGETS.items() if i not in (1, NEWCOMER)})
    assert plan.targets[1] == (SELL, 0, kept(PRICES[1]))
    assert bench.tokens[NEWCOMER].address not in [c.token for c in plan.list]


def test_max_step_holds_every_rise(bench: Bench) -> None:
    """A newcomer that is to weigh 40 % is bought in steps of 10 %, and each sell keeps the same part of its surplus."""
    wanted = {0: 360 * 10**15, 1: 3_500_000, 2: 50_000, NEWCOMER: 82 * WAD, HELD: KINDS[HELD].target, 5: 9 * 10**15}
    determine(bench, wanted)
    plan = check_plan(bench, PRICES, wanted)
    nav = plan.nav
    rise = usd(plan.targets[NEWCOMER].unit, PRICES[NEWCOMER], 18)
    assert nav // 10 - 10 <= rise <= nav // 10
    parts = [(plan.units[i] - plan.targets[i].unit) * 10**9 // (plan.units[i] - wanted[i]) for i in (0, 1, 2, 5)]
    assert max(parts) - min(parts) <= 10**9 // 10**4  # the coarsest token has units of 10^-5
    assert abs(plan.surplus - (plan.buyTargets - plan.held)) < WAD // 10**3
    assert parts[0] < 3 * 10**8


def test_max_step_of_the_limits_is_used(bench: Bench) -> None:
    bench.set_limits(max_step=10**16)
    determine(bench, TARGETS)
    plan = check_plan(bench, PRICES, TARGETS, 10**16)
    for i in BUYS:
        rise = usd(plan.targets[i].unit, PRICES[i], KINDS[i].decimals) - usd(
            plan.units[i], PRICES[i], KINDS[i].decimals
        )
        assert rise <= plan.nav // 100
    assert usd(plan.targets[5].unit, PRICES[5], 18) < usd(KINDS[5].target, PRICES[5], 18)


def test_a_rise_that_no_sell_is_worth_anything_for(bench: Bench) -> None:
    """A wei less of the finest token is worth nothing to the last digit: it has no part in what the step leaves."""
    prices = [price + 10 * (i == HELD) for i, price in enumerate(PRICES)]
    units = {i: kind.unit for i, kind in enumerate(KINDS) if kind.unit}
    wanted = {**units, HELD: KINDS[HELD].unit - 1, 5: 3 * KINDS[5].unit}
    bench.post_prices(prices)
    determine(bench, wanted)
    plan = check_plan(bench, prices, wanted)
    sold, bought = [component.token for component in plan.list].index(bench.tokens[HELD].address), -1
    assert (plan.targets[sold].side, plan.targets[sold].unit, plan.surplus) == (SELL, KINDS[HELD].unit - 1, 0)
    assert plan.targets[bought].unit < wanted[5]


def test_a_rise_of_exactly_the_step_is_not_cut(bench: Bench) -> None:
    determine(bench, TARGETS)
    plan = plan_of(bench)
    month = bench.chain.read(bench.rebalancer.month())
    parts = (bench.index, bench.oracle, bench.methodology, month.determination)
    wide = unpacked(bench.chain.read(bench.opener.plan(*parts, WAD, LIMITS.dust)))
    assert [t.unit for t in wide.targets] == [t.unit for t in plan.targets]
    assert {i: plan.targets[i].side for i in (*SELLS, *BUYS)} == {
        **dict.fromkeys(SELLS, SELL),
        **dict.fromkeys(BUYS, BUY),
    }


def test_any_plan_is_the_model_s(bench: Bench) -> None:
    """Posted prices and targets, gifts and steps at random."""

    @settings(max_examples=40, deadline=None, phases=UNSHRUNK)
    @given(
        prices=st.lists(st.integers(50, 300), min_size=6, max_size=6),
        dead=st.sets(st.sampled_from(range(6)), max_size=2),
        aims=st.dictionaries(st.sampled_from(range(6)), st.integers(1, 4_000_000), min_size=1),
        step=st.one_of(st.integers(1, WAD), st.integers(WAD // 1000, WAD // 10)),
        shares=st.sampled_from([0, 1, SUPPLY // 7]),
    )
    def check(prices: list[int], dead: set[int], aims: dict[int, int], step: int, shares: int) -> None:
        if all(i in dead for i in aims) or len(dead & {0, 1, 2, HELD, 5}) == 5:
            return
        snapshot = bench.chain.cheats.snapshot()
        try:
            if shares:
                bench.mint(shares, bench.holder)
            wanted = {i: max(1, KINDS[i].target * part // 10**6) for i, part in sorted(aims.items())}
            posted = [0 if i in dead else PRICES[i] * parts // 100 for i, parts in enumerate(prices)]
            bench.set_limits(max_step=step)
            bench.post_prices(posted)
            determine(bench, wanted)
            check_plan(bench, posted, wanted, step)
        finally:
            bench.chain.cheats.revert(snapshot)

    check()
