"""The poster of supplies: what it may post and when, held against what the last started month confirmed. It can do
nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import WAD
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.contracts.flow.carrying import DETERMINED, IDLE, TRADING, VETOED, Carrier
from tests.contracts.flow.conftest import QUICK
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call
from tests.helpers.fund import ACTIVE, ANYONE, Setup, deploy_fund, rule
from tests.helpers.packed import words_at
from tests.helpers.reverts import ANY, assert_reverts, failure

VOIDED = 4
JUMP = WAD // 4
"""The rule's bound."""
SYMBOL, OTHER = "COMP", "AAVE"


class Posting:
    """A fund with a poster."""

    def __init__(self, carrier: Carrier, poster: str) -> None:
        self.carrier = carrier
        self.chain = carrier.chain
        self.fund = carrier.fund
        self.poster = poster
        self.token = carrier.address(SYMBOL)
        self.other = carrier.address(OTHER)

    def post(self, supply: int, *, token: str | None = None, late: int = 0) -> Call:
        """A post of one supply, dated now, or so many seconds later."""
        return self.fund.supplies.post([(token or self.token, supply, self.chain.now() + late)])

    def posts(self, supply: int, *, token: str | None = None) -> Any:
        """Posts one supply as the poster."""
        return self.carrier.send(self.post(supply, token=token), self.poster)

    def refused(self, call: Call, error: str, *args: Any, sender: str | None = None) -> None:
        assert_reverts(self.chain, call, error, *args, sender=sender or self.poster)

    def stands(self, token: str | None = None) -> int:
        return int(self.chain.read(self.fund.supplies.supply(token or self.token))[0])

    def confirmed(self, token: str | None = None) -> int:
        """What the started month confirmed; only while it is idle."""
        month = self.carrier.month()
        assert month.phase == IDLE
        words = words_at(self.chain, month.determination)
        (basis,) = [w % 2**88 for w in words[::2] if w >> 96 == int(token or self.token, 16)]
        return basis

    def most(self) -> int:
        known = self.confirmed()
        return known + known * JUMP // WAD

    def least(self) -> int:
        known = self.confirmed()
        return known - known * JUMP // WAD


@pytest.fixture(scope="module")
def fresh(module_isolation: None, chain: Chain, world: World, month: Month) -> Posting:
    """Seeded, no month yet."""
    poster = chain.account("poster")
    return Posting(Carrier(deploy_fund(chain, world, month, Setup(fee=0, limits=QUICK, poster=poster))), poster)


@pytest.fixture(scope="module")
def idle(fresh: Posting) -> Posting:
    """After its first month, which confirmed the supplies. Tests that need a fund before it come first."""
    fresh.carrier.whole_month()
    return fresh


def test_nothing_before_the_first_started_month(fresh: Posting) -> None:
    """A fund's first month is held against what the owner gave for its candidates, which is the owner's to know."""
    supply = fresh.stands()
    fresh.refused(fresh.post(supply), "NothingConfirmed", fresh.token)
    fresh.carrier.to_determination()
    fresh.carrier.determine()
    fresh.carrier.send(fresh.fund.rebalancer.veto(), fresh.fund.guardian)
    fresh.refused(fresh.post(supply), "NothingConfirmed", fresh.token)


def test_within_the_bound_and_no_further(idle: Posting) -> None:
    known = idle.confirmed()
    most, least = idle.most(), idle.least()
    assert (most, least) == (known + known // 4, known - known // 4)
    idle.refused(idle.post(most + 1), "SupplyOutOfBounds", idle.token, most + 1, least, most)
    idle.refused(idle.post(least - 1), "SupplyOutOfBounds", idle.token, least - 1, least, most)
    for supply in (most, least):
        idle.chain.read(idle.post(supply), sender=idle.poster)
    receipt = idle.posts(most)
    assert idle.stands() == most
    (event,) = idle.fund.supplies.events(receipt, "SupplyPosted")
    assert (event.token, event.wholeTokens, event.by) == (idle.token, most, idle.poster)


def test_a_post_counts_in_the_next_month_and_moves_the_bound_there(idle: Posting) -> None:
    most = idle.most()
    idle.posts(most)
    idle.carrier.to_determination()
    assert idle.carrier.determine()[idle.token].basis == most
    idle.carrier.to_start()
    idle.carrier.start()
    idle.carrier.whole_rest()
    assert idle.confirmed() == most
    further = most + most * JUMP // WAD
    idle.refused(idle.post(further + 1), "SupplyOutOfBounds", idle.token, further + 1, ANY, further)
    idle.posts(further)


def test_once_for_each_determination(idle: Posting) -> None:
    known = idle.confirmed()
    idle.posts(known)
    idle.refused(idle.post(known), "PostedBefore", idle.token)
    twice = [(idle.other, idle.stands(idle.other), idle.chain.now())] * 2
    idle.refused(idle.fund.supplies.post(twice), "PostedBefore", idle.other)
    idle.posts(idle.stands(idle.other), token=idle.other)
    # What the owner posts in between gives the poster no second one.
    idle.carrier.send(idle.post(known + 1), idle.fund.owner)
    idle.refused(idle.post(known), "PostedBefore", idle.token)
    idle.carrier.to_determination()
    idle.refused(idle.post(known), "PostedBefore", idle.token)
    idle.carrier.determine()
    idle.carrier.send(idle.fund.rebalancer.veto(), idle.fund.guardian)
    idle.posts(known)
    idle.refused(idle.post(known), "PostedBefore", idle.token)


def test_posts_add_nothing_up_that_no_start_confirmed(idle: Posting) -> None:
    """Two months are vetoed, or pass: the bound stays where it was."""
    most, least = idle.most(), idle.least()
    for stop in ("veto", "pass"):
        idle.posts(most)
        idle.carrier.to_determination()
        idle.carrier.determine()
        if stop == "veto":
            idle.carrier.send(idle.fund.rebalancer.veto(), idle.fund.guardian)
        else:
            idle.carrier.move_to(idle.carrier.next())
            while idle.carrier.due()[0] != "Determine":
                idle.carrier.move_to(idle.carrier.next())
        idle.refused(idle.post(most + 1), "SupplyOutOfBounds", idle.token, most + 1, least, most)


def test_not_while_a_month_is_determined_or_trading(idle: Posting) -> None:
    carrier, known = idle.carrier, idle.confirmed()
    idle.posts(idle.least())
    carrier.to_determination()
    carrier.determine()
    assert carrier.month().phase == DETERMINED
    idle.refused(idle.post(known), "MonthOpen")
    carrier.to_start()
    idle.refused(idle.post(known), "MonthOpen")
    carrier.start()
    assert carrier.month().phase == TRADING
    idle.refused(idle.post(known), "MonthOpen")
    # Its period is over, and nobody has closed it.
    end = idle.chain.read(idle.fund.rebalancer.opening()).end
    carrier.move_to(end + 1)
    assert carrier.due() == ("Close", "Due")
    idle.refused(idle.post(known), "MonthOpen")
    carrier.send(idle.fund.rebalancer.close())
    assert carrier.month().phase == IDLE
    idle.posts(idle.confirmed())


def test_a_month_that_can_no_longer_start_does_not_count(idle: Posting) -> None:
    carrier, known, fund = idle.carrier, idle.confirmed(), idle.fund
    carrier.to_determination()
    carrier.determine()
    end = idle.chain.read(fund.rebalancer.currentPeriod())
    for phase, call, sender in (
        (VETOED, fund.rebalancer.veto(), fund.guardian),
        (VOIDED, _replacement(idle), fund.owner),
    ):
        snapshot = idle.chain.rpc.request("evm_snapshot")
        carrier.send(call, sender)
        assert carrier.month().phase == phase
        idle.posts(known)
        idle.chain.rpc.request("evm_revert", snapshot)
    carrier.move_to(carrier.next())  # start is due, and nobody starts
    while carrier.due() != ("Determine", "Due"):
        idle.refused(idle.post(known), "MonthOpen")
        carrier.move_to(carrier.next())
    assert (carrier.month().phase, carrier.month().period) == (DETERMINED, end)
    idle.posts(known)


def _replacement(posting: Posting) -> Call:
    """The owner's call that puts another market-cap rule in place, which hands the confirmed supplies on."""
    candidates = [(posting.token, posting.fund.supplies, ACTIVE, 0)]
    arguments = posting.fund.owner, rule(), candidates
    methodology = posting.chain.deploy("MarketCap", *arguments, sender=posting.carrier.keeper)
    return posting.fund.rebalancer.setMethodology(methodology)


def test_never_a_first_supply(idle: Posting) -> None:
    chain, fund = idle.chain, idle.fund
    newcomer = chain.deploy("ReferenceToken", sender=idle.carrier.keeper).address
    idle.refused(idle.post(1, token=newcomer), "FirstSupply", newcomer)
    # Posted by the owner, it still was not confirmed.
    idle.carrier.send(idle.post(1, token=newcomer), fund.owner)
    idle.refused(idle.post(1, token=newcomer), "NothingConfirmed", newcomer)


def test_dates(idle: Posting) -> None:
    chain, known = idle.chain, idle.confirmed()
    moment = chain.now() + 1
    late = idle.fund.supplies.post([(idle.token, known, moment + 1)])
    assert_reverts(chain, late, "UnfitSupply", idle.token, known, moment + 1, sender=idle.poster, at=moment)
    _, stands = chain.read(idle.fund.supplies.supply(idle.token))
    old = idle.fund.supplies.post([(idle.token, known, stands - 1)])
    idle.refused(old, "OlderSupply", idle.token, stands - 1, stands)
    idle.carrier.send(idle.fund.supplies.post([(idle.token, known, stands)]), idle.poster)


def test_all_or_nothing(idle: Posting) -> None:
    known, now = idle.confirmed(), idle.chain.now()
    both = [(idle.other, idle.stands(idle.other), now), (idle.token, idle.most() + 1, now)]
    idle.refused(idle.fund.supplies.post(both), "SupplyOutOfBounds", idle.token, ANY, ANY, ANY)
    assert idle.stands() == known
    idle.posts(idle.stands(idle.other), token=idle.other)


def test_a_bound_above_the_whole_supply_lets_it_fall_to_any(idle: Posting) -> None:
    chain, fund, known = idle.chain, idle.fund, idle.confirmed()
    wide = chain.read(fund.methodology.rule())._replace(maxSupplyJump=2 * WAD)
    candidates = chain.read(fund.methodology.candidates())
    made = chain.deploy("MarketCap", fund.owner, wide, candidates, sender=idle.carrier.keeper)
    idle.carrier.send(fund.rebalancer.setMethodology(made), fund.owner)
    idle.refused(idle.post(3 * known + 1), "SupplyOutOfBounds", idle.token, 3 * known + 1, 0, 3 * known)
    idle.posts(1)
    assert idle.stands() == 1


def test_a_rule_without_a_bound_takes_no_posts(idle: Posting) -> None:
    """Fixed weights know no supplies: what is confirmed then are weights."""
    chain, fund = idle.chain, idle.fund
    fixed = chain.deploy("FixedWeight", fund.owner, [(idle.token, WAD)], sender=idle.carrier.keeper)
    idle.carrier.send(fund.rebalancer.setMethodology(fixed), fund.owner)
    assert failure(chain, idle.post(1), sender=idle.poster) == b""


def test_it_can_do_nothing_else(idle: Posting) -> None:
    fund, known = idle.fund, idle.confirmed()
    calls = (
        fund.supplies.setPoster(idle.poster),
        fund.supplies.transferOwnership(idle.poster),
        fund.methodology.overrideSupply(idle.token, known),
        fund.methodology.setCandidates([(idle.token, fund.supplies, ACTIVE, 0)]),
        fund.rebalancer.setGuardian(idle.poster),
    )
    for call in calls:
        idle.refused(call, "OwnableUnauthorizedAccount", idle.poster)
    idle.refused(fund.rebalancer.veto(), "NotGuardian", idle.poster)
    stranger = idle.chain.account("stranger")
    idle.refused(idle.post(known), "NotPoster", stranger, sender=stranger)


def test_the_owner_replaces_it(idle: Posting) -> None:
    fund, known = idle.fund, idle.confirmed()
    following = idle.chain.account("next poster")
    receipt = idle.carrier.send(fund.supplies.setPoster(following), fund.owner)
    assert [e.poster for e in fund.supplies.events(receipt, "PosterSet")] == [following]
    assert idle.chain.read(fund.supplies.poster()) == following
    idle.refused(idle.post(known), "NotPoster", idle.poster)
    idle.carrier.send(idle.post(known), following)
    idle.carrier.send(fund.supplies.setPoster(ANYONE), fund.owner)
    idle.refused(idle.post(known), "NotPoster", following, sender=following)


def test_the_owner_posts_whenever_and_whatever(idle: Posting) -> None:
    fund, known = idle.fund, idle.confirmed()
    idle.carrier.to_determination()
    idle.carrier.determine()
    for factor in (2, 4):
        idle.carrier.send(idle.post(factor * known), fund.owner)
        assert idle.stands() == factor * known
