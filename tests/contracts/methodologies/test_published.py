"""The published months: every target unit to the wei, on chain and in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ballast.build import ROOT
from ballast.rule.methodology import Cap, fixed_target_units, target_units
from ballast.units import WAD
from lab.localnet.month_file import Month, load_month
from tests.contracts.methodologies.scene import PLAIN, TOKENS, Basket, Scene
from tests.helpers.chain import Chain

FILES = sorted((ROOT / "data" / "months").glob("*.json"))


def basket(month: Month) -> Basket:
    basis = [c.weight if month.cap == "fixed" else c.supply for c in month.components]
    return Basket(
        [b or 0 for b in basis],
        [c.current_unit for c in month.components],
        [c.price_usd for c in month.components],
        [c.decimals for c in month.components],
    )


def test_the_months_are_there() -> None:
    assert {path.stem for path in FILES} >= {"dpi-2021-02", "dpi-2021-03", "dpi-2021-04", "dpi-2021-07", "mvi-2021-05"}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_published_units(chain: Chain, scene: Scene, owner: str, path: Path) -> None:
    check(chain, scene, owner, load_month(path))


def test_rounded_weights(chain: Chain, scene: Scene, owner: str) -> None:
    """Weights that add up to 1.00002: the published arithmetic multiplies by what is written."""
    month = load_month(ROOT / "data" / "months" / "mvi-2021-05.json")
    first, *others = month.components
    more = replace(first, weight=(first.weight or 0) + 2 * 10**13)
    nav = sum(c.current_unit * c.price_usd // 10**c.decimals for c in month.components)
    unit = 10**more.decimals * (nav * (more.weight or 0) // WAD) // more.price_usd
    assert unit > first.published_target_unit
    check(chain, scene, owner, replace(month, components=(replace(more, published_target_unit=unit), *others)))


def check(chain: Chain, scene: Scene, owner: str, month: Month) -> None:
    """Contract and Python come to what was published."""
    given = basket(month)
    published = [c.published_target_unit for c in month.components]
    if month.cap == "fixed":
        weights = sorted(((c.address, c.weight) for c in month.components), key=lambda w: int(w[0], 16))
        for address, _ in weights:
            chain.cheats.set_code(address, chain.code(TOKENS[0]))
        made = chain.deploy("FixedWeight", owner, weights, sender=owner)
        assert chain.read(made.targetUnits(*given.arguments())) == published
        assert fixed_target_units(given.basis, given.units, given.prices, given.decimals) == published
        return
    rule = replace(
        PLAIN,
        cap=Cap.HARD if month.cap == "hard" else Cap.NONE,
        cap_weight=month.cap_weight or 0,
        floor_each=month.nav_floor == "component",
    )
    assert scene.targets(rule, [given]) == [published]
    assert target_units(rule, given.basis, given.units, given.prices, given.decimals) == published
