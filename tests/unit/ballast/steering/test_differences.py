"""How a fund's file and the chain differ, and the calls that end it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.book import Book
from ballast.deployment.creation import anchor_rows, candidate_rows, feed_rows, sequencer_of
from ballast.fund_file import FundConfig, parse_fund
from ballast.steering.calls import decode
from ballast.steering.differences import ANCHOR_FIELDS, CANDIDATE_FIELDS, FEED_FIELDS, FieldDifference, Wish, calls_of
from ballast.steering.differences import differences as differences_of
from ballast.steering.in_force import InForce
from ballast.steering.words import Context
from ballast.units import WAD
from ballast.values import NO_ADDRESS
from tests.unit.ballast.steering.fund import (
    AT,
    BOOK,
    GUARDIAN,
    IN_FORCE,
    NEW,
    OTHER_FEED,
    PROPOSER,
    RECIPIENT,
    STRANGER,
    UNI,
    UNI_FEED,
    YFI,
    YFI_FEED,
    address,
)

ETH_FEED, LOCKER, POOL, FACTORY = address(0xF0), address(0xC1), address(0xD1), address(0xD2)
DEPLOYER = address(0xDE)

RAW: dict[str, Any] = {
    "name": "Fund",
    "symbol": "FND",
    "slug": "fund",
    "chain_id": 1,
    "weth": address(1),
    "eth_feed": {"address": ETH_FEED, "max_age": "2 hours"},
    "methodology": {"kind": "market_cap", "cap": "hard", "cap_weight": "60 %"},
    "components": [
        {
            "symbol": "UNI",
            "token": UNI,
            "decimals": 18,
            "feed": {"address": UNI_FEED, "max_age": "2 hours", "lowest": "1", "highest": "1000"},
            "supply": 600_000_000,
            "seed_unit": 10**18,
            "anchor": {"pool": POOL},
        },
        {
            "symbol": "YFI",
            "token": YFI,
            "decimals": 18,
            "feed": {"address": YFI_FEED, "max_age": "2 hours"},
            "lockers": [LOCKER],
            "known_supply": 36_666,
        },
    ],
    "seed_shares": "10",
    "supply_cap": 1_000,
    "roles": {"guardian": GUARDIAN, "proposers": [PROPOSER, "deployer"], "fee_recipient": RECIPIENT},
    "uniswap_v3_factory": FACTORY,
}
ANCHORED = {**AT, "first_oracle": address(0x1FF)}


def standing(config: FundConfig, book: Book) -> InForce:
    """The chain right after the fund's deployment."""
    sequencer, grace = sequencer_of(config)
    rule = dict(
        zip(
            (
                *("cap", "cap_weight", "floor_weight", "entry_weight", "top_n", "floor_each"),
                *("max_supply_age", "max_supply_jump", "cap_passes"),
            ),
            config.methodology.as_tuple(),
            strict=True,
        )
    )
    terms = zip(("premium", "least_sale", "max_base_fee", "monthly"), config.upkeep.as_tuple(), strict=True)
    return replace(
        IN_FORCE,
        rule=rule,
        candidates={
            row[0]: dict(zip(CANDIDATE_FIELDS, row[1:], strict=True)) for row in candidate_rows(config, book.contracts)
        },
        feeds={row[0]: dict(zip(FEED_FIELDS, row[1:], strict=True)) for row in feed_rows(config)},
        anchors={row[0]: dict(zip(ANCHOR_FIELDS, row[1:], strict=True)) for row in anchor_rows(config)},
        posted={UNI: (600_000_000, 1)},
        lockers={YFI: (LOCKER,)},
        roles={
            "PROPOSER_ROLE": frozenset({PROPOSER, DEPLOYER}),
            "CANCELLER_ROLE": frozenset({PROPOSER, DEPLOYER}),
            "EXECUTOR_ROLE": frozenset({NO_ADDRESS}),
            "DEFAULT_ADMIN_ROLE": frozenset({AT["timelock"]}),
        },
        poster=NO_ADDRESS,
        owners=dict.fromkeys(("index_token", "oracle", "rebalancer"), AT["timelock"]),
        fixed={
            "name": "Fund",
            "symbol": "FND",
            "sequencer.address": sequencer,
            "sequencer.grace": grace,
            "block_time": 12,
            "uniswap_v3_factory": FACTORY,
            **{f"upkeep.{name}": value for name, value in terms},
            **{f"methodology.{name}": value for name, value in rule.items()},
        },
    )


def found(raw: dict[str, Any], correct: tuple[str, ...] = (), **chain: Any) -> tuple[FieldDifference, ...]:
    """The differences of this file from the chain on which `RAW` was deployed; `chain` is otherwise there."""
    book = replace(BOOK, contracts=ANCHORED)
    state = replace(standing(parse_fund(RAW), book), **chain)
    return differences_of(Wish(parse_fund(raw), Context(book, state), state, DEPLOYER, 1_700_000_000, correct))


def component(place: int, **fields: Any) -> dict[str, Any]:
    components = list(RAW["components"])
    components[place] = {name: v for name, v in {**components[place], **fields}.items() if v is not None}
    return {**RAW, "components": components}


def shown(differences: tuple[FieldDifference, ...]) -> list[str]:
    """Field, words, and the function that is called."""
    book = replace(BOOK, contracts=ANCHORED)
    context = Context(book, standing(parse_fund(RAW), book))
    names = []
    for one in differences:
        called = "-" if one.call is None else decode(context, one.call.target, one.call.data).function
        names.append(f"{one.field}: {one.words} [{called}]")
    return names


def test_a_fund_as_it_was_deployed() -> None:
    assert found(RAW) == ()


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({**RAW, "streaming_fee": "1 %"}, ["streaming_fee: 0.95 % -> 1 % [setStreamingFee]"]),
    ({**RAW, "supply_cap": 5_000}, ["supply_cap: 1,000 -> 5,000 [setSupplyCap]"]),
    ({**RAW, "timelock_delay": "3 days"}, ["timelock_delay: 2 days -> 3 days [updateDelay]"]),
    (
        {**RAW, "limits": {"batch_cap": "1 %", "cool_off": "1200 s"}},
        [
            "limits.batch_cap: 2 % -> 1 % [setLimits]",
            "limits.cool_off: 10 min -> 20 min [setLimits]",
        ],
    ),
    (
        {**RAW, "timetable": {"day": "last_day"}},
        ["timetable.day: first_business_day -> last_day [setTimetable]"],
    ),
    (
        {**RAW, "roles": {**RAW["roles"], "guardian": STRANGER, "proposers": [PROPOSER, STRANGER]}},
        [
            f"roles.guardian: {GUARDIAN} -> {STRANGER} [setGuardian]",
            f"roles.proposers: PROPOSER_ROLE: none -> {STRANGER} [grantRole]",
            f"roles.proposers: PROPOSER_ROLE: {DEPLOYER} -> none [revokeRole]",
            f"roles.proposers: CANCELLER_ROLE: none -> {STRANGER} [grantRole]",
            f"roles.proposers: CANCELLER_ROLE: {DEPLOYER} -> none [revokeRole]",
        ],
    ),
    (
        {**RAW, "roles": {**RAW["roles"], "poster": STRANGER}},
        [f"roles.poster: nobody -> {STRANGER} [setPoster]"],
    ),
    ({**RAW, "symbol": "NEW"}, ["symbol: FND -> NEW [-]"]),
    ({**RAW, "block_time": "2 s"}, ["block_time: 12 s -> 2 s [-]"]),
    ({**RAW, "upkeep": {"premium": "5 %"}}, ["upkeep.premium: 10 % -> 5 % [-]"]),
    (
        {**RAW, "methodology": {**RAW["methodology"], "cap_weight": "70 %", "top_n": 5}},
        ["methodology.cap_weight: 60 % -> 70 % [-]", "methodology.top_n: 50 -> 5 [-]"],
    ),
    (component(0, state="leaving"), ["components (UNI).state: active -> leaving [setCandidates]"]),
    (
        component(0, supply=610_000_000),
        [
            "components (UNI).supply: 600,000,000 -> 610,000,000 whole tokens [post]",
            "components (UNI).known_supply: 600,000,000 -> 610,000,000 [setCandidates]",
        ],
    ),
    (
        component(1, lockers=[LOCKER, STRANGER]),
        [f"components (YFI).lockers: {LOCKER} -> {LOCKER}, {STRANGER} [setLockers]"],
    ),
    (
        component(0, feed={"address": OTHER_FEED, "max_age": "3 hours"}),
        [
            f"components (UNI).feed.address: {UNI_FEED} -> {OTHER_FEED} [setFeed]",
            "components (UNI).feed.max_age: 2 hours -> 3 hours [setFeed]",
            "components (UNI).feed.lowest: 1 -> none [setFeed]",
            "components (UNI).feed.highest: 1000 -> none [setFeed]",
        ],
    ),
    (
        component(0, anchor={"pool": POOL, "bound": "1 %"}),
        ["components (UNI).anchor.bound: 2 % -> 1 % [setAnchor]"],
    ),
    (
        component(1, anchor={"pool": STRANGER}),
        [f"components (YFI).anchor: none -> pool {STRANGER}, window 30 min, bound 2 % [setAnchor]"],
    ),
]


@pytest.mark.parametrize(("raw", "words"), CHANGES, ids=[words[0].split(":")[0] for _, words in CHANGES])
def test_what_differs_and_what_ends_it(raw: dict[str, Any], words: list[str]) -> None:
    assert shown(found(raw)) == words


def test_a_candidate_more_and_one_less() -> None:
    newcomer = {
        "symbol": "NEW",
        "token": NEW,
        "decimals": 18,
        "feed": {"address": OTHER_FEED, "max_age": "1 hours"},
        "supply": 5,
    }
    more = found({**RAW, "components": [*RAW["components"], newcomer]})
    assert [one.field for one in more] == [
        "components (NEW).feed",
        "components (NEW).supply",
        "components (NEW)",
    ]
    context = Context(replace(BOOK, contracts=ANCHORED))
    calls = [decode(context, call.target, call.data).function for call in calls_of(more)]
    assert calls == ["setFeed", "post", "setCandidates"]
    standing_now = standing(parse_fund(RAW), replace(BOOK, contracts=ANCHORED)).candidates
    less = found(RAW, candidates={**standing_now, NEW: {"source": AT["posted_supply"], "state": 0, "whole_tokens": 5}})
    assert shown(less) == [f"components ({NEW}): candidate -> none [setCandidates]"]


def test_limits_are_one_call() -> None:
    differences = found({**RAW, "limits": {"batch_cap": "1 %", "cool_off": "1200 s"}, "streaming_fee": "1 %"})
    assert len(differences) == 3 and len(calls_of(differences)) == 2


def test_a_feed_that_is_corrected() -> None:
    raw = component(0, feed={"address": OTHER_FEED, "max_age": "2 hours", "lowest": "1", "highest": "1000"})
    assert shown(found(raw, correct=(UNI,)))[0].endswith("[correctFeed]")


def test_a_supply_that_was_posted_since_is_no_difference() -> None:
    """The file says what the fund began with."""
    assert found(RAW, posted={UNI: (650_000_000, 9)}) == ()


def test_what_the_file_does_not_allow() -> None:
    """Whoever has a role that the file does not name, and an owner that is not the timelock."""
    roles = {**standing(parse_fund(RAW), replace(BOOK, contracts=ANCHORED)).roles}
    roles["DEFAULT_ADMIN_ROLE"] |= {STRANGER}
    roles["EXECUTOR_ROLE"] = frozenset({STRANGER})
    words = shown(found(RAW, roles=roles, owners={"oracle": STRANGER}))
    assert words == [
        "timelock.EXECUTOR_ROLE: EXECUTOR_ROLE: none -> anyone [grantRole]",
        f"timelock.EXECUTOR_ROLE: EXECUTOR_ROLE: {STRANGER} -> none [revokeRole]",
        f"timelock.DEFAULT_ADMIN_ROLE: DEFAULT_ADMIN_ROLE: {STRANGER} -> none [revokeRole]",
        f"owner of oracle: {STRANGER} -> the fund's timelock [-]",
    ]


def test_fee_splits() -> None:
    """The part of the fee for the upkeep is fixed in the split; without a part the fee goes to who the file names."""
    book = replace(BOOK, contracts={**ANCHORED, "fee_split": STRANGER})
    with_part = {**RAW, "upkeep": {"part": "50 %"}}
    state = replace(standing(parse_fund(RAW), book), fee_recipient=STRANGER, split=(RECIPIENT, WAD // 2))

    def differ(raw: dict[str, Any]) -> list[tuple[str, bool]]:
        wish = Wish(parse_fund(raw), Context(book, state), state, DEPLOYER, 1)
        return [(one.field, one.call is not None) for one in differences_of(wish)]

    assert differ(with_part) == []
    assert differ({**RAW, "upkeep": {"part": "40 %"}}) == [("upkeep.part", False)]
    assert differ(RAW) == [("roles.fee_recipient", True)]


def test_fixed_weights() -> None:
    raw = {**RAW, "methodology": {"kind": "fixed_weight"}}
    raw["components"] = [
        {**{k: v for k, v in c.items() if k not in ("supply", "lockers", "known_supply")}, "weight": "50 %"}
        for c in RAW["components"]
    ]
    given: dict[str, Any] = {"rule": None, "candidates": {}, "weights": {UNI: WAD // 4, NEW: 3 * WAD // 4}}
    assert [(one.field, one.words) for one in found(raw, **given)] == [
        ("components (UNI).weight", "25 % -> 50 %"),
        ("components (YFI).weight", "0 % -> 50 %"),
        (f"components ({NEW}).weight", "75 % -> 0 %"),
    ]
    assert shown(found(raw)) == ["methodology.kind: market_cap -> fixed_weight [-]"]
