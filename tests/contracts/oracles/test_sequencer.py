"""Rollups: no prices while the sequencer is down, nor until feeds had time to report after it is back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi import encode

from ballast.units import DAY_S, WAD
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.contracts.flow.carrying import TRADING, Carrier
from tests.contracts.oracles.scene import A, B, Bench, C, D
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import ETH, IN_ETH, PEGGED, Setup, deploy_fund
from tests.helpers.reverts import assert_reverts

GRACE = 3_600
UP, DOWN = 0, 1
ROUND = ["uint256", "int256", "uint256", "uint256", "uint256"]
BYTES, REVERTING, BURNING = 0, 1, 2


@dataclass(frozen=True)
class Rollup(Bench):
    """The same oracle behind a sequencer's feed, which has said "up" for long."""

    sequencer: Contract

    def say(self, status: int, since: int) -> None:
        """The sequencer's feed reports, without moving the time. `since`: seconds ago."""
        now = self.chain.now()
        self.chain.send(self.sequencer.post(status, now - since), self.owner, at=now)

    def prices(self, later: int = 0) -> list[int]:
        tokens = [ETH, A, B, C, D]
        read = self.oracle.prices(tokens)
        found = list(self.chain.read(read, at=self.chain.now() + later))
        at = self.chain.now() + later
        assert found == [self.price(token, later) for token in tokens]
        assert found == list(self.chain.read(self.oracle.tradePrices(tokens, 2), at=at))
        return found


@pytest.fixture
def rollup(bench: Bench) -> Rollup:
    sequencer = bench.chain.deploy("ReferenceFeed", sender=bench.owner)
    bench.chain.send(sequencer.init("L2 Sequencer Uptime Status Feed", 0), bench.owner)
    bench.post(sequencer, UP, age=10 * DAY_S)
    age = 8 * DAY_S
    rows: list[Any] = [(token, feed, age, 0, 0, 0, 0) for token, feed in ((ETH, bench.eth), (A, bench.a), (B, bench.b))]
    rows += [(C, bench.c, age, IN_ETH, 0, 0, 0), (D, A, 0, PEGGED, WAD, 0, 0)]
    oracle = bench.chain.deploy("ChainlinkOracle", bench.owner, bench.flag, sequencer, GRACE, rows, sender=bench.owner)
    return Rollup(**{**bench.__dict__, "oracle": oracle}, sequencer=sequencer)


def test_prices_while_it_is_up(rollup: Rollup) -> None:
    assert all(rollup.prices())
    read = rollup.chain.read
    assert (read(rollup.oracle.SEQUENCER()), read(rollup.oracle.GRACE())) == (rollup.sequencer.address, GRACE)


def test_no_price_at_all_while_it_is_down(rollup: Rollup) -> None:
    for since in (0, GRACE, 3 * DAY_S):
        rollup.say(DOWN, since)
        assert rollup.prices() == [0] * 5


def test_no_price_until_the_grace_period_is_over(rollup: Rollup) -> None:
    rollup.say(DOWN, 6 * 3_600)
    rollup.say(UP, 0)
    assert rollup.prices() == [0] * 5
    assert rollup.prices(later=GRACE - 1) == [0] * 5
    assert all(rollup.prices(later=GRACE))


UNSOUND = {
    "no answer": (REVERTING, b""),
    "all gas gone": (BURNING, b""),
    "nothing": (BYTES, b""),
    "a byte short": (BYTES, encode(ROUND, [1, UP, 1, 1, 1])[:-1]),
    "never begun": (BYTES, encode(ROUND, [1, UP, 0, 1, 1])),
    "up at the end of time": (BYTES, encode(ROUND, [1, UP, 2**256 - 1, 1, 1])),
    "up tomorrow": (BYTES, encode(ROUND, [1, UP, 2 * 10**9, 1, 1])),
    "neither up nor down": (BYTES, encode(ROUND, [1, 2, 1, 1, 1])),
    "less than up": (BYTES, encode(ROUND, [1, -1, 1, 1, 1])),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_answer_is_no_price_and_no_revert(rollup: Rollup, name: str) -> None:
    chain, (mode, data) = rollup.chain, UNSOUND[name]
    odd = chain.deploy("OddFeed", sender=rollup.owner)
    chain.send(odd.post(0, BYTES, encode(ROUND, [1, UP, 1, 1, 1])), rollup.owner)
    chain.cheats.set_code(rollup.sequencer.address, chain.code(odd.address))
    odd = chain.at("OddFeed", rollup.sequencer.address)
    now = chain.now()
    chain.send(odd.post(0, BYTES, encode(ROUND, [1, UP, 1, 1, 1])), rollup.owner, at=now)
    assert all(rollup.prices())
    chain.send(odd.post(0, mode, data), rollup.owner, at=now)
    assert rollup.prices() == [0] * 5
    # It could not be listed either, but for one that is only down.
    create = chain.artifact("ChainlinkOracle").create(rollup.owner, rollup.flag, odd, GRACE, [])
    assert_reverts(chain, create, "UnfitSequencer", odd, sender=rollup.owner)


def test_a_sequencer_without_code(rollup: Rollup, stranger: str) -> None:
    rollup.chain.cheats.set_code(rollup.sequencer.address, b"")
    assert rollup.prices() == [0] * 5
    create = rollup.chain.artifact("ChainlinkOracle").create(rollup.owner, rollup.flag, stranger, GRACE, [])
    assert_reverts(rollup.chain, create, "UnfitSequencer", stranger, sender=rollup.owner)


def test_one_that_is_down_may_be_listed(rollup: Rollup) -> None:
    rollup.say(DOWN, 60)
    parts = rollup.owner, rollup.flag, rollup.sequencer
    row = (A, rollup.a, DAY_S, 0, 0, WAD, 100 * WAD)
    oracle = rollup.chain.deploy("ChainlinkOracle", *parts, GRACE, [row], sender=rollup.owner)
    assert rollup.chain.read(oracle.price(A)) == 0


def test_bounds_of_the_grace_period(rollup: Rollup) -> None:
    create = rollup.chain.artifact("ChainlinkOracle").create
    for sequencer, grace in ((ETH, 1), (rollup.sequencer, 0), (rollup.sequencer, DAY_S + 1)):
        call = create(rollup.owner, rollup.flag, sequencer, grace, [])
        assert_reverts(rollup.chain, call, "GraceOutOfBounds", grace, sender=rollup.owner)
    for grace in (1, DAY_S):
        rollup.chain.deploy(
            "ChainlinkOracle", rollup.owner, rollup.flag, rollup.sequencer, grace, [], sender=rollup.owner
        )


def test_no_feed_is_replaced_meanwhile(rollup: Rollup) -> None:
    """Without prices any feed would agree with the old one."""
    far = rollup.feed(8, 7 * 10**8)
    for status, since in ((DOWN, DAY_S), (UP, GRACE - 60)):
        rollup.say(status, since)
        for call in (rollup.set(A, far), rollup.oracle.correctFeed(rollup.row(A, far, (WAD, 10 * WAD)))):
            assert_reverts(rollup.chain, call, "SequencerDown", sender=rollup.owner)
    rollup.say(UP, GRACE)
    assert_reverts(rollup.chain, rollup.set(A, far), "FeedsDisagree", sender=rollup.owner)


def test_no_batch_at_prices_from_before_an_outage(chain: Chain, world: World, month: Month) -> None:
    """Six hours down in an open month. The feeds' answers from before it are young enough to count, and whoever comes
    first when it is back would trade at them: there is no price until feeds have had an hour."""
    owner = chain.account("sequencer")
    sequencer = chain.deploy("ReferenceFeed", sender=owner)
    chain.send(sequencer.post(UP, 1), owner)
    carrier = Carrier(deploy_fund(chain, world, month, Setup(fee=0, sequencer=(sequencer.address, GRACE))))
    carrier.to_determination()
    carrier.determine()
    carrier.to_start()
    carrier.start()
    down, back = chain.now(), chain.now() + 6 * 3_600
    chain.move_to(back)
    # The feeds are young enough to count, for 25 hours.
    assert all(carrier.fund.chain.read(carrier.fund.oracle.prices(carrier.fund.tokens())))
    call = carrier.trade_call(carrier.state(), *carrier.fair(carrier.state()))
    chain.read(call, sender=carrier.keeper)  # it would go through
    chain.send(sequencer.post(DOWN, down), owner, at=back)
    chain.send(sequencer.post(UP, back), owner, at=back)
    for later in (1, GRACE - 1):
        assert_reverts(chain, call, "NoPrice", sender=carrier.keeper, at=back + later)
    assert carrier.month().phase == TRADING
    chain.move_to(back + GRACE)
    carrier.post()
    carrier.trade()
