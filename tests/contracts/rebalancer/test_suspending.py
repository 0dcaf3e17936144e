"""suspend(), resume() and writeOff(): who may, for how long, and what it does in an open month."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.bench import BUYS, HELD, KINDS, NEWCOMER, NOTICE, SELLS, Bench, constituent
from tests.helpers.contracts import Call
from tests.helpers.filling import FILLER, batch, order, step
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts

T = EXECUTION + 1800
NEXT = PERIOD_END + 1
NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
ALWAYS = 2**40 - 1


def suspend(bench: Bench, i: int, account: str, at: int) -> int:
    """Suspends a component; until when."""
    receipt = bench.chain.send(bench.rebalancer.suspend(bench.tokens[i]), account, at=at)
    (event,) = bench.index.events(receipt, "StateSet")
    assert (event.token, event.writtenOff) == (bench.tokens[i].address, False)
    return int(event.suspendedUntil)


def state(bench: Bench, i: int) -> tuple[int, bool] | None:
    """A component's state as the list has it; None if it is off the list."""
    listed = bench.chain.read(bench.index.components())
    found = [(c.suspendedUntil, c.writtenOff) for c in listed if c.token == bench.tokens[i].address]
    return found[0] if found else None


def act(bench: Bench, name: str, i: int, account: str, at: int) -> None:
    bench.chain.send(getattr(bench.rebalancer, name)(bench.tokens[i]), account, at=at)


def test_a_guardian_s_lasts_seven_days(bench: Bench) -> None:
    """Then the component is as before, without anybody doing anything."""
    until = suspend(bench, 0, bench.guardian, NOTICE)
    assert until == NOTICE + 7 * DAY_S == NOTICE + bench.chain.read(bench.rebalancer.SUSPENSION())
    tokens, amounts, blocked = bench.chain.read(bench.index.previewMint(WAD), at=until - 1)
    assert blocked == 1
    assert bench.chain.read(bench.index.previewMint(WAD), at=until) == (tokens, amounts, 0)


def test_a_guardian_s_is_once_a_token_in_thirty_days(bench: Bench) -> None:
    """Also where the owner ended it meanwhile. Every token has a count of its own."""
    suspend(bench, 0, bench.guardian, NOTICE)
    suspend(bench, 1, bench.guardian, NOTICE + 1)
    again = bench.rebalancer.suspend(bench.tokens[0])
    running = (bench.tokens[0], NOTICE + 7 * DAY_S)
    assert_reverts(bench.chain, again, "AlreadySuspended", *running, sender=bench.guardian, at=NOTICE + 7 * DAY_S - 1)
    act(bench, "resume", 0, bench.owner, NOTICE + DAY_S)
    before = (bench.tokens[0], NOTICE + 30 * DAY_S)
    for at in (NOTICE + DAY_S, NOTICE + 7 * DAY_S, NOTICE + 30 * DAY_S - 1):
        assert_reverts(bench.chain, again, "SuspendedBefore", *before, sender=bench.guardian, at=at)
    suspend(bench, 0, bench.guardian, NOTICE + 30 * DAY_S)


def test_the_owner_s_lasts_until_it_is_ended(bench: Bench) -> None:
    """Also one that takes over the guardian's; it may be as often as it likes, and none counts for the guardian."""
    suspend(bench, 0, bench.guardian, NOTICE)
    for at in (NOTICE + 1, NOTICE + 2):
        assert suspend(bench, 0, bench.owner, at) == ALWAYS
        again = bench.rebalancer.suspend(bench.tokens[0])
        for account in (bench.owner, bench.guardian):
            assert_reverts(bench.chain, again, "AlreadySuspended", bench.tokens[0], ALWAYS, sender=account, at=at)
        act(bench, "resume", 0, bench.owner, at)
        assert state(bench, 0) == (0, False)
    assert suspend(bench, 1, bench.owner, NOTICE + 3) == ALWAYS
    act(bench, "resume", 1, bench.owner, NOTICE + 3)
    suspend(bench, 1, bench.guardian, NOTICE + 4)


def test_write_off_is_final(bench: Bench) -> None:
    """Neither suspended nor resumed nor written off again."""
    suspend(bench, 0, bench.guardian, NOTICE)
    receipt = bench.chain.send(bench.rebalancer.writeOff(bench.tokens[0]), bench.owner, at=NOTICE + 1)
    assert bench.index.events(receipt, "StateSet") == [(bench.tokens[0].address, 0, True)]
    assert bench.chain.read(bench.index.writtenOff(bench.tokens[0])) is True
    for name in ("suspend", "resume", "writeOff"):
        call = getattr(bench.rebalancer, name)(bench.tokens[0])
        assert_reverts(
            bench.chain, call, "WrittenOff", bench.tokens[0], sender=bench.owner, at=NOTICE + 2, of=bench.index
        )


def test_resume_and_write_off_need_a_suspension(bench: Bench) -> None:
    """Written off is only what has been suspended first, and is no more once a suspension has run out."""
    for name in ("resume", "writeOff"):
        call = getattr(bench.rebalancer, name)(bench.tokens[0])
        assert_reverts(bench.chain, call, "NotSuspended", bench.tokens[0], sender=bench.owner, at=NOTICE)
    until = suspend(bench, 0, bench.guardian, NOTICE)
    for name in ("resume", "writeOff"):
        call = getattr(bench.rebalancer, name)(bench.tokens[0])
        bench.chain.read(call, sender=bench.owner, at=until - 1)
        assert_reverts(bench.chain, call, "NotSuspended", bench.tokens[0], sender=bench.owner, at=until)


def test_who_may(bench: Bench, stranger: str) -> None:
    suspension, token = bench.rebalancer.suspend(bench.tokens[0]), bench.tokens[0]
    for account in (stranger, bench.keeper, bench.holder):
        assert_reverts(bench.chain, suspension, "NotGuardian", account, sender=account, at=NOTICE)
    suspend(bench, 0, bench.guardian, NOTICE)
    for call in (bench.rebalancer.resume(token), bench.rebalancer.writeOff(token)):
        for account in (stranger, bench.guardian, bench.keeper):
            assert_reverts(bench.chain, call, "OwnableUnauthorizedAccount", account, sender=account, at=NOTICE)


@pytest.mark.parametrize("name", ["suspend", "resume", "writeOff"])
def test_what_is_no_component(bench: Bench, stranger: str, name: str) -> None:
    for token in (stranger, bench.tokens[NEWCOMER].address, "0x" + "00" * 20):
        call = getattr(bench.rebalancer, name)(token)
        assert_reverts(bench.chain, call, "NotComponent", token, sender=bench.owner, at=NOTICE, of=bench.index)


@pytest.mark.parametrize("name", ["suspend", "resume", "writeOff"])
def test_inside_a_batch(trading_too: Bench, name: str) -> None:
    bench = trading_too
    chain, filler = bench.chain, bench.filler
    chain.send(bench.rebalancer.transferOwnership(filler), bench.owner)
    chain.send(filler.run([step(bench.rebalancer.acceptOwnership())]), bench.keeper)
    sells, pays = batch(bench, T)
    given = order(bench, sells, pays, steps=[step(getattr(bench.rebalancer, name)(bench.tokens[HELD]))])
    assert_reverts(chain, bench.rebalancer.trade(given), "Locked", sender=bench.keeper, at=T, of=bench.index)


@pytest.fixture
def trading_too(bench: Bench) -> Bench:
    """The bench with trading open, for the one test."""
    bench.open()
    return bench


def cannot_be_traded(bench: Bench, i: int, at: int) -> None:
    """Neither as a sell nor as a buy."""
    other_sell = next(k for k in SELLS if k != i)
    other_buy = next(k for k in BUYS if k != i)
    for sells, buys in (([i], [other_buy]), ([other_sell], [i])):
        call: Call = bench.rebalancer.trade((sells, [10**6], [FILLER], buys, 0, bench.filler, b""))
        assert_reverts(bench.chain, call, "WrongSide", bench.tokens[i], 0, sender=bench.keeper, at=at)


def test_held_from_the_next_start_on(bench: Bench) -> None:
    """Out of weights, NAV and trading; back in with the start after it has ended."""
    suspend(bench, 0, bench.owner, NOTICE)
    bench.open()
    plan = bench.fund(T)
    assert tuple(plan.holdings[0].target) == (0, KINDS[0].unit, 0)
    worth = [b * k.price // 10**k.decimals for b, k in zip(bench.holdings(), KINDS, strict=True)]
    assert abs(plan.opening.nav * 1000 - sum(worth[1:])) < 10**7
    cannot_be_traded(bench, 0, T)
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    act(bench, "resume", 0, bench.owner, NEXT)
    bench.determine(NEXT)
    bench.start(NEXT_EXECUTION)
    assert bench.fund().holdings[0].target.unit == KINDS[0].target


def test_written_off_goes_with_the_next_start(bench: Bench) -> None:
    """Whatever the fund holds of it; the fund's holding stays where it is. A later start does not list it again as long
    as the fund holds any."""
    suspend(bench, 0, bench.guardian, NOTICE)
    act(bench, "writeOff", 0, bench.owner, NOTICE)
    held = bench.holdings()[0]
    bench.open()
    assert state(bench, 0) is None and bench.holdings()[0] == held > 0
    _, amounts, _ = bench.chain.read(bench.index.previewRedeem(WAD))
    assert len(amounts) == len(KINDS) - 1
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    bench.determine(NEXT)
    assert bench.chain.read(bench.lens.constituents(bench.rebalancer))[0].status == 0, "though it is to be included"
    snapshot = bench.chain.cheats.snapshot()
    bench.start(NEXT_EXECUTION)
    assert state(bench, 0) is None
    assert bench.chain.read(bench.lens.constituents(bench.rebalancer))[0].status == 3, "it was not"
    bench.chain.cheats.revert(snapshot)

    out = bench.tokens[0].transfer(bench.keeper, held)
    bench.chain.send(out, bench.chain.impersonate(bench.index), at=bench.chain.now())
    bench.start(NEXT_EXECUTION)
    assert state(bench, 0) == (0, False)


def test_a_written_off_component_that_is_no_candidate_goes_too(bench: Bench) -> None:
    suspend(bench, 0, bench.guardian, NOTICE)
    act(bench, "writeOff", 0, bench.owner, NOTICE)
    rest = [constituent(bench.tokens[i], kind.target) for i, kind in enumerate(KINDS) if i]
    bench.chain.send(bench.methodology.post(rest), bench.keeper, at=NOTICE)
    bench.open()
    assert state(bench, 0) is None


def test_a_suspended_one_that_is_included_keeps_its_place_with_nothing_held(bench: Bench) -> None:
    """Its suspension would go with the place."""
    suspend(bench, 0, bench.owner, NOTICE)
    out = bench.tokens[0].transfer(bench.keeper, bench.holdings()[0])
    bench.chain.send(out, bench.chain.impersonate(bench.index), at=bench.chain.now())
    bench.open()
    assert state(bench, 0) == (ALWAYS, False)
    assert tuple(bench.fund().holdings[0].target) == (0, 0, 0)
