"""What the rule refuses, each by its own error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.rule.methodology import Cap, Rule, State, UnfitRuleError
from ballast.units import WAD
from tests.contracts.methodologies.scene import PLAIN, TOKENS, Basket, Scene, rule_tuple, simple
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts

MILLION = 10**6

BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("capWeight", {"cap_weight": 1}),
    ("capWeight", {"cap": Cap.HARD, "cap_weight": 0}),
    ("capWeight", {"cap": Cap.HARD, "cap_weight": WAD}),
    ("capWeight", {"cap": Cap.FLEXIBLE, "cap_weight": 0}),
    ("floorWeight", {"floor_weight": WAD, "entry_weight": WAD}),
    ("entryWeight", {"floor_weight": 2, "entry_weight": 1}),
    ("entryWeight", {"entry_weight": WAD}),
    ("topN", {"top_n": 0}),
    ("maxSupplyAge", {"max_supply_age": 0}),
    ("maxSupplyJump", {"max_supply_jump": 0}),
    ("capPasses", {"cap_passes": 0}),
    ("capPasses", {"cap_passes": 11}),
]
UTMOST: list[dict[str, Any]] = [
    {"cap": Cap.HARD, "cap_weight": 1},
    {"cap": Cap.FLEXIBLE, "cap_weight": WAD - 1},
    {"floor_weight": WAD - 1, "entry_weight": WAD - 1},
    {"top_n": 255, "max_supply_age": 2**32 - 1, "max_supply_jump": 2**64 - 1},
    {"top_n": 1, "max_supply_age": 1, "max_supply_jump": 1},
    {"cap_passes": 10},
]


def fields(changes: dict[str, Any]) -> tuple[Any, ...]:
    names = list(Rule.__dataclass_fields__)
    return tuple(changes.get(n, v) for n, v in zip(names, rule_tuple(PLAIN), strict=True))


@pytest.mark.parametrize(("name", "changes"), BROKEN)
def test_rules_out_of_bounds(scene: Scene, name: str, changes: dict[str, Any]) -> None:
    assert scene.creation_error(fields(changes), [(TOKENS[0], scene.stage, 0, 0)]) == f"UnfitRule({name})"
    with pytest.raises(UnfitRuleError) as caught:
        replace(PLAIN, **changes)
    assert caught.value.field == name


@pytest.mark.parametrize("changes", UTMOST)
def test_rules_at_their_bounds(scene: Scene, changes: dict[str, Any]) -> None:
    assert scene.creation_error(fields(changes), [(TOKENS[0], scene.stage, 0, 0)]) == ""
    assert rule_tuple(replace(PLAIN, **changes)) == fields(changes)


def test_candidates_that_do_not_fit(scene: Scene, stranger: str) -> None:
    stage, rule = scene.stage, rule_tuple(PLAIN)
    twice = scene.creation_error(rule, [(TOKENS[0], stage, 0, 0), (TOKENS[0], stage, 0, 0)])
    assert twice.lower() == f"UnfitCandidate({TOKENS[0]})".lower()
    falling = scene.creation_error(rule, [(TOKENS[1], stage, 0, 0), (TOKENS[0], stage, 0, 0)])
    assert falling.lower() == f"UnfitCandidate({TOKENS[0]})".lower()
    no_code = scene.creation_error(rule, [(TOKENS[0], stage, 0, 0), (TOKENS[1], stranger, 0, 0)])
    assert no_code.lower() == f"UnfitCandidate({TOKENS[1]})".lower()
    assert scene.creation_error(rule, []) == "UnfitNumber(0, 50)"
    many = [(token, stage, 0, 0) for token in more_tokens(scene.chain, 51)]
    assert scene.creation_error(rule, many) == "UnfitNumber(51, 50)"
    assert scene.creation_error(rule, many[:50]) == ""


def more_tokens(chain: Chain, number: int) -> list[str]:
    """More tokens than TOKENS has."""
    code = chain.code(TOKENS[0])
    tokens = [f"0x{i:040x}" for i in range(2**80, 2**80 + number)]
    for token in tokens:
        chain.cheats.set_code(token, code)
    return tokens


ODD_DECIMALS = {
    "burns all gas": "fe",
    "answers nothing": "00",
    "answers too little": "6012601ff3",
    "answers 28": "601c5f5260205ff3",
    "answers 256 + 18": "6101125f5260205ff3",
    "answers the largest number": "5f195f5260205ff3",
    "answers 100 kB of nothing, and 28 before it": "601c5f52620186a05ff3",
    "is no contract": "",
}


@pytest.mark.parametrize("code", ODD_DECIMALS.values(), ids=ODD_DECIMALS)
def test_candidates_whose_decimals_no_list_could_take(chain: Chain, scene: Scene, owner: str, code: str) -> None:
    """Told when they are set, by an error of their own and for bounded gas, not at the start that would buy them."""
    odd = "0x00000000000000000000000000000000000beef0"
    chain.cheats.set_code(odd, bytes.fromhex(code))
    made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), [(TOKENS[0], scene.stage, 0, 0)], sender=owner)
    listed = [(odd, scene.stage, 0, 0), (TOKENS[0], scene.stage, 0, 0)]
    assert_reverts(chain, made.setCandidates(listed), "UnfitDecimals", odd, sender=owner)
    locked = chain.deploy("LockedSupply", owner, [], [], sender=owner)
    assert_reverts(chain, locked.setLockers(odd, []), "UnfitDecimals", odd, sender=owner)
    fixed = chain.deploy("FixedWeight", owner, [(TOKENS[0], WAD)], sender=owner)
    weights = [(odd, WAD // 2), (TOKENS[0], WAD // 2)]
    assert_reverts(chain, fixed.setWeights(weights), "UnfitDecimals", odd, sender=owner)
    # 27 are the most.
    chain.cheats.set_code(odd, bytes.fromhex("601b5f5260205ff3"))
    receipt = chain.send(made.setCandidates(listed), owner)
    assert int(receipt["gasUsed"], 16) < 200_000


def test_nobody_left(scene: Scene) -> None:
    assert scene.agree(simple([MILLION], states={0: State.LEAVING})) == "NoConstituents()"
    assert scene.agree(simple([0, 0])) == "NoConstituents()"


def test_nothing_to_share(scene: Scene) -> None:
    assert scene.agree(simple([MILLION, MILLION], [])) == "OutsideDomain(nav)"
    frozen = simple([MILLION, MILLION], [WAD], states={0: State.FROZEN})
    assert scene.agree(frozen) == "OutsideDomain(nav)"
    assert scene.targets(PLAIN, [Basket([1], [0], [WAD], [18])]) == ["OutsideDomain(nav)"]


@pytest.mark.parametrize("column", range(4))
def test_lists_that_are_not_as_long_as_the_others(chain: Chain, scene: Scene, owner: str, column: int) -> None:
    made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), [(TOKENS[0], scene.stage, 0, 0)], sender=owner)
    columns = [list(figures) for figures in Basket([MILLION] * 2, [WAD] * 2, [WAD] * 2, [18] * 2).arguments()]
    assert len(chain.read(made.targetUnits(*columns))) == 2
    columns[column].append(WAD)
    assert_reverts(chain, made.targetUnits(*columns), "OutsideDomain", b"lengths".ljust(32, b"\0"), sender=owner)


def test_market_caps_below_one_share(scene: Scene) -> None:
    # 999 dollars of market cap beside a share of 1000; with 1000 the divisor is 1.
    assert scene.agree(simple([500, 499], [1000 * WAD])) == "OutsideDomain(divisor)"
    assert not isinstance(scene.agree(simple([500, 500], [1000 * WAD])), str)
    basket = Basket([500, 499], [1000 * WAD, 0], [WAD, WAD], [18, 18])
    assert scene.targets(PLAIN, [basket]) == ["OutsideDomain(divisor)"]


def test_weights_above_one_after_capping(scene: Scene) -> None:
    """A divisor of 1.98, floored to 1, nearly doubles the weights: 1.0 and 0.98. Nothing is left over by the cap then,
    and nobody is refused a month for it."""
    cent = WAD // 100
    for passes in (1, 2):
        rule = replace(PLAIN, cap=Cap.HARD, cap_weight=99 * cent, cap_passes=passes)
        found = scene.agree(simple([1000, 980], [1000 * WAD], rule=rule))
        assert not isinstance(found, str)
        assert [decision.weight for decision in found] == [99 * cent, 98 * cent]
        basket = Basket([1000, 980], [1000 * WAD, 0], [WAD, WAD], [18, 18])
        assert scene.targets(rule, [basket]) == [[990 * WAD, 980 * WAD]]


WIDE: list[tuple[str, Basket]] = [
    ("width", Basket([MILLION, MILLION], [WAD, 2**128], [WAD, 0], [18, 18])),
    ("width", Basket([MILLION, MILLION], [WAD, WAD], [WAD, 2**100], [18, 18])),
    ("width", Basket([MILLION, MILLION], [WAD, 2**255], [WAD, WAD], [18, 18])),
    ("width", Basket([MILLION, MILLION], [WAD, 0], [WAD, 2**255], [18, 18])),
    ("nav", Basket([2**88 - 1], [2**104], [WAD], [18])),
]


@pytest.mark.parametrize(("what", "basket"), WIDE)
@pytest.mark.parametrize("floor_each", [False, True])
def test_figures_too_wide(scene: Scene, what: str, basket: Basket, floor_each: bool) -> None:
    """Nothing wraps around: what does not fit is refused."""
    assert scene.targets(replace(PLAIN, floor_each=floor_each), [basket]) == [f"OutsideDomain({what})"]


@pytest.mark.parametrize("floor_each", [False, True])
def test_figures_as_wide_as_they_may_be(scene: Scene, floor_each: bool) -> None:
    """The largest of each, and both sides agree."""
    rule = replace(PLAIN, floor_each=floor_each)
    most, price = 2**104 - 1, 2**100 - 1
    baskets = [
        Basket([2**88 - 1], [most], [WAD], [18]),
        Basket([2**88 - 1, MILLION], [most - WAD, WAD], [WAD, WAD], [18, 27]),
        Basket([2**88 - 1, 2**88 - 1], [10**6, 10], [price, price], [9, 0]),
        Basket([2**88 - 1, MILLION], [WAD, 2**128 - 1], [price, 0], [27, 0]),
        Basket([2**88 - 1, 1], [2**93, 1], [price, WAD], [27, 27]),
    ]
    expected = [basket.expected(rule) for basket in baskets]
    assert scene.targets(rule, baskets) == expected
    assert all(isinstance(units, list) and any(units) for units in expected)


@pytest.mark.parametrize("cap", [Cap.NONE, Cap.HARD, Cap.FLEXIBLE])
@pytest.mark.parametrize("field", ["basis", "units", "prices", "decimals"])
def test_lists_of_different_lengths(scene: Scene, field: str, cap: Cap) -> None:
    rule = replace(PLAIN, cap=cap, cap_weight=0 if cap is Cap.NONE else WAD // 2)
    whole = Basket([MILLION] * 3, [WAD] * 3, [WAD] * 3, [18] * 3)
    assert scene.targets(rule, [whole]) == [[WAD] * 3]
    for list_ in ([], getattr(whole, field)[:2], [*getattr(whole, field), 1]):
        assert scene.targets(rule, [replace(whole, **{field: list_})]) == ["OutsideDomain(lengths)"]


@pytest.fixture
def methodology(chain: Chain, scene: Scene, owner: str) -> Contract:
    return chain.deploy(
        "MarketCap", owner, rule_tuple(PLAIN), [(t, scene.stage, 0, 0) for t in TOKENS[:2]], sender=owner
    )


def test_only_the_owner_and_only_candidates(chain: Chain, methodology: Contract, owner: str, stranger: str) -> None:
    unauthorized = "OwnableUnauthorizedAccount"
    override = methodology.overrideSupply(TOKENS[0], 5)
    assert_reverts(chain, override, unauthorized, stranger, sender=stranger)
    assert_reverts(chain, methodology.setCandidates([]), unauthorized, stranger, sender=stranger)
    assert_reverts(chain, methodology.setCandidates([]), "UnfitNumber", 0, 50, sender=owner)
    unknown = methodology.overrideSupply(TOKENS[2], 5)
    assert_reverts(chain, unknown, "UnfitOverride", TOKENS[2], 5, sender=owner)
    nothing = methodology.overrideSupply(TOKENS[0], 0)
    assert_reverts(chain, nothing, "UnfitOverride", TOKENS[0], 0, sender=owner)
    receipt = chain.send(override, owner)
    (event,) = methodology.events(receipt, "SupplyOverridden")
    assert (event.token, event.wholeTokens, event.until - chain.now()) == (TOKENS[0], 5, 10 * 86_400)


def test_candidates_and_rule_are_read_back(chain: Chain, scene: Scene, methodology: Contract, owner: str) -> None:
    assert tuple(chain.read(methodology.rule())) == rule_tuple(PLAIN)
    listed = [(TOKENS[0], scene.stage.address, 2, 2**88 - 1), (TOKENS[5], scene.stage.address, 1, 0)]
    (event,) = methodology.events(chain.send(methodology.setCandidates(listed), owner), "CandidatesSet")
    assert [tuple(c) for c in chain.read(methodology.candidates())] == listed
    assert [tuple(c) for c in event.candidates] == listed
