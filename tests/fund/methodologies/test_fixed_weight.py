"""FixedWeight: the published targets to the wei, the second implementation in Python, and its errors."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ballast.reference import Line, OutsideDomainError, fixed_weight_units
from localnet.anvil import ROOT
from localnet.month import load_month
from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import WAD, by_address
from tests.helpers.reverts import assert_reverts

A, B, C = (f"0x{k:040x}" for k in (0xAA, 0xBB, 0xCC))
HALVES = [(A, WAD // 2), (B, WAD // 2)]


@pytest.fixture(scope="module")
def owner(chain: Chain) -> str:
    return chain.account("owner")


@pytest.fixture(scope="module")
def methodology(module_isolation: None, chain: Chain, owner: str) -> Contract:
    return chain.deploy("FixedWeight", owner, HALVES, sender=owner)


def targets(methodology: Contract, lines: Sequence[Line]) -> Call:
    columns = [[getattr(line, field) for line in lines] for field in ("basis", "unit", "price", "decimals")]
    return methodology.targetUnits(*columns)


def test_published_targets_to_the_wei(chain: Chain, owner: str) -> None:
    """MVI, May 2021: 15 components of 4, 8 and 18 decimals."""
    month = load_month(ROOT / "data" / "months" / "mvi-2021-05.json")
    weights = sorted(((c.address, c.weight) for c in month.components), key=by_address)
    methodology = chain.deploy("FixedWeight", owner, weights, sender=owner)
    listed = chain.read(methodology.determine(methodology))
    assert [(c.token, c.basis) for c in listed] == weights
    lines = [Line(c.weight or 0, c.current_unit, c.price_usd, c.decimals) for c in month.components]
    assert chain.read(targets(methodology, lines)) == [c.published_target_unit for c in month.components]
    assert {line.decimals for line in lines} == {4, 8, 18} and len(lines) == 15


@st.composite
def weighted(draw: st.DrawFn) -> list[Line]:
    """Components whose weights sum to 1, some without a price."""
    cuts = sorted(draw(st.lists(st.integers(0, WAD), max_size=11)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, WAD], strict=True)]
    prices = st.one_of(st.just(0), st.integers(1, 10**24), st.integers(10**15, 10**21))
    units = st.one_of(st.just(0), st.integers(1, 10**24))
    return [Line(weight, draw(units), draw(prices), draw(st.integers(0, 27))) for weight in weights]


@given(lines=weighted())
@example(lines=[Line(WAD // 2, WAD, WAD, 18), Line(WAD // 2, WAD, 0, 18)])
@FUZZ
def test_agrees_with_the_second_implementation(chain: Chain, methodology: Contract, lines: list[Line]) -> None:
    call = targets(methodology, lines)
    try:
        wanted = fixed_weight_units(lines)
    except OutsideDomainError as error:
        (what,) = assert_reverts(chain, call, "OutsideDomain")
        assert what.rstrip(bytes(1)).decode() == str(error).split(":")[0]
        return
    assert chain.read(call) == wanted


def test_weights_of_what_has_no_price_go_to_the_others(chain: Chain, methodology: Contract) -> None:
    silent = Line(WAD // 2, WAD, 0, 18)
    lines = [Line(WAD // 4, WAD, WAD, 18), Line(WAD // 4, WAD, WAD, 6), silent]
    nav = WAD + 10**12 * WAD
    assert chain.read(targets(methodology, lines)) == [nav // 2, nav // 2 // 10**12, 0]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([Line(WAD, 0, WAD, 18)], b"nav"),
        ([Line(WAD, WAD, 0, 18)], b"nav"),
        ([Line(0, WAD, WAD, 18), Line(WAD, WAD, 0, 18)], b"weights"),
    ],
)
def test_outside_the_domain(chain: Chain, methodology: Contract, lines: list[Line], what: bytes) -> None:
    (found,) = assert_reverts(chain, targets(methodology, lines), "OutsideDomain")
    assert found.rstrip(bytes(1)) == what


CASES = [
    ([(B, WAD // 2), (A, WAD // 2)], "UnfitWeight", A),
    ([(A, WAD // 2), (A, WAD // 2)], "UnfitWeight", A),
    ([(A, WAD), (B, 0)], "UnfitWeight", B),
    ([("0x" + "00" * 20, WAD)], "UnfitWeight", "0x" + "00" * 20),
    ([(A, WAD - 1)], "WeightsDoNotSum", WAD - 1),
    ([(A, WAD // 2), (B, WAD // 2), (C, 1)], "WeightsDoNotSum", WAD + 1),
    ([], "WeightsDoNotSum", 0),
]


@pytest.mark.parametrize(("listed", "error", "argument"), CASES)
def test_unfit_weights(
    chain: Chain, methodology: Contract, owner: str, listed: list[tuple[str, int]], error: str, argument: object
) -> None:
    assert_reverts(chain, methodology.setWeights(listed), error, argument, sender=owner)
    create = chain.artifact("FixedWeight").create(owner, listed)
    assert_reverts(chain, create, error, argument, sender=owner)


def test_only_the_owner_sets_weights(chain: Chain, methodology: Contract, owner: str, stranger: str) -> None:
    listed = [(A, 1), (C, WAD - 1)]
    call = methodology.setWeights(listed)
    assert_reverts(chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)
    receipt = chain.send(call, owner)
    found = chain.read(methodology.weights())
    assert [(c.token.lower(), c.basis) for c in found] == listed
    assert methodology.events(receipt, "WeightsSet") == [(found,)]
