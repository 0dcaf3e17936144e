"""The streaming fee: accrual, collectFee, and what the previews know of it."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.units import DAY_S, WAD
from tests.helpers.basket import FEE, FUZZ, SEEDED, Basket, build_basket
from tests.helpers.chain import Chain
from tests.helpers.fund import FOUNDED, YEAR
from tests.helpers.reverts import assert_reverts

CEILING = 5 * WAD // 100


def grown(supply: int, fee: int, seconds: int) -> int:
    """Supply that leaves a share exp(-rate x time) of what it held: exact, rounded down."""
    with localcontext() as context:
        context.prec = 80
        kept = (1 - Decimal(fee) / WAD) ** (Decimal(seconds) / YEAR)
        return int(Decimal(supply) / kept)


def bound(supply: int, accruals: int) -> int:
    """Most wei of shares that so many accruals may be away from the exact figure: each rounds down by less than
    supply / 1e18 + 1, and rate and exponential are exact to a few units of the 18th decimal."""
    return (accruals + 4) * (supply // WAD + 1)


@pytest.fixture(scope="module")
def harness(module_isolation: None, chain: Chain) -> object:
    return chain.deploy("StreamingFeeHarness", sender=chain.account("deployer"))


@pytest.mark.parametrize("fee", [1, 10**12, FEE, WAD // 100, CEILING - 1, CEILING])
def test_a_year_costs_exactly_the_yearly_fee(module_isolation: None, chain: Chain, fee: int) -> None:
    basket = build_basket(chain, fee=fee)
    founded = chain.now()
    before = chain.read(basket.index.previewRedeem(WAD), at=founded)[1]
    supply = basket.supply(at=founded + YEAR)
    assert abs(supply * (WAD - fee) - SEEDED * WAD) <= bound(SEEDED, 1) * WAD
    after = chain.read(basket.index.previewRedeem(WAD), at=founded + YEAR)[1]
    for now, then in zip(after, before, strict=True):
        assert then * (WAD - fee) // WAD - 1 <= now <= then * (WAD - fee) // WAD + 1


def test_no_fee_takes_nothing(module_isolation: None, chain: Chain) -> None:
    basket = build_basket(chain, fee=0)
    assert basket.supply(at=chain.now() + 50 * YEAR) == SEEDED


@given(
    supply=st.integers(10**17, 10**27),
    fee=st.integers(0, CEILING),
    periods=st.lists(st.integers(1, 2 * YEAR), min_size=1, max_size=40),
)
@FUZZ
def test_call_frequency_does_not_matter(
    chain: Chain, harness: object, supply: int, fee: int, periods: list[int]
) -> None:
    often = chain.read(harness.accrue(supply, fee, periods))  # type: ignore[attr-defined]
    once = chain.read(harness.accrue(supply, fee, [sum(periods)]))  # type: ignore[attr-defined]
    exact = grown(supply, fee, sum(periods))
    assert once - often <= len(periods) * (exact // WAD + 1), "the bound that the contract states"
    assert abs(once - exact) <= bound(exact, 1) * (1 + sum(periods) // YEAR)
    assert often <= once + exact // WAD + 1, "calling often gains nobody anything"


def test_every_block_for_a_day(chain: Chain, harness: object) -> None:
    blocks = DAY_S // 12
    often = chain.read(harness.accrueEvenly(10**24, FEE, 12, blocks))  # type: ignore[attr-defined]
    once = chain.read(harness.accrue(10**24, FEE, [DAY_S]))  # type: ignore[attr-defined]
    assert 0 <= once - often <= blocks * (once // WAD + 1)


@given(
    supply=st.integers(1, 10**27),
    fee=st.integers(0, CEILING),
    begin=st.integers(0, 50 * YEAR),
    seconds=st.integers(0, 5 * YEAR),
)
@FUZZ
def test_decay_undoes_the_accrual(
    chain: Chain, harness: object, supply: int, fee: int, begin: int, seconds: int
) -> None:
    rate = chain.read(harness.rate(fee))  # type: ignore[attr-defined]
    earlier, later = begin * rate, (begin + seconds) * rate
    more = supply + chain.read(harness.shares(supply, earlier, later))  # type: ignore[attr-defined]
    decay = chain.read(harness.decay(earlier, later))  # type: ignore[attr-defined]
    assert 0 <= decay <= WAD
    assert abs(more * decay // WAD - supply) <= 3 * (more // WAD + 1)


def test_on_the_token_too(basket: Basket) -> None:
    """Once against twenty times, with nothing else in between, on the contract itself."""
    begin = basket.chain.now()
    once = basket.supply(at=begin + YEAR)
    for k in range(1, 21):
        basket.accrue(at=begin + k * YEAR // 20)
    often = basket.supply(at=begin + YEAR)
    assert 0 <= once - often <= 20 * (once // WAD + 1)
    assert basket.minted() == SEEDED, "an accrual mints nothing"


def test_supply_times_decay_does_not_change_by_accrual(basket: Basket) -> None:
    chain, begin = basket.chain, basket.chain.now()
    supply, exponent = chain.read(basket.index.supplyAndExponent(), at=begin)
    assert supply == basket.supply(at=begin)
    basket.accrue(at=begin + 77 * DAY_S)
    later_supply, later_exponent = chain.read(basket.index.supplyAndExponent(), at=begin + 200 * DAY_S)
    assert later_supply == basket.supply(at=begin + 200 * DAY_S) > supply
    with localcontext() as context:
        context.prec = 60
        decay = (-(Decimal(later_exponent - exponent)) / WAD / YEAR).exp()
        assert abs(int(later_supply * decay) - supply) <= bound(later_supply, 2)


def test_collects_to_the_recipient(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    later = chain.now() + 90 * DAY_S
    pending, supply = chain.read(index.pendingFee(), at=later), basket.supply(at=later)
    assert pending > 0 and supply == SEEDED + pending
    assert chain.read(index.collectFee(), sender=stranger, at=later) == pending
    receipt = chain.send(index.collectFee(), stranger, at=later)
    assert index.events(receipt, "FeeCollected") == [(basket.recipient, pending)]
    assert basket.shares(basket.recipient) == pending
    assert chain.read(index.pendingFee(), at=later) == 0
    assert basket.minted() == supply == basket.supply(at=later)
    # Nothing more is due in the same block.
    assert index.events(chain.send(index.collectFee(), stranger, at=later), "FeeCollected") == []
    assert basket.shares(basket.recipient) == pending


def test_collected_shares_are_redeemable(basket: Basket) -> None:
    chain, later = basket.chain, basket.chain.now() + 90 * DAY_S
    chain.send(basket.index.collectFee(), basket.holder, at=later)
    shares = basket.shares(basket.recipient)
    chain.send(basket.redeem(shares, basket.recipient), basket.recipient, at=later)
    assert basket.shares(basket.recipient) == 0
    assert min(basket.balances(basket.recipient)[:2]) >= 0 and max(basket.balances(basket.recipient)) > 0


@pytest.mark.parametrize("collected", [False, True])
def test_previews_do_not_depend_on_collection(basket: Basket, collected: bool) -> None:
    chain, later = basket.chain, basket.chain.now() + 90 * DAY_S
    minted = chain.read(basket.index.previewMint(WAD), at=later)
    redeemed = chain.read(basket.index.previewRedeem(WAD), at=later)
    if collected:
        chain.send(basket.index.collectFee(), basket.holder, at=later)
    else:
        basket.accrue(at=later)
    assert chain.read(basket.index.previewMint(WAD), at=later) == minted
    assert chain.read(basket.index.previewRedeem(WAD), at=later) == redeemed


def test_a_change_accrues_at_the_old_rate_first(basket: Basket) -> None:
    chain, begin = basket.chain, basket.chain.now()
    at_change = basket.supply(at=begin + YEAR)
    receipt = chain.send(basket.index.setStreamingFee(CEILING), basket.owner, at=begin + YEAR)
    assert basket.index.events(receipt, "StreamingFeeSet") == [(CEILING,)]
    assert basket.supply(at=begin + YEAR) == at_change
    assert chain.read(basket.index.streamingFee()) == CEILING
    after = basket.supply(at=begin + 2 * YEAR)
    assert abs(after - grown(at_change, CEILING, YEAR)) <= bound(after, 1)
    chain.send(basket.index.setStreamingFee(0), basket.owner, at=begin + 2 * YEAR)
    assert basket.supply(at=begin + 9 * YEAR) == after


def test_ceiling(basket: Basket) -> None:
    assert basket.chain.read(basket.index.MAX_STREAMING_FEE()) == CEILING
    call = basket.index.setStreamingFee(CEILING + 1)
    assert_reverts(basket.chain, call, "FeeAboveCeiling", CEILING + 1, CEILING, sender=basket.owner)


def test_a_new_recipient_gets_nothing_of_the_past(basket: Basket, stranger: str) -> None:
    chain, index, begin = basket.chain, basket.index, basket.chain.now()
    pending = chain.read(index.pendingFee(), at=begin + DAY_S)
    receipt = chain.send(index.setFeeRecipient(stranger), basket.owner, at=begin + DAY_S)
    assert index.events(receipt, "FeeCollected") == [(basket.recipient, pending)]
    assert index.events(receipt, "FeeRecipientSet") == [(stranger,)]
    assert basket.shares(basket.recipient) == pending and basket.shares(stranger) == 0
    later = chain.read(index.pendingFee(), at=begin + 2 * DAY_S)
    chain.send(index.collectFee(), stranger, at=begin + 2 * DAY_S)
    assert basket.shares(stranger) == later > 0
    assert basket.shares(basket.recipient) == pending


def test_nothing_accrues_before_the_seed(unseeded: Basket) -> None:
    chain, late = unseeded.chain, FOUNDED + 10 * YEAR
    assert chain.read(unseeded.index.pendingFee(), at=late) == 0
    assert chain.read(unseeded.index.collectFee(), sender=unseeded.holder, at=late) == 0
