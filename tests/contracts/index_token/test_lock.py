"""The one lock: while it is held, nothing of the index token can be entered, whoever holds it."""

from __future__ import annotations

import pytest

from ballast.abi import selector
from ballast.units import DAY_S, WAD
from tests.contracts.index_token.test_roles import owner_calls, rebalancer_calls, share_calls
from tests.helpers.basket import Basket, build_basket
from tests.helpers.chain import Chain, Receipt
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import create_index
from tests.helpers.reverts import assert_reverts


def error(contract: Contract, name: str) -> bytes:
    """Selector of a custom error."""
    return selector(next(e for e in contract.abi if e["type"] == "error" and e["name"] == name))


def ends(contract: Contract, receipt: Receipt, event: str) -> list[tuple[bool, bytes]]:
    """How the tried calls ended, with the selectors of those that failed."""
    tries = contract.events(receipt, event)
    return [(tried.succeeded, b"" if tried.succeeded else tried.answer[:4]) for tried in tries]


@pytest.fixture(scope="module")
def owned(module_isolation: None, chain: Chain, basket: Basket) -> Contract:
    """An index token, not seeded, of which the basket's scripted contract is deployer's rebalancer and owner."""
    script = basket.rebalancer.address
    return create_index(chain, basket.deployer, script, script, basket.recipient)


@pytest.mark.parametrize("name", ["mint", "redeem", "collectFee", "seed"])
def test_nobody_enters_while_it_is_held(basket: Basket, stranger: str, name: str) -> None:
    call = basket.attempts(share_calls(basket)[name])
    receipt = basket.chain.send(call, stranger)
    assert ends(basket.rebalancer, receipt, "Tried") == [(False, error(basket.index, "Locked"))]


@pytest.mark.parametrize("name", ["setStreamingFee", "setFeeRecipient", "setSupplyCap"])
def test_the_owner_neither(basket: Basket, owned: Contract, stranger: str, name: str) -> None:
    call = owner_calls(basket)[name]
    step = Call(owned.address, call.data, name, owned.abi)
    lock, unlock = owned.lock(), owned.unlock()
    steps = [(lock.to, lock.data, False), (step.to, step.data, True), (unlock.to, unlock.data, False)]
    receipt = basket.chain.send(basket.rebalancer.run(steps), stranger)
    assert ends(basket.rebalancer, receipt, "Tried") == [(False, error(owned, "Locked"))]


def test_it_is_taken_once(basket: Basket, stranger: str) -> None:
    lock = basket.index.lock()
    assert_reverts(basket.chain, basket.script(lock, lock), "Locked", sender=stranger, of=basket.index)


def test_it_is_taken_once_for_trading_too(basket: Basket, stranger: str) -> None:
    lock, trading = basket.index.lock(), basket.index.lockForTrading()
    for steps in ((lock, trading), (trading, lock), (trading, trading)):
        assert_reverts(basket.chain, basket.script(*steps), "Locked", sender=stranger, of=basket.index)


def test_lock_for_trading_says_what_a_trade_has_to_know(basket: Basket) -> None:
    chain, index = basket.chain, basket.index
    at = chain.now() + DAY_S
    supply, exponent = chain.read(index.supplyAndExponent(), at=at)
    told = chain.read(index.lockForTrading(), sender=basket.rebalancer.address, at=at)
    assert tuple(told) == (chain.read(index.componentsPointer()), supply, exponent)
    assert supply == chain.read(index.totalSupply(), at=at)
    assert chain.read(index.pendingFee(), at=at) > 0, "the fee since the last accrual counts"


def test_view_says_so(basket: Basket, stranger: str) -> None:
    held = basket.script(basket.index.lock(), probe(basket))
    with pytest.raises(AssertionError, match="it succeeded"):
        assert_reverts(basket.chain, basket.script(probe(basket)), "Locked", sender=stranger, of=basket.index)
    assert basket.chain.read(basket.index.locked()) is False
    assert_reverts(basket.chain, held, "Locked", sender=stranger, of=basket.index)


@pytest.mark.parametrize("name", ["previewMint", "previewRedeem"])
def test_previews_refuse_while_it_is_held(basket: Basket, stranger: str, name: str) -> None:
    """Balances may be in flux: who would price a share by them inside a batch gets no answer."""
    preview = getattr(basket.index, name)(WAD)
    held = basket.script(basket.index.lock(), preview)
    assert_reverts(basket.chain, held, "Locked", sender=stranger, of=basket.index)
    basket.chain.read(basket.script(basket.index.lock(), basket.index.unlock(), preview), sender=stranger)


def probe(basket: Basket) -> Call:
    """A call that reverts with Locked exactly when the lock is held."""
    return basket.index.collectFee()


@pytest.mark.parametrize("outer", ["mint", "redeem"])
@pytest.mark.parametrize("inner", ["mint", "redeem", "collectFee", "seed"])
def test_a_token_that_calls_back_gets_nowhere(basket: Basket, outer: str, inner: str) -> None:
    chain, token = basket.chain, basket.tokens[1]
    callback = share_calls(basket)[inner]
    chain.send(token.arm(callback.to, callback.data), basket.holder)
    receipt = chain.send(share_calls(basket)[outer], basket.holder)
    assert ends(token, receipt, "CalledBack") == [(False, error(basket.index, "Locked"))]


def test_a_token_that_calls_back_during_the_seed(module_isolation: None, chain: Chain) -> None:
    basket = build_basket(chain, seeded=False)
    token, callback = basket.tokens[0], share_calls(basket)["mint"]
    chain.send(token.arm(callback.to, callback.data), basket.holder)
    receipt = chain.send(share_calls(basket)["seed"], basket.deployer)
    assert ends(token, receipt, "CalledBack") == [(False, error(basket.index, "Locked"))]


def test_a_token_that_calls_back_during_settle(basket: Basket, stranger: str) -> None:
    chain, token, callback = basket.chain, basket.tokens[0], share_calls(basket)["redeem"]
    chain.send(token.arm(callback.to, callback.data), basket.holder)
    call = basket.locked(basket.index.settle([token], [1], [stranger]))
    receipt = chain.send(call, stranger)
    assert ends(token, receipt, "CalledBack") == [(False, error(basket.index, "Locked"))]


@pytest.mark.parametrize("name", ["lock", "unlock", "settle", "setComponents", "setState"])
def test_a_token_cannot_act_as_the_rebalancer(basket: Basket, name: str) -> None:
    chain, token, callback = basket.chain, basket.tokens[0], rebalancer_calls(basket)[name]
    chain.send(token.arm(callback.to, callback.data), basket.holder)
    receipt = chain.send(basket.mint(WAD, basket.holder), basket.holder)
    assert ends(token, receipt, "CalledBack") == [(False, error(basket.index, "NotRebalancer"))]


def test_shares_move_under_the_lock(basket: Basket, stranger: str) -> None:
    """Transfers and approvals change nothing that a trade looks at, and stay possible."""
    chain, index = basket.chain, basket.index
    chain.send(index.transfer(basket.rebalancer, WAD), basket.holder)
    receipt = chain.send(basket.attempts(index.transfer(stranger, WAD), index.approve(stranger, 1)), stranger)
    assert ends(basket.rebalancer, receipt, "Tried") == [(True, b""), (True, b"")]
    assert basket.shares(stranger) == WAD
