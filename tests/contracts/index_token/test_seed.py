"""IndexToken.seed and the constructor."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.basket import FEE, UNITS, Basket
from tests.helpers.chain import Chain
from tests.helpers.fund import ANYONE, DEAD, LOCKED_SHARES
from tests.helpers.reverts import assert_reverts

SHARES = 3 * WAD + 1


def test_takes_units_rounded_up_and_locks_shares(unseeded: Basket, stranger: str) -> None:
    chain, index = unseeded.chain, unseeded.index
    before = unseeded.balances(unseeded.deployer)
    receipt = chain.send(index.seed(unseeded.addresses, list(UNITS), SHARES, stranger), unseeded.deployer)
    taken = [-(-unit * SHARES // WAD) for unit in UNITS]
    assert unseeded.balances(index) == taken
    assert [b - t for b, t in zip(before, taken, strict=True)] == unseeded.balances(unseeded.deployer)
    assert unseeded.shares(DEAD) == LOCKED_SHARES == chain.read(index.LOCKED_SHARES())
    assert unseeded.shares(stranger) == SHARES - LOCKED_SHARES
    assert chain.read(index.totalSupply()) == SHARES
    (seeded,) = index.events(receipt, "Seeded")
    assert seeded == (stranger, SHARES, unseeded.addresses, taken)
    (listed,) = index.events(receipt, "ComponentsSet")
    assert listed == (chain.read(index.componentsPointer()), unseeded.addresses)
    components = chain.read(index.components())
    decimals = [chain.read(token.decimals()) for token in unseeded.tokens]
    assert components == [(token, k, 0, False) for token, k in zip(unseeded.addresses, decimals, strict=True)]


def test_fee_begins_with_the_seed(unseeded: Basket) -> None:
    chain, late = unseeded.chain, unseeded.chain.now() + 300 * DAY_S
    chain.send(
        unseeded.index.seed(unseeded.addresses, list(UNITS), SHARES, unseeded.holder), unseeded.deployer, at=late
    )
    assert unseeded.supply(at=late) == SHARES
    assert unseeded.supply(at=late + DAY_S) > SHARES


def test_takes_one_whole_share_and_units_of_zero(unseeded: Basket) -> None:
    call = unseeded.index.seed(unseeded.addresses, [0, 1, 0], WAD, unseeded.holder)
    unseeded.chain.send(call, unseeded.deployer)
    assert unseeded.balances(unseeded.index) == [0, 1, 0]


def test_only_the_deployer(unseeded: Basket, stranger: str) -> None:
    call = unseeded.index.seed(unseeded.addresses, list(UNITS), SHARES, stranger)
    for sender in (stranger, unseeded.owner, unseeded.rebalancer.address):
        assert_reverts(unseeded.chain, call, "NotSeeder", sender, sender=sender)


def test_only_once(basket: Basket) -> None:
    call = basket.index.seed(basket.addresses, list(UNITS), SHARES, basket.holder)
    assert_reverts(basket.chain, call, "AlreadySeeded", sender=basket.deployer)


def test_too_few_shares(unseeded: Basket) -> None:
    call = unseeded.index.seed(unseeded.addresses, list(UNITS), WAD - 1, unseeded.holder)
    assert_reverts(unseeded.chain, call, "SeedTooSmall", WAD - 1, WAD, sender=unseeded.deployer)


def test_within_the_supply_cap(unseeded: Basket) -> None:
    """The cap itself can be seeded, one wei of a share more cannot."""
    chain, index = unseeded.chain, unseeded.index
    chain.send(index.setSupplyCap(3), unseeded.owner)
    over = index.seed(unseeded.addresses, list(UNITS), 3 * WAD + 1, unseeded.holder)
    assert_reverts(chain, over, "AboveSupplyCap", 3 * WAD + 1, 3 * WAD, sender=unseeded.deployer)
    chain.send(index.seed(unseeded.addresses, list(UNITS), 3 * WAD, unseeded.holder), unseeded.deployer)


def test_to_nobody(unseeded: Basket) -> None:
    call = unseeded.index.seed(unseeded.addresses, list(UNITS), SHARES, ANYONE)
    assert_reverts(unseeded.chain, call, "ZeroAddress", sender=unseeded.deployer)


@pytest.mark.parametrize("units", [UNITS[:2], (*UNITS, 1), ()])
def test_arrays_of_different_length(unseeded: Basket, units: tuple[int, ...]) -> None:
    call = unseeded.index.seed(unseeded.addresses, list(units), SHARES, unseeded.holder)
    assert_reverts(unseeded.chain, call, "LengthMismatch", 3, len(units), sender=unseeded.deployer)


@pytest.mark.parametrize(("order", "wrong"), [((1, 0, 2), 1), ((0, 2, 1), 2), ((0, 0, 1), 1), ((0, 1, 1), 2)])
def test_tokens_must_ascend(unseeded: Basket, order: tuple[int, ...], wrong: int) -> None:
    tokens = [unseeded.addresses[i] for i in order]
    call = unseeded.index.seed(tokens, list(UNITS), SHARES, unseeded.holder)
    assert_reverts(unseeded.chain, call, "NotAscending", wrong, sender=unseeded.deployer)


def test_unfit_tokens(unseeded: Basket, chain: Chain) -> None:
    wide = chain.deploy("OddToken", 28, sender=unseeded.deployer).address
    for token in (ANYONE, unseeded.holder, unseeded.index.address, wide):
        call = unseeded.index.seed([token], [1], SHARES, unseeded.holder)
        assert_reverts(chain, call, "UnfitComponent", token, sender=unseeded.deployer)


def test_decimals_up_to_27(unseeded: Basket, chain: Chain) -> None:
    token = chain.deploy("OddToken", 27, sender=unseeded.deployer)
    chain.send(unseeded.index.seed([token], [0], SHARES, unseeded.holder), unseeded.deployer)
    (component,) = chain.read(unseeded.index.components())
    assert component == (token.address, 27, 0, False)


def test_at_most_50_components(unseeded: Basket, chain: Chain) -> None:
    made = [chain.deploy("OddToken", 18, sender=unseeded.deployer).address for _ in range(51)]
    tokens = sorted(made, key=lambda address: int(address, 16))
    assert chain.read(unseeded.index.MAX_COMPONENTS()) == 50
    call = unseeded.index.seed(tokens, [0] * 51, SHARES, unseeded.holder)
    assert_reverts(chain, call, "TooManyComponents", 51, 50, sender=unseeded.deployer)
    chain.send(unseeded.index.seed(tokens[:50], [0] * 50, SHARES, unseeded.holder), unseeded.deployer)
    assert len(chain.read(unseeded.index.components())) == 50


def test_tokens_that_do_not_move(unseeded: Basket) -> None:
    chain, token = unseeded.chain, unseeded.tokens[1]
    call = unseeded.index.seed(unseeded.addresses, list(UNITS), SHARES, unseeded.holder)
    chain.send(token.setMode(2), unseeded.deployer)  # answers false
    assert_reverts(chain, call, "SafeERC20FailedOperation", token.address, sender=unseeded.deployer)
    chain.send(token.setMode(3), unseeded.deployer)  # frozen
    assert_reverts(chain, call, "Frozen", sender=unseeded.deployer, of=token)
    chain.send(token.setMode(1), unseeded.deployer)  # answers nothing, which some real tokens do
    chain.send(call, unseeded.deployer)


def test_constructor(basket: Basket, stranger: str) -> None:
    artifact, chain = basket.chain.artifact("IndexToken"), basket.chain

    def create(rebalancer: str = stranger, owner: str = stranger, recipient: str = stranger, fee: int = FEE) -> Any:
        return artifact.create("Name", "SYM", rebalancer, owner, recipient, fee, 7)

    assert_reverts(chain, create(rebalancer=ANYONE), "ZeroAddress", sender=stranger)
    assert_reverts(chain, create(recipient=ANYONE), "ZeroAddress", sender=stranger)
    assert_reverts(chain, create(owner=ANYONE), "OwnableInvalidOwner", ANYONE, sender=stranger)
    ceiling = 5 * WAD // 100
    assert_reverts(chain, create(fee=ceiling + 1), "FeeAboveCeiling", ceiling + 1, ceiling, sender=stranger)
    index = artifact.at(chain.send(create(fee=ceiling), stranger)["contractAddress"])
    views = (index.name(), index.symbol(), index.REBALANCER(), index.owner(), index.feeRecipient())
    assert [chain.read(view) for view in views] == ["Name", "SYM", stranger, stranger, stranger]
    assert [chain.read(view) for view in (index.streamingFee(), index.supplyCap(), index.decimals())] == [
        ceiling,
        7,
        18,
    ]
    assert chain.read(index.componentsPointer()) == ANYONE
    assert chain.read(index.components()) == []
    assert chain.read(index.totalSupply()) == 0
