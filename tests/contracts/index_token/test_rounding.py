"""What minting and redeeming must never do: pay anybody for coming and going, or shrink what backs a share."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ballast.units import WAD
from tests.helpers.basket import FUZZ, Basket

SHARES = st.one_of(st.integers(1, 20), st.integers(1, 10**6), st.integers(1, 5_000 * WAD))
DONATIONS = st.lists(st.integers(0, 10**20), min_size=3, max_size=3)
WAITS = st.integers(0, 10**6)


def backing(basket: Basket, at: int) -> list[Fraction]:
    """Token wei of each component behind one wei of shares, exactly."""
    supply = basket.supply(at=at)
    return [Fraction(balance, supply) for balance in basket.balances(basket.index)]


@given(shares=SHARES, wait=WAITS, donations=DONATIONS)
@FUZZ
def test_mint_and_redeem_at_once_never_pays(basket: Basket, shares: int, wait: int, donations: list[int]) -> None:
    chain, moment = basket.chain, basket.chain.now() + wait
    for token, amount in zip(basket.tokens, donations, strict=True):
        chain.send(token.mint(basket.index, amount), basket.deployer, at=moment)
    before = basket.balances(basket.holder)
    chain.send(basket.mint(shares, basket.holder), basket.holder, at=moment)
    chain.send(basket.redeem(shares, basket.holder), basket.holder, at=moment)
    lost = [b - a for b, a in zip(before, basket.balances(basket.holder), strict=True)]
    assert all(0 <= wei <= 1 for wei in lost), "rounding costs at most a wei of each, and pays nothing"


@given(first=SHARES, second=SHARES, wait=WAITS)
@FUZZ
def test_units_never_fall(basket: Basket, first: int, second: int, wait: int) -> None:
    chain, moment = basket.chain, basket.chain.now() + wait
    start = backing(basket, moment)
    chain.send(basket.mint(first, basket.holder), basket.holder, at=moment)
    minted = backing(basket, moment)
    chain.send(basket.redeem(min(second, basket.shares(basket.holder)), basket.holder), basket.holder, at=moment)
    redeemed = backing(basket, moment)
    for a, b, c in zip(start, minted, redeemed, strict=True):
        assert a <= b <= c


@given(shares=SHARES, parts=st.integers(2, 6))
@FUZZ
def test_many_small_mints_are_never_cheaper(basket: Basket, shares: int, parts: int) -> None:
    chain, moment = basket.chain, basket.chain.now() + 1
    basket.accrue(at=moment)
    _, once, _ = chain.read(basket.index.previewMint(shares * parts), at=moment)
    before = basket.balances(basket.holder)
    for _ in range(parts):
        chain.send(basket.mint(shares, basket.holder), basket.holder, at=moment)
    paid = [b - a for b, a in zip(before, basket.balances(basket.holder), strict=True)]
    assert all(p >= o for p, o in zip(paid, once, strict=True))


@given(shares=st.integers(2, 500 * WAD), parts=st.integers(2, 6))
@FUZZ
def test_many_small_redemptions_never_pay_more(basket: Basket, shares: int, parts: int) -> None:
    chain, moment = basket.chain, basket.chain.now() + 1
    chain.send(basket.mint(shares * parts, basket.holder), basket.holder, at=moment)
    _, once, _ = chain.read(basket.index.previewRedeem(shares * parts), at=moment)
    before = basket.balances(basket.holder)
    for _ in range(parts):
        chain.send(basket.redeem(shares, basket.holder), basket.holder, at=moment)
    got = [a - b for b, a in zip(before, basket.balances(basket.holder), strict=True)]
    # Each redemption leaves its rounding, less than a wei of each token, to those who stay: the redeemer himself too.
    assert all(g <= o for g, o in zip(got, once, strict=True))


@given(wait=st.integers(1, 10**8), shares=SHARES)
@FUZZ
def test_previews_are_what_happens(basket: Basket, wait: int, shares: int) -> None:
    chain, snapshot = basket.chain, basket.chain.cheats.snapshot()
    try:
        moment = chain.now() + wait
        _, asked, _ = chain.read(basket.index.previewMint(shares), at=moment)
        _, offered, _ = chain.read(basket.index.previewRedeem(min(shares, 900 * WAD)), at=moment)
        before = basket.balances(basket.holder)
        chain.send(basket.redeem(min(shares, 900 * WAD), basket.holder, offered), basket.holder, at=moment)
        got = [a - b for b, a in zip(before, basket.balances(basket.holder), strict=True)]
        assert got == offered
        chain.cheats.revert(snapshot)
        snapshot = chain.cheats.snapshot()
        chain.send(basket.mint(shares, basket.holder, asked), basket.holder, at=moment)
        assert [b - a for b, a in zip(before, basket.balances(basket.holder), strict=True)] == asked
    finally:
        chain.cheats.revert(snapshot)


def test_any_balance_is_shared_exactly(basket: Basket) -> None:
    """Also one whose product with the shares does not fit into 256 bits."""
    chain = basket.chain
    for balance in (2**127, 2**128, 2**159 + 12_345):
        now = chain.now() + 1
        chain.send(basket.tokens[1].mint(basket.index, balance), basket.deployer, at=now)
        held, supply = basket.balances(basket.index), basket.supply(at=now)
        for shares in (1, 7 * WAD + 1, 2**128 - 1, 2**128):
            _, taken, _ = chain.read(basket.index.previewMint(shares), at=now)
            _, paid, _ = chain.read(basket.index.previewRedeem(shares), at=now)
            assert taken == [-(-h * shares // supply) for h in held]
            assert paid == [h * shares // supply for h in held]
