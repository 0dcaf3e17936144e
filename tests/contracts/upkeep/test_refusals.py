"""What performUpkeep refuses: the second performer, other periods, trades, and data that is none."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.abi import selector
from tests.contracts.upkeep.scene import PERFORMED, TERMS, Scene, performing
from tests.helpers.bench import ACTIONS, NOTICE, PERIOD, not_due
from tests.helpers.filling import batch, order, step
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts


def test_the_second_performer(scene: Scene) -> None:
    """What two were told in the same block is done by the first; the second reverts, in the same block or later."""
    chain = scene.bench.chain
    for at, reason in ((NOTICE, "NotYet"), (EXECUTION, "Due")):
        needed, data = scene.check(at)
        assert needed
        scene.perform(data, at)
        action = ACTIONS[int.from_bytes(data[:32], "big")]
        for later in (at, at + 60):
            scene.refused(data, later, "NotDue", *not_due(action, reason), passed_on=True)
    late = PERIOD_END + 1
    needed, data = scene.check(late)
    assert (needed, data) == (True, performing("Close", PERIOD))
    scene.perform(data, late)
    scene.refused(data, late, "NotDue", *not_due("Close", "Due"), passed_on=True)
    assert scene.check(late) == (True, performing("Determine", PERIOD + 1))
    assert chain.read(scene.bench.rebalancer.month()).phase == 0


def test_another_period(scene: Scene) -> None:
    """Data that waited for a month, or names one that has not come, does nothing, though the action is due."""
    for offset in (-1, 1, 2**128):
        named = performing("Determine", PERIOD + offset)
        scene.refused(named, NOTICE, "OtherPeriod", ACTIONS.index("Determine"), PERIOD + offset, PERIOD)
    of_april = scene.check(NOTICE)[1]
    scene.refused(of_april, PERIOD_END + 1, "OtherPeriod", ACTIONS.index("Determine"), PERIOD, PERIOD + 1)
    scene.perform(of_april, NOTICE)
    for offset in (-1, 1):
        named = performing("Start", PERIOD + offset)
        scene.refused(named, EXECUTION, "OtherPeriod", ACTIONS.index("Start"), PERIOD + offset, PERIOD)
    scene.perform(performing("Start", PERIOD), EXECUTION)
    named = performing("Close", PERIOD + 1)
    scene.refused(named, PERIOD_END + 1, "OtherPeriod", ACTIONS.index("Close"), PERIOD + 1, PERIOD)


def test_a_close_of_the_month_before(scene: Scene) -> None:
    """Sent for April and mined when May has run out too: it is not May's."""
    of_april = performing("Close", PERIOD)
    scene.bench.open()
    may = PERIOD_END + 1
    scene.perform(of_april, may)
    scene.perform(performing("Determine", PERIOD + 1), may)
    scene.perform(performing("Start", PERIOD + 1), 1620000000)
    end = scene.bench.chain.read(scene.bench.rebalancer.opening()).end
    assert scene.check(end + 1) == (True, performing("Close", PERIOD + 1))
    scene.refused(of_april, end + 1, "OtherPeriod", ACTIONS.index("Close"), PERIOD, PERIOD + 1)


def test_a_new_methodology_makes_determine_due_again(scene: Scene) -> None:
    """Its determination is void: the same data is what is needed once more."""
    bench = scene.bench
    data = scene.check(NOTICE)[1]
    scene.perform(data, NOTICE)
    bench.chain.send(bench.rebalancer.setMethodology(bench.methodology), bench.owner, at=NOTICE + 1)
    assert scene.check(NOTICE + 2) == (True, data)
    scene.perform(data, NOTICE + 2)


def test_never_a_trade(scene: Scene) -> None:
    """A trade that is due is neither named nor done."""
    scene.bench.open()
    at = EXECUTION + 1_800
    assert scene.bench.due(at)[:2] == ("Trade", "Due")
    assert scene.check(at) == (False, b"")
    before = scene.bench.holdings()
    for action in ("Trade", "None"):
        data = performing(action, PERIOD)
        scene.refused(data, at, "UnfitPerformData", data)
    assert scene.bench.holdings() == before


@pytest.mark.parametrize("length", [0, 32, 64, 95, 97, 128])
def test_data_of_another_length(scene: Scene, length: int) -> None:
    data = (performing("Determine", PERIOD) + bytes(64))[:length]
    scene.refused(data, NOTICE, "UnfitPerformData", data)


@pytest.mark.parametrize("word", [0, 3, 5, 255, 256 + 1, 2**255 + 1, 2**256 - 1])
def test_words_that_are_no_action(scene: Scene, word: int) -> None:
    data = encode(["uint256"] * 3, [word, PERIOD, 0])
    scene.refused(data, NOTICE, "UnfitPerformData", data)


def test_any_data_but_the_right_one(scene: Scene) -> None:
    """Of all bytes only those that checkUpkeep answers do anything."""
    right = scene.check(NOTICE)[1]
    known = {selector(e) for e in (*scene.upkeep.abi, *scene.bench.rebalancer.abi) if e["type"] == "error"}
    words = st.integers(0, 6) | st.integers(PERIOD - 2, PERIOD + 2) | st.integers(0, 2**256 - 1)
    triples = st.tuples(words, words, words | st.just(0)).map(lambda triple: encode(["uint256"] * 3, triple))

    @settings(max_examples=150, deadline=None)
    @given(data=triples | st.binary(max_size=110))
    def check(data: bytes) -> None:
        if data[:64] == right[:64] and len(data) == 96 and not any(data[64:76]):
            scene.bench.chain.read(scene.upkeep.performUpkeep(data), sender=scene.anybody, at=NOTICE)
        else:
            assert scene.fails(data, NOTICE)[:4] in known

    check()


def test_inside_a_batch(scene: Scene) -> None:
    """A filler that asks and performs meets the fund's lock."""
    bench = scene.bench
    bench.open()
    at = EXECUTION + 1_800
    sells, pays = batch(bench, at)
    calls = [scene.upkeep.checkUpkeep(b"")]
    calls += [scene.upkeep.performUpkeep(performing(action, PERIOD)) for action in PERFORMED]
    steps = [step(call, tolerated=True) for call in calls]
    receipt = bench.chain.send(bench.rebalancer.trade(order(bench, sells, pays, steps=steps)), bench.keeper, at=at)
    asked, *performed = bench.filler.events(receipt, "Tried")
    assert scene.upkeep.checkUpkeep(b"").decode(asked.answer) == (False, b"")
    locked = next(selector(e) for e in bench.index.abi if e["type"] == "error" and e["name"] == "Locked")
    assert [tried.succeeded for tried in performed] == [False] * 3
    assert [tried.answer for tried in performed] == [locked] * 3


def test_it_stands_before_a_contract(scene: Scene) -> None:
    artifact = scene.bench.chain.artifact("Upkeep")
    call = artifact.create(scene.anybody, scene.bench.owner, TERMS)
    assert_reverts(scene.bench.chain, call, "NotContract", scene.anybody, sender=scene.anybody)
