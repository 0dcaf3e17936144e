"""IndexToken.redeemTo: the same redemption as `redeem`, with a recipient for each component."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.contracts.index_token.test_states import ALWAYS, set_state
from tests.helpers.basket import Basket
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call
from tests.helpers.fund import ANYONE
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789


@pytest.fixture
def three(chain: Chain) -> list[str]:
    """Who is paid one component each."""
    return [chain.account(f"pool {k}") for k in range(3)]


def redeem_to(
    basket: Basket,
    to: list[str],
    holder: str | None = None,
    shares: int = SHARES,
    least: tuple[int, ...] = (0, 0, 0),
    skip: int = 0,
) -> Call:
    return basket.index.redeemTo(shares, holder or basket.holder, basket.addresses, list(least), to, skip)


def test_pays_each_recipient_what_redeem_pays(basket: Basket, three: list[str]) -> None:
    chain, index = basket.chain, basket.index
    later = chain.now() + 40 * DAY_S
    _, amounts, _ = chain.read(index.previewRedeem(SHARES), at=later)
    assert all(amounts)
    shares, supply = basket.shares(basket.holder), basket.supply(at=later)
    receipt = chain.send(redeem_to(basket, three, least=tuple(amounts)), basket.holder, at=later)
    paid = [chain.read(token.balanceOf(to)) for token, to in zip(basket.tokens, three, strict=True)]
    assert paid == amounts
    assert all(sum(basket.balances(to)) == amount for to, amount in zip(three, amounts, strict=True))
    assert (basket.shares(basket.holder), basket.supply()) == (shares - SHARES, supply - SHARES)
    assert index.events(receipt, "RedeemedTo") == [(basket.holder, basket.holder, SHARES, 0)]
    assert not index.events(receipt, "Redeemed")


def test_of_somebody_else_out_of_the_allowance(basket: Basket, stranger: str, three: list[str]) -> None:
    chain, index = basket.chain, basket.index
    call = redeem_to(basket, three)
    allowance = (stranger, 0, SHARES)
    assert_reverts(chain, call, "ERC20InsufficientAllowance", *allowance, sender=stranger)
    chain.send(index.approve(stranger, SHARES + 5), basket.holder)
    receipt = chain.send(call, stranger)
    assert chain.read(index.allowance(basket.holder, stranger)) == 5
    assert index.events(receipt, "RedeemedTo") == [(stranger, basket.holder, SHARES, 0)]
    assert_reverts(chain, call, "ERC20InsufficientAllowance", stranger, 5, SHARES, sender=stranger)


def test_own_shares_need_no_allowance_and_are_not_those_of_others(basket: Basket, stranger: str) -> None:
    call = redeem_to(basket, [stranger] * 3, holder=stranger)
    assert_reverts(basket.chain, call, "ERC20InsufficientBalance", stranger, 0, SHARES, sender=stranger)


@pytest.mark.parametrize("i", range(3))
def test_nobody_and_the_fund_are_no_recipients(basket: Basket, three: list[str], i: int) -> None:
    """Not even of what is skipped: a list that names one is a mistake."""
    for wrong in (ANYONE, basket.index.address):
        to = [wrong if k == i else three[k] for k in range(3)]
        for skip in (0, 0b111):
            call = redeem_to(basket, to, skip=skip)
            assert_reverts(basket.chain, call, "UnfitRecipient", wrong, sender=basket.holder)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_one_recipient_for_each(basket: Basket, three: list[str], count: int) -> None:
    """Also none at all: that is what `redeem` says by it inside."""
    call = redeem_to(basket, (three * 2)[:count])
    assert_reverts(basket.chain, call, "LengthMismatch", 3, count, sender=basket.holder)


def test_same_refusals_as_redeem(basket: Basket, unseeded: Basket, three: list[str]) -> None:
    chain, holder, now = basket.chain, basket.holder, basket.chain.now()
    _, amounts, _ = chain.read(basket.index.previewRedeem(SHARES), at=now)
    a, b, c = basket.addresses
    asking = (amounts[0] + 1, 0, 0)
    refused = [
        (redeem_to(basket, three, shares=0), "ZeroShares", ()),
        (redeem_to(basket, three, least=asking), "BelowMin", (a, amounts[0], amounts[0] + 1)),
        (redeem_to(basket, three, least=(0, 0)), "LengthMismatch", (3, 2)),
        (basket.index.redeemTo(SHARES, holder, [a, c, b], [0] * 3, three, 0), "ComponentMismatch", (1, b, c)),
        (redeem_to(basket, three, holder=ANYONE), "ERC20InsufficientAllowance", (holder, 0, SHARES)),
    ]
    for call, error, arguments in refused:
        assert_reverts(chain, call, error, *arguments, sender=holder, at=now)
    chain.read(redeem_to(basket, three, least=asking, skip=1), sender=holder, at=now)
    founder = unseeded.index.redeemTo(SHARES, unseeded.holder, unseeded.addresses, [0] * 3, three, 0)
    assert_reverts(chain, founder, "NotSeeded", sender=unseeded.holder)


def test_states(basket: Basket, three: list[str]) -> None:
    """What is suspended is paid, unless skipped; what is written off is not."""
    chain = basket.chain
    set_state(basket, 0, ALWAYS)
    set_state(basket, 1, 0, True)
    chain.send(basket.tokens[2].setMode(3), basket.holder)  # frozen
    call = redeem_to(basket, three)
    assert_reverts(chain, call, "Frozen", sender=basket.holder, of=basket.tokens[2])
    amounts = chain.read(redeem_to(basket, three, skip=0b100), sender=basket.holder)
    assert amounts[0] > 0 and amounts[1:] == [0, 0]


def test_views_of_erc_7621(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    assert chain.read(index.totalConstituents()) == 3
    assert [chain.read(index.isConstituent(token)) for token in (*basket.addresses, stranger)] == [True] * 3 + [False]
    assert [chain.read(index.getReserve(token)) for token in basket.addresses] == basket.balances(index)
    assert_reverts(chain, index.getReserve(stranger), "NotComponent", stranger)
