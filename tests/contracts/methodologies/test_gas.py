"""The largest fund that the contracts allow, with everything burning what it is given: what it costs a methodology.

A transaction may use 2^24 gas (EIP-7825). docs/contracts/market-cap.md adds up what a determination and a start take.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ballast.rule.methodology import Cap, Decision, Flag, Status
from ballast.units import WAD
from tests.contracts.methodologies.scene import PLAIN, Scene, as_tuples, as_words, confirmed_by, decisions, rule_tuple
from tests.contracts.methodologies.test_errors import more_tokens
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract

LIMIT = 2**24
"""Most gas of a transaction."""
REST = 250_000
"""What the rebalancer does beside that, with the transaction itself."""
MOST = 50
"""Candidates, and components that are none."""
FEED_GAS = 50_000
BALANCE_GAS = 60_000
SOURCE_GAS = 80_000
WORST = replace(PLAIN, cap=Cap.FLEXIBLE, cap_weight=WAD // MOST, cap_passes=10, top_n=MOST - 1)


@dataclass(frozen=True)
class Hot:
    """A rule of 50 candidates, an oracle, and a stage that holds 50 other tokens."""

    chain: Chain
    scene: Scene
    owner: str
    rule: Contract
    oracle: Contract
    last: list[Decision]

    def gas(self, call: Call) -> int:
        """Gas of a call, without what its transaction costs."""
        given = sum(16 if byte else 4 for byte in call.data)
        return int(self.chain.send(call, self.owner)["gasUsed"], 16) - 21_000 - given

    def determined(self) -> list[Decision]:
        found = decisions(self.chain.read(self.rule.determine(self.oracle, self.scene.stage, as_tuples(self.last))))
        assert not isinstance(found, str)
        return found


@pytest.fixture(scope="module")
def hot(scene: Scene, chain: Chain, owner: str) -> Hot:
    furnace = chain.deploy("Furnace", sender=owner)
    oracle = chain.deploy("HotOracle", FEED_GAS, sender=owner)
    tokens = more_tokens(chain, 2 * MOST)
    code = chain.code(furnace.address)
    for token in tokens:
        chain.cheats.set_code(token, code)
    # Each held one between two candidates.
    listed, held = tokens[::2], tokens[1::2]
    rows = [(token, furnace, 0, 10**9) for token in listed]
    rule = chain.deploy("MarketCap", owner, rule_tuple(WORST), rows, sender=owner)
    chain.send(scene.stage.setHoldings([(token, 18, 0, False) for token in held], [0] * MOST, 10**24), owner)
    last = [Decision(token, 10**9 - 1, Status.INCLUDED, Flag(0), WAD, 0) for token in listed]
    return Hot(chain, scene, owner, rule, oracle, last)


def test_the_largest_determination(hot: Hot) -> None:
    """All that is asked gets what it is given, and the methodology's own work is small beside it."""
    found = hot.determined()
    assert len(found) == 2 * MOST
    assert [d.status for d in found].count(Status.INCLUDED) == MOST - 1
    burnt = 2 * MOST * FEED_GAS + MOST * BALANCE_GAS + MOST * SOURCE_GAS
    gas = hot.gas(hot.rule.determine(hot.oracle, hot.scene.stage, as_tuples(hot.last)))
    assert 0 < gas - burnt < 1_300_000
    # With the opener around it, and what the rebalancer stores and tells of it: two words of code, an event's eight.
    opener = hot.chain.deploy("Opener", sender=hot.owner)
    whole = hot.gas(opener.constituents(hot.scene.stage, hot.oracle, hot.rule, "0x" + "00" * 20, False))
    stored, told = 200 * 64 * len(found), 8 * 256 * len(found)
    assert whole + stored + told + REST < LIMIT * 95 // 100


def test_the_largest_confirmation(hot: Hot) -> None:
    found = hot.determined()
    confirm = hot.rule.confirm(as_words(found))
    assert len(confirmed_by(found, hot.chain.read(confirm))) == 2 * MOST
    assert 0 < hot.gas(confirm) - MOST * SOURCE_GAS < 200_000


def test_the_largest_targets(hot: Hot) -> None:
    """Each pass caps a few more: all ten are made."""
    basis = [10**14 * 3**i // 5**i for i in range(MOST)]
    weigh = hot.rule.targetUnits(basis, [10**18] * MOST, [WAD] * MOST, [WAD] * MOST)
    assert hot.gas(weigh) < 500_000
