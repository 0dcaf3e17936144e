"""Zap.mint: what is paid, what the fund gets, and what is refused."""

from __future__ import annotations

import pytest

from ballast.networks.exchanges import EXCHANGES, v3_pool_address
from ballast.units import DAY_S, ETHER, WAD
from lab.localnet.addresses import pair_address
from tests.contracts.zap.scene import (
    CAP,
    ETH,
    IN_KIND,
    NONE,
    SKIP,
    SUSHI,
    UNISWAP_V3,
    V2,
    V3,
    V3_LOW,
    Leg,
    Scene,
    packed,
)
from tests.helpers.fund import ANYONE, FOREVER
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789
PAYMENTS = [("ETH", V2), ("WETH", V2), ("PAY", V2), ("PAY", V3_LOW), ("USD", V2), ("USD", V3_LOW)]
"""USD is a component too: its own part is paid directly."""


@pytest.mark.parametrize(("pay", "leg"), PAYMENTS)
def test_takes_what_the_pools_ask_for_and_not_a_wei_more(scene: Scene, stranger: str, pay: str, leg: Leg) -> None:
    """Two pools of V2 on two exchanges, two of V3 nested in each other, WETH itself; the rest of the ETH comes back."""
    chain, index = scene.chain, scene.index
    at = chain.now() + DAY_S  # a fee is pending by then
    cost = scene.cost(SHARES, pay, leg, at)
    _, amounts, _ = chain.read(index.previewMint(SHARES), at=at)
    assert all(amounts)
    held = [scene.balance(name, index) for name in scene.listed()]
    before = scene.holds(scene.holder)
    sent = cost + ETHER if pay == "ETH" else 0
    call = scene.mint(SHARES, pay, sent or cost, stranger, pay_leg=leg)
    receipt = chain.send(call, scene.holder, at=at, value=sent)

    gained = [scene.balance(name, index) - then for name, then in zip(scene.listed(), held, strict=True)]
    assert gained == amounts
    assert scene.shares(stranger) == SHARES
    after = scene.holds(scene.holder)
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    paid = {name: before[name] - now for name, now in after.items()} | {"ETH": before["ETH"] - after["ETH"] - gas}
    assert paid == dict.fromkeys(after, 0) | {pay: cost}
    assert scene.zap.events(receipt, "ZapMinted") == [(scene.holder, stranger, SHARES, scene.address(pay), cost)]
    scene.assert_clean()


@pytest.mark.parametrize(("pay", "leg"), PAYMENTS)
def test_the_limit_is_on_the_total_and_exact(scene: Scene, pay: str, leg: Leg) -> None:
    chain, now = scene.chain, scene.chain.now()
    cost = scene.cost(SHARES, pay, leg, now)
    for most in (cost, cost - 1):
        call, value = scene.mint(SHARES, pay, most, pay_leg=leg), most if pay == "ETH" else 0
        if most == cost:
            assert chain.read(call, sender=scene.holder, at=now, value=value) == cost
        else:
            amount, left = assert_reverts(chain, call, "AboveMaxIn", sender=scene.holder, at=now, value=value)
            assert amount == left + 1


def test_other_pools_are_other_costs(scene: Scene) -> None:
    """The caller's legs decide: A in V2 or V3, USD in V2 or V3, each at its own price."""
    chain, now = scene.chain, scene.chain.now()
    costs = set()
    for a in (V2, V3):
        for usd in (V2, V3_LOW):
            cost = scene.cost(SHARES, "ETH", V2, now, A=a, USD=usd)
            call = scene.mint(SHARES, "ETH", 10 * ETHER, legs=scene.legs(A=a, USD=usd))
            assert chain.read(call, sender=scene.holder, at=now, value=10 * ETHER) == cost
            costs.add(cost)
    assert len(costs) == 4


def test_the_deadline_is_the_last_second(scene: Scene) -> None:
    chain, deadline = scene.chain, scene.chain.now() + 100
    call = scene.mint(SHARES, "WETH", FOREVER, deadline=deadline)
    chain.read(call, sender=scene.holder, at=deadline)
    assert_reverts(chain, call, "Late", deadline, sender=scene.holder, at=deadline + 1)


def test_the_value_is_what_is_paid_with_eth(scene: Scene) -> None:
    chain = scene.chain
    for pay, most, value in (("ETH", ETHER, ETHER - 1), ("ETH", ETHER, 0), ("WETH", ETHER, 1), ("PAY", ETHER, ETHER)):
        assert_reverts(chain, scene.mint(WAD, pay, most), "UnfitValue", value, sender=scene.holder, value=value)


def test_shares_for_nobody(scene: Scene) -> None:
    for to in (ANYONE, scene.zap.address):
        call = scene.mint(SHARES, "WETH", FOREVER, to)
        assert_reverts(scene.chain, call, "UnfitRecipient", to, sender=scene.holder)


def test_legs_that_do_not_fit(scene: Scene) -> None:
    chain, holder, weth = scene.chain, scene.holder, scene.world.weth
    legs, n = scene.legs(), len(scene.listed())
    for given in (legs[:-1], legs[:-4], legs + legs[:4], b""):
        call = scene.mint(SHARES, "WETH", FOREVER, legs=given)
        assert_reverts(chain, call, "UnfitLegs", n, len(given), sender=holder)
    token = scene.tokens["A"].address
    for venue in (NONE, IN_KIND, SKIP):
        call = scene.mint(SHARES, "WETH", FOREVER, legs=scene.legs(A=(venue, 0)))
        assert_reverts(chain, call, "UnfitVenue", token, venue, sender=holder)
    call = scene.mint(SHARES, "WETH", FOREVER, legs=scene.legs(A=(6, 0)))
    assert_reverts(chain, call, "UnknownVenue", 6, sender=holder)
    pay = scene.mint(SHARES, "PAY", FOREVER, pay_leg=(NONE, 0))
    assert_reverts(chain, pay, "UnfitVenue", scene.address("PAY"), NONE, sender=holder)
    # Where the exchange has no pool: the address is that which its factory would give it.
    low, high = sorted((token, weth), key=lambda address: int(address, 16))
    nowhere = pair_address("sushiswap", scene.world.sushiswap_factory, token, weth)
    call = scene.mint(SHARES, "WETH", FOREVER, legs=scene.legs(A=SUSHI))
    assert_reverts(chain, call, "NoPool", token, nowhere, sender=holder)
    for fee in (100, 10_000, 2**24 - 1):
        pool = v3_pool_address(scene.world.uniswap_v3_factory, low, high, fee)
        call = scene.mint(SHARES, "WETH", FOREVER, legs=scene.legs(A=(UNISWAP_V3, fee)))
        assert_reverts(chain, call, "NoPool", token, pool, sender=holder)


def test_an_exchange_that_the_chain_does_not_have(scene: Scene) -> None:
    given = EXCHANGES[1]._replace(sushiswap_v2=ETH)
    zap = scene.chain.deploy("Zap", scene.index, scene.world.weth, given, sender=scene.owner)
    call = zap.mint(SHARES, ETH, ETHER, scene.legs(), 0, FOREVER, scene.holder)
    arguments = (scene.address("B"), SUSHI[0])
    assert_reverts(scene.chain, call, "UnfitVenue", *arguments, sender=scene.holder, value=ETHER)


def test_pools_that_are_too_thin(scene: Scene) -> None:
    """More than a V2 pool holds; more than a V3 pool's liquidity gives, which pays out what there is."""
    chain = scene.chain
    for token, error in (("A", "TooThin"), ("D", "NotFilled")):
        snapshot = chain.cheats.snapshot()
        chain.send(scene.tokens[token].mint(scene.index, 10**24), scene.holder)
        call = scene.mint(400 * WAD, "WETH", FOREVER)  # a third of a million tokens: no pool here has as many
        assert_reverts(chain, call, error, sender=scene.holder)
        chain.cheats.revert(snapshot)


def test_refusals_of_the_fund_come_through(scene: Scene) -> None:
    chain, index, holder = scene.chain, scene.index, scene.holder
    now = chain.now()
    assert_reverts(chain, scene.mint(0, "WETH", FOREVER), "ZeroShares", sender=holder, at=now, of=index)
    over = CAP * WAD - chain.read(index.totalSupply(), at=now) + 1
    assert_reverts(chain, scene.mint(over, "WETH", FOREVER), "AboveSupplyCap", sender=holder, at=now, of=index)
    scene.set_state("A", now + DAY_S)
    call = scene.mint(SHARES, "WETH", FOREVER)
    assert_reverts(chain, call, "ComponentSuspended", scene.address("A"), sender=holder, at=now, of=index)
    chain.read(call, sender=holder, at=now + DAY_S)


def test_what_is_written_off_is_neither_asked_for_nor_paid(scene: Scene) -> None:
    """Its leg is not looked at."""
    chain = scene.chain
    scene.set_state("A", 0, True)
    held, now = scene.balance("A", scene.index), chain.now()
    cost = scene.cost(SHARES, "ETH", V2, now)
    call = scene.mint(SHARES, "ETH", ETHER, legs=scene.legs(A=(NONE, 0)))
    receipt = chain.send(call, scene.holder, at=now, value=ETHER)
    (event,) = scene.zap.events(receipt, "ZapMinted")
    assert event.amount == cost
    assert scene.balance("A", scene.index) == held
    scene.assert_clean()


def test_without_tokens_or_allowance(scene: Scene, stranger: str) -> None:
    call = scene.mint(SHARES, "USD", FOREVER)
    usd = scene.tokens["USD"]
    assert_reverts(scene.chain, call, "ERC20InsufficientAllowance", sender=stranger, of=usd)
    scene.chain.send(usd.approve(scene.zap, FOREVER), stranger)
    assert_reverts(scene.chain, call, "ERC20InsufficientBalance", sender=stranger, of=usd)


def test_a_caller_that_takes_no_eth_back(scene: Scene) -> None:
    """Nothing is kept for it: the whole mint reverts."""
    chain = scene.chain
    refuser = chain.impersonate(scene.index)  # a contract without `receive`
    cost = scene.cost(SHARES, "ETH", V2, chain.now())
    call = scene.mint(SHARES, "ETH", cost + 1)
    assert_reverts(chain, call, "EthRefused", refuser, sender=refuser, value=cost + 1, at=chain.now())
    chain.read(scene.mint(SHARES, "ETH", cost), sender=refuser, value=cost, at=chain.now())


def test_creation(scene: Scene) -> None:
    chain, nobody = scene.chain, scene.holder
    given, zap = EXCHANGES[1], chain.artifact("Zap")
    for fund, weth in ((nobody, scene.world.weth), (scene.index, nobody)):
        assert_reverts(chain, zap.create(fund, weth, given), "NotContract", nobody, sender=nobody)
    assert chain.read(scene.zap.FUND()) == scene.index.address
    assert packed((UNISWAP_V3, 3000)) == 0x03000BB8
