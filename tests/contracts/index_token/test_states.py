"""States of a component: what redeem pays, mint asks for. The scripted rebalancer of the basket sets them."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.basket import Basket
from tests.helpers.fund import FOREVER, create_index
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789
ALWAYS = 2**40 - 1
"""A suspension until it is ended."""


def set_state(basket: Basket, i: int, until: int, written_off: bool = False) -> dict[str, object]:
    """Sets the state of component i without moving the time."""
    call = basket.locked(basket.index.setState(basket.addresses[i], until, written_off))
    return basket.chain.send(call, basket.holder, at=basket.chain.now())


def states(basket: Basket) -> list[tuple[int, bool]]:
    return [(c.suspendedUntil, c.writtenOff) for c in basket.chain.read(basket.index.components())]


@pytest.mark.parametrize("i", range(3))
def test_nobody_mints_while_one_is_suspended(basket: Basket, i: int) -> None:
    """To the last second of it; then as before. Of any number of shares, at any limits."""
    chain, until = basket.chain, basket.chain.now() + 7 * DAY_S
    set_state(basket, i, until)
    for shares in (1, SHARES):
        mint = basket.mint(shares, basket.holder)
        assert_reverts(chain, mint, "ComponentSuspended", basket.addresses[i], sender=basket.holder, at=until - 1)
        chain.read(mint, sender=basket.holder, at=until)
    _, amounts, blocked = chain.read(basket.index.previewMint(SHARES), at=until - 1)
    assert blocked == 1 << i and all(amounts)
    tokens, amounts, blocked = chain.read(basket.index.previewMint(SHARES), at=until)
    assert blocked == 0
    chain.send(basket.index.mint(SHARES, basket.holder, tokens, amounts), basket.holder, at=until)


def test_redeem_pays_what_is_suspended(basket: Basket, stranger: str) -> None:
    """It is never skipped by itself: as long as it does not move, who leaves says so."""
    chain = basket.chain
    set_state(basket, 1, ALWAYS)
    moment = chain.now() + 1
    _, amounts, blocked = chain.read(basket.index.previewRedeem(SHARES), at=moment)
    assert blocked == 0 and all(amounts)
    chain.send(basket.redeem(SHARES, stranger, amounts), basket.holder, at=moment)
    assert basket.balances(stranger) == amounts

    chain.send(basket.tokens[1].setMode(3), basket.holder)  # frozen
    whole = basket.redeem(SHARES, basket.holder)
    assert_reverts(chain, whole, "Frozen", sender=basket.holder, of=basket.tokens[1])
    paid = chain.read(basket.redeem(SHARES, basket.holder, skip=0b10), sender=basket.holder)
    assert paid[1] == 0 and paid[0] and paid[2]


def test_what_is_written_off_is_left_out_alike(basket: Basket, stranger: str) -> None:
    """Neither asked for nor paid, and the token itself is not called any more."""
    chain, index = basket.chain, basket.index
    set_state(basket, 1, 0, True)
    chain.send(basket.tokens[1].setMode(3), basket.holder)  # frozen
    held = basket.balances(index)
    moment = chain.now() + 1
    for preview in (index.previewMint(SHARES), index.previewRedeem(SHARES)):
        _, amounts, blocked = chain.read(preview, at=moment)
        assert blocked == 0 and amounts[1] == 0 and amounts[0] and amounts[2]
    _, asked, _ = chain.read(index.previewMint(SHARES), at=moment)
    chain.send(basket.mint(SHARES, stranger, [asked[0], FOREVER, asked[2]]), basket.holder, at=moment)
    _, offered, _ = chain.read(index.previewRedeem(SHARES), at=moment + 1)
    chain.send(basket.redeem(SHARES, stranger, [offered[0], 0, offered[2]]), stranger, at=moment + 1)
    assert basket.balances(stranger) == offered
    assert basket.balances(index)[1] == held[1]


def test_limits_on_what_is_written_off(basket: Basket) -> None:
    """A mint takes nothing of it. Who asks for some when redeeming is told that there is none, unless it is skipped."""
    set_state(basket, 1, 0, True)
    chain = basket.chain
    chain.read(basket.mint(SHARES, basket.holder, [FOREVER, 0, FOREVER]), sender=basket.holder)
    asking = basket.redeem(SHARES, basket.holder, [0, 1, 0])
    assert_reverts(chain, asking, "BelowMin", basket.addresses[1], 0, 1, sender=basket.holder)
    chain.read(basket.redeem(SHARES, basket.holder, [0, 1, 0], 0b10), sender=basket.holder)


def test_in_and_out_gains_nothing_in_any_state(basket: Basket) -> None:
    """Mint, change of state, redeem: what the minter holds at the end is no more of any token than before."""
    chain, held = basket.chain, basket.balances(basket.holder)
    for before, after in (((0, False), (ALWAYS, False)), ((0, True), (0, True)), ((1, False), (0, True))):
        snapshot = chain.cheats.snapshot()
        set_state(basket, 1, *before)
        chain.send(basket.mint(SHARES, basket.holder), basket.holder)
        set_state(basket, 1, *after)
        chain.send(basket.redeem(SHARES, basket.holder), basket.holder)
        assert all(now <= then for now, then in zip(basket.balances(basket.holder), held, strict=True))
        chain.cheats.revert(snapshot)


def test_set_state_changes_one_component_and_says_so(basket: Basket) -> None:
    chain, index = basket.chain, basket.index
    before = chain.read(index.components())
    receipt = set_state(basket, 1, 77)
    assert index.events(receipt, "StateSet") == [(basket.addresses[1], 77, False)]
    assert not index.events(receipt, "ComponentsSet")
    assert states(basket) == [(0, False), (77, False), (0, False)]
    assert chain.read(index.writtenOff(basket.addresses[1])) is False
    receipt = set_state(basket, 1, 0, True)
    assert index.events(receipt, "StateSet") == [(basket.addresses[1], 0, True)]
    assert states(basket) == [(0, False), (0, True), (0, False)]
    assert [chain.read(index.writtenOff(token)) for token in basket.addresses] == [False, True, False]
    after = chain.read(index.components())
    assert [(c.token, c.decimals) for c in after] == [(c.token, c.decimals) for c in before]


def test_what_was_written_off_is_remembered(basket: Basket) -> None:
    """Also when it is off the list: another list does not make it good again."""
    set_state(basket, 1, 0, True)
    left = [(basket.addresses[i], 18, 0, False) for i in (0, 2)]
    basket.chain.send(basket.locked(basket.index.setComponents(left)), basket.holder)
    assert basket.chain.read(basket.index.writtenOff(basket.addresses[1])) is True


def test_set_state_of_what_is_not_listed(basket: Basket, unseeded: Basket, stranger: str) -> None:
    chain = basket.chain
    call = basket.locked(basket.index.setState(stranger, 0, True))
    assert_reverts(chain, call, "NotComponent", stranger, sender=stranger, of=basket.index)
    call = unseeded.locked(unseeded.index.setState(unseeded.addresses[0], 0, True))
    assert_reverts(chain, call, "NotComponent", unseeded.addresses[0], sender=stranger, of=unseeded.index)


def test_a_second_fund_has_states_of_its_own(basket: Basket) -> None:
    other = create_index(basket.chain, basket.deployer, basket.rebalancer.address, basket.owner, basket.recipient)
    set_state(basket, 0, 0, True)
    assert basket.chain.read(other.writtenOff(basket.addresses[0])) is False
