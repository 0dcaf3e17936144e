"""A pool of V3 that is none: other code at its address, which hands the zap back what nobody gave it.

No exchange that a zap is deployed with has such pools; the zap does not rest on that alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ballast.units import ETHER, WAD
from tests.contracts.zap.scene import IN_KIND, V3, Scene
from tests.helpers.contracts import Call
from tests.helpers.reverts import assert_reverts

SHARES = 7 * WAD
REDEEMED = b"\x03"
"""What is paid by redeeming, see `Zap.Payment`."""


def answering(data: bytes) -> bytes:
    """Code that calls its caller with `data`, fails as that call does, and returns two words."""
    # CODECOPY(0, 43, size); CALL(gas, caller, 0, 0, size, 0, 0)
    size = len(data).to_bytes(2)
    copy = b"\x61" + size + b"\x60\x2b\x60\x00\x39"
    call = b"\x60\x00\x60\x00\x61" + size + b"\x60\x00\x60\x00\x33\x5a\xf1"
    # ISZERO; JUMPI to the end; RETURN(0, 64). There: REVERT with what came back.
    code = copy + call + b"\x15\x60\x20\x57\x60\x40\x60\x00\xf3"
    code = code.ljust(32, b"\x00") + b"\x5b\x3d\x60\x00\x60\x00\x3e\x3d\x60\x00\xfd"
    return code + data


@pytest.fixture
def legs(scene: Scene) -> Iterator[bytes]:
    """One sale in V3, that of C. Afterwards its pool is itself again."""
    snapshot = scene.chain.cheats.snapshot()
    yield scene.legs(D=(IN_KIND, 0))
    scene.chain.cheats.revert(snapshot)


def hand_back(scene: Scene, data: bytes) -> str:
    """Puts a false pool in place of C's: it calls the zap back with `data`. Its address."""
    pool = scene.pool("C", V3).address
    scene.chain.cheats.set_code(pool, answering(scene.zap.uniswapV3SwapCallback(1, -1, data).data))
    return pool


def redemption(scene: Scene, to: str, shares: int = SHARES) -> Call:
    n = len(scene.listed())
    return scene.index.redeemTo(shares, scene.holder, scene.addresses(), [0] * n, [to] * n, 0)


def as_data(call: Call) -> bytes:
    return REDEEMED + len(call.data).to_bytes(2) + call.data


def test_the_call_that_the_zap_made_itself_is_made(scene: Scene, legs: bytes) -> None:
    """Handed back as it was, the redemption goes through; then the swap gives nothing. So the others get that far."""
    recipients = []
    for name in scene.listed():
        pooled = {"A": "A", "B": "B", "C": "C", "E": "E", "USD": "USD"}.get(name)
        leg = {"B": (2, 0), "C": V3}.get(name, (1, 0))
        recipients.append(scene.pool(name, leg).address if pooled else scene.zap.address)
        if name == "D":
            recipients[-1] = scene.holder
    n = len(recipients)
    call = scene.index.redeemTo(SHARES, scene.holder, scene.addresses(), [0] * n, recipients, 0)
    hand_back(scene, as_data(call))
    assert_reverts(scene.chain, scene.redeem(SHARES, "ETH", legs=legs), "NotFilled", sender=scene.holder)


@pytest.mark.parametrize("what", ["other recipients", "more shares", "the shares themselves"])
def test_no_other_call_is_made_in_the_holder_s_name(scene: Scene, legs: bytes, stranger: str, what: str) -> None:
    """The zap may spend the holder's shares: whoever chose its call of the fund would have them."""
    call = {
        "other recipients": redemption(scene, stranger),
        "more shares": redemption(scene, stranger, scene.shares(scene.holder)),
        "the shares themselves": scene.index.transferFrom(scene.holder, stranger, SHARES),
    }[what]
    pool = hand_back(scene, as_data(call))
    assert_reverts(scene.chain, scene.redeem(SHARES, "ETH", legs=legs), "NotThePool", pool, sender=scene.holder)


def test_a_mint_redeems_nothing(scene: Scene, legs: bytes, stranger: str) -> None:
    pool = hand_back(scene, as_data(redemption(scene, stranger)))
    mint = scene.mint(WAD, "ETH", ETHER, legs=scene.legs())
    assert_reverts(scene.chain, mint, "NotThePool", pool, sender=scene.holder, value=ETHER)
