"""A fund and what is in force in it, made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_utils import to_checksum_address

from ballast.book import CONTRACTS, Book, BookCandidate
from ballast.parts import LimitsConfig
from ballast.steering.in_force import InForce
from ballast.steering.words import Context
from ballast.timetable import TimetableConfig
from ballast.units import DAY_S, WAD
from ballast.values import NO_ADDRESS


def address(number: int) -> str:
    return str(to_checksum_address(f"0x{number:040x}"))


NAMES = (*CONTRACTS, "posted_supply", "locked_supply", "upkeep")
AT = {name: address(0x100 + i) for i, name in enumerate(NAMES)}
UNI, YFI, NEW = address(0xA1), address(0xA2), address(0xA3)
UNI_FEED, YFI_FEED, OTHER_FEED = address(0xF1), address(0xF2), address(0xF3)
GUARDIAN, RECIPIENT, PROPOSER, STRANGER = address(0xB1), address(0xB2), address(0xB3), address(0xBAD)
BOOK = Book("Fund", 1, 7, AT, address(1), (BookCandidate("UNI", UNI, 18, ()), BookCandidate("YFI", YFI, 18, ())))


def feed(at: str, lowest: int = 0, highest: int = 0) -> dict[str, Any]:
    return {"feed": at, "max_age": 7_200, "quote": 0, "ratio": 0, "lowest": lowest, "highest": highest}


IN_FORCE = InForce(
    block=100,
    time=1_700_000_000,
    trading=False,
    limits=dict(zip(LimitsConfig.model_fields, (*LimitsConfig().as_tuple(), LimitsConfig().band), strict=True)),
    timetable=dict(
        zip(
            ("length", "day", "fixed_day", "notice", "min_notice", "min_trading", "begins", "first"),
            TimetableConfig().as_tuple(),
            strict=True,
        )
    ),
    streaming_fee=95 * WAD // 10_000,
    fee_recipient=RECIPIENT,
    supply_cap=1_000,
    guardian=GUARDIAN,
    methodology=AT["methodology"],
    rule={"cap": 1},
    candidates={
        UNI: {"source": AT["posted_supply"], "state": 0, "whole_tokens": 0},
        YFI: {"source": AT["locked_supply"], "state": 0, "whole_tokens": 36_666},
    },
    weights={},
    feeds={UNI: feed(UNI_FEED, WAD, 1_000 * WAD), YFI: feed(YFI_FEED)},
    anchors={},
    posted={UNI: (600_000_000, 1_699_000_000)},
    lockers={YFI: (address(0xC1),)},
    prices={NO_ADDRESS: 2_000 * WAD, UNI: 20 * WAD, YFI: 30_000 * WAD},
    min_delay=2 * DAY_S,
    roles={"PROPOSER_ROLE": frozenset({PROPOSER}), "EXECUTOR_ROLE": frozenset({NO_ADDRESS})},
    owners={},
)


def context(**more: Any) -> Context:
    return Context(BOOK, IN_FORCE, **more)


def in_force(**more: Any) -> InForce:
    return replace(IN_FORCE, **more)
