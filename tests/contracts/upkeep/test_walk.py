"""Months at random, carried by performUpkeep alone: what checkUpkeep names never reverts, and no data works twice."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ballast.units import DAY_S
from tests.contracts.upkeep.scene import PERFORMED, Scene, performing
from tests.helpers.bench import ACTIONS, HELD, NOTICE
from tests.helpers.chain import RevertedError
from tests.helpers.contracts import Call
from tests.helpers.filling import UNSHRUNK, batch, trade

OTHERS = (
    "veto",
    "owner's veto",
    "pause",
    "unpause",
    "end",
    "owner's end",
    "suspend",
    "resume",
    "refuse",
    "accept",
    "trade",
)
"""What else happens to the fund."""


@dataclass
class Walk:
    """A fund whose time only goes forward. `used`: data that has been performed, in order."""

    scene: Scene
    at: int = NOTICE
    used: list[bytes] = field(default_factory=list)

    def other(self, name: str) -> None:
        """Something that is not the upkeep's; nothing, where the fund refuses it."""
        bench = self.scene.bench
        if name == "trade":
            if bench.due(self.at)[0] == "Trade" and bench.fund(self.at).capacity:
                sells, pays = batch(bench, self.at)
                if any(sells.values()):
                    trade(bench, sells, pays, self.at)
            return
        calls: dict[str, tuple[Call, str]] = {
            "veto": (bench.rebalancer.veto(), bench.guardian),
            "owner's veto": (bench.rebalancer.veto(), bench.owner),
            "pause": (bench.rebalancer.pauseFor(2 * DAY_S), bench.guardian),
            "unpause": (bench.rebalancer.unpause(), bench.guardian),
            "end": (bench.rebalancer.endMonth(), bench.guardian),
            "owner's end": (bench.rebalancer.endMonth(), bench.owner),
            "suspend": (bench.rebalancer.suspend(bench.tokens[HELD]), bench.guardian),
            "resume": (bench.rebalancer.resume(bench.tokens[HELD]), bench.owner),
            "refuse": (bench.methodology.refuse(True, True), bench.keeper),
            "accept": (bench.methodology.refuse(False, False), bench.keeper),
        }
        call, sender = calls[name]
        with contextlib.suppress(RevertedError):  # where the phase does not allow it
            bench.chain.send(call, sender, at=self.at)

    def look(self) -> None:
        """All that a network could do now, and then what is needed."""
        scene = self.scene
        action, _, _ = scene.bench.due(self.at)
        needed, data = scene.check(self.at)
        assert needed == (action in PERFORMED)
        for old in self.used:
            if old != data:
                scene.fails(old, self.at)
        if not needed:
            return
        assert data == performing(action, scene.period(action, self.at))
        assert data not in self.used
        before = scene.bench.chain.read(scene.bench.rebalancer.month())
        scene.perform(data, self.at)
        assert scene.bench.chain.read(scene.bench.rebalancer.month()) != before
        scene.fails(data, self.at)
        self.used.append(data)


def test_any_months(scene: Scene) -> None:
    performed: set[str] = set()

    @settings(max_examples=12, deadline=None, phases=UNSHRUNK)
    @given(
        steps=st.lists(
            st.tuples(st.integers(1, 9 * DAY_S), st.none() | st.sampled_from(OTHERS)), min_size=10, max_size=25
        )
    )
    @example(steps=[(1, None), (8 * DAY_S, None), (9 * DAY_S, None), (9 * DAY_S, "pause"), (9 * DAY_S, None)])
    def check(steps: list[tuple[int, str | None]]) -> None:
        snapshot = scene.bench.chain.cheats.snapshot()
        walk = Walk(scene)
        try:
            for passing, other in steps:
                walk.at += passing
                if other is not None:
                    walk.other(other)
                walk.look()
                # What has been done is followed at once by what is due after it, if anything.
                walk.look()
        finally:
            scene.bench.chain.cheats.revert(snapshot)
        performed.update(ACTIONS[int.from_bytes(data[:32], "big")] for data in walk.used)

    check()
    assert performed == set(PERFORMED)
