"""Lists of freed objects are emptied after each tick, and what a process starts with is left out of that."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest

from keeper.loop import Keeper
from keeper.ops.liveness import Stop
from keeper.ops.memory import steady
from keeper.ops.pulse import Pulse

NOBODY: Any = None


def waste(times: int) -> None:
    """What decoding an answer does: tuples from generators, thrown away."""
    for _ in range(times):
        tuple(number for number in range(7))


def test_freed_tuples_are_given_back() -> None:
    with steady() as tidy:
        before = sys.getallocatedblocks()
        waste(1_000)
        assert sys.getallocatedblocks() - before > 900
        tidy()
        assert sys.getallocatedblocks() - before < 100


def test_what_is_new_is_still_collected() -> None:
    class Ring:
        me: Ring

    with steady() as tidy:
        ring = Ring()
        ring.me = ring
        found = weakref.ref(ring)
        del ring
        assert found() is not None
        tidy()
        assert found() is None


def test_what_is_there_is_left_out_until_the_end() -> None:
    assert gc.get_freeze_count() == 0
    with pytest.raises(KeyError), steady():
        assert gc.get_freeze_count() > len(gc.get_objects())
        raise KeyError
    assert gc.get_freeze_count() == 0


def test_garbage_of_the_start_is_not_kept() -> None:
    class Ring:
        me: Ring

    ring = Ring()
    ring.me = ring
    found = weakref.ref(ring)
    del ring
    with steady():
        assert found() is None


class Wasteful(Keeper):
    """Its ticks look at no chain."""

    def __init__(self, stop: Stop) -> None:
        super().__init__((), NOBODY, NOBODY, stop, poll_seconds=0)
        self.blocks: list[int] = []

    def tick(self) -> tuple[Pulse, ...]:
        self.blocks.append(sys.getallocatedblocks())
        waste(100)
        if len(self.blocks) == 20:
            self._stop.set()
        return ()


def test_a_loop_holds_no_more_after_its_last_tick_than_after_its_first() -> None:
    keeper = Wasteful(Stop())
    keeper.run()
    assert keeper.blocks[-1] - keeper.blocks[1] < 200
