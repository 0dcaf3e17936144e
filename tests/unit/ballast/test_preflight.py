"""What preflight makes of what it read: each judgement on its own, without a chain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ballast.fund_file import FundConfig, parse_fund
from ballast.parts import Component, Feed
from ballast.preflight import feeds, fund_file, tokens
from ballast.preflight.feeds import Priced, Reading
from ballast.preflight.problems import DeployError, Problem, Severity, judge
from ballast.preflight.tokens import Token
from ballast.units import DAY_S, WAD
from tests.unit.ballast.fund_edits import A, B, C, good

SAFE = {"roles": {"guardian": A, "proposers": [A, B], "fee_recipient": A}, "timetable": {"min_notice": "3 days"}}


def fund(**fields: Any) -> FundConfig:
    """A fund whose governance is in order, with other fields."""
    return parse_fund({**good(), **SAFE, **fields})


def component(symbol: str, **fields: Any) -> Component:
    feed = Feed(address=C, max_age=5_400)
    return Component(symbol=symbol, token=A, decimals=18, feed=feed, supply=1_000, **fields)


def lines(found: Any) -> list[str]:
    return [problem.text for problem in found]


# How problems are told


def test_one_problem_is_one_line_and_several_are_counted() -> None:
    with pytest.raises(DeployError) as caught:
        judge([Problem("a"), Problem("told", Severity.WARNING)], False)
    assert str(caught.value) == "a"
    with pytest.raises(DeployError) as caught:
        judge([Problem("a"), Problem("told", Severity.WARNING), Problem("b", Severity.UNSAFE)], False)
    assert str(caught.value) == "2 problems:\na\nb; --unsafe deploys it all the same"
    assert judge([Problem("told", Severity.WARNING), Problem("b", Severity.UNSAFE)], True) == ("told", "b")
    with pytest.raises(DeployError):
        judge([Problem("a")], True)


# The file alone


@pytest.mark.parametrize("field", ["name", "symbol"])
def test_names_of_31_bytes_at_most(field: str) -> None:
    assert not lines(fund_file.names(fund(**{field: "x" * 31})))
    (line,) = lines(fund_file.names(fund(**{field: "x" * 32})))
    assert line == f"{field}: found {'x' * 32!r} with 32 bytes, expected at most 31"
    # Bytes, not letters.
    (line,) = lines(fund_file.names(fund(**{field: "é" * 16})))
    assert "with 32 bytes" in line


def test_lockers_each_once_and_at_most_8() -> None:
    eight = tuple(f"0x{i:040x}" for i in range(1, 9))
    assert not lines(fund_file.lockers(component("UNI", lockers=eight)))
    assert lines(fund_file.lockers(component("UNI", lockers=(*eight, A)))) == [
        "UNI: lockers: found 9, expected at most 8"
    ]
    assert lines(fund_file.lockers(component("UNI", lockers=(A, B, A)))) == [
        f"UNI: lockers: {A} stands there twice, expected each once"
    ]


def nobody(_: str) -> bool:
    return False


def test_governance_in_order() -> None:
    assert not lines(fund_file.governance(fund(), A, nobody))


def test_a_timelock_without_a_delay() -> None:
    (problem,) = fund_file.governance(fund(timelock_delay="0"), A, nobody)
    assert problem.text.startswith("timelock_delay: found 0, expected time in which holders can leave")
    assert problem.severity is Severity.UNSAFE


def test_one_proposer_alone() -> None:
    """Alone is also who is named twice; a contract, such as a multi-signature account, is several people."""
    roles = {"guardian": "deployer", "proposers": ["deployer", C], "fee_recipient": A}
    (problem,) = fund_file.governance(fund(roles=roles), C, nobody)
    assert problem.severity is Severity.UNSAFE
    assert problem.text.startswith(
        f"roles.proposers: found one plain account alone, {C} (also the deployer and the guardian): "
    )
    assert not lines(fund_file.governance(fund(roles=roles), A, nobody))
    assert not lines(fund_file.governance(fund(roles=roles), C, lambda address: address == C))


def test_a_poster_that_is_the_guardian() -> None:
    roles = {"guardian": "deployer", "proposers": ["deployer", C], "fee_recipient": A}
    for named, account in (("deployer", B), (A, A)):
        (problem,) = fund_file.governance(fund(roles={**roles, "poster": named}), account, nobody)
        assert problem.severity is Severity.UNSAFE
        assert problem.text == (
            f"roles.poster: found the guardian, {account}: nobody would veto what it posts, expected another account"
        )
    assert not lines(fund_file.governance(fund(roles={**roles, "poster": C}), A, nobody))


def test_a_notice_too_short_for_an_override() -> None:
    assert not lines(fund_file.governance(fund(timelock_delay="2 days"), A, nobody))
    (problem,) = fund_file.governance(fund(timelock_delay=f"{2 * DAY_S + 1} s"), A, nobody)
    assert problem.severity is Severity.UNSAFE
    assert problem.text.startswith("timetable.min_notice: found 259200 s (3 days), expected at least 259201 s")


# Tokens

SOUND = Token(True, 18, 2_000 * WAD)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (SOUND, None),
        (replace(SOUND, code=False), "UNI: unknown token, no contract at"),
        (replace(SOUND, decimals=None), "does not answer decimals(), expected an ERC-20 token"),
        (replace(SOUND, decimals=28), f"UNI: decimals: the token {A} has 28, expected at most 27"),
        (replace(SOUND, decimals=17), f"UNI: decimals: the fund says 18, the token {A} says 17"),
        (replace(SOUND, total=None), "does not answer totalSupply()"),
        (replace(SOUND, total=1_000 * WAD), None),
        (
            replace(SOUND, total=1_000 * WAD - 10**17),
            "UNI: supply: found 1,000 tokens, expected at most 999.9, all that there are",
        ),
    ],
)
def test_tokens(token: Token, words: str | None) -> None:
    found = lines(tokens.check(component("UNI"), token))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_one_wei_is_little_beside_the_dust_of_a_share() -> None:
    """Shares of 3 wei of A and 7 of B: at 2 and 1 USD for a wei they are worth 13 USD, so that at most a quarter of a
    thousandth of that, 0.00325 USD, may be lost to a wei."""
    config = fund(limits={"dust": "0.1 %"})
    found = {A: SOUND, B: replace(SOUND, decimals=8), C: SOUND}
    prices = {A: Decimal(2 * 10**18), B: Decimal(10**8), C: Decimal("0.00325e18")}
    problems = [*tokens.worth(config, prices, found)]
    # Published funds hold such tokens: a matter of degree.
    assert {problem.severity for problem in problems} == {Severity.UNSAFE}
    first, second = lines(problems)
    assert first.startswith("AAA: one wei of it is worth 2 USD, expected at most 0.00325 USD")
    assert "share (13 USD); make shares worth 616 times as much" in first
    assert second.startswith("BBB: one wei of it is worth 1 USD")
    # Nothing is said where the price of something in a share is not known.
    assert not lines(tokens.worth(config, {A: prices[A], C: prices[C]}, found))
    assert len(lines(tokens.worth(config, {**prices, C: Decimal("0.00326e18")}, found))) == 3


# Feeds

FEED = Feed(address=C, max_age=5_400)
USD = Reading(True, 8, 30 * 10**8, 60, "UNI / USD")


@pytest.mark.parametrize(
    ("feed", "reading", "words"),
    [
        (FEED, USD, None),
        (FEED, Reading(False), "missing, no contract at"),
        (FEED, replace(USD, decimals=None), "does not answer, expected a Chainlink feed"),
        (FEED, replace(USD, answer=None), "does not answer, expected a Chainlink feed"),
        (FEED, replace(USD, answer=0), "answers 0, expected a price above 0"),
        (FEED, replace(USD, age=5_401), "is 5401 s old, expected 0 to 5400 s"),
        (FEED, replace(USD, age=-1), "is -1 s old"),
        (FEED, replace(USD, decimals=19), "has 19 decimals, expected at most 18"),
        (FEED, replace(USD, description="UNI / ETH", decimals=18), "quoted_in_eth: found false, expected true: "),
        (FEED, replace(USD, description="UNI / ETH"), "describes itself as 'UNI / ETH'"),
        (FEED, replace(USD, description="UNI / BTC"), "expected a price in USD or ETH"),
        (FEED, replace(USD, description="a feed"), None),
        (FEED.model_copy(update={"quoted_in_eth": True}), USD, "has 8 decimals, expected 18 (quoted in ETH)"),
        (
            FEED.model_copy(update={"quoted_in_eth": True}),
            replace(USD, decimals=18),
            "quoted_in_eth: found true, expected false: ",
        ),
        (FEED.model_copy(update={"quoted_in_eth": True}), replace(USD, decimals=18, description="UNI / ETH"), None),
    ],
)
def test_feeds(feed: Feed, reading: Reading, words: str | None) -> None:
    found = [*feeds.check("UNI: feed", feed, reading)]
    assert len(found) == (words is not None)
    if words is not None:
        assert words in found[0].text and found[0].text.startswith("UNI: feed: ")
        assert found[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("longest", "words"),
    [(1_349, "a feed that died would be believed"), (1_350, None), (5_400, None), (5_401, "no price in between")],
)
def test_max_age_against_past_answers(longest: int, words: str | None) -> None:
    found = [*feeds.check("UNI: feed", FEED, replace(USD, gaps=(12, longest, 60)))]
    assert len(found) == (words is not None)
    if words is not None:
        assert words in found[0].text and f"{longest} s apart" in found[0].text
        assert found[0].severity is Severity.WARNING


def test_the_eth_feed_is_one() -> None:
    assert not lines(feeds.check_eth(replace(USD, description="ETH / USD")))
    assert not lines(feeds.check_eth(replace(USD, description="")))
    assert "expected ETH / USD" in lines(feeds.check_eth(USD))[0]


def priced(symbol: str, usd: int, description: str = "") -> Priced:
    return Priced(component(symbol), replace(USD, description=description), Decimal(usd))


YFI, COMP = priced("YFI", 430, "COMP / USD"), priced("COMP", 37_000, "YFI / USD")
EXCHANGED = {"YFI": YFI, "COMP": COMP}


def test_exchanged_feeds_by_name_and_price() -> None:
    (problem,) = feeds.check_token(YFI, Decimal(36_790), EXCHANGED)
    assert problem.severity is Severity.ERROR
    assert problem.text == (
        f"YFI: feed: {C} describes itself as 'COMP / USD' and says 430 USD, the deepest pool 36,790.00 USD; the feed "
        f"of COMP, {C}, would fit"
    )
    # Without a pool the name alone shows it.
    (problem,) = feeds.check_token(YFI, None, EXCHANGED)
    assert problem.severity is Severity.ERROR and "would fit" in problem.text


def test_exchanged_feeds_by_price_alone() -> None:
    one, other = priced("YFI", 430), priced("COMP", 37_000)
    (problem,) = feeds.check_token(one, Decimal(36_790), {"YFI": one, "COMP": other})
    assert problem.severity is Severity.ERROR and problem.text.endswith(f"the feed of COMP, {C}, would fit")
    (problem,) = feeds.check_token(one, Decimal(20_000), {"YFI": one, "COMP": other})
    assert problem.text.endswith("expected at most 10 % apart")


@pytest.mark.parametrize(("pools", "told"), [(110, False), (91, False), (90, True), (112, True)])
def test_ten_percent_apart_at_most(pools: int, told: bool) -> None:
    """Of what the pools say."""
    one = priced("UNI", 100, "UNI / USD")
    assert len([*feeds.check_token(one, Decimal(pools), {"UNI": one})]) == told


@pytest.mark.parametrize(
    ("symbol", "base", "right"),
    [("UNI", "UNI", True), ("WETH", "ETH", True), ("WBTC", "BTC", True), ("uni", "UNI", True), ("UNI", "SUSHI", False)],
)
def test_names_that_fit(symbol: str, base: str, right: bool) -> None:
    assert feeds.fits(symbol, base) is right


def test_a_name_of_nobody_else() -> None:
    """A wrapped token may have the feed of what it wraps: the pools confirm it, or the deployer."""
    one = priced("tBTC", 50_000, "BTC / USD")
    (problem,) = feeds.check_token(one, Decimal(50_100), {"tBTC": one})
    assert problem.severity is Severity.WARNING
    (problem,) = feeds.check_token(one, None, {"tBTC": one})
    assert problem.severity is Severity.UNSAFE and problem.text.endswith(
        "describes itself as 'BTC / USD', expected tBTC"
    )


def test_a_supply_bound_that_is_wide_for_short_periods() -> None:
    """A month's 25 % would let a supply move by that each week."""
    week = {"period": "7 days", "notice": "4 days", "min_notice": "1 day", "min_trading": "1 day"}
    limits = {"loss_budget": "0.4 %"}
    assert not lines(fund_file.supply_jump(fund()))
    (problem,) = fund_file.supply_jump(fund(timetable=week, limits=limits))
    assert problem.severity is Severity.UNSAFE
    most = 25 * WAD // 100 * 7 // 30
    assert problem.text.startswith(f"methodology.max_supply_jump: found {25 * WAD // 100}, expected at most {most} in")
    rule = good()["methodology"] | {"max_supply_jump": "5 %"}
    assert not lines(fund_file.supply_jump(fund(timetable=week, limits=limits, methodology=rule)))
