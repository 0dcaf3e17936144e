"""The timelock: owner of everything, with a delay, and governed by nobody but itself."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from ballast.units import DAY_S, WAD
from tests.helpers.contracts import Call
from tests.helpers.fund import ACTIVE, ANYONE, FOREVER, USD, Fund, through_timelock
from tests.helpers.reverts import assert_reverts

SALT, NOTHING = bytes(32), bytes(32)
PARTS = ("index", "rebalancer", "oracle", "methodology", "supplies")


def operation(call: Call) -> tuple[str, int, bytes, bytes, bytes]:
    assert call.to is not None
    return (call.to, 0, call.data, NOTHING, SALT)


def role(name: str) -> bytes:
    return bytes(keccak(text=name))


def owner_calls(fund: Fund) -> list[Call]:
    """Every function of the fund's contracts that only the owner may call."""
    index, rebalancer, oracle, methodology = fund.index, fund.rebalancer, fund.oracle, fund.methodology
    token = fund.world.tokens[0]
    calls = [
        index.setStreamingFee(0),
        index.setFeeRecipient(fund.deployer),
        index.setSupplyCap(1),
        rebalancer.resume(suspended(fund)),
        rebalancer.writeOff(suspended(fund)),
        rebalancer.setGuardian(fund.deployer),
        rebalancer.setLimits(fund.setup.limits.as_tuple(), 0),
        rebalancer.setTimetable(fund.setup.timetable.as_tuple()),
        rebalancer.setMethodology(methodology),
        oracle.setFeed((token.address, token.feed, DAY_S, USD, 0, 0, 0)),
        methodology.setCandidates([(token.address, fund.supplies, ACTIVE, 0)]),
        methodology.overrideSupply(token.address, 1),
        fund.supplies.setPoster(fund.deployer),
    ]
    return calls + [getattr(fund, part).transferOwnership(fund.deployer) for part in PARTS]


def suspended(fund: Fund) -> str:
    """The component that a test suspends."""
    return fund.tokens()[0]


def test_owns_every_part(fund: Fund) -> None:
    for part in PARTS:
        assert fund.chain.read(getattr(fund, part).owner()) == fund.timelock.address


def test_nobody_else_may_do_what_the_owner_may(fund: Fund, stranger: str) -> None:
    """Neither who deployed the fund, nor proposer, guardian or fee recipient."""
    for call in owner_calls(fund):
        for sender in (fund.deployer, fund.proposer, fund.guardian, fund.recipient, stranger):
            assert_reverts(fund.chain, call, "OwnableUnauthorizedAccount", sender, sender=sender)


def test_who_is_no_poster_posts_no_supplies(fund: Fund, stranger: str) -> None:
    call = fund.supplies.post([(fund.tokens()[0], 1, fund.chain.now())])
    for sender in (fund.deployer, fund.proposer, fund.guardian, fund.recipient, stranger):
        assert_reverts(fund.chain, call, "NotPoster", sender, sender=sender)
    fund.chain.read(call, sender=fund.owner)


def test_the_owner_may(fund: Fund) -> None:
    fund.chain.send(fund.rebalancer.suspend(suspended(fund)), fund.guardian)
    for call in owner_calls(fund):
        fund.chain.read(call, sender=fund.owner)


def test_executes_after_the_delay_and_not_before(fund: Fund, stranger: str) -> None:
    chain, timelock, delay = fund.chain, fund.timelock, fund.setup.timelock_delay
    what = operation(fund.index.setSupplyCap(7))
    scheduled = chain.now() + 1
    chain.send(timelock.schedule(*what, delay), fund.proposer, at=scheduled)
    execute = timelock.execute(*what)
    early = assert_reverts(
        chain, execute, "TimelockUnexpectedOperationState", sender=stranger, at=scheduled + delay - 1
    )
    assert early[0] == chain.read(timelock.hashOperation(*what))
    chain.send(execute, stranger, at=scheduled + delay)
    assert chain.read(fund.index.supplyCap()) == 7
    assert_reverts(chain, execute, "TimelockUnexpectedOperationState", sender=stranger)


def test_executes_nothing_that_was_not_scheduled(fund: Fund, stranger: str) -> None:
    call = fund.timelock.execute(*operation(fund.index.setSupplyCap(7)))
    for sender in (stranger, fund.proposer, fund.deployer):
        assert_reverts(fund.chain, call, "TimelockUnexpectedOperationState", sender=sender)


def test_only_proposers_schedule_and_cancel(fund: Fund, stranger: str) -> None:
    chain, timelock, delay = fund.chain, fund.timelock, fund.setup.timelock_delay
    what = operation(fund.index.setSupplyCap(7))
    schedule = timelock.schedule(*what, delay)
    for sender in (stranger, fund.deployer, fund.guardian):
        arguments = (sender, role("PROPOSER_ROLE"))
        assert_reverts(chain, schedule, "AccessControlUnauthorizedAccount", *arguments, sender=sender)
    begin = chain.now() + 1
    chain.send(schedule, fund.proposer, at=begin)
    cancel = timelock.cancel(chain.read(timelock.hashOperation(*what)))
    arguments = (stranger, role("CANCELLER_ROLE"))
    assert_reverts(chain, cancel, "AccessControlUnauthorizedAccount", *arguments, sender=stranger)
    chain.send(cancel, fund.proposer)
    execute = timelock.execute(*what)
    assert_reverts(chain, execute, "TimelockUnexpectedOperationState", sender=stranger, at=begin + delay)


def test_delay_is_the_least(fund: Fund) -> None:
    delay = fund.setup.timelock_delay
    assert fund.chain.read(fund.timelock.getMinDelay()) == delay == 2 * DAY_S
    short = fund.timelock.schedule(*operation(fund.index.setSupplyCap(7)), delay - 1)
    assert_reverts(fund.chain, short, "TimelockInsufficientDelay", delay - 1, delay, sender=fund.proposer)


def test_nobody_governs_it_but_itself(fund: Fund, stranger: str) -> None:
    chain, timelock = fund.chain, fund.timelock
    admin = bytes(32)
    for account in (fund.deployer, fund.proposer, fund.guardian, stranger, ANYONE):
        assert chain.read(timelock.hasRole(admin, account)) is False
    assert chain.read(timelock.hasRole(admin, timelock)) is True
    for account in (fund.deployer, fund.guardian, ANYONE):
        assert chain.read(timelock.hasRole(role("PROPOSER_ROLE"), account)) is False
    assert chain.read(timelock.hasRole(role("EXECUTOR_ROLE"), ANYONE)) is True
    for sender in (fund.deployer, fund.proposer, stranger):
        assert_reverts(chain, timelock.updateDelay(0), "TimelockUnauthorizedCaller", sender, sender=sender)
        grant = timelock.grantRole(role("PROPOSER_ROLE"), sender)
        assert_reverts(chain, grant, "AccessControlUnauthorizedAccount", sender, admin, sender=sender)
    through_timelock(fund, timelock.updateDelay(3 * DAY_S))
    assert chain.read(timelock.getMinDelay()) == 3 * DAY_S


@pytest.mark.parametrize("part", PARTS)
def test_hands_a_part_over_only_in_time_and_in_two_steps(fund: Fund, part: str) -> None:
    """Until the new owner has accepted it is the timelock's."""
    chain, contract = fund.chain, getattr(fund, part)
    through_timelock(fund, contract.transferOwnership(fund.deployer))
    assert chain.read(contract.owner()) == fund.timelock.address
    for account in (fund.proposer, fund.guardian):
        call = contract.acceptOwnership()
        assert_reverts(chain, call, "OwnableUnauthorizedAccount", account, sender=account)
    chain.send(contract.acceptOwnership(), fund.deployer)
    assert chain.read(contract.owner()) == fund.deployer


@pytest.mark.parametrize("part", PARTS)
def test_gives_no_part_up(fund: Fund, stranger: str, part: str) -> None:
    """A part without an owner could never be mended."""
    call = getattr(fund, part).renounceOwnership()
    assert_reverts(fund.chain, call, "RenounceRefused", sender=fund.owner)
    assert_reverts(fund.chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)


def test_an_attacker_cannot_execute_a_state_after_the_pause(fund: Fund, stranger: str) -> None:
    """What is scheduled can be executed by anybody in time: a write-off then finds a suspended component or nothing,
    and nobody mints beside a suspended one."""
    token = suspended(fund)
    fund.chain.send(fund.rebalancer.suspend(token), fund.guardian)
    receipt = through_timelock(fund, fund.rebalancer.suspend(token))
    assert fund.index.events(receipt, "StateSet") == [(token, 2**40 - 1, False)]
    tokens = fund.tokens()
    mint = fund.index.mint(WAD, stranger, tokens, [FOREVER] * len(tokens))
    assert_reverts(fund.chain, mint, "ComponentSuspended", token, sender=stranger)
    receipt = through_timelock(fund, fund.rebalancer.writeOff(token))
    assert fund.index.events(receipt, "StateSet") == [(token, 0, True)]
