"""A standby sends nothing while the first keeper works, and carries on within its turn where that is gone or hangs."""

from __future__ import annotations

import signal
from pathlib import Path

from keeper.state import Phase
from tests.keeper.deployed_fund import PERIOD, Field, journal_rows
from tests.keeper.pair import TURN, Pair, pair


def batches(field: Field) -> int:
    return len(field.events("Traded"))


def check_done_once(both: Pair, before: tuple[int, int]) -> None:
    """The month is done, each step was made once, and every transaction of either stands in its journal."""
    field = both.field
    assert field.state().phase is Phase.IDLE
    for name in ("Determined", "Started", "Closed"):
        assert [event["args"]["period"] for event in field.events(name)].count(PERIOD) == 1
    for keeper, sent, first in zip((both.first, both.standby), both.nonces(), before, strict=True):
        rows = [row for row in journal_rows(keeper.folder) if row["mined_block"] is not None]
        assert [row["nonce"] for row in rows] == list(range(first, sent))


def check_taken_over_in_time(both: Pair, name: str, since: int) -> None:
    """Everything after block `since` was done by the standby, in the block after one in which its turn had come."""
    done = [(block, author) for block, author in both.authors(name) if block > since]
    assert done and {author for _, author in done} == {both.addresses[1]}
    # It looks at the block from which it acts, and what it sends is in the next.
    assert {block - 1 for block, _ in done} <= both.turns


def test_takes_over_from_a_keeper_that_is_killed(field: Field, tmp_path: Path) -> None:
    with pair(field, tmp_path) as both:
        before = both.nonces()
        field.to_determination()
        both.until(lambda: field.state().phase is Phase.DETERMINED)
        field.to_execution()
        both.until(lambda: batches(field) >= 2)
        # While the first keeper works the other one sends nothing.
        assert both.nonces()[1] == before[1]
        assert journal_rows(both.standby.folder) == []

        both.first.kill()
        killed_at = field.w3.eth.block_number
        both.working, both.turns = [both.standby], set()
        both.until(lambda: field.state().phase is Phase.IDLE)
        check_taken_over_in_time(both, "Traded", killed_at)
        check_done_once(both, before)
        assert "taking over" in (both.standby.folder / "keeper.log").read_text()


def test_takes_over_from_a_keeper_that_hangs_and_gives_back(field: Field, tmp_path: Path) -> None:
    with pair(field, tmp_path) as both:
        before = both.nonces()
        both.first.process.send_signal(signal.SIGSTOP)
        both.working = [both.standby]
        field.to_determination()
        due = field.w3.eth.block_number
        both.until(lambda: field.state().phase is Phase.DETERMINED)
        ((determined, author),) = [entry for entry in both.authors("Determined") if entry[0] > due]
        assert (determined, author) == (due + TURN + 1, both.addresses[1])
        field.to_execution()
        both.until(lambda: batches(field) >= 1)
        sent = both.nonces()
        assert (sent[0], sent[1]) == (before[0], before[1] + 3)

        # It goes on where the chain stands now, and the standby leaves the rest to it.
        both.first.process.send_signal(signal.SIGCONT)
        both.working = [both.first, both.standby]
        both.until(lambda: field.state().phase is Phase.IDLE)
        assert both.nonces()[1] == sent[1]
        assert both.nonces()[0] > sent[0]
        check_done_once(both, before)
