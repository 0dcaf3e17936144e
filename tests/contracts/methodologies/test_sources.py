"""Where supplies come from: posted by the owner, or computed from lockers; and flash loans at the latter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.rule.methodology import Decision, Flag, Status
from ballast.units import DAY_S, WAD
from ballast.values import NO_ADDRESS
from tests.contracts.methodologies.scene import (
    PLAIN,
    TOKENS,
    Scene,
    as_tuples,
    as_words,
    confirmed_by,
    decisions,
    rule_tuple,
)
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.reverts import assert_reverts

MILLION = 10**6
UNAUTHORIZED = "OwnableUnauthorizedAccount"


def by_number(addresses: list[str]) -> list[str]:
    return sorted(addresses, key=lambda a: int(a, 16))


def new_token(chain: Chain, decimals: int, owner: str) -> Contract:
    token = chain.deploy("ReferenceToken", sender=owner)
    chain.send(token.init("Token", "TOK", decimals), owner)
    return token


def test_posted_supplies(chain: Chain, owner: str, stranger: str) -> None:
    now = chain.now()
    source = chain.deploy("PostedSupply", owner, NO_ADDRESS, NO_ADDRESS, [(TOKENS[0], 5, now)], sender=owner)
    assert chain.read(source.supply(TOKENS[0])) == (5, now)
    assert chain.read(source.supply(TOKENS[1])) == (0, 0)
    receipt = chain.send(source.post([(TOKENS[0], 2**88 - 1, now), (TOKENS[1], 1, now + 9)]), owner, at=now + 9)
    assert chain.read(source.supply(TOKENS[0])) == (2**88 - 1, now)
    assert chain.read(source.supply(TOKENS[1])) == (1, now + 9)
    events = [tuple(e) for e in source.events(receipt, "SupplyPosted")]
    assert events == [(TOKENS[0], 2**88 - 1, now, owner), (TOKENS[1], 1, now + 9, owner)]
    assert_reverts(chain, source.post([]), "NotPoster", stranger, sender=stranger)


@pytest.mark.parametrize(("token", "supply", "late"), [(NO_ADDRESS, 5, 0), (TOKENS[1], 0, 0), (TOKENS[1], 5, 1)])
def test_posts_that_do_not_fit(chain: Chain, owner: str, token: str, supply: int, late: int) -> None:
    moment = chain.now() + DAY_S
    source = chain.deploy("PostedSupply", owner, NO_ADDRESS, NO_ADDRESS, [], sender=owner)
    fine = (TOKENS[0], 7, moment)
    call = source.post([fine, (token, supply, moment + late)])
    assert_reverts(chain, call, "UnfitSupply", token, supply, moment + late, sender=owner, at=moment)
    assert chain.read(source.post([fine]), sender=owner, at=moment) is None


def test_an_older_post_never_replaces_a_newer_one(chain: Chain, owner: str) -> None:
    """Two operations of a timelock may be executed in the wrong order, by anybody. One of the same date corrects."""
    now = chain.now()
    source = chain.deploy("PostedSupply", owner, NO_ADDRESS, NO_ADDRESS, [(TOKENS[0], 5, now)], sender=owner)
    assert_reverts(chain, source.post([(TOKENS[0], 9, now - 1)]), "OlderSupply", TOKENS[0], now - 1, now, sender=owner)
    twice = source.post([(TOKENS[1], 9, now), (TOKENS[1], 8, now - 1)])
    assert_reverts(chain, twice, "OlderSupply", TOKENS[1], now - 1, now, sender=owner)
    chain.send(source.post([(TOKENS[0], 9, now)]), owner)
    assert chain.read(source.supply(TOKENS[0])) == (9, now)


@pytest.mark.parametrize("decimals", [0, 6, 18, 27])
def test_locked_supplies(chain: Chain, owner: str, stranger: str, decimals: int) -> None:
    token = new_token(chain, decimals, owner)
    lockers = by_number([chain.account(name) for name in ("treasury", "vesting")])
    whole = 10**decimals
    for account, amount in zip([*lockers, stranger], [300 * whole, 200 * whole, 501 * whole - 1], strict=True):
        chain.send(token.mint(account, amount), owner)
    source = chain.deploy("LockedSupply", owner, [token], [lockers], sender=owner)
    assert chain.read(source.lockers(token)) == lockers
    moment = chain.now() + 5
    assert chain.read(source.supply(token), at=moment) == (500, moment)
    assert chain.read(source.supply(TOKENS[0])) == (0, 0)

    receipt = chain.send(source.setLockers(token, lockers[:1]), owner)
    assert [tuple(e) for e in source.events(receipt, "LockersSet")] == [(token.address, lockers[:1])]
    assert chain.read(source.supply(token))[0] == 700
    chain.send(source.setLockers(token, []), owner)
    assert chain.read(source.supply(token))[0] == 1000
    chain.send(source.setLockers(token, by_number([*lockers, stranger])), owner)
    assert chain.read(source.supply(token), at=moment + DAY_S) == (0, moment + DAY_S)


def test_lockers_that_do_not_fit(chain: Chain, scene: Scene, owner: str, stranger: str) -> None:
    source = chain.deploy("LockedSupply", owner, [], [], sender=owner)
    token = TOKENS[9]
    assert_reverts(chain, source.setLockers(token, []), UNAUTHORIZED, stranger, sender=stranger)
    twice = source.setLockers(token, [TOKENS[0], TOKENS[1], TOKENS[1]])
    assert_reverts(chain, twice, "DuplicateLocker", token, TOKENS[1], sender=owner)
    falling = source.setLockers(token, [TOKENS[1], TOKENS[0]])
    assert_reverts(chain, falling, "LockersNotAscending", token, TOKENS[0], sender=owner)
    assert_reverts(chain, source.setLockers(token, TOKENS[:9]), "TooManyLockers", token, 9, 8, sender=owner)
    assert chain.read(source.setLockers(token, TOKENS[:8]), sender=owner) is None
    creation = chain.artifact("LockedSupply").create(owner, [token, TOKENS[8]], [[]])
    assert_reverts(chain, creation, "WrongLength", 2, 1, sender=owner)
    creation = chain.artifact("LockedSupply").create(owner, [token], [[TOKENS[1], TOKENS[1]]])
    assert_reverts(chain, creation, "DuplicateLocker", token, TOKENS[1], sender=owner)


class Attack:
    """Two tokens of 100 million, 40 million of each in a locker that lends, and a thief with nothing of his own."""

    def __init__(self, chain: Chain, scene: Scene, owner: str) -> None:
        self.chain = chain
        self.owner = owner
        self.thief = chain.account("thief")
        self.stage = scene.stage
        self.tokens = sorted((new_token(chain, 18, owner) for _ in range(2)), key=lambda t: int(t.address, 16))
        self.locker = chain.deploy("LendingLocker", sender=owner)
        self.market = chain.deploy("LendingLocker", sender=owner)
        self.borrower = chain.deploy("FlashBorrower", sender=self.thief)
        for token in self.tokens:
            chain.send(token.mint(self.locker, 40 * MILLION * WAD), owner)
            chain.send(token.mint(self.market, 60 * MILLION * WAD), owner)
        source = chain.deploy("LockedSupply", owner, self.tokens, [[self.locker]] * 2, sender=owner)
        self.rule = chain.deploy(
            "MarketCap", owner, rule_tuple(PLAIN), [(token, source, 0, 0) for token in self.tokens], sender=owner
        )
        addresses = [token.address for token in self.tokens]
        chain.send(self.stage.setPrices([*addresses, TOKENS[0]], [WAD] * 3), owner)
        chain.send(self.stage.setHoldings([(TOKENS[0], 18, 0, False)], [WAD], WAD), owner)

    def last(self, *basis: int) -> list[Decision]:
        """What the last started month left."""
        return [
            Decision(token.address, b, Status.INCLUDED, Flag(0), WAD, WAD // 2)
            for token, b in zip(self.tokens, basis, strict=True)
        ]

    def undisturbed(self, last: list[Decision]) -> list[Decision]:
        return self.candidates(self.chain.read(self.rule.determine(self.stage, self.stage, as_tuples(last))))

    def strike(self, last: list[Decision], *, millions: int, into: bool) -> list[Decision]:
        """A determination while the first token's balance is moved out of the locker, or into it from the market."""
        call = self.rule.determine(self.stage, self.stage, as_tuples(last))
        return self.candidates(call.decode(self._struck(call, millions, into)))

    def candidates(self, answer: Any) -> list[Decision]:
        """The two tokens' rows; the stage holds a third that is no candidate."""
        listed = {token.address for token in self.tokens}
        return [d for d in known(decisions(answer)) if d.token in listed]

    def confirm(self, determined: list[Decision]) -> list[Decision]:
        """A start that nobody disturbs."""
        return confirmed_by(determined, self.chain.read(self.rule.confirm(as_words(determined))))

    def strike_start(self, determined: list[Decision], *, millions: int, into: bool) -> list[Decision]:
        """A start while the first token's balance is moved."""
        call = self.rule.confirm(as_words(determined))
        return confirmed_by(determined, call.decode(self._struck(call, millions, into)))

    def _struck(self, call: Call, millions: int, into: bool) -> bytes:
        lender, target = (self.market, self.locker.address) if into else (self.locker, NO_ADDRESS)
        self.chain.send(
            self.borrower.strike(lender, target, self.tokens[0], millions * MILLION * WAD, self.rule, call.data),
            self.thief,
        )
        assert [self.chain.read(self.tokens[0].balanceOf(a)) for a in (self.locker, self.borrower)] == [
            40 * MILLION * WAD,
            0,
        ]
        answer: bytes = self.chain.read(self.borrower.answer())
        return answer


def known(answer: list[Decision] | str) -> list[Decision]:
    assert not isinstance(answer, str)
    return answer


@pytest.fixture
def attack(chain: Chain, scene: Scene, owner: str) -> Attack:
    return Attack(chain, scene, owner)


@pytest.mark.parametrize(
    ("into", "moved", "basis", "flag"),
    [
        (False, 40, 64_900_000, Flag.CLAMPED),
        (False, 1, 61 * MILLION, Flag(0)),
        (True, 50, 53_100_000, Flag.CLAMPED),
        (True, 5, 55 * MILLION, Flag(0)),
    ],
)
def test_flash_loan_moves_a_determination_by_the_bound_and_a_start_by_nothing(
    attack: Attack, into: bool, moved: int, basis: int, flag: Flag
) -> None:
    last = attack.last(59 * MILLION, 60 * MILLION)
    honest = attack.undisturbed(last)
    assert [d.basis for d in honest] == [60 * MILLION, 60 * MILLION]
    struck = attack.strike(last, millions=moved, into=into)
    # The confirmed 59 million plus or minus a tenth is all that can come of it.
    assert (struck[0].basis, struck[0].flags) == (basis, flag)
    assert struck[1].basis == honest[1].basis
    confirmed = attack.confirm(struck)
    assert (confirmed[0].basis, confirmed[0].flags) == (60 * MILLION, Flag.CONFIRMED_AT_START)
    assert confirmed[1] == struck[1]


def test_flash_loan_of_all_that_circulates(attack: Attack) -> None:
    """A supply of nothing is one that is not known: last month's counts, in the determination and at start."""
    last = attack.last(59 * MILLION, 60 * MILLION)
    struck = attack.strike(last, millions=60, into=True)
    assert (struck[0].basis, struck[0].flags) == (59 * MILLION, Flag.STALE)
    assert attack.confirm(struck) == struck


@pytest.mark.parametrize(("into", "seen"), [(False, 100 * MILLION), (True, 10 * MILLION)])
def test_flash_loan_at_a_newcomer(attack: Attack, into: bool, seen: int) -> None:
    """Nothing bounds a supply that was never known. So it does not count this month, and of its two readings the
    smaller is next month's reference."""
    last = attack.last(0, 60 * MILLION)[1:]
    struck = attack.strike(last, millions=50 if into else 40, into=into)
    assert (struck[0].basis, struck[0].flags, struck[0].status) == (seen, Flag.UNCONFIRMED, Status.OUTSIDE)
    assert (struck[1].status, struck[1].weight) == (Status.INCLUDED, WAD)
    confirmed = attack.confirm(struck)
    again = Flag.UNCONFIRMED if into else Flag.UNCONFIRMED | Flag.CONFIRMED_AT_START
    assert (confirmed[0].basis, confirmed[0].flags) == (10 * MILLION if into else 60 * MILLION, again)
    later = attack.undisturbed(confirmed)
    assert (later[0].basis, later[0].flags, later[0].status) == (
        11 * MILLION if into else 60 * MILLION,
        Flag.CLAMPED if into else Flag(0),
        Status.INCLUDED,
    )


def test_flash_loan_at_a_newcomer_at_both_readings(attack: Attack) -> None:
    """It is confirmed with what it is not, and still comes in with what it is: what is no member is believed downwards
    at once, and no start puts it up again."""
    last = attack.last(0, 60 * MILLION)[1:]
    struck = attack.strike_start(attack.strike(last, millions=40, into=False), millions=40, into=False)
    assert (struck[0].basis, struck[0].status) == (100 * MILLION, Status.OUTSIDE)
    later = attack.undisturbed(struck)
    assert [(d.basis, d.flags, d.weight) for d in later] == [(60 * MILLION, Flag(0), WAD // 2)] * 2
    assert [d.basis for d in attack.confirm(later)] == [60 * MILLION] * 2


def test_flash_loans_at_both_readings_of_a_month_are_worth_the_bound(attack: Attack) -> None:
    """Two blocks bought in one month: up by a tenth. The honest month after it takes it back."""
    last = attack.last(60 * MILLION, 60 * MILLION)
    for bound in (66 * MILLION, 72_600_000):
        struck = attack.strike(last, millions=40, into=False)
        last = attack.strike_start(struck, millions=40, into=False)
        assert (last[0].basis, last[0].flags) == (bound, Flag.CLAMPED)
    honest = attack.confirm(attack.undisturbed(last))
    assert honest[0].basis == 72_600_000 - 7_260_000
    assert attack.confirm(attack.undisturbed(honest))[0].basis == 60 * MILLION


def test_one_flash_loan_at_start_hides_an_unlock_for_that_month(attack: Attack, chain: Chain, owner: str) -> None:
    """40 of 100 million were unlocked, 60 were confirmed. What the determination said of it is further from these than
    what start is made to see. It takes one loan in each month, and the owner's override ends it."""
    last = attack.last(60 * MILLION, 60 * MILLION)
    source = chain.at("LockedSupply", chain.read(attack.rule.candidates())[0].source)
    chain.send(source.setLockers(attack.tokens[0], [chain.account("vault")]), owner)
    for _ in range(2):
        determined = attack.undisturbed(last)
        assert (determined[0].basis, determined[0].flags) == (66 * MILLION, Flag.CLAMPED)
        # 40 of the 100 million are moved into the new locker for the time of the start.
        chain.send(source.setLockers(attack.tokens[0], [attack.locker]), owner)
        last = attack.confirm(determined)
        assert (last[0].basis, last[0].flags) == (60 * MILLION, Flag.CONFIRMED_AT_START)
        chain.send(source.setLockers(attack.tokens[0], [chain.account("vault")]), owner)
    chain.send(attack.rule.overrideSupply(attack.tokens[0], 100 * MILLION), owner)
    determined = attack.undisturbed(last)
    assert [d.basis for d in determined] == [100 * MILLION, 60 * MILLION]
    assert [d.weight for d in determined] == [WAD * 100 // 160, WAD * 60 // 160]
    hidden = attack.strike_start(determined, millions=50, into=True)
    assert (hidden[0].basis, hidden[0].status) == (100 * MILLION, Status.INCLUDED)


def test_without_a_bound_the_loan_would_have_counted(attack: Attack, chain: Chain, owner: str) -> None:
    """The attack is a real one: under a rule that lets supplies double it shows in full in the determination."""
    source = chain.read(attack.rule.candidates())[0].source
    loose = replace(PLAIN, max_supply_jump=WAD)
    attack.rule = chain.deploy(
        "MarketCap", owner, rule_tuple(loose), [(token, source, 0, 0) for token in attack.tokens], sender=owner
    )
    struck = attack.strike(attack.last(59 * MILLION, 60 * MILLION), millions=40, into=False)
    assert (struck[0].basis, struck[0].flags) == (100 * MILLION, Flag(0))


SOURCE_GAS = 80_000
"""What a source is given."""
PROXY = "363d3d373d3d3d363d73{}5af43d82803e903d91602b57fd5bf3"
"""A minimal proxy (EIP-1167): every call is passed on, with the proxy's own storage."""


def test_a_locked_supply_with_all_its_lockers_fits_the_gas_of_a_source(chain: Chain, owner: str) -> None:
    """Twice over, and with a third to spare for a token behind a proxy."""
    token = new_token(chain, 18, owner)
    lockers = TOKENS[:8]
    for locker in lockers:
        chain.send(token.mint(locker, WAD), owner)
    source = chain.deploy("LockedSupply", owner, [token], [lockers], sender=owner)
    plain = called(chain, source, token.address, owner)
    logic = new_token(chain, 18, owner)
    chain.cheats.set_code(token.address, bytes.fromhex(PROXY.format(logic.address[2:])))
    proxied = called(chain, source, token.address, owner)
    assert plain < SOURCE_GAS // 2, plain
    assert proxied < SOURCE_GAS * 2 // 3, proxied


def called(chain: Chain, source: Contract, token: str, owner: str) -> int:
    """Gas of a supply that is asked for, without what any transaction costs."""
    call = source.supply(token)
    given = sum(16 if byte else 4 for byte in call.data)
    return int(chain.send(call, owner)["gasUsed"], 16) - 21_000 - given


ODD_TOKENS = {
    "burns all gas": "fe",
    "runs for ever": "5b5f56",
    "takes endless memory": "63ffffffff5ff3",
    "answers nothing": "00",
    "answers too little": "601f5ff3",
    "answers the largest number": "5f195f5260205ff3",
    "answers 100 kB of nothing": "620186a05ff3",
    "is no contract": "",
}
ODD_GAS = 90_000
"""What a source may cost beyond a sound one: the gas that it is given, and the copies of lists on the way."""


@pytest.mark.parametrize("code", ODD_TOKENS.values(), ids=ODD_TOKENS)
def test_a_locked_supply_of_an_odd_token_costs_nobody_the_month(
    chain: Chain, scene: Scene, owner: str, code: str
) -> None:
    """Its own supply counts as missing: the confirmed one is carried on. All others are read, for bounded gas."""
    tokens = by_number([new_token(chain, 18, owner).address for _ in range(3)])
    source = chain.deploy("LockedSupply", owner, tokens, [[], [], []], sender=owner)
    for token in tokens:
        chain.send(chain.at("ReferenceToken", token).mint(owner, 100 * MILLION * WAD), owner)
    listed = [(token, source, 0, 0) for token in tokens]
    rule = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), listed, sender=owner)
    chain.send(scene.stage.setPrices(tokens, [WAD] * 3), owner)
    chain.send(scene.stage.setHoldings([(TOKENS[0], 18, 0, False)], [WAD], WAD), owner)
    chain.send(scene.stage.setPrices([TOKENS[0]], [WAD]), owner)
    last = [Decision(token, 99 * MILLION, Status.INCLUDED, Flag(0), WAD, WAD // 3) for token in tokens]

    def spent(call: Call) -> int:
        return int(chain.send(call, owner)["gasUsed"], 16)

    determine = rule.determine(scene.stage, scene.stage, as_tuples(last))

    def rows(call: Call) -> list[Decision]:
        return [d for d in known(decisions(chain.read(call))) if d.token != TOKENS[0]]

    sound = rows(determine)
    assert [(d.basis, d.flags) for d in sound] == [(100 * MILLION, Flag(0))] * 3
    confirm = rule.confirm(as_words(sound))
    gas = [spent(determine), spent(confirm)]

    chain.cheats.set_code(tokens[0], bytes.fromhex(code))
    found = rows(determine)
    assert [(d.basis, d.flags) for d in found] == [(99 * MILLION, Flag.STALE), *[(100 * MILLION, Flag(0))] * 2]
    assert all(d.status is Status.INCLUDED for d in found)
    again = confirmed_by(sound, chain.read(confirm))
    # The confirmed one is nearer to itself than what was determined while the token was sound.
    assert (again[0].basis, again[0].flags) == (99 * MILLION, Flag.STALE | Flag.CONFIRMED_AT_START)
    assert again[1:] == sound[1:]
    assert all(spent(call) - before < ODD_GAS for call, before in zip((determine, confirm), gas, strict=True))

    # A newcomer of that kind stays outside.
    newcomer = rows(rule.determine(scene.stage, scene.stage, as_tuples(last[1:])))
    assert (newcomer[0].basis, newcomer[0].flags, newcomer[0].status) == (0, Flag.UNCONFIRMED, Status.OUTSIDE)
    assert [d.basis for d in newcomer[1:]] == [100 * MILLION] * 2
