"""Who may call what of the index token, and what owner and rebalancer can do."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.basket import FEE, UNITS, Basket
from tests.helpers.contracts import Call
from tests.helpers.fund import ANYONE
from tests.helpers.reverts import assert_reverts


def owner_calls(basket: Basket) -> dict[str, Call]:
    index = basket.index
    return {
        "setStreamingFee": index.setStreamingFee(FEE),
        "setFeeRecipient": index.setFeeRecipient(basket.holder),
        "setSupplyCap": index.setSupplyCap(5),
        "transferOwnership": index.transferOwnership(basket.holder),
        "renounceOwnership": index.renounceOwnership(),
    }


def rebalancer_calls(basket: Basket) -> dict[str, Call]:
    index = basket.index
    return {
        "lock": index.lock(),
        "lockForTrading": index.lockForTrading(),
        "unlock": index.unlock(),
        "settle": index.settle([basket.addresses[0]], [1], [basket.holder]),
        "setComponents": index.setComponents([(basket.addresses[0], 18, 0, False)]),
        "setState": index.setState(basket.addresses[0], 2**40 - 1, False),
    }


def share_calls(basket: Basket) -> dict[str, Call]:
    return {
        "mint": basket.mint(WAD, basket.holder),
        "redeem": basket.redeem(WAD, basket.holder),
        "collectFee": basket.index.collectFee(),
        "seed": basket.index.seed(basket.addresses, list(UNITS), WAD, basket.holder),
    }


@pytest.mark.parametrize("name", ["setStreamingFee", "setFeeRecipient", "setSupplyCap"])
def test_only_the_owner(basket: Basket, stranger: str, name: str) -> None:
    call = owner_calls(basket)[name]
    for sender in (stranger, basket.rebalancer.address, basket.deployer, basket.recipient):
        assert_reverts(basket.chain, call, "OwnableUnauthorizedAccount", sender, sender=sender)
    basket.chain.send(call, basket.owner)


@pytest.mark.parametrize("name", ["transferOwnership", "renounceOwnership"])
def test_only_the_owner_hands_over(basket: Basket, stranger: str, name: str) -> None:
    call = owner_calls(basket)[name]
    assert_reverts(basket.chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)


@pytest.mark.parametrize("name", ["lock", "lockForTrading", "unlock", "settle", "setComponents", "setState"])
def test_only_the_rebalancer(basket: Basket, stranger: str, name: str) -> None:
    call = rebalancer_calls(basket)[name]
    for sender in (stranger, basket.owner, basket.deployer, basket.recipient):
        assert_reverts(basket.chain, call, "NotRebalancer", sender, sender=sender)


@pytest.mark.parametrize("name", ["settle", "setComponents", "setState"])
def test_the_rebalancer_needs_the_lock(basket: Basket, stranger: str, name: str) -> None:
    call = rebalancer_calls(basket)[name]
    assert_reverts(basket.chain, basket.script(call), "NotLocked", sender=stranger, of=basket.index)
    again = basket.script(basket.index.lock(), basket.index.unlock(), call)
    assert_reverts(basket.chain, again, "NotLocked", sender=stranger, of=basket.index)
    basket.chain.send(basket.locked(call), stranger)


def test_lock_ends_with_the_transaction(basket: Basket, stranger: str) -> None:
    basket.chain.send(basket.script(basket.index.lock()), stranger)
    assert basket.chain.read(basket.index.locked()) is False
    basket.chain.send(basket.mint(WAD, basket.holder), basket.holder)


def test_settle_sends_and_changes_nothing_else(basket: Basket, stranger: str) -> None:
    chain, minted = basket.chain, basket.minted()
    held = basket.balances(basket.index)
    out, recipients = [5, 0, 7], [stranger, stranger, basket.recipient]
    chain.send(basket.tokens[1].setMode(3), stranger)  # frozen: an amount of zero is no transfer
    chain.send(basket.locked(basket.index.settle(basket.addresses, out, recipients)), stranger)
    assert basket.balances(stranger) == [5, 0, 0]
    assert basket.balances(basket.recipient) == [0, 0, 7]
    assert basket.balances(basket.index) == [h - o for h, o in zip(held, out, strict=True)]
    assert basket.minted() == minted


def test_settle_takes_one_recipient_and_one_amount_for_each_token(basket: Basket, stranger: str) -> None:
    token = basket.addresses[0]
    for tokens, out, recipients in (([token], [1], []), ([token], [], [stranger]), ([], [1], [stranger])):
        call = basket.locked(basket.index.settle(tokens, out, recipients))
        assert_reverts(basket.chain, call, "LengthMismatch", len(tokens), len(out), sender=stranger, of=basket.index)


def test_set_components_replaces_the_list(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    new = [(basket.addresses[0], 3, 0, False), (basket.addresses[2], 27, 2**40 - 1, True)]
    receipt = chain.send(basket.locked(index.setComponents(new)), stranger)
    assert chain.read(index.components()) == new
    pointer = chain.read(index.componentsPointer())
    assert index.events(receipt, "ComponentsSet") == [(pointer, [basket.addresses[0], basket.addresses[2]])]
    tokens, amounts, _ = chain.read(index.previewRedeem(WAD))
    assert tokens == [basket.addresses[0], basket.addresses[2]] and amounts[0] > 0 == amounts[1]


def test_set_components_takes_no_unfit_list(basket: Basket, stranger: str) -> None:
    chain, index, (a, b, _) = basket.chain, basket.index, basket.addresses
    cases = (
        ([(b, 18, 0, False), (a, 18, 0, False)], "NotAscending", (1,)),
        ([(a, 18, 0, False), (a, 18, 0, False)], "NotAscending", (1,)),
        ([(ANYONE, 18, 0, False)], "NotAscending", (0,)),
        ([(a, 28, 0, False)], "UnfitComponent", (a,)),
        ([(index.address, 18, 0, False)], "UnfitComponent", (index.address,)),
        ([(f"0x{k:040x}", 18, 0, False) for k in range(1, 52)], "TooManyComponents", (51, 50)),
    )
    for listed, error, arguments in cases:
        call = basket.locked(index.setComponents(listed))
        assert_reverts(chain, call, error, *arguments, sender=stranger, of=index)


def test_ownership_moves_in_two_steps_and_is_never_given_up(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    assert_reverts(chain, index.renounceOwnership(), "RenounceRefused", sender=basket.owner)
    chain.send(index.transferOwnership(stranger), basket.owner)
    assert chain.read(index.owner()) == basket.owner
    chain.read(index.setSupplyCap(5), sender=basket.owner)  # until it is accepted
    for account in (basket.owner, basket.holder):
        arguments = (account,)
        assert_reverts(chain, index.acceptOwnership(), "OwnableUnauthorizedAccount", *arguments, sender=account)
    chain.send(index.acceptOwnership(), stranger)
    assert chain.read(index.owner()) == stranger
    call = index.setSupplyCap(5)
    assert_reverts(chain, call, "OwnableUnauthorizedAccount", basket.owner, sender=basket.owner)


def test_settings_are_kept(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    receipt = chain.send(index.setSupplyCap(2**32 - 1), basket.owner)
    assert index.events(receipt, "SupplyCapSet") == [(2**32 - 1,)]
    assert chain.read(index.supplyCap()) == 2**32 - 1
    # The cap shares a slot with the fee's rate and the list.
    assert len(chain.read(index.components())) == 3
    chain.send(index.setFeeRecipient(stranger), basket.owner)
    assert chain.read(index.feeRecipient()) == stranger
    supply = basket.supply(at=chain.now())
    assert basket.supply(at=chain.now() + DAY_S) > supply


def test_no_recipient(basket: Basket) -> None:
    assert_reverts(basket.chain, basket.index.setFeeRecipient(ANYONE), "ZeroAddress", sender=basket.owner)
