"""Calls of the timelock in words, with what is dangerous about each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_utils import keccak

from ballast.abi import encode_call
from ballast.parts import LimitsConfig
from ballast.steering import owner_abi
from ballast.steering.calls import MAX_DEPTH, Decoded, decode, same_effect
from ballast.steering.operations import TimelockCall
from ballast.steering.words import Context
from ballast.timetable import TimetableConfig
from ballast.units import DAY_S, WAD
from ballast.values import NO_ADDRESS
from tests.unit.ballast.steering.fund import (
    AT,
    BOOK,
    GUARDIAN,
    NEW,
    OTHER_FEED,
    STRANGER,
    UNI,
    UNI_FEED,
    YFI,
    YFI_FEED,
    context,
    in_force,
)

PROPOSER_ROLE = bytes(keccak(text="PROPOSER_ROLE"))
NOTHING = bytes(32)


def data(contract: str, name: str, *arguments: Any) -> bytes:
    return encode_call(owner_abi.function(contract, name), *arguments)


def told(where: str, contract: str, name: str, *arguments: Any, **more: Any) -> Decoded:
    return decode(context(**more), AT[where], data(contract, name, *arguments))


def limits(**more: int) -> tuple[tuple[int, ...], int]:
    """The arguments of `setLimits`."""
    given = LimitsConfig(**more)
    return given.as_tuple(), given.band


def test_a_limit_that_becomes_looser() -> None:
    found = told("rebalancer", "Rebalancer", "setLimits", *limits(loss_budget=6 * WAD // 1000))
    assert found.words == "Rebalancer.setLimits: loss_budget 0.5 % -> 0.6 %"
    assert found.warnings == ("limits looser: loss_budget; trading may cost the holders more",)
    assert (found.contract, found.function, found.target) == ("Rebalancer", "setLimits", AT["rebalancer"])


def test_limits_that_become_narrower_or_stay() -> None:
    narrower = told("rebalancer", "Rebalancer", "setLimits", *limits(batch_cap=WAD // 100, cool_off=1_200))
    assert narrower.words == "Rebalancer.setLimits: batch_cap 2 % -> 1 %, cool_off 10 min -> 20 min"
    assert narrower.warnings == ()
    fee = told("index_token", "IndexToken", "setStreamingFee", 95 * WAD // 10_000)
    assert (fee.words, fee.warnings) == ("IndexToken.setStreamingFee: streaming_fee 0.95 %, as now", ())
    same = told("rebalancer", "Rebalancer", "setLimits", *limits())
    assert same.words == "Rebalancer.setLimits: nothing becomes different"


def test_without_what_is_in_force_the_new_values_are_told() -> None:
    found = decode(Context(BOOK), AT["rebalancer"], data("Rebalancer", "setLimits", *limits()))
    assert "loss_budget 0.5 %" in found.words and "max_idle 30 min" in found.words and "->" not in found.words
    assert found.warnings == ("limits set: what they were is not known here; compare them with the fund's file",)


def test_a_band_and_another_period() -> None:
    found = told("rebalancer", "Rebalancer", "setLimits", *limits(band=WAD // 100))
    assert found.words == "Rebalancer.setLimits: band 0 % -> 1 %"
    assert found.warnings == ("band raised: a period is skipped while the weights drift by less than 1 %",)
    quarters = TimetableConfig(period=3, begins=1_800_000_000).as_tuple()
    found = told("rebalancer", "Rebalancer", "setTimetable", quarters)
    assert found.words == (
        "Rebalancer.setTimetable: period 1 month -> 3 months, begins as the current period ends -> "
        "2027-01-15 08:00:00 UTC"
    )
    assert found.warnings == ()
    weeks = TimetableConfig(period=7 * DAY_S, notice=3 * DAY_S, min_notice=2 * DAY_S, min_trading=DAY_S).as_tuple()
    assert told("rebalancer", "Rebalancer", "setTimetable", weeks).warnings == (
        "timetable shorter: notice, min_notice, min_trading; holders have less time to leave",
        "periods shorter: loss budget and step count for each of them",
    )


def test_a_shorter_notice() -> None:
    shorter = TimetableConfig(min_notice=2 * DAY_S).as_tuple()
    found = told("rebalancer", "Rebalancer", "setTimetable", shorter)
    assert found.words == "Rebalancer.setTimetable: min_notice 3 days -> 2 days"
    assert found.warnings == ("timetable shorter: min_notice; holders have less time to leave",)


SINGLE = [
    ("index_token", "IndexToken", "setStreamingFee", (WAD // 100,), "streaming_fee 0.95 % -> 1 %", "fee raised"),
    ("index_token", "IndexToken", "setFeeRecipient", (STRANGER,), STRANGER, "another fee recipient"),
    ("index_token", "IndexToken", "setSupplyCap", (2_000,), "1,000 -> 2,000 whole shares", "supply cap raised"),
    ("index_token", "IndexToken", "setSupplyCap", (2,), "1,000 -> 2 whole shares", "supply cap lowered"),
    ("index_token", "IndexToken", "setState", (UNI, 0, True), "UNI written off", "it will revert"),
    ("index_token", "IndexToken", "transfer", (STRANGER, WAD), "1 shares of the timelock", "moves or lends shares"),
    ("index_token", "IndexToken", "transferOwnership", (STRANGER,), STRANGER, "ownership handed over"),
    ("index_token", "IndexToken", "seed", ([], [], 1, STRANGER), "shares 1", "nothing that an owner"),
    ("rebalancer", "Rebalancer", "setGuardian", (STRANGER,), f"guardian {GUARDIAN} -> {STRANGER}", "another guardian"),
    ("rebalancer", "Rebalancer", "setGuardian", (NO_ADDRESS,), NO_ADDRESS, "no guardian"),
    ("rebalancer", "Rebalancer", "setMethodology", (STRANGER,), f"-> {STRANGER}", "it decides what the fund holds"),
    ("rebalancer", "Rebalancer", "suspend", (UNI,), "UNI suspended", "nobody can mint"),
    ("rebalancer", "Rebalancer", "resume", (UNI,), "UNI no longer suspended", "rely again"),
    ("rebalancer", "Rebalancer", "writeOff", (UNI,), "UNI written off", "write-off"),
    ("rebalancer", "Rebalancer", "veto", (), "the determined period passes", "nothing is traded"),
    ("methodology", "MarketCap", "overrideSupply", (UNI, 9), "supply of UNI 9 whole tokens", "override"),
    ("posted_supply", "PostedSupply", "post", ([(UNI, 10**9, 1)],), "600,000,000 -> 1,000,000,000", "66.66 % from"),
    ("posted_supply", "PostedSupply", "post", ([(YFI, 1, 1)],), "supply of YFI 1 whole", "a first supply"),
    ("posted_supply", "PostedSupply", "setPoster", (STRANGER,), f"poster {STRANGER}", "another poster"),
    ("locked_supply", "LockedSupply", "setLockers", (YFI, [STRANGER]), f"lockers of YFI: {STRANGER}", "another supply"),
    ("upkeep", "Upkeep", "withdraw", (AT["index_token"], STRANGER, WAD), "1 shares to", "takes from the upkeep"),
    ("timelock", "Timelock", "updateDelay", (DAY_S,), "timelock_delay 2 days -> 1 day", "delay lowered"),
    ("timelock", "Timelock", "grantRole", (PROPOSER_ROLE, STRANGER), f"PROPOSER_ROLE to {STRANGER}", "role granted"),
    ("timelock", "Timelock", "grantRole", (bytes(32), STRANGER), "DEFAULT_ADMIN_ROLE to", "without any delay"),
    (
        "timelock",
        "Timelock",
        "revokeRole",
        (bytes(keccak(text="EXECUTOR_ROLE")), NO_ADDRESS),
        "anyone",
        "nobody is left",
    ),
    ("timelock", "Timelock", "cancel", (NOTHING,), "operation 0x00", "cancels another"),
]


@pytest.mark.parametrize(("where", "contract", "name", "arguments", "words", "warning"), SINGLE)
def test_what_a_call_does_and_what_is_dangerous(
    where: str, contract: str, name: str, arguments: tuple[Any, ...], words: str, warning: str
) -> None:
    found = told(where, contract, name, *arguments)
    assert found.words.startswith(f"{contract}.{name}: ")
    assert words in found.words
    assert any(warning in line for line in found.warnings), found.warnings


HARMLESS = [
    ("posted_supply", "PostedSupply", "setPoster", (NO_ADDRESS,)),
    ("index_token", "IndexToken", "setStreamingFee", (0,)),
    ("index_token", "IndexToken", "collectFee", ()),
    ("rebalancer", "Rebalancer", "determine", ()),
    ("posted_supply", "PostedSupply", "post", ([(UNI, 601_000_000, 1)],)),
    ("timelock", "Timelock", "updateDelay", (3 * DAY_S,)),
]


@pytest.mark.parametrize(("where", "contract", "name", "arguments"), HARMLESS)
def test_what_is_not_dangerous_has_no_warning(where: str, contract: str, name: str, arguments: tuple[Any, ...]) -> None:
    assert told(where, contract, name, *arguments).warnings == ()


def test_a_methodology_of_a_stranger_and_one_of_the_project() -> None:
    def warnings(**more: Any) -> str:
        return "\n".join(told("rebalancer", "Rebalancer", "setMethodology", NEW, **more).warnings)

    assert "was not looked at" in warnings()
    assert "a stranger's contract" in warnings(codes={NEW: ""})
    ours = warnings(codes={NEW: "MarketCap"}, owners={NEW: AT["timelock"]})
    assert ours == "another methodology: it decides what the fund holds"
    theirs = warnings(codes={NEW: "MarketCap"}, owners={NEW: STRANGER})
    assert f"owned by {STRANGER}, who can change it without any delay" in theirs


def feed_of(token: str, at: str, lowest: int = WAD, highest: int = 1_000 * WAD, max_age: int = 7_200) -> Any:
    return token, at, max_age, 0, 0, lowest, highest


def oracle(name: str, *feed: Any, **more: Any) -> Decoded:
    return told("oracle", "ChainlinkOracle", name, *feed, **more)


def test_a_feed_that_lies_by_four_percent() -> None:
    file = {YFI_FEED: "the file's feed of YFI"}
    found = oracle("setFeed", feed_of(UNI, OTHER_FEED), answers={OTHER_FEED: 208 * WAD // 10}, known=file)
    assert found.words == f"ChainlinkOracle.setFeed: feed of UNI: feed {UNI_FEED} -> {OTHER_FEED}"
    (warning,) = found.warnings
    assert warning == (
        f"feed of UNI replaced: {OTHER_FEED}, which the fund's file does not name; it says 20.8 USD, 4.00 % from the "
        "price in force, 20 USD"
    )
    unread = oracle("setFeed", feed_of(UNI, OTHER_FEED))
    assert unread.warnings == (f"feed of UNI replaced: {OTHER_FEED}",)
    named = oracle("setFeed", feed_of(UNI, OTHER_FEED), answers={OTHER_FEED: None}, known={OTHER_FEED: "file: UNI"})
    assert named.warnings == (f"feed of UNI replaced: {OTHER_FEED} (file: UNI); it gives no answer",)


def test_bands_and_ages_of_feeds() -> None:
    def warnings(*feed: Any) -> tuple[str, ...]:
        return oracle("setFeed", feed_of(*feed)).warnings

    assert warnings(UNI, UNI_FEED) == ()
    assert warnings(UNI, UNI_FEED, 2 * WAD) == ("band of UNI replaced: 1 to 1,000 -> 2 to 1,000",)
    assert warnings(UNI, UNI_FEED, 0, 0) == ("UNI: without a band only the absurd is left out",)
    assert warnings(UNI, UNI_FEED, WAD, 1_000 * WAD, 2 * DAY_S) == (
        "UNI: an answer counts for 2 days, longer than before",
        "UNI: no feed of Chainlink's has a heartbeat of more than a day",
    )
    assert warnings(NEW, OTHER_FEED)[0].startswith(f"first feed of {NEW}, which has nothing to agree with")
    assert "a correction" in oracle("correctFeed", feed_of(UNI, OTHER_FEED)).warnings[0]


def test_an_anchor() -> None:
    anchored = BOOK.contracts | {"first_oracle": NEW}
    within = Context(BOOK.__class__(**{**BOOK.__dict__, "contracts": anchored}), in_force())

    def told_of(pool: str) -> Decoded:
        return decode(within, AT["oracle"], data("AnchoredOracle", "setAnchor", (UNI, pool, 1_800, WAD // 50)))

    assert told_of(STRANGER).words == (
        f"AnchoredOracle.setAnchor: anchor of UNI: pool {STRANGER}, window 30 min, bound 2 %"
    )
    assert told_of(NO_ADDRESS).words.endswith("anchor of UNI removed")


def test_a_newcomer_has_the_symbol_of_the_file() -> None:
    assert context(known={NEW: "NEW", UNI: "another"}).symbol(NEW) == "NEW"
    assert context(known={UNI: "another"}).symbol(UNI) == "UNI", "the book's comes first"
    assert context().symbol(NEW) == NEW


def test_calls_that_do_the_same() -> None:
    def post(*rows: tuple[str, int, int]) -> TimelockCall:
        return TimelockCall(AT["posted_supply"], 0, data("PostedSupply", "post", list(rows)))

    assert same_effect(post((UNI, 5, 1)), post((UNI, 5, 2))), "the date is that of the proposal"
    assert not same_effect(post((UNI, 5, 1)), post((UNI, 6, 1)))
    assert not same_effect(post((UNI, 5, 1)), post((UNI, 5, 1), (YFI, 5, 1)))
    fee = TimelockCall(AT["index_token"], 0, data("IndexToken", "setStreamingFee", 1))
    assert same_effect(fee, fee)
    for other in (replace(fee, value=1), replace(fee, target=STRANGER), replace(fee, data=fee.data[:-1] + b"\2")):
        assert not same_effect(fee, other)
    broken = replace(post((UNI, 5, 1)), data=post((UNI, 5, 1)).data[:40])
    assert same_effect(broken, broken) and not same_effect(broken, post((UNI, 5, 1)))


def test_candidates_that_come_change_and_go() -> None:
    posted = AT["posted_supply"]
    rows = [(UNI, posted, 1, 0), (NEW, STRANGER, 0, 5_000)]
    found = told("methodology", "MarketCap", "setCandidates", rows, codes={STRANGER: ""})
    assert found.words == (
        "MarketCap.setCandidates: UNI state active -> frozen; "
        f"{NEW} comes in: source {STRANGER}, state active, known_supply 5,000; YFI is no candidate any more"
    )
    assert found.warnings == (
        f"a candidate comes in: {NEW} ({NEW})",
        f"{NEW}: its supply comes from {STRANGER}, no source of the fund",
        f"{STRANGER} has none of this project's code: a stranger's contract",
        f"{NEW}: the owner vouches for a supply of 5,000 whole tokens",
        f"{NEW} has no feed in force: a first feed has nothing to agree with",
        "YFI will be sold, as no candidate any more",
    )


def test_weights() -> None:
    given = in_force(rule=None, weights={UNI: WAD // 2, YFI: WAD // 2})
    found = decode(
        Context(BOOK, given),
        AT["methodology"],
        data("FixedWeight", "setWeights", [(UNI, WAD // 4), (NEW, 3 * WAD // 4)]),
    )
    assert found.words == f"FixedWeight.setWeights: UNI 50 % -> 25 %; {NEW} 0 % -> 75 %; YFI leaves"
    assert found.warnings == (f"a component comes in: {NEW} ({NEW})",)


def test_what_is_not_known_is_shown_in_digits_and_never_refused() -> None:
    for target, sent in [
        (STRANGER, b""),
        (STRANGER, b"\x01\x02"),
        (STRANGER, bytes.fromhex("deadbeef") + bytes(100)),
        (AT["rebalancer"], bytes.fromhex("deadbeef")),
        (AT["rebalancer"], data("Rebalancer", "setLimits", *limits())[:-1]),
        (AT["lens"], data("Rebalancer", "veto")),
    ]:
        found = decode(context(), target, sent, 1)
        assert found.function == ""
        assert any("sends 0.000000000000000001 ether" in line for line in found.warnings)
        if sent:
            assert sent[:4].hex() in found.words
            assert any("cannot be decoded" in line for line in found.warnings)
        if target == STRANGER:
            assert any("no contract of the fund" in line for line in found.warnings)


def test_bytes_behind_the_arguments() -> None:
    sent = data("Rebalancer", "setGuardian", GUARDIAN) + bytes(32)
    assert any("more bytes follow" in line for line in decode(context(), AT["rebalancer"], sent).warnings)


def test_a_replaced_methodology_is_no_contract_of_the_fund() -> None:
    replaced = Context(BOOK, in_force(methodology=NEW), codes={AT["methodology"]: "MarketCap"})
    call = data("MarketCap", "overrideSupply", UNI, 9)
    assert "which is no contract of the fund" in decode(replaced, AT["methodology"], call).warnings[0]
    found = decode(replaced, NEW, call)
    assert found.words.startswith("MarketCap.overrideSupply: ")


def test_calls_inside_of_calls_are_taken_apart() -> None:
    inner = data("Timelock", "grantRole", PROPOSER_ROLE, STRANGER)
    lists = [AT["timelock"], AT["index_token"]], [0, 0], [inner, data("IndexToken", "setStreamingFee", WAD // 100)]
    found = told("timelock", "Timelock", "scheduleBatch", *lists, NOTHING, NOTHING, 2 * DAY_S)
    assert found.words == (
        f"Timelock.scheduleBatch: schedules [Timelock.grantRole: PROPOSER_ROLE to {STRANGER}; "
        "IndexToken.setStreamingFee: streaming_fee 0.95 % -> 1 %]"
    )
    assert found.warnings[0] == "schedules further calls from inside an operation, where few look for them"
    assert found.warnings[1].startswith(f"inside: role granted: {STRANGER}")
    call = inner
    for _ in range(MAX_DEPTH + 1):
        call = data("Timelock", "execute", AT["timelock"], 0, call, NOTHING, NOTHING)
    assert any("too deep" in line for line in decode(context(), AT["timelock"], call).warnings)
