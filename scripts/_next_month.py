"""Shows what calls of the timelock would do to the next determination, computed by the chain with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ballast.rule import packed
from ballast.rule.methodology import Decision, Status
from ballast.steering.operations import TimelockCall
from ballast.steering.refusals import refusal
from ballast.values import percent
from keeper.look import contracts
from keeper.look.rehearsal import CallOutcome
from scripts._govern import Steering


def tell_next_month(steering: Steering, calls: Sequence[TimelockCall]) -> None:
    """Prints how the calls would change the determination, if it were made at the latest block."""
    data = contracts.call_data("Rebalancer", "previewDetermine")
    view = TimelockCall(steering.on.book["rebalancer"], 0, bytes.fromhex(data.removeprefix("0x")))
    without, with_ = steering.rehearse((), [view]), steering.rehearse(calls, [view])
    if without is None or with_ is None or not without.views or not with_.views:
        steering.say("the next determination: not computed, as the node lacks eth_simulateV1")
        return
    before, after = (_decisions(steering, found.views[0]) for found in (without, with_))
    if before == after:
        steering.say("the next determination stays the same")
        return
    steering.say("the next determination, if it were made now:")
    for what in (before, after):
        if isinstance(what, str):
            steering.say(f"  {'without' if what is before else 'with'} the change: {what}")
    if isinstance(before, str) or isinstance(after, str):
        return
    told = False
    for token in sorted({*before, *after}, key=lambda each: int(each, 16)):
        old, new = _shown(before.get(token)), _shown(after.get(token))
        if old != new:
            steering.say(f"  {steering.context.symbol(token)}: {old} -> {new}")
            told = True
    if not told:
        steering.say("  no weight changes by as much as 0.01 %")


def _decisions(steering: Steering, outcome: CallOutcome) -> dict[str, tuple[Status, int]] | str:
    """Status and weight by token; or, if the rule refuses, why."""
    if not outcome.success:
        what, _ = refusal(steering.context, outcome.data)
        return what
    (rows,) = contracts.returned("Rebalancer", "previewDetermine", "0x" + outcome.data.hex())
    found: list[Decision] = [packed.decision(row._asdict()) for row in rows]
    return {one.token: (one.status, one.weight) for one in found}


def _shown(row: Any) -> str:
    if row is None:
        return "no candidate"
    status, weight = row
    return percent(weight) if status is Status.INCLUDED else status.name.lower()
