"""What the upkeep costs over the plain calls, as docs/contracts/periphery.md says, and what happens where a network
sends too little gas. On the published fund, whose methodology and oracle ask other contracts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lab.localnet.rpc import receipt_of
from tests.contracts.upkeep.scene import PERFORMED, deploy_upkeep
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import EXECUTION, PERIOD_END, PERIOD_START, Fund

MAX_OVER = {"Determine": 12_100, "Start": 6_900, "Close": 6_900}
"""Gas of performUpkeep over the plain call, unpaid: for determine it asks the calendar once more."""
MAX_SECOND = 54_000
"""Gas of one who performs what has just been done, the 21,000 of any transaction included."""
MAX_NOTHING = 40_000
"""Gas of a check that finds nothing, or a close, as a transaction."""
TIMES = {"Determine": PERIOD_START, "Start": EXECUTION, "Close": PERIOD_END + 1}
SAMPLES = 24


@dataclass(frozen=True)
class Meter:
    """The published fund with its upkeep, and who sends."""

    fund: Fund
    upkeep: Contract
    account: str

    @property
    def chain(self) -> Chain:
        return self.fund.chain

    def plain(self, action: str) -> Call:
        """The rebalancer's own function."""
        call: Call = getattr(self.fund.rebalancer, action.lower())()
        return call

    def data(self) -> bytes:
        """What is needed in the next block."""
        needed, data = self.chain.read(self.upkeep.checkUpkeep(b""), at=self.chain.now() + 1)
        assert needed
        return bytes(data)

    def spent(self, call: Call, gas: int = 25_000_000) -> tuple[bool, int]:
        """Sends it in the next block with this gas limit: whether it succeeded, and the gas that it took."""
        rpc = self.chain.rpc
        rpc.request("evm_setNextBlockTimestamp", self.chain.now() + 1)
        request = {"from": self.account, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(gas)}
        receipt = receipt_of(rpc, rpc.request("eth_sendTransaction", request))
        return int(receipt["status"], 16) == 1, int(receipt["gasUsed"], 16)

    def tried(self, call: Call, gas: int = 25_000_000) -> tuple[bool, int]:
        """As `spent`, and taken back."""
        snapshot = self.chain.cheats.snapshot()
        try:
            return self.spent(call, gas)
        finally:
            self.chain.cheats.revert(snapshot)

    def to(self, action: str) -> None:
        """To the time at which the action is due, with those before it performed."""
        for before, moment in TIMES.items():
            self.fund.move_to(moment)
            if before == action:
                return
            assert self.spent(self.upkeep.performUpkeep(self.data()))[0]


@pytest.fixture(scope="module")
def meter(fund: Fund) -> Meter:
    chain = fund.chain
    upkeep = deploy_upkeep(fund, owner=fund.deployer)
    return Meter(fund, upkeep, chain.account("anybody"))


@pytest.mark.parametrize("action", PERFORMED)
def test_over_the_plain_call(meter: Meter, action: str) -> None:
    meter.to(action)
    data = meter.data()
    succeeded, plain = meter.tried(meter.plain(action))
    assert succeeded
    _, asked = meter.tried(meter.upkeep.checkUpkeep(b""))
    done, performed = meter.spent(meter.upkeep.performUpkeep(data))
    assert done
    assert 0 < performed - plain <= MAX_OVER[action]
    # Asking costs less than doing: nothing is written.
    assert asked < (MAX_NOTHING if action == "Close" else plain)
    again, second = meter.spent(meter.upkeep.performUpkeep(data))
    assert not again
    assert second <= MAX_SECOND
    if action != "Close":
        assert meter.spent(meter.upkeep.checkUpkeep(b""))[1] <= MAX_NOTHING


@pytest.mark.parametrize("action", ["Determine", "Start"])
def test_too_little_gas_does_nothing_by_half(meter: Meter, action: str) -> None:
    """With any gas limit it reverts, or does what it does with plenty."""
    meter.to(action)
    call = meter.upkeep.performUpkeep(meter.data())
    rebalancer = meter.fund.rebalancer
    views = (rebalancer.month(), rebalancer.progress(), rebalancer.opening())

    def left() -> list[object]:
        month, progress, opening = (meter.chain.read(view) for view in views)
        codes = [meter.chain.code(month.determination), meter.chain.code(opening.targets)]
        return [month.phase, month.period, progress.surplus, progress.held, opening.nav, *codes]

    snapshot = meter.chain.cheats.snapshot()
    before = left()
    _, full = meter.spent(call)
    whole = left()
    meter.chain.cheats.revert(snapshot)
    outcomes = set()
    for k in range(1, SAMPLES + 1):
        snapshot = meter.chain.cheats.snapshot()
        succeeded, _ = meter.spent(call, full * 5 // 4 * k // SAMPLES + 30_000)
        assert left() == (whole if succeeded else before)
        outcomes.add(succeeded)
        meter.chain.cheats.revert(snapshot)
    assert outcomes == {True, False}


def test_a_check_with_too_little_gas_says_that_nothing_is_needed(meter: Meter) -> None:
    """The dry run inside runs out, which the rebalancer takes for a refusal: a network's limit must be high enough."""
    meter.to("Start")
    call = meter.upkeep.checkUpkeep(b"")
    needed = {}
    for gas in (70_000, 150_000, 2_000_000):
        request = {"to": call.to, "data": "0x" + call.data.hex(), "gas": hex(gas)}
        answer = meter.chain.rpc.request("eth_call", request, "latest")
        needed[gas] = call.decode(bytes.fromhex(answer[2:])).upkeepNeeded
    assert needed == {70_000: False, 150_000: False, 2_000_000: True}
