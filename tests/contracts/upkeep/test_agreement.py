"""The upkeep names and does exactly what workable() names in the same block: in every phase, around every change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ballast.units import DAY_S
from tests.contracts.rebalancer.test_workable import MOMENTS, STATES
from tests.contracts.upkeep.scene import PERFORMED, Scene, deploy_upkeep, performing
from tests.helpers.bench import ACTIONS, NOTICE, Bench, build, not_due
from tests.helpers.chain import Chain
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import failure


def agree(scene: Scene, at: int) -> str | None:
    """Compares the upkeep with the rebalancer in a block of that time; the action that is needed."""
    action, reason, _ = scene.bench.due(at)
    needed, data = scene.check(at)
    assert needed == (action in PERFORMED)
    if needed:
        assert data == performing(action, scene.period(action, at))
        scene.bench.chain.read(scene.upkeep.performUpkeep(data), sender=scene.anybody, at=at)
    else:
        assert data == b""
    for other in PERFORMED:
        named = performing(other, scene.period(other, at))
        if other == action:
            continue
        if reason == "Refused":
            # What the rebalancer's own function fails with is passed on as it came.
            plain = failure(scene.bench.chain, scene.plain(other), sender=scene.anybody, at=at)
            assert scene.fails(named, at) == plain
        else:
            scene.refused(named, at, "NotDue", *not_due(other, reason), passed_on=True)
    return action if needed else None


STARTABLE = {None, "Start", "Determine"}
UNSTARTABLE = {None, "Determine"}
NEEDED = {
    "fresh": {"Determine"},
    "determined": STARTABLE,
    "determined_late": STARTABLE,
    "vetoed": UNSTARTABLE,
    "started": {None, "Close"},
    "done": UNSTARTABLE,
    "refusing_to_determine": {None},
    "refusing_targets": UNSTARTABLE,
    "without_prices": UNSTARTABLE,
    "codeless_constituent": UNSTARTABLE,
    "fine_grained_constituent": UNSTARTABLE,
    "the_fund_itself": UNSTARTABLE,
    "too_many_components": STARTABLE,
    "huge_targets": UNSTARTABLE,
}
"""What is needed at one time or another in each state, if nobody acts."""


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_says_what_workable_says(scene: Scene, state: Callable[[Bench], None]) -> None:
    state(scene.bench)
    now = max(scene.bench.chain.now(), NOTICE)
    found = {agree(scene, at) for at in [now, *(moment for moment in MOMENTS if moment >= now)]}
    assert found == NEEDED[state.__name__]


def test_a_pause_holds_it_up(scene: Scene) -> None:
    bench = scene.bench
    bench.determine()
    until = EXECUTION + DAY_S
    bench.chain.send(bench.rebalancer.pauseFor(2 * DAY_S), bench.guardian, at=until - 2 * DAY_S)
    assert [agree(scene, at) for at in (until - 2 * DAY_S, EXECUTION, until - 1, until)] == [None, None, None, "Start"]


def test_nothing_is_needed_before_the_seed(chain: Chain) -> None:
    bench = build(chain, seeded=False)
    scene = Scene(bench, deploy_upkeep(bench, owner=bench.owner), chain.account("anybody"))
    assert bench.due(NOTICE)[1] == "NotSeeded"
    assert agree(scene, NOTICE) is None


def logs_of(receipt: dict[str, object]) -> list[tuple[object, ...]]:
    logs = receipt["logs"]
    assert isinstance(logs, list)
    return [(log["address"], tuple(log["topics"]), log["data"]) for log in logs]


def prepare(scene: Scene, action: str) -> int:
    """Brings the fund to where the action is due; when."""
    if action == "Determine":
        return NOTICE
    scene.bench.determine()
    if action == "Start":
        return EXECUTION
    scene.bench.start()
    return PERIOD_END + 1


@pytest.mark.parametrize("action", PERFORMED)
def test_does_what_the_plain_call_does(scene: Scene, action: str) -> None:
    """Same events, same state, nothing else; whoever performs."""
    chain, bench = scene.bench.chain, scene.bench
    at = prepare(scene, action)
    snapshot = chain.cheats.snapshot()
    plain = logs_of(chain.send(scene.plain(action), bench.keeper, at=at))
    left = [chain.read(view) for view in (bench.rebalancer.month(), bench.rebalancer.progress())]
    chain.cheats.revert(snapshot)
    needed, data = scene.check(at)
    assert needed
    done = logs_of(scene.perform(data, at))
    assert plain and done == plain
    assert [chain.read(view) for view in (bench.rebalancer.month(), bench.rebalancer.progress())] == left
    assert ACTIONS.index(action) == int.from_bytes(data[:32], "big")


def test_what_networks_call(scene: Scene) -> None:
    """The selectors that keeper networks know."""
    assert scene.upkeep.checkUpkeep(b"").data[:4].hex() == "6e04ff0d"
    assert scene.upkeep.performUpkeep(b"").data[:4].hex() == "4585e33b"
    assert scene.bench.chain.read(scene.upkeep.REBALANCER()) == scene.bench.rebalancer.address
    # What was registered as check data changes nothing.
    call = scene.upkeep.checkUpkeep(b"\xff" * 77)
    assert scene.bench.chain.read(call, at=NOTICE) == scene.check(NOTICE)
