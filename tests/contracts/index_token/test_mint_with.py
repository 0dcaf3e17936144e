"""IndexToken.mintWith: the same mint as `mint`, paid while the caller is called back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.abi import selector
from ballast.units import DAY_S, WAD
from tests.contracts.index_token.test_roles import share_calls
from tests.contracts.index_token.test_states import ALWAYS, set_state
from tests.helpers.basket import CAP, FUZZ, Basket
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import ANYONE, DEAD
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789


@pytest.fixture(scope="module")
def caller(module_isolation: None, chain: Chain, basket: Basket) -> Contract:
    """A contract that mints and pays out of what it holds."""
    contract = chain.deploy("MintCaller", sender=basket.deployer)
    for token in basket.tokens:
        chain.send(token.mint(contract, 10**30), basket.deployer)
    return contract


def minting(
    caller: Contract, basket: Basket, to: str, shares: int = SHARES, more: tuple[int, ...] = (), tries: Any = ()
) -> Call:
    """A mint in which the caller pays `more` than is due of each, and tries calls before it pays."""
    conduct = (list(more), [call.to for call in tries], [call.data for call in tries])
    return caller.mint(basket.index, shares, to, conduct)


def test_asks_for_what_mint_takes(basket: Basket, caller: Contract, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    later = chain.now() + 40 * DAY_S  # a fee is pending by then
    asked = chain.read(basket.mint(SHARES, stranger), sender=basket.holder, at=later)
    before, supply = basket.balances(index), basket.supply(at=later)
    receipt = chain.send(minting(caller, basket, stranger), stranger, at=later)
    assert caller.events(receipt, "Asked") == [(index.address, basket.addresses, asked)]
    assert basket.balances(index) == [b + a for b, a in zip(before, asked, strict=True)]
    assert (basket.shares(stranger), basket.supply()) == (SHARES, supply + SHARES)
    assert index.events(receipt, "Minted") == [(caller.address, stranger, SHARES)]


@pytest.mark.parametrize("i", range(3))
def test_a_wei_too_little(basket: Basket, caller: Contract, stranger: str, i: int) -> None:
    chain, now = basket.chain, basket.chain.now()
    asked = chain.read(basket.mint(SHARES, stranger), sender=basket.holder, at=now)
    due = basket.balances(basket.index)[i] + asked[i]
    more = tuple(-1 if k == i else 5 for k in range(3))
    call = minting(caller, basket, stranger, more=more)
    arguments = (basket.addresses[i], due - 1, due)
    assert_reverts(chain, call, "NotPaid", *arguments, sender=stranger, at=now, of=basket.index)


def test_what_is_paid_too_much_is_a_gift(basket: Basket, caller: Contract, stranger: str) -> None:
    held = basket.balances(basket.index)
    basket.chain.send(minting(caller, basket, stranger, more=(3, 0, 7)), stranger)
    grown = [now - then for now, then in zip(basket.balances(basket.index), held, strict=True)]
    asked = [-(-h * SHARES // (basket.supply() - SHARES)) for h in held]
    assert grown == [asked[0] + 3, asked[1], asked[2] + 7]
    assert basket.shares(stranger) == SHARES


def test_whatever_arrives_meanwhile_counts(basket: Basket, caller: Contract, stranger: str) -> None:
    """Also what is paid by others: a component that somebody could claim for the fund would pay for this mint. Such
    components are not supported; this is what one would do."""
    chain, token = basket.chain, basket.tokens[0]
    asked = chain.read(basket.mint(SHARES, stranger), sender=basket.holder, at=chain.now())[0]
    claim = token.mint(basket.index, asked)  # what a claim of rewards for the fund does
    before = basket.balances(caller)[0]
    call = minting(caller, basket, stranger, more=(-asked, 0, 0), tries=[claim])
    chain.send(call, stranger, at=chain.now())
    assert basket.balances(caller)[0] == before, "the minter has paid nothing of it"
    assert basket.shares(stranger) == SHARES


def test_what_arrived_before_does_not(basket: Basket, caller: Contract, stranger: str) -> None:
    chain, token = basket.chain, basket.tokens[0]
    chain.send(token.mint(basket.index, 10**20), stranger)
    call = minting(caller, basket, stranger, more=(-1, 0, 0))
    assert_reverts(chain, call, "NotPaid", sender=stranger, of=basket.index)


def _entries(basket: Basket, caller: Contract) -> dict[str, Call]:
    """Every way into the fund that changes something."""
    tokens, zeros = basket.addresses, [0] * 3
    to = [caller.address] * 3
    return {
        **share_calls(basket),
        "mintWith": basket.index.mintWith(WAD, caller, b""),
        "redeemTo": basket.index.redeemTo(WAD, caller, tokens, zeros, to, 0),
        "lock": basket.script(basket.index.lock()),
        "lockForTrading": basket.script(basket.index.lockForTrading()),
        "previewMint": basket.index.previewMint(WAD),
        "previewRedeem": basket.index.previewRedeem(WAD),
        "getReserve": basket.index.getReserve(tokens[0]),
    }


@pytest.mark.parametrize(
    "name",
    [
        "mint",
        "redeem",
        "collectFee",
        "seed",
        "mintWith",
        "redeemTo",
        "lock",
        "lockForTrading",
        "previewMint",
        "previewRedeem",
        "getReserve",
    ],
)
def test_nobody_enters_during_the_callback(basket: Basket, caller: Contract, stranger: str, name: str) -> None:
    """Neither holders nor the rebalancer, whose trade takes the lock first. The mint itself goes on."""
    receipt = basket.chain.send(minting(caller, basket, stranger, tries=[_entries(basket, caller)[name]]), stranger)
    locked = next(e for e in basket.index.abi if e["type"] == "error" and e["name"] == "Locked")
    (tried,) = caller.events(receipt, "Tried")
    assert not tried.succeeded and tried.answer == selector(locked)


def test_the_lock_is_given_back(basket: Basket, caller: Contract, stranger: str) -> None:
    seen = basket.index.locked()
    receipt = basket.chain.send(minting(caller, basket, stranger, tries=[seen]), stranger)
    (tried,) = caller.events(receipt, "Tried")
    assert (tried.succeeded, int.from_bytes(tried.answer)) == (True, 1)
    assert basket.chain.read(basket.index.locked()) is False
    basket.chain.send(minting(caller, basket, stranger), stranger)


def test_same_refusals_as_mint(basket: Basket, unseeded: Basket, caller: Contract, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    now = chain.now()
    room = CAP * WAD - basket.supply(at=now)
    refused = [
        (minting(caller, basket, stranger, 0), "ZeroShares", ()),
        (minting(caller, basket, stranger, room + 1), "AboveSupplyCap", (CAP * WAD + 1, CAP * WAD)),
        (minting(caller, basket, ANYONE), "ERC20InvalidReceiver", (ANYONE,)),
        (minting(caller, unseeded, stranger), "NotSeeded", ()),
    ]
    for call, error, arguments in refused:
        assert_reverts(chain, call, error, *arguments, sender=stranger, at=now, of=index)
    chain.read(minting(caller, basket, stranger, room), sender=stranger, at=now)
    set_state(basket, 1, now + DAY_S)
    call = minting(caller, basket, stranger)
    assert_reverts(chain, call, "ComponentSuspended", basket.addresses[1], sender=stranger, at=now, of=index)


def test_what_is_written_off_is_not_asked_for(basket: Basket, caller: Contract, stranger: str) -> None:
    set_state(basket, 1, ALWAYS, True)
    held = basket.balances(basket.index)
    receipt = basket.chain.send(minting(caller, basket, stranger), stranger)
    (asked,) = caller.events(receipt, "Asked")
    assert asked.tokens == basket.addresses
    assert asked.amounts[1] == 0 and asked.amounts[0] and asked.amounts[2]
    assert basket.balances(basket.index)[1] == held[1]


@FUZZ
@given(shares=st.integers(1, 10**23), wait=st.integers(0, 400 * DAY_S))
def test_sum_of_balances_and_pending_fee_is_the_supply(basket: Basket, shares: int, wait: int) -> None:
    """At any time, whatever was minted and redeemed and whether the fee was collected."""
    chain, index = basket.chain, basket.index
    # Examples share the chain: minted over and over, they would reach the cap, which is 10**24.
    snapshot = chain.cheats.snapshot()
    try:
        chain.send(basket.mint(shares, basket.holder), basket.holder, at=chain.now() + wait)
        if shares % 3 == 0:
            chain.send(index.collectFee(), basket.holder)
        if shares % 2 == 0:
            chain.send(basket.redeem(shares, basket.holder), basket.holder)
        at = chain.now() + wait
        held = sum(basket.shares(who) for who in (basket.holder, basket.recipient, DEAD))
        assert held + chain.read(index.pendingFee(), at=at) == chain.read(index.totalSupply(), at=at)
        assert chain.read(index.pendingFee(), at=at) > 0 or wait == 0
    finally:
        chain.cheats.revert(snapshot)
