"""workable() says exactly what succeeds: in every phase, around every moment at which something changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi import decode

from ballast.units import DAY_S, WAD
from tests.helpers.bench import ACTIONS, NOTICE, REASONS, Bench, constituent, not_due
from tests.helpers.filling import batch, order, step
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts, failure

NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
MOMENTS = sorted(
    moment + offset
    for moment in (
        NOTICE + 2 * DAY_S,
        EXECUTION,
        EXECUTION + 3 * DAY_S,
        PERIOD_END + 1 - 2 * DAY_S,
        PERIOD_END + 1,
        NEXT_EXECUTION,
    )
    for offset in (-1, 0, 1)
)


def determined(bench: Bench) -> None:
    bench.determine()


def determined_late(bench: Bench) -> None:
    bench.determine(EXECUTION + DAY_S)


def vetoed(bench: Bench) -> None:
    bench.determine()
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NOTICE)


def started(bench: Bench) -> None:
    bench.open()


def done(bench: Bench) -> None:
    bench.post_targets({i: unit * WAD // 10**21 for i, unit in enumerate(bench.holdings()) if unit})
    bench.open()
    assert not bench.chain.read(bench.rebalancer.trading())


def fresh(bench: Bench) -> None:
    """Nothing has happened yet."""


def refusing_to_determine(bench: Bench) -> None:
    bench.chain.send(bench.methodology.refuse(True, False), bench.keeper, at=NOTICE)


def refusing_targets(bench: Bench) -> None:
    bench.determine()
    bench.chain.send(bench.methodology.refuse(False, True), bench.keeper, at=NOTICE)


def without_prices(bench: Bench) -> None:
    bench.determine()
    bench.post_prices([0] * len(bench.tokens))


def codeless_constituent(bench: Bench) -> None:
    bench.chain.send(bench.methodology.post([constituent(bench.keeper, 1)]), bench.keeper, at=NOTICE)
    bench.determine()


def fine_grained_constituent(bench: Bench) -> None:
    """A token with more decimals than a list takes."""
    token = bench.chain.deploy("ReferenceToken", sender=bench.deployer)
    bench.chain.send(token.init("Fine", "FINE", 28), bench.deployer)
    bench.chain.send(bench.oracle.post([token], [WAD]), bench.keeper)
    bench.chain.send(bench.methodology.post([constituent(token, WAD)]), bench.keeper)
    bench.determine()


def the_fund_itself(bench: Bench) -> None:
    bench.chain.send(bench.oracle.post([bench.index], [WAD]), bench.keeper)
    bench.chain.send(bench.methodology.post([constituent(bench.index, WAD)]), bench.keeper)
    bench.determine()


def too_many_components(bench: Bench) -> None:
    """50 constituents, of which none is held: as many as there is room for are started with."""
    post_newcomers(bench, 50, WAD)
    bench.determine()


def post_newcomers(bench: Bench, count: int, basis: int) -> None:
    """Constituents that are not held, priced at 1 USD."""
    made = [bench.chain.deploy("ReferenceToken", sender=bench.deployer) for _ in range(count)]
    for token in made:
        bench.chain.send(token.init("New", "NEW", 18), bench.deployer)
    made.sort(key=lambda token: token.address.lower())
    bench.chain.send(bench.oracle.post(made, [WAD] * count), bench.keeper)
    bench.chain.send(bench.methodology.post([constituent(token, basis) for token in made]), bench.keeper)


def huge_targets(bench: Bench) -> None:
    """20 newcomers that are each to weigh as much as the whole fund: the sum has no room where it is kept."""
    post_newcomers(bench, 20, 2**88 - 1)
    bench.set_limits(max_step=WAD)
    bench.determine()


STATES = (
    fresh,
    determined,
    determined_late,
    vetoed,
    started,
    done,
    refusing_to_determine,
    refusing_targets,
    without_prices,
    codeless_constituent,
    fine_grained_constituent,
    the_fund_itself,
    too_many_components,
    huge_targets,
)


def check_now(bench: Bench, at: int) -> str:
    """Compares what `workable` says with what succeeds, in a block of that time; the reason."""
    action, reason, _ = bench.due(at)
    for name, call in (
        ("Determine", bench.rebalancer.determine()),
        ("Start", bench.rebalancer.start()),
        ("Close", bench.rebalancer.close()),
    ):
        if name == action:
            bench.chain.read(call, sender=bench.keeper, at=at)
        elif reason != "Refused":
            assert_reverts(bench.chain, call, "NotDue", *not_due(name, reason), at=at)
        else:
            failure(bench.chain, call, at=at)
    return reason


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_says_what_succeeds(bench: Bench, state: Callable[[Bench], None], paused: bool) -> None:
    state(bench)
    now = bench.chain.now()
    until = 0
    if paused:
        now += 1
        until = now + 3 * DAY_S
        bench.chain.send(bench.rebalancer.pauseFor(3 * DAY_S), bench.guardian, at=now)
    moments = [now, *(m for m in MOMENTS if m >= now), *([until - 1, until] if paused else [])]
    reasons = {at: check_now(bench, at) for at in moments}
    assert all((reason == "Paused") == (at < until) for at, reason in reasons.items())


EXPECTED = {
    "fresh": {"Due"},
    "determined": {"NotYet", "Due", "TooLate"},
    "determined_late": {"NotYet", "Due", "TooLate"},
    "vetoed": {"Vetoed", "Due"},
    "started": {"Due"},
    "done": {"Done", "Due"},
    "refusing_to_determine": {"Refused"},
    "refusing_targets": {"NotYet", "Refused", "TooLate", "Due"},
    "without_prices": {"NotYet", "Refused", "TooLate", "Due"},
    "codeless_constituent": {"NotYet", "Refused", "TooLate", "Due"},
    "fine_grained_constituent": {"NotYet", "Refused", "TooLate", "Due"},
    "the_fund_itself": {"NotYet", "Refused", "TooLate", "Due"},
    "too_many_components": {"NotYet", "TooLate", "Due"},
    "huge_targets": {"NotYet", "Refused", "TooLate", "Due"},
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_gives_the_reason(bench: Bench, state: Callable[[Bench], None]) -> None:
    state(bench)
    now = bench.chain.now()
    found = {bench.due(at)[1] for at in (max(now, NOTICE), *(m for m in MOMENTS if m >= now))}
    assert found == EXPECTED[state.__name__]


@pytest.mark.parametrize("state", [determined, determined_late, vetoed, done], ids=lambda state: state.__name__)
def test_next_is_the_next_change(bench: Bench, state: Callable[[Bench], None]) -> None:
    """One second before the `next` of a waiting state nothing has changed; at `next` something has."""
    state(bench)
    action, reason, following = bench.due()
    assert action == "None"
    assert following > bench.chain.now()
    assert bench.due(following - 1) == (action, reason, following)
    assert bench.due(following)[1] == "Due"


def test_under_the_lock(bench: Bench) -> None:
    """From inside a batch: nothing is due, and the view says why."""
    bench.open()
    at = EXECUTION + 1800
    sells, pays = batch(bench, at)
    steps = [step(bench.rebalancer.workable(), tolerated=True), step(bench.index.locked(), tolerated=True)]
    receipt = bench.chain.send(bench.rebalancer.trade(order(bench, sells, pays, steps=steps)), bench.keeper, at=at)
    inside, locked = bench.filler.events(receipt, "Tried")
    action, reason, following = decode(["uint8", "uint8", "uint256"], inside.answer)
    assert (ACTIONS[action], REASONS[reason], following) == ("None", "Locked", 0)
    assert decode(["bool"], locked.answer) == (True,)
    assert bench.chain.read(bench.index.locked()) is False
