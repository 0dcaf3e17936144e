"""What others try with a zap: calls from outside and from inside, donations, permits sent first, foreign pools."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from ballast.abi import encode_call, selector
from ballast.networks.exchanges import EXCHANGES
from ballast.units import DAY_S, ETHER, WAD
from tests.contracts.zap.scene import ETH, SUSHI, V2, V3, V3_LOW, Scene, packed
from tests.helpers.basket import FUZZ
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import FOREVER
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD + 123_456_789
SIGNER = Account.from_key(bytes(31) + b"\x09")


def error(contract: Contract, name: str) -> bytes:
    return selector(next(e for e in contract.abi if e["type"] == "error" and e["name"] == name))


# From outside


def test_callbacks_answer_nobody_outside_of_a_mint(scene: Scene, stranger: str) -> None:
    chain, zap = scene.chain, scene.zap
    pool = scene.pool("C", V3).address
    chain.impersonate(scene.index)
    chain.impersonate(pool)
    for sender in (stranger, scene.index.address, scene.holder):
        call = zap.onMint(scene.addresses(), [1] * len(scene.listed()), scene.legs())
        assert_reverts(chain, call, "NotMinting", sender, sender=sender)
    for sender in (stranger, pool, scene.index.address):
        for data in (b"\x00" + bytes(32), b"\x01", b"\x02" + bytes.fromhex(scene.world.weth[2:]), b""):
            assert_reverts(chain, zap.uniswapV3SwapCallback(1, -1, data), "NotThePool", sender, sender=sender)


def test_eth_comes_from_weth_alone(scene: Scene, stranger: str) -> None:
    pay = Call(scene.zap.address, b"", "receive", scene.zap.abi)
    assert_reverts(scene.chain, pay, "NotWeth", stranger, sender=stranger, value=1)


def test_an_approval_serves_its_owner_alone(scene: Scene, stranger: str) -> None:
    """The holder has approved the zap for every token; a stranger who mints pays himself."""
    for name in ("WETH", "USD", "PAY"):
        before = scene.balance(name, scene.holder)
        with pytest.raises(AssertionError):
            scene.chain.send(scene.mint(SHARES, name, FOREVER, stranger), stranger)
        assert scene.balance(name, scene.holder) == before


# From inside


ENTRIES = ["mint", "redeem", "onMint", "uniswapV3SwapCallback", "fund.mintWith", "fund.redeem"]


def entries(scene: Scene) -> dict[str, Call]:
    n = len(scene.listed())
    return {
        "mint": scene.mint(WAD, "PAY", FOREVER),
        "redeem": scene.redeem(WAD, "ETH"),
        "onMint": scene.zap.onMint(scene.addresses(), [1] * n, scene.legs()),
        "uniswapV3SwapCallback": scene.zap.uniswapV3SwapCallback(10**18, -1, b"\x01"),
        "fund.mintWith": scene.index.mintWith(WAD, scene.holder, b""),
        "fund.redeem": scene.index.redeem(WAD, scene.holder, scene.addresses(), [0] * n, 0),
    }


REFUSED = {
    "mint": "Entered",
    "redeem": "Entered",
    "onMint": "NotMinting",
    "uniswapV3SwapCallback": "NotThePool",
    "fund.mintWith": "Locked",
    "fund.redeem": "Locked",
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", ["A", "C"])
@pytest.mark.parametrize("way", ["mint", "redeem"])
def test_a_token_that_calls_back_gets_nowhere(scene: Scene, way: str, name: str, entry: str) -> None:
    """A hostile component, bought and sold in a pool of V2 (A) or V3 (C): while a swap of V3 is under way the zap waits
    for that pool's callback, and for nobody else's. What is bought and paid stays as it is."""
    chain, token, call = scene.chain, scene.tokens[name], entries(scene)[entry]
    outer = scene.mint(SHARES, "ETH", ETHER) if way == "mint" else scene.redeem(SHARES, "ETH")
    value = ETHER if way == "mint" else 0
    at = chain.now() + 10
    expected = chain.read(outer, sender=scene.holder, at=at, value=value)
    chain.send(token.arm(call.to, call.data), scene.holder, at=at - 1)
    receipt = chain.send(outer, scene.holder, at=at, value=value)
    tried = token.events(receipt, "CalledBack")
    assert tried and all(not one.succeeded for one in tried)
    refusals = {one.answer[:4] for one in tried}
    contract = scene.index if entry.startswith("fund.") else scene.zap
    # A redemption's swaps come after the fund has given the lock back: there its holders' doors are open, to a token
    # that has nothing: no shares, and no answer to a callback.
    wanted = {error(contract, REFUSED[entry])}
    assert refusals & wanted
    if way == "mint":
        assert refusals == wanted
    event = "ZapMinted" if way == "mint" else "ZapRedeemed"
    (done,) = scene.zap.events(receipt, event)
    assert done.amount == expected
    scene.assert_clean()


def test_a_recipient_that_calls_back_gets_nowhere(scene: Scene) -> None:
    """Who is sent the proceeds in ETH runs while the zap is entered; so does who gets the rest of a payment."""
    chain = scene.chain
    # A contract whose `receive` is the zap's own: it refuses ETH that does not come from WETH.
    other = chain.deploy("Zap", scene.index, scene.world.weth, EXCHANGES[1], sender=scene.owner)
    call = scene.redeem(SHARES, "ETH", to=other.address)
    assert_reverts(chain, call, "EthRefused", other.address, sender=scene.holder)


# Donations


def test_what_lies_there_is_touched_by_nobody(scene: Scene) -> None:
    """Sent by mistake, or to disturb: costs and proceeds are as without it, and it stays."""
    chain, at = scene.chain, scene.chain.now() + DAY_S

    def amounts() -> list[int]:
        value = 10**5 * ETHER
        paid = [scene.mint(SHARES, pay, value if pay == "ETH" else FOREVER, pay_leg=leg) for pay, leg in WAYS]
        got = [scene.redeem(SHARES, pay, receive_leg=leg) for pay, leg in WAYS]
        values = [value if pay == "ETH" else 0 for pay, _ in WAYS] + [0] * len(WAYS)
        return [
            chain.read(call, sender=scene.holder, at=at, value=v) for call, v in zip(paid + got, values, strict=True)
        ]

    before = amounts()
    for token in scene.tokens.values():
        chain.send(token.transfer(scene.zap, 10**9), scene.holder)
    chain.send(scene.index.transfer(scene.zap, 10**9), scene.holder)
    chain.cheats.set_balance(scene.zap.address, 10**9)
    assert amounts() == before
    held = scene.holds(scene.zap)
    assert set(held.values()) == {10**9}
    for pay, leg in WAYS:
        value = ETHER if pay == "ETH" else 0
        call = scene.mint(SHARES, pay, value or FOREVER, pay_leg=leg)
        chain.send(call, scene.holder, value=value)
        chain.send(scene.redeem(SHARES, pay, receive_leg=leg), scene.holder)
        assert scene.holds(scene.zap) == held


WAYS = [("ETH", V2), ("WETH", V2), ("PAY", V2), ("PAY", V3_LOW), ("USD", V2)]


def test_a_gift_to_a_pool_makes_nothing_dearer(scene: Scene) -> None:
    """A V2 pool that holds more than it has written down: the zap goes by the reserves."""
    chain, at = scene.chain, scene.chain.now() + DAY_S
    cost = scene.cost(SHARES, "ETH", V2, at)
    for name, leg in (("A", V2), ("B", SUSHI)):
        chain.send(scene.tokens[name].mint(scene.pool(name, leg).address, 10**20), scene.holder)
        chain.send(scene.tokens["WETH"].transfer(scene.pool(name, leg).address, 10**17), scene.holder)
    assert chain.read(scene.mint(SHARES, "ETH", ETHER), sender=scene.holder, at=at, value=ETHER) == cost
    chain.send(scene.mint(SHARES, "ETH", ETHER), scene.holder, at=at, value=ETHER)
    scene.assert_clean()


def test_a_pool_moved_before_costs_no_more_than_the_limit(scene: Scene, stranger: str) -> None:
    """The sandwich: somebody buys the component first. The limit is on the total."""
    chain = scene.chain
    cost = scene.cost(SHARES, "ETH", V2, chain.now() + 1)
    most = cost + cost // 100
    pool, bought = scene.pool("A", V2), 20_000 * WAD
    chain.send(scene.tokens["WETH"].transfer(pool.address, pool.amount_in(scene.world.weth, bought)), scene.holder)
    out = (0, bought) if pool.tokens[0] == scene.world.weth else (bought, 0)
    swap = encode_call("swap(uint256,uint256,address,bytes)", *out, stranger, b"")
    chain.send(Call(pool.address, swap, "swap", []), stranger)
    call = scene.mint(SHARES, "ETH", most)
    assert_reverts(chain, call, "AboveMaxIn", sender=scene.holder, value=most)


# Permits


def permit(
    scene: Scene, token: Contract, value: int, name: str, deadline: int, nonce: int = 0
) -> tuple[int, int, bytes, bytes]:
    kinds = {
        "Permit": [
            {"name": field, "type": kind}
            for field, kind in zip(
                ("owner", "spender", "value", "nonce", "deadline"),
                ("address", "address", "uint256", "uint256", "uint256"),
                strict=True,
            )
        ]
    }
    domain = {"name": name, "version": "1", "chainId": 1, "verifyingContract": token.address}
    message = {
        "owner": SIGNER.address,
        "spender": scene.zap.address,
        "value": value,
        "nonce": nonce,
        "deadline": deadline,
    }
    signed = SIGNER.sign_typed_data(domain, kinds, message)
    return deadline, signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)


@pytest.fixture
def signer(scene: Scene) -> str:
    """Has USD and shares and has approved nobody."""
    account = scene.chain.impersonate(to_checksum_address(SIGNER.address))
    scene.chain.send(scene.tokens["USD"].mint(account, 10**12), scene.holder)
    scene.chain.send(scene.index.transfer(account, 2 * SHARES), scene.holder)
    return account


@pytest.mark.parametrize("first", [False, True])
def test_permits(scene: Scene, signer: str, stranger: str, first: bool) -> None:
    """In and out with a signature in place of an approval, also where somebody else has sent that one before."""
    chain, usd, index = scene.chain, scene.tokens["USD"], scene.index
    deadline, at = chain.now() + DAY_S, chain.now() + 100
    cost = scene.cost(SHARES, "USD", V2, at)
    paying, leaving = permit(scene, usd, cost, "USD", deadline), permit(scene, index, SHARES, "Ballast", deadline)
    legs, leg = scene.legs(), packed(V2)
    into = scene.zap.mintWithPermit(SHARES, usd, cost, legs, leg, deadline, signer, paying)
    plain = scene.mint(SHARES, "USD", cost, signer)
    assert_reverts(chain, plain, "ERC20InsufficientAllowance", sender=signer, at=at, of=usd)
    if first:
        chain.send(usd.permit(signer, scene.zap, cost, *paying), stranger)
        chain.send(index.permit(signer, scene.zap, SHARES, *leaving), stranger)
    chain.send(into, signer, at=at)
    assert scene.shares(signer) == 3 * SHARES and scene.balance("USD", signer) == 10**12 - cost
    out = scene.zap.redeemWithPermit(SHARES, ETH, 1, scene.addresses(), legs, 0, deadline, signer, leaving)
    chain.send(out, signer)
    assert scene.shares(signer) == 2 * SHARES
    for token in (usd, index):
        assert chain.read(token.allowance(signer, scene.zap)) == 0
        assert chain.read(token.nonces(signer)) == 1
    scene.assert_clean()


def test_a_bad_permit_is_no_permit(scene: Scene, signer: str) -> None:
    chain, usd, deadline = scene.chain, scene.tokens["USD"], scene.chain.now() + DAY_S
    wrong = permit(scene, usd, 10**12, "USD", deadline, nonce=7)
    legs, leg = scene.legs(), packed(V2)
    call = scene.zap.mintWithPermit(SHARES, usd, 10**12, legs, leg, deadline, signer, wrong)
    assert_reverts(chain, call, "ERC20InsufficientAllowance", sender=signer, of=usd)
    call = scene.zap.redeemWithPermit(SHARES, ETH, 0, scene.addresses(), legs, 0, deadline, signer, wrong)
    assert_reverts(chain, call, "ERC20InsufficientAllowance", sender=signer, of=scene.index)
    # WETH answers every call, and so a permit too; it gives nothing by that.
    call = scene.zap.mintWithPermit(SHARES, scene.world.weth, ETHER, legs, 0, deadline, signer, wrong)
    with pytest.raises(AssertionError, match="reverted with"):
        assert_reverts(chain, call, "Late", sender=signer)


# Property


@FUZZ
@given(
    shares=st.integers(1, 2_000 * WAD),
    way=st.sampled_from(WAYS),
    back=st.sampled_from(WAYS),
    venue=st.sampled_from([V2, V3]),
    wait=st.integers(1, 40 * DAY_S),
)
def test_in_and_out_leaves_nothing_and_gains_nothing(
    scene: Scene, shares: int, way: Any, back: Any, venue: Any, wait: int
) -> None:
    """Whatever is minted and redeemed, however it is paid: the zap ends empty, nothing but the stated token moves, and
    who goes in and out at once has no more than before."""
    chain, holder = scene.chain, scene.holder
    (pay, leg), (receive, receive_leg) = way, back
    legs, at = scene.legs(A=venue), chain.now() + wait
    value = 10**5 * ETHER if pay == "ETH" else 0
    before = scene.holds(holder)
    call = scene.mint(shares, pay, value or FOREVER, legs=legs, pay_leg=leg)
    chain.send(call, holder, at=at, value=value)
    scene.assert_clean()
    middle = scene.holds(holder)
    moved = {name for name in before if before[name] != middle[name]} - {"ETH"}
    assert moved == {"shares"} | ({pay} - {"ETH"})
    least = min(chain.read(scene.index.previewRedeem(shares), at=at)[1])
    if least == 0:  # too few shares for a wei of each, which no pool buys
        return
    try:
        chain.send(scene.redeem(shares, receive, legs=legs, receive_leg=receive_leg), holder, at=at)
    except AssertionError:
        assert shares < WAD // 10**4, "only dust may bring so little that a pool refuses it"
        return
    scene.assert_clean()
    after = scene.holds(holder)
    if pay == receive != "ETH":
        assert after[pay] <= before[pay]
    assert after["shares"] == before["shares"]
