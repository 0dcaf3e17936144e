"""IndexToken.mint and previewMint."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.basket import CAP, Basket
from tests.helpers.fund import ANYONE, FOREVER, Fund
from tests.helpers.reverts import assert_panics, assert_reverts

SHARES = 7 * WAD + 123_456_789


def test_takes_what_the_preview_says(basket: Basket, stranger: str) -> None:
    chain, index, holder = basket.chain, basket.index, basket.holder
    later = chain.now() + 40 * DAY_S  # a fee is pending by then
    tokens, amounts, blocked = chain.read(index.previewMint(SHARES), at=later)
    assert (tokens, blocked) == (basket.addresses, 0)
    before, held, supply = basket.balances(holder), basket.balances(index), basket.supply(at=later)
    assert amounts == [-(-h * SHARES // supply) for h in held]
    assert chain.read(basket.mint(SHARES, stranger), sender=holder, at=later) == amounts
    receipt = chain.send(basket.mint(SHARES, stranger, amounts), holder, at=later)
    assert [b - a for b, a in zip(before, amounts, strict=True)] == basket.balances(holder)
    assert [h + a for h, a in zip(held, amounts, strict=True)] == basket.balances(index)
    assert basket.shares(stranger) == SHARES
    assert basket.supply() == supply + SHARES
    assert index.events(receipt, "Minted") == [(holder, stranger, SHARES)]


def test_preview_holds_for_a_real_basket(fund: Fund, holder: str) -> None:
    later = fund.chain.now() + 100 * DAY_S
    tokens, amounts, blocked = fund.chain.read(fund.index.previewMint(SHARES), at=later)
    before = fund.balances(holder)
    fund.chain.send(fund.index.mint(SHARES, holder, tokens, amounts), holder, at=later)
    assert [b - a for b, a in zip(before, amounts, strict=True)] == fund.balances(holder)
    assert tokens == fund.tokens() and len(tokens) == 12 and all(amounts) and not blocked


def test_smallest_mint_takes_at_least_a_wei_of_each(basket: Basket) -> None:
    supply = basket.supply(at=basket.chain.now())
    wanted = [-(-held // supply) for held in basket.balances(basket.index)]
    call = basket.mint(1, basket.holder)
    assert basket.chain.read(call, sender=basket.holder, at=basket.chain.now()) == wanted
    assert min(wanted) == 1


def test_limits_are_named_and_exact(basket: Basket) -> None:
    chain, now = basket.chain, basket.chain.now()
    _, amounts, _ = chain.read(basket.index.previewMint(SHARES), at=now)
    chain.read(basket.mint(SHARES, basket.holder, amounts), sender=basket.holder, at=now)
    for i, amount in enumerate(amounts):
        tight = [*amounts[:i], amount - 1, *amounts[i + 1 :]]
        call = basket.mint(SHARES, basket.holder, tight)
        arguments = (basket.addresses[i], amount, amount - 1)
        assert_reverts(chain, call, "AboveMax", *arguments, sender=basket.holder, at=now)


def test_supply_cap_counts_the_pending_fee(basket: Basket) -> None:
    chain, later = basket.chain, basket.chain.now() + 30 * DAY_S
    room = CAP * WAD - basket.supply(at=later)
    assert chain.read(basket.index.pendingFee(), at=later) > 0
    over = basket.mint(room + 1, basket.holder)
    assert_reverts(chain, over, "AboveSupplyCap", CAP * WAD + 1, CAP * WAD, sender=basket.holder, at=later)
    chain.send(basket.mint(room, basket.holder), basket.holder, at=later)
    assert basket.supply() == CAP * WAD


def test_not_seeded(unseeded: Basket) -> None:
    call = unseeded.mint(WAD, unseeded.holder)
    assert_reverts(unseeded.chain, call, "NotSeeded", sender=unseeded.holder)
    assert unseeded.chain.read(unseeded.index.previewMint(WAD)) == ([], [], 0)


def test_zero_shares(basket: Basket) -> None:
    assert_reverts(basket.chain, basket.mint(0, basket.holder), "ZeroShares", sender=basket.holder)


def test_to_nobody(basket: Basket) -> None:
    assert_reverts(basket.chain, basket.mint(WAD, ANYONE), "ERC20InvalidReceiver", ANYONE, sender=basket.holder)


@pytest.mark.parametrize(("tokens", "limits", "given"), [(2, 3, 2), (4, 3, 4), (3, 2, 2), (3, 4, 4), (0, 0, 0)])
def test_arrays_of_wrong_length(basket: Basket, tokens: int, limits: int, given: int) -> None:
    listed = (basket.addresses * 2)[:tokens]
    call = basket.index.mint(WAD, basket.holder, listed, [FOREVER] * limits)
    assert_reverts(basket.chain, call, "LengthMismatch", 3, given, sender=basket.holder)


def test_tokens_in_another_order(basket: Basket) -> None:
    a, b, c = basket.addresses
    for listed, wrong in (([b, a, c], 0), ([a, c, b], 1), ([a, b, a], 2), ([a, b, ANYONE], 2)):
        call = basket.index.mint(WAD, basket.holder, listed, [FOREVER] * 3)
        arguments = (wrong, basket.addresses[wrong], listed[wrong])
        assert_reverts(basket.chain, call, "ComponentMismatch", *arguments, sender=basket.holder)


def test_donation_is_shared_by_all(basket: Basket) -> None:
    chain, now = basket.chain, basket.chain.now()
    before = chain.read(basket.index.previewMint(SHARES), at=now)[1]
    chain.send(basket.tokens[0].mint(basket.index, basket.balances(basket.index)[0]), basket.holder, at=now)
    after = chain.read(basket.index.previewMint(SHARES), at=now)[1]
    assert 2 * before[0] - 1 <= after[0] <= 2 * before[0]
    assert after[1:] == before[1:]


def test_token_that_does_not_move(basket: Basket) -> None:
    token = basket.tokens[2]
    basket.chain.send(token.setMode(2), basket.holder)  # answers false
    call = basket.mint(SHARES, basket.holder)
    assert_reverts(basket.chain, call, "SafeERC20FailedOperation", token.address, sender=basket.holder)


def test_a_sum_beyond_the_type_does_not_wrap_around(basket: Basket) -> None:
    assert_panics(basket.chain, basket.mint(FOREVER, basket.holder), 0x11, sender=basket.holder)
