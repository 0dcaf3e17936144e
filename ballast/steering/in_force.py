"""The owner's settings of a fund that are in force on the chain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]
"""A contract's struct by field, with names as in the fund file: `lossBudget` is `loss_budget`."""


@dataclass(frozen=True)
class InForce:
    """The settings in one block, in the contracts' units: fractions and prices have 18 decimals, times are seconds,
    supplies whole tokens.

    `limits`: including the band. `candidates`, `posted` (whole tokens and date), `lockers`: of a market-cap fund, else
    empty; `weights`: of one with fixed weights. `feeds` and `anchors`: by token, the zero address for ETH; a band of 0
    and 0 is none. `prices`: the oracle's, USD, 0 for none. `confirmed`: supplies that the last started month confirmed.
    `roles`: holders of the timelock's roles. `owners`: by the contract's name in the book. `fixed`: values that no call
    can change, by the path of the field in the fund file. `split`: recipient and part of the fee split, if the book has
    one. `poster`: of supplies, the zero address for nobody, None if the fund has no posted supplies.
    """

    block: int
    time: int
    trading: bool
    limits: Fields
    timetable: Fields
    streaming_fee: int
    fee_recipient: str
    supply_cap: int
    guardian: str
    methodology: str
    rule: Fields | None
    candidates: Mapping[str, Fields]
    weights: Mapping[str, int]
    feeds: Mapping[str, Fields]
    anchors: Mapping[str, Fields]
    posted: Mapping[str, tuple[int, int]]
    lockers: Mapping[str, tuple[str, ...]]
    prices: Mapping[str, int]
    min_delay: int
    roles: Mapping[str, frozenset[str]]
    owners: Mapping[str, str]
    confirmed: Mapping[str, int] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    split: tuple[str, int] | None = None
    poster: str | None = None


def row(struct: Any) -> dict[str, Any]:
    """A decoded struct (a named tuple) by field, with names as in the fund file."""
    return {snake(name): value for name, value in struct._asdict().items()}


def snake(name: str) -> str:
    """`lossBudget` as `loss_budget`, without a trailing underscore, which avoids name clashes in Solidity."""
    return re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), name).strip("_")
