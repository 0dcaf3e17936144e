"""Zap.redeem: what comes of shares, what is given in kind, and what is refused."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.contracts.index_token.test_states import ALWAYS
from tests.contracts.zap.scene import IN_KIND, NONE, SKIP, SUSHI, V2, V3, V3_LOW, Leg, Scene, packed
from tests.helpers.fund import ANYONE, FOREVER
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789
RECEIPTS = [("ETH", V2), ("WETH", V2), ("PAY", V2), ("PAY", V3_LOW), ("USD", V2), ("USD", V3_LOW)]


@pytest.mark.parametrize(("receive", "leg"), RECEIPTS)
def test_brings_what_the_pools_give(scene: Scene, stranger: str, receive: str, leg: Leg) -> None:
    chain, index = scene.chain, scene.index
    at = chain.now() + DAY_S
    out = scene.proceeds(SHARES, receive, leg, at)
    _, amounts, _ = chain.read(index.previewRedeem(SHARES), at=at)
    held = [scene.balance(name, index) for name in scene.listed()]
    before, shares = scene.holds(stranger), scene.shares(scene.holder)
    call = scene.redeem(SHARES, receive, out, stranger, receive_leg=leg)
    receipt = chain.send(call, scene.holder, at=at)

    paid = [then - scene.balance(name, index) for name, then in zip(scene.listed(), held, strict=True)]
    assert paid == amounts and all(paid)
    got = {name: now - before[name] for name, now in scene.holds(stranger).items()}
    assert got == dict.fromkeys(got, 0) | {receive: out}
    assert scene.shares(scene.holder) == shares - SHARES
    assert scene.zap.events(receipt, "ZapRedeemed") == [(scene.holder, stranger, SHARES, scene.address(receive), out)]
    scene.assert_clean()


@pytest.mark.parametrize(("receive", "leg"), RECEIPTS)
def test_the_limit_is_on_the_total_and_exact(scene: Scene, receive: str, leg: Leg) -> None:
    chain, now = scene.chain, scene.chain.now()
    out = scene.proceeds(SHARES, receive, leg, now)
    enough = scene.redeem(SHARES, receive, out, receive_leg=leg)
    assert chain.read(enough, sender=scene.holder, at=now) == out
    call = scene.redeem(SHARES, receive, out + 1, receive_leg=leg)
    assert_reverts(chain, call, "BelowMinOut", out, out + 1, sender=scene.holder, at=now)


def test_only_what_comes_in_that_token_counts(scene: Scene) -> None:
    """Not what `to` had before, nor what is given in kind, be it of the same token."""
    chain, now = scene.chain, scene.chain.now()
    legs = scene.legs(USD=(IN_KIND, 0))
    _, amounts, _ = chain.read(scene.index.previewRedeem(SHARES), at=now)
    usd = amounts[scene.listed().index("USD")]
    out = scene.proceeds(SHARES, "PAY", V2, now, USD=(IN_KIND, 0))
    assert chain.read(scene.redeem(SHARES, "PAY", legs=legs), sender=scene.holder, at=now) == out
    before = scene.balance("USD", scene.holder)
    chain.send(scene.redeem(SHARES, "PAY", legs=legs), scene.holder, at=now)
    assert scene.balance("USD", scene.holder) == before + usd
    scene.assert_clean()


def test_what_cannot_be_sold_is_given_in_kind_or_forfeited(scene: Scene, stranger: str) -> None:
    """Suspended ones are paid all the same; one that does not move has to be skipped; what is written off is left."""
    chain, now = scene.chain, scene.chain.now()
    scene.set_state("A", ALWAYS)
    scene.set_state("C", 0, True)
    chain.send(scene.tokens["B"].setMode(3), scene.holder, at=now)  # frozen
    at = now + 1
    _, amounts, _ = chain.read(scene.index.previewRedeem(SHARES), at=at)
    given = dict(zip(scene.listed(), amounts, strict=True))
    other = {"A": (IN_KIND, 0), "B": (SKIP, 0)}
    stuck = scene.redeem(SHARES, "ETH", to=stranger, legs=scene.legs(A=(IN_KIND, 0)))
    assert_reverts(chain, stuck, "Frozen", sender=scene.holder, at=at, of=scene.tokens["B"])
    out = scene.proceeds(SHARES, "ETH", V2, at, **other)
    before = scene.holds(stranger)
    chain.send(scene.redeem(SHARES, "ETH", out, stranger, legs=scene.legs(**other)), scene.holder, at=at)
    got = {name: now - before[name] for name, now in scene.holds(stranger).items()}
    assert got == dict.fromkeys(got, 0) | {"ETH": out, "A": given["A"]}
    assert given["A"] > 0 and given["C"] == 0
    scene.assert_clean()


def test_all_of_it_in_kind(scene: Scene, stranger: str) -> None:
    """What a plain redemption does; then nothing comes in the receive token."""
    chain, now = scene.chain, scene.chain.now()
    legs = packed((IN_KIND, 0)).to_bytes(4) * len(scene.listed())
    _, amounts, _ = chain.read(scene.index.previewRedeem(SHARES), at=now)
    for receive in ("ETH", "WETH", "PAY"):
        snapshot = chain.cheats.snapshot()
        chain.send(scene.redeem(SHARES, receive, 0, stranger, legs=legs), scene.holder, at=now)
        assert [scene.balance(name, stranger) for name in scene.listed()] == amounts
        scene.assert_clean()
        chain.cheats.revert(snapshot)


def test_refusals(scene: Scene, stranger: str) -> None:
    chain, holder, index = scene.chain, scene.holder, scene.index
    deadline, n = chain.now() + 100, len(scene.listed())
    late = scene.redeem(SHARES, "ETH", deadline=deadline)
    chain.read(late, sender=holder, at=deadline)
    assert_reverts(chain, late, "Late", deadline, sender=holder, at=deadline + 1)
    for to in (ANYONE, scene.zap.address):
        assert_reverts(chain, scene.redeem(SHARES, "ETH", to=to), "UnfitRecipient", to, sender=holder)
    for given in (scene.legs()[:-1], scene.legs() * 2, b""):
        call = scene.redeem(SHARES, "ETH", legs=given)
        assert_reverts(chain, call, "UnfitLegs", n, len(given), sender=holder)
    none = scene.redeem(SHARES, "ETH", legs=scene.legs(A=(NONE, 0)))
    assert_reverts(chain, none, "UnfitVenue", scene.address("A"), NONE, sender=holder)
    assert_reverts(chain, scene.redeem(SHARES, "ETH", legs=scene.legs(A=SUSHI)), "NoPool", sender=holder)
    kind = scene.redeem(SHARES, "PAY", receive_leg=(IN_KIND, 0))
    assert_reverts(chain, kind, "UnfitVenue", scene.address("PAY"), IN_KIND, sender=holder)
    assert_reverts(chain, scene.redeem(0, "ETH"), "ZeroShares", sender=holder, of=index)
    tokens = scene.addresses()
    swapped = [tokens[1], tokens[0], *tokens[2:]]
    kinds = packed((IN_KIND, 0)).to_bytes(4) * n
    call = scene.zap.redeem(SHARES, ANYONE, 0, swapped, kinds, 0, FOREVER, holder)
    assert_reverts(chain, call, "ComponentMismatch", 0, tokens[0], tokens[1], sender=holder, of=index)
    assert_reverts(chain, scene.redeem(SHARES, "ETH"), "ERC20InsufficientAllowance", sender=stranger, of=index)
    whole = scene.shares(holder)
    assert_reverts(chain, scene.redeem(whole + 1, "ETH"), "ERC20InsufficientBalance", sender=holder, of=index)


def test_nobody_else_redeems_what_was_approved(scene: Scene, stranger: str) -> None:
    """The holder has approved the zap for all shares; only he is asked for them."""
    approved = scene.chain.read(scene.index.allowance(scene.holder, scene.zap))
    assert approved == FOREVER
    call = scene.redeem(SHARES, "ETH", to=stranger)
    assert_reverts(
        scene.chain, call, "ERC20InsufficientAllowance", scene.zap, 0, SHARES, sender=stranger, of=scene.index
    )


def test_a_recipient_that_takes_no_eth(scene: Scene) -> None:
    call = scene.redeem(SHARES, "ETH", to=scene.rebalancer.address)
    assert_reverts(scene.chain, call, "EthRefused", scene.rebalancer.address, sender=scene.holder)


def test_other_pools_are_other_proceeds(scene: Scene) -> None:
    now = scene.chain.now()
    found = {
        scene.chain.read(scene.redeem(SHARES, "ETH", legs=scene.legs(A=a, USD=usd)), sender=scene.holder, at=now)
        for a in (V2, V3)
        for usd in (V2, V3_LOW)
    }
    assert found == {scene.proceeds(SHARES, "ETH", V2, now, A=a, USD=usd) for a in (V2, V3) for usd in (V2, V3_LOW)}
    assert len(found) == 4
