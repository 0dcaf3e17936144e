"""MarketCap's targets: components in any order, the reference arithmetic in Python, the errors of the domain.

What a determination decides is tested under tests/contracts/methodologies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ballast.build import ROOT
from ballast.rule.arithmetic import ArithmeticDomainError, PricedComponent, market_cap_units
from ballast.units import WAD
from lab.localnet.month_file import Month, load_month
from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import ACTIVE, ANYONE, HARD, NONE, market_cap_arguments, posted_supplies, rule
from tests.helpers.reverts import assert_reverts


@dataclass(frozen=True)
class Rules:
    """The methodology with no cap, with caps of 25 % and 10 %, and with one of 25 % that is applied three times."""

    none: Contract
    hard: Contract
    tight: Contract
    thrice: Contract


@pytest.fixture(scope="module")
def owner(chain: Chain) -> str:
    return chain.account("owner")


@pytest.fixture(scope="module")
def rules(module_isolation: None, chain: Chain, owner: str) -> Rules:
    supplies = chain.deploy("PostedSupply", owner, ANYONE, ANYONE, [], sender=owner)
    token = chain.deploy("ReferenceToken", sender=owner)
    chain.send(token.init("Token", "TOK", 18), owner)

    def deploy(cap: int, weight: int, passes: int = 1) -> Contract:
        fields = (*rule(cap, weight)[:-1], passes)
        return chain.deploy("MarketCap", owner, fields, [(token, supplies, ACTIVE, 0)], sender=owner)

    return Rules(deploy(NONE, 0), deploy(HARD, WAD // 4), deploy(HARD, WAD // 10), deploy(HARD, WAD // 4, 3))


def targets(methodology: Contract, lines: Sequence[PricedComponent]) -> Call:
    columns = [[getattr(line, field) for line in lines] for field in ("basis", "unit", "price")]
    return methodology.targetUnits(*columns, [10**line.decimals for line in lines])


def lines_of(month: Month) -> list[PricedComponent]:
    return [PricedComponent(c.supply or 0, c.current_unit, c.price_usd, c.decimals) for c in month.components]


@pytest.mark.parametrize("label", ["dpi-2021-02", "dpi-2021-03", "dpi-2021-04"])
@pytest.mark.parametrize("backwards", [False, True])
def test_published_targets_to_the_wei(chain: Chain, owner: str, label: str, backwards: bool) -> None:
    month = load_month(ROOT / "data" / "months" / f"{label}.json")
    supplies = chain.deploy("PostedSupply", owner, ANYONE, ANYONE, posted_supplies(month, chain.now()), sender=owner)
    methodology = chain.deploy("MarketCap", owner, *market_cap_arguments(month, supplies), sender=owner)
    order = -1 if backwards else 1
    found = chain.read(targets(methodology, lines_of(month)[::order]))
    assert found == [component.published_target_unit for component in month.components][::order]
    assert len(found) == {"dpi-2021-02": 11, "dpi-2021-03": 12, "dpi-2021-04": 14}[label]


def test_cap_binds_where_it_should(chain: Chain, rules: Rules) -> None:
    """April 2021: UNI alone is above 25 %; the others share what it gives up in proportion."""
    month = load_month(ROOT / "data" / "months" / "dpi-2021-04.json")
    lines = lines_of(month)
    nav = sum(line.unit * line.price for line in lines) // WAD
    free, capped = chain.read(targets(rules.none, lines)), chain.read(targets(rules.hard, lines))
    uni = next(i for i, c in enumerate(month.components) if c.symbol == "UNI")
    weights = [unit * line.price // nav for unit, line in zip(capped, lines, strict=True)]
    assert weights[uni] in (WAD // 4 - 1, WAD // 4)
    assert max(weights[:uni] + weights[uni + 1 :]) < WAD // 4
    assert WAD - 1000 < sum(weights) <= WAD, "a unit rounds down by less than a wei of the token"
    assert all(c > f for i, (c, f) in enumerate(zip(capped, free, strict=True)) if i != uni)


LINES = st.lists(
    st.builds(
        PricedComponent,
        basis=st.one_of(st.just(0), st.integers(1, 10**12), st.integers(1, 10**5)),
        unit=st.one_of(st.just(0), st.integers(1, 10**24)),
        price=st.one_of(st.just(0), st.integers(10**10, 10**24)),
        decimals=st.integers(0, 27),
    ),
    min_size=1,
    max_size=16,
)
WHOLE = PricedComponent(10**9, WAD, WAD, 18)


@given(lines=LINES, which=st.sampled_from(["none", "hard", "tight", "thrice"]))
@example(lines=[WHOLE] * 4, which="hard")
@example(lines=[WHOLE] * 3, which="hard")
@example(lines=[WHOLE, WHOLE, PricedComponent(0, WAD, WAD, 18)], which="hard")
@example(lines=[WHOLE, PricedComponent(1, WAD, 0, 18)], which="none")
@example(lines=[WHOLE] * 11, which="tight")
@example(lines=[replace(WHOLE, basis=10**9 // k**2) for k in range(1, 8)], which="thrice")
@example(lines=[PricedComponent(2, WAD, WAD, 18)] * 11 + [PricedComponent(1, WAD, WAD, 18)], which="tight")
@FUZZ
def test_agrees_with_the_second_implementation(
    chain: Chain, rules: Rules, lines: list[PricedComponent], which: str
) -> None:
    cap = {"none": None, "hard": WAD // 4, "tight": WAD // 10, "thrice": WAD // 4}[which]
    call = targets(getattr(rules, which), lines)
    try:
        wanted = market_cap_units(lines, cap, 3 if which == "thrice" else 1)
    except ArithmeticDomainError as error:
        (what,) = assert_reverts(chain, call, "OutsideDomain")
        assert what.rstrip(bytes(1)).decode() == str(error).split(":")[0]
        return
    found = chain.read(call)
    assert found == wanted
    assert all(unit == 0 for unit, line in zip(found, lines, strict=True) if line.basis == 0 or line.price == 0)


@given(
    basis=st.lists(st.integers(10**6, 10**10), min_size=2, max_size=12),
    prices=st.lists(st.integers(10**15, 10**22), min_size=12, max_size=12),
)
@FUZZ
def test_targets_are_worth_the_nav(chain: Chain, rules: Rules, basis: list[int], prices: list[int]) -> None:
    """With a divisor of published size the targets are worth NAV, to the divisor's own rounding, and never more than
    that; with a hard cap never more than NAV."""
    lines = [PricedComponent(b, WAD // 10, prices[i], 18) for i, b in enumerate(basis)]
    nav = sum(line.unit * line.price for line in lines) // WAD
    divisor = sum(line.basis * line.price for line in lines) // nav
    assume(divisor >= 10**6)
    for methodology in (rules.none, rules.hard):
        worth = (
            sum(u * line.price for u, line in zip(chain.read(targets(methodology, lines)), lines, strict=True)) // WAD
        )
        assert worth <= nav + nav // divisor + 1
        assert worth >= nav - nav // 10**6


def test_all_capped_weigh_the_same(chain: Chain, rules: Rules) -> None:
    """Three equal constituents under a cap of a quarter: nobody is left to take the excess."""
    found = chain.read(targets(rules.hard, [WHOLE] * 3))
    assert found == [WAD // 3 * (3 * WAD) // WAD] * 3


def test_what_has_no_basis_or_no_price_gets_nothing(chain: Chain, rules: Rules) -> None:
    leaver, silent = PricedComponent(0, WAD, WAD, 18), PricedComponent(10**9, 7 * WAD, 0, 18)
    found = chain.read(targets(rules.none, [WHOLE, leaver, silent]))
    assert found == [2 * WAD, 0, 0], "what leaves is part of NAV, what has no price is not"


@pytest.mark.parametrize(
    ("which", "lines", "what"),
    [
        ("none", [PricedComponent(10**9, 0, WAD, 18)], "nav"),
        ("none", [PricedComponent(10**9, WAD, 0, 18)], "nav"),
        ("hard", [PricedComponent(10**9, 1, 1, 18)], "nav"),
        ("none", [PricedComponent(0, WAD, WAD, 18)], "divisor"),
        ("hard", [PricedComponent(1, 2 * WAD, WAD, 18)], "divisor"),
    ],
)
def test_outside_the_domain(chain: Chain, rules: Rules, which: str, lines: list[PricedComponent], what: str) -> None:
    (found,) = assert_reverts(chain, targets(getattr(rules, which), lines), "OutsideDomain")
    assert found.rstrip(bytes(1)).decode() == what


def test_weights_above_one(chain: Chain, rules: Rules) -> None:
    """The divisor is 23 / 12, rounded down to 1: weights sum to 23 / 12, and to 12 / 10 even under the cap. Nothing is
    left over to be shared, and no month is refused for it."""
    lines = [PricedComponent(2, WAD, WAD, 18)] * 11 + [PricedComponent(1, WAD, WAD, 18)]
    assert market_cap_units(lines, WAD // 10) == [12 * WAD // 10] * 11 + [WAD // 12 * 12]
    assert chain.read(targets(rules.tight, lines)) == [12 * WAD // 10] * 11 + [WAD // 12 * 12]


def test_one_pass_may_leave_a_component_above_the_cap(chain: Chain, rules: Rules) -> None:
    """The published rule caps once. With one component capped at 25 %, another of more than a third of what is left is
    lifted above the cap: of 60, 22, 9 and 9 % the second comes to 41.25 %. Further passes cap it as well."""
    lines = [replace(WHOLE, basis=basis * 10**7) for basis in (60, 22, 9, 9)]
    once, thrice = (chain.read(targets(which, lines)) for which in (rules.hard, rules.thrice))
    assert [unit * 100 / (4 * WAD) for unit in once] == [25, 41.25, 16.875, 16.875]
    assert [unit * 100 / (4 * WAD) for unit in thrice] == [25, 25, 25, 25]


def test_passes_end_where_nobody_new_is_above_the_cap(chain: Chain, rules: Rules) -> None:
    lines = [replace(WHOLE, basis=basis * 10**7) for basis in (50, 15, 10, 10, 10, 5)]
    assert chain.read(targets(rules.thrice, lines)) == chain.read(targets(rules.hard, lines))
