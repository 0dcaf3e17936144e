"""Health check, for whoever restarts or replaces the keeper."""

from __future__ import annotations

import json

from keeper.ops.facts import Bounds, Facts
from keeper.ops.server import Response


def ills_of(facts: Facts, bounds: Bounds) -> tuple[str, ...]:
    """The reasons why the keeper is unhealthy, a line each; empty if healthy."""
    found = []
    if not facts.stopping and facts.beat_s >= bounds.stuck_s:
        found.append(f"the loop has shown no sign of life for {int(facts.beat_s)} s")
    elif not facts.stopping and facts.tick_s is not None and facts.tick_s >= bounds.tick_s:
        found.append(f"the loop has ended no step for {int(facts.tick_s)} s")
    found += [f"cannot start: {trouble.text}" for trouble in facts.lasting(bounds) if trouble.kind == "start"]
    for fund in facts.funds:
        if not facts.stopping and fund.silent_s >= bounds.silent_s:
            found.append(f"{fund.name}: no look has succeeded for {int(fund.silent_s)} s")
        if fund.overdue_s >= bounds.overdue_s and fund.view is not None:
            action = fund.view.state.action.name.lower()
            found.append(f"{fund.name}: {action} is due and not done for {fund.overdue_s} s")
    return tuple(found)


def health(facts: Facts, bounds: Bounds) -> Response:
    """200 if healthy, else 503; the JSON body has the reasons and each fund's state."""
    ills = ills_of(facts, bounds)
    body = {
        "ok": not ills,
        "reasons": ills,
        "beat_s": round(facts.beat_s, 3),
        "tick_s": None if facts.tick_s is None else round(facts.tick_s, 3),
        "stopping": facts.stopping,
        "funds": [
            {
                "fund": fund.name,
                "silent_s": round(fund.silent_s, 3),
                "failing": fund.failing,
                "overdue_s": fund.overdue_s,
                **(
                    {}
                    if fund.pulse is None
                    else {
                        "block": fund.pulse.block,
                        "time": fund.pulse.time,
                        "state": fund.pulse.state,
                        "action": fund.pulse.action,
                        "reason": fund.pulse.reason,
                        "next": fund.pulse.next,
                        "possible_from": fund.pulse.possible_from,
                        "acts_from": fund.pulse.acts_from,
                    }
                ),
            }
            for fund in facts.funds
        ],
    }
    return Response(503 if ills else 200, "application/json", (json.dumps(body) + "\n").encode())
