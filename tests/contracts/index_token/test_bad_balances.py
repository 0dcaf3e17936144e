"""A component whose balance cannot be relied on: it stops mint, and nothing else of the index token."""

from __future__ import annotations

import pytest

from ballast.units import WAD
from tests.helpers.basket import Basket
from tests.helpers.broken import LONG, REVERTING, UNSOUND, breaks, mends
from tests.helpers.reverts import assert_reverts, failure

SHARES = 7 * WAD + 123_456_789


@pytest.mark.parametrize("fault", UNSOUND)
@pytest.mark.parametrize("i", range(3))
def test_previews_go_on_and_say_which(basket: Basket, fault: str, i: int) -> None:
    chain, index = basket.chain, basket.index
    before = [chain.read(preview) for preview in (index.previewMint(SHARES), index.previewRedeem(SHARES))]
    breaks(chain, basket.tokens[i], UNSOUND[fault])
    for preview, was in zip((index.previewMint(SHARES), index.previewRedeem(SHARES)), before, strict=True):
        tokens, amounts, blocked = chain.read(preview, at=chain.now())
        assert (tokens, blocked) == (basket.addresses, 1 << i)
        assert amounts == [0 if k == i else amount for k, amount in enumerate(was.amounts)]


@pytest.mark.parametrize("fault", UNSOUND)
def test_redeem_goes_on_with_a_skip(basket: Basket, stranger: str, fault: str) -> None:
    """What the preview says is what to skip; the broken token is not even called then."""
    chain, moment = basket.chain, basket.chain.now() + 10
    code = breaks(chain, basket.tokens[1], UNSOUND[fault])
    _, amounts, blocked = chain.read(basket.index.previewRedeem(SHARES), at=moment)
    chain.send(basket.redeem(SHARES, stranger, amounts, blocked), basket.holder, at=moment)
    mends(chain, basket.tokens[1], code)
    assert basket.balances(stranger) == amounts


@pytest.mark.parametrize("fault", UNSOUND)
def test_mint_and_redeem_without_a_skip_fail(basket: Basket, fault: str) -> None:
    """Nobody mints without a component that redeem pays."""
    breaks(basket.chain, basket.tokens[1], UNSOUND[fault])
    for call in (basket.mint(SHARES, basket.holder), basket.redeem(SHARES, basket.holder)):
        failure(basket.chain, call, sender=basket.holder)


def test_what_the_token_reverts_with_is_passed_on(basket: Basket) -> None:
    broken = basket.chain.artifact("BrokenToken")
    breaks(basket.chain, basket.tokens[1], REVERTING)
    for call in (basket.mint(SHARES, basket.holder), basket.redeem(SHARES, basket.holder)):
        assert_reverts(basket.chain, call, "Broken", sender=basket.holder, of=broken)


def test_a_mint_to_the_fund_beyond_all_measure(basket: Basket, stranger: str) -> None:
    """An unlimited mint of a token, sent to the fund as a gift: 2**160 - 1 is the largest balance that is sound."""
    chain, index, token = basket.chain, basket.index, basket.tokens[1]
    chain.send(token.mint(index, 2**160 - 1 - basket.balances(index)[1]), stranger)
    _, amounts, blocked = chain.read(index.previewRedeem(SHARES))
    assert blocked == 0 and amounts[1] > 2**150
    chain.send(token.mint(index, 1), stranger)
    _, amounts, blocked = chain.read(index.previewRedeem(SHARES))
    assert (blocked, amounts[1]) == (0b10, 0)
    chain.send(basket.redeem(SHARES, stranger, amounts, blocked), basket.holder)
    assert basket.balances(stranger)[1] == 0


def test_a_long_answer_is_one(basket: Basket) -> None:
    """Only its first 32 bytes are read: a balance of 0 here, as the code has another storage."""
    before = basket.chain.read(basket.index.previewRedeem(SHARES))
    breaks(basket.chain, basket.tokens[0], LONG)
    after = basket.chain.read(basket.index.previewRedeem(SHARES), at=basket.chain.now())
    assert (after.blocked, after.amounts[1:]) == (0, before.amounts[1:])
