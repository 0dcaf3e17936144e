"""IndexToken.redeem and previewRedeem."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.basket import SEEDED, Basket
from tests.helpers.fund import ANYONE, LOCKED_SHARES, Fund
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789


def test_pays_what_the_preview_says(basket: Basket, stranger: str) -> None:
    chain, index, holder = basket.chain, basket.index, basket.holder
    later = chain.now() + 40 * DAY_S  # a fee is pending by then
    tokens, amounts, blocked = chain.read(index.previewRedeem(SHARES), at=later)
    assert (tokens, blocked) == (basket.addresses, 0)
    held, shares, supply = basket.balances(index), basket.shares(holder), basket.supply(at=later)
    assert amounts == [h * SHARES // supply for h in held]
    receipt = chain.send(basket.redeem(SHARES, stranger, amounts), holder, at=later)
    assert basket.balances(stranger) == amounts
    assert [h - a for h, a in zip(held, amounts, strict=True)] == basket.balances(index)
    assert basket.shares(holder) == shares - SHARES
    assert basket.supply() == supply - SHARES
    assert index.events(receipt, "Redeemed") == [(holder, stranger, SHARES, 0)]


def test_preview_holds_for_a_real_basket(fund: Fund, stranger: str) -> None:
    later = fund.chain.now() + 100 * DAY_S
    tokens, amounts, blocked = fund.chain.read(fund.index.previewRedeem(SHARES), at=later)
    fund.chain.send(fund.index.redeem(SHARES, stranger, tokens, amounts, 0), fund.deployer, at=later)
    assert fund.balances(stranger, tokens) == amounts and len(amounts) == 12 and all(amounts) and not blocked


def test_all_but_the_locked_shares_can_leave(basket: Basket) -> None:
    basket.chain.send(basket.redeem(SEEDED - LOCKED_SHARES, basket.holder), basket.holder)
    assert basket.minted() == LOCKED_SHARES
    # What stays behind backs the locked shares and the pending fee; mint works on.
    basket.chain.send(basket.mint(WAD, basket.holder), basket.holder)
    assert basket.shares(basket.holder) == WAD


def test_limits_are_named_and_exact(basket: Basket) -> None:
    chain, now = basket.chain, basket.chain.now()
    _, amounts, _ = chain.read(basket.index.previewRedeem(SHARES), at=now)
    chain.read(basket.redeem(SHARES, basket.holder, amounts), sender=basket.holder, at=now)
    for i, amount in enumerate(amounts):
        tight = [*amounts[:i], amount + 1, *amounts[i + 1 :]]
        call = basket.redeem(SHARES, basket.holder, tight)
        arguments = (basket.addresses[i], amount, amount + 1)
        assert_reverts(chain, call, "BelowMin", *arguments, sender=basket.holder, at=now)


@pytest.mark.parametrize("skip", range(8))
def test_skipped_components_stay_with_the_others(basket: Basket, stranger: str, skip: int) -> None:
    chain, now = basket.chain, basket.chain.now()
    _, full, _ = chain.read(basket.index.previewRedeem(SHARES), at=now + 1)
    held = basket.balances(basket.index)
    paid = [0 if skip >> i & 1 else amount for i, amount in enumerate(full)]
    for i in range(3):
        if skip >> i & 1:
            chain.send(basket.tokens[i].setMode(3), stranger, at=now)  # frozen: only a skip gets past it
    # The limit of a skipped component is not looked at.
    call = basket.redeem(SHARES, stranger, full, skip)
    receipt = chain.send(call, basket.holder, at=now + 1)
    assert basket.balances(stranger) == paid
    assert [h - p for h, p in zip(held, paid, strict=True)] == basket.balances(basket.index)
    assert basket.index.events(receipt, "Redeemed") == [(basket.holder, stranger, SHARES, skip)]


def test_bits_beyond_the_list_mean_nothing(basket: Basket) -> None:
    call = basket.redeem(SHARES, basket.holder, skip=0b1000)
    assert min(basket.chain.read(call, sender=basket.holder)) > 0


def test_a_frozen_component_does_not_trap_the_others(basket: Basket) -> None:
    basket.chain.send(basket.tokens[0].setMode(3), basket.holder)
    whole = basket.redeem(SHARES, basket.holder)
    assert_reverts(basket.chain, whole, "Frozen", sender=basket.holder, of=basket.tokens[0])
    amounts = basket.chain.read(basket.redeem(SHARES, basket.holder, skip=1), sender=basket.holder)
    assert amounts[0] == 0 and amounts[1] and amounts[2]


def test_supply_cap_does_not_bind(basket: Basket) -> None:
    basket.chain.send(basket.index.setSupplyCap(0), basket.owner)
    basket.chain.send(basket.redeem(SHARES, basket.holder), basket.holder)
    assert_reverts(basket.chain, basket.mint(1, basket.holder), "AboveSupplyCap", sender=basket.holder)


def test_not_seeded(unseeded: Basket) -> None:
    call = unseeded.redeem(WAD, unseeded.holder)
    assert_reverts(unseeded.chain, call, "NotSeeded", sender=unseeded.holder)


def test_zero_shares(basket: Basket) -> None:
    assert_reverts(basket.chain, basket.redeem(0, basket.holder), "ZeroShares", sender=basket.holder)


def test_to_nobody(basket: Basket) -> None:
    assert_reverts(basket.chain, basket.redeem(WAD, ANYONE), "ZeroAddress", sender=basket.holder)


def test_more_shares_than_held(basket: Basket, stranger: str) -> None:
    shares = basket.shares(basket.holder)
    call = basket.redeem(shares + 1, basket.holder)
    arguments = (basket.holder, shares, shares + 1)
    assert_reverts(basket.chain, call, "ERC20InsufficientBalance", *arguments, sender=basket.holder)
    assert_reverts(
        basket.chain, basket.redeem(1, stranger), "ERC20InsufficientBalance", stranger, 0, 1, sender=stranger
    )


@pytest.mark.parametrize(("tokens", "limits", "given"), [(2, 3, 2), (4, 3, 4), (3, 2, 2), (3, 4, 4), (0, 0, 0)])
def test_arrays_of_wrong_length(basket: Basket, tokens: int, limits: int, given: int) -> None:
    listed = (basket.addresses * 2)[:tokens]
    call = basket.index.redeem(WAD, basket.holder, listed, [0] * limits, 0)
    assert_reverts(basket.chain, call, "LengthMismatch", 3, given, sender=basket.holder)


@pytest.mark.parametrize("skip", [0, 7])
def test_tokens_in_another_order(basket: Basket, skip: int) -> None:
    a, b, c = basket.addresses
    for listed, wrong in (([b, a, c], 0), ([a, c, b], 1), ([a, b, a], 2), ([a, b, ANYONE], 2)):
        call = basket.index.redeem(WAD, basket.holder, listed, [0] * 3, skip)
        arguments = (wrong, basket.addresses[wrong], listed[wrong])
        assert_reverts(basket.chain, call, "ComponentMismatch", *arguments, sender=basket.holder)


def test_token_that_does_not_move(basket: Basket) -> None:
    token = basket.tokens[2]
    basket.chain.send(token.setMode(2), basket.holder)  # answers false
    call = basket.redeem(SHARES, basket.holder)
    assert_reverts(basket.chain, call, "SafeERC20FailedOperation", token.address, sender=basket.holder)
