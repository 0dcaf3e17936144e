"""Where supplies come from: posted by the owner, or computed from lockers; and flash loans at the latter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.methodology import ONE, Decision, Flag, Status
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.reverts import assert_reverts
from tests.methodology.scene import (
    DAY,
    PLAIN,
    TOKENS,
    Scene,
    after,
    as_tuples,
    as_words,
    decisions,
    rule_tuple,
    with_bases,
)

ZERO = "0x" + "00" * 20
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
    source = chain.deploy("PostedSupply", owner, [(TOKENS[0], 5, now)], sender=owner)
    assert chain.read(source.supply(TOKENS[0])) == (5, now)
    assert chain.read(source.supply(TOKENS[1])) == (0, 0)
    receipt = chain.send(source.post([(TOKENS[0], 2**88 - 1, 0), (TOKENS[1], 1, now + 9)]), owner, at=now + 9)
    assert chain.read(source.supply(TOKENS[0])) == (2**88 - 1, 0)
    assert chain.read(source.supply(TOKENS[1])) == (1, now + 9)
    events = [tuple(e) for e in source.events(receipt, "SupplyPosted")]
    assert events == [(TOKENS[0], 2**88 - 1, 0), (TOKENS[1], 1, now + 9)]
    assert_reverts(chain, source.post([]), UNAUTHORIZED, stranger, sender=stranger)


@pytest.mark.parametrize(("token", "supply", "late"), [(ZERO, 5, 0), (TOKENS[1], 0, 0), (TOKENS[1], 5, 1)])
def test_posts_that_do_not_fit(chain: Chain, owner: str, token: str, supply: int, late: int) -> None:
    moment = chain.now() + DAY
    source = chain.deploy("PostedSupply", owner, [], sender=owner)
    fine = (TOKENS[0], 7, moment)
    call = source.post([fine, (token, supply, moment + late)])
    assert_reverts(chain, call, "UnfitSupply", token, supply, moment + late, sender=owner, at=moment)
    assert chain.read(source.post([fine]), sender=owner, at=moment) is None


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
    assert chain.read(source.supply(token), at=moment + DAY) == (0, moment + DAY)


def test_lockers_that_do_not_fit(chain: Chain, owner: str, stranger: str) -> None:
    source = chain.deploy("LockedSupply", owner, [], [], sender=owner)
    token = TOKENS[9]
    assert_reverts(chain, source.setLockers(token, []), UNAUTHORIZED, stranger, sender=stranger)
    twice = source.setLockers(token, [TOKENS[1], TOKENS[1]])
    assert_reverts(chain, twice, "UnfitLockers", token, sender=owner)
    falling = source.setLockers(token, [TOKENS[1], TOKENS[0]])
    assert_reverts(chain, falling, "UnfitLockers", token, sender=owner)
    assert_reverts(chain, source.setLockers(token, TOKENS[:21]), "UnfitLockers", token, sender=owner)
    assert chain.read(source.setLockers(token, TOKENS[:20]), sender=owner) is None


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
            chain.send(token.mint(self.locker, 40 * MILLION * ONE), owner)
            chain.send(token.mint(self.market, 60 * MILLION * ONE), owner)
        source = chain.deploy("LockedSupply", owner, self.tokens, [[self.locker]] * 2, sender=owner)
        self.rule = chain.deploy(
            "MarketCap", owner, rule_tuple(PLAIN), [(token, source, 0) for token in self.tokens], sender=owner
        )
        addresses = [token.address for token in self.tokens]
        chain.send(self.stage.setPrices([*addresses, TOKENS[0]], [ONE] * 3), owner)
        chain.send(self.stage.setHoldings([(TOKENS[0], 18, False)], [ONE], ONE), owner)

    def last(self, *basis: int) -> list[Decision]:
        """Last month's determination."""
        return [
            Decision(token.address, b, Status.INCLUDED, Flag(0), ONE, ONE // 2)
            for token, b in zip(self.tokens, basis, strict=True)
        ]

    def undisturbed(self, last: list[Decision]) -> list[Decision]:
        return known(decisions(self.chain.read(self.rule.determine(self.stage, self.stage, as_tuples(last)))))

    def strike(self, last: list[Decision], *, millions: int, into: bool) -> list[Decision]:
        """A determination while the first token's balance is moved out of the locker, or into it from the market."""
        lender, target = (self.market, self.locker.address) if into else (self.locker, ZERO)
        call = self.rule.determine(self.stage, self.stage, as_tuples(last))
        self.chain.send(
            self.borrower.strike(lender, target, self.tokens[0], millions * MILLION * ONE, self.rule, call.data),
            self.thief,
        )
        assert [self.chain.read(self.tokens[0].balanceOf(a)) for a in (self.locker, self.borrower)] == [
            40 * MILLION * ONE,
            0,
        ]
        return known(decisions(call.decode(self.chain.read(self.borrower.answer()))))

    def confirm(self, determined: list[Decision], last: list[Decision]) -> list[Decision]:
        made = after(determined, last)
        return with_bases(made, self.chain.read(self.rule.confirm(as_words(made))))


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
    # Last month's 59 million plus or minus a tenth is all that can come of it.
    assert (struck[0].basis, struck[0].flags) == (basis, flag)
    assert struck[1].basis == honest[1].basis
    confirmed = attack.confirm(struck, last)
    assert (confirmed[0].basis, confirmed[0].flags) == (60 * MILLION, Flag.CONFIRMED_AT_START)
    assert confirmed[1] == struck[1]


def test_flash_loan_of_all_that_circulates(attack: Attack) -> None:
    """A supply of nothing is one that is not known: last month's counts, in the determination and at start."""
    last = attack.last(59 * MILLION, 60 * MILLION)
    struck = attack.strike(last, millions=60, into=True)
    assert (struck[0].basis, struck[0].flags) == (59 * MILLION, Flag.STALE)
    assert attack.confirm(struck, last) == struck


@pytest.mark.parametrize(("into", "seen"), [(False, 100 * MILLION), (True, 10 * MILLION)])
def test_flash_loan_at_a_newcomer(attack: Attack, into: bool, seen: int) -> None:
    """Nothing bounds a supply that was never known; of two readings the smaller counts: it cannot be puffed up."""
    last = attack.last(0, 60 * MILLION)[1:]
    struck = attack.strike(last, millions=50 if into else 40, into=into)
    assert (struck[0].basis, struck[0].flags) == (seen, Flag(0))
    confirmed = attack.confirm(struck, last)
    expected = (10 * MILLION, Flag(0)) if into else (60 * MILLION, Flag.CONFIRMED_AT_START)
    assert (confirmed[0].basis, confirmed[0].flags) == expected


def test_without_a_bound_the_loan_would_have_counted(attack: Attack, chain: Chain, owner: str) -> None:
    """The attack is a real one: under a rule that lets supplies double it shows in full in the determination."""
    source = chain.read(attack.rule.candidates())[0].source
    loose = replace(PLAIN, max_supply_jump=ONE)
    attack.rule = chain.deploy(
        "MarketCap", owner, rule_tuple(loose), [(token, source, 0) for token in attack.tokens], sender=owner
    )
    struck = attack.strike(attack.last(59 * MILLION, 60 * MILLION), millions=40, into=False)
    assert (struck[0].basis, struck[0].flags) == (100 * MILLION, Flag(0))


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
ODD_GAS = 1_100_000
"""What a source may cost beyond a sound one: the gas that it is given, and the copies of lists on the way."""


@pytest.mark.parametrize("code", ODD_TOKENS.values(), ids=ODD_TOKENS)
def test_a_locked_supply_of_an_odd_token_costs_nobody_the_month(
    chain: Chain, scene: Scene, owner: str, code: str
) -> None:
    """Its own supply counts as missing: last month's is carried on. All others are read as ever, for bounded gas."""
    tokens = by_number([new_token(chain, 18, owner).address for _ in range(3)])
    source = chain.deploy("LockedSupply", owner, tokens, [[], [], []], sender=owner)
    for token in tokens:
        chain.send(chain.at("ReferenceToken", token).mint(owner, 100 * MILLION * ONE), owner)
    rule = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), [(token, source, 0) for token in tokens], sender=owner)
    chain.send(scene.stage.setPrices(tokens, [ONE] * 3), owner)
    chain.send(scene.stage.setHoldings([(TOKENS[0], 18, False)], [ONE], ONE), owner)
    chain.send(scene.stage.setPrices([TOKENS[0]], [ONE]), owner)
    last = [Decision(token, 99 * MILLION, Status.INCLUDED, Flag(0), ONE, ONE // 3) for token in tokens]

    def spent(call: Call) -> int:
        return int(chain.send(call, owner)["gasUsed"], 16)

    determine = rule.determine(scene.stage, scene.stage, as_tuples(last))
    sound = known(decisions(chain.read(determine)))
    assert [(d.basis, d.flags) for d in sound] == [(100 * MILLION, Flag(0))] * 3
    confirm = rule.confirm(as_words(sound))
    gas = [spent(determine), spent(confirm)]

    chain.cheats.set_code(tokens[0], bytes.fromhex(code))
    found = known(decisions(chain.read(determine)))
    assert [(d.basis, d.flags) for d in found] == [(99 * MILLION, Flag.STALE), *[(100 * MILLION, Flag(0))] * 2]
    assert all(d.status is Status.INCLUDED for d in found)
    again = with_bases(sound, chain.read(confirm))
    # Last month's is nearer to itself than what was determined while the token was sound.
    assert (again[0].basis, again[0].flags) == (99 * MILLION, Flag.STALE | Flag.CONFIRMED_AT_START)
    assert again[1:] == sound[1:]
    assert all(spent(call) - before < ODD_GAS for call, before in zip((determine, confirm), gas, strict=True))

    # A newcomer of that kind stays outside.
    newcomer = known(decisions(chain.read(rule.determine(scene.stage, scene.stage, as_tuples(last[1:])))))
    assert (newcomer[0].basis, newcomer[0].flags, newcomer[0].status) == (0, Flag.NO_SUPPLY, Status.OUTSIDE)
    assert [d.basis for d in newcomer[1:]] == [100 * MILLION] * 2
