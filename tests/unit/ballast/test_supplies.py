"""Lists of supplies as they are read, and what each entry is held against."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ballast.supplies import (
    PostedEntry,
    Standing,
    SuppliesError,
    Terms,
    change,
    going_stale,
    judge,
    parse_supplies,
    summary,
)
from ballast.units import DAY_S, WAD

NOW = 1_900_000_000
STANDING = Standing(posted=True, supply=1_100, date=NOW - 40 * DAY_S, confirmed=1_000, total=1_300)
TERMS = Terms(now=NOW, determination=NOW + 10 * DAY_S, max_age=100 * DAY_S, max_jump=WAD // 4)
FINE = PostedEntry(token="UNI", supply=1_000, date=NOW)


def test_csv_and_json_say_the_same() -> None:
    table = "# of November\ntoken, supply ,date\nUNI,1_000,2026-11-24\n\n0xAB, 7,2026-11-24T12:00:00Z\n"
    rows = [
        {"token": "UNI", "supply": 1000, "date": "2026-11-24"},
        {"date": 1_795_521_600, "token": "0xAB", "supply": "7"},
    ]
    expected = (
        PostedEntry(token="UNI", supply=1000, date=1_795_478_400),
        PostedEntry(token="0xAB", supply=7, date=1_795_521_600),
    )
    assert parse_supplies(table) == parse_supplies(json.dumps(rows)) == expected
    assert parse_supplies("﻿date,token,supply\n1795478400,UNI,1000\n") == expected[:1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "found the columns none, expected CSV"),
        ("token,supply\nUNI,5\n", "found the columns token, supply, expected CSV"),
        ("token,supply,date\n", "found 0 lines, expected 1 to 50"),
        ("token,supply,date\n" + "".join(f"T{i},5,2026-11-24\n" for i in range(51)), "found 51 lines"),
        ("token,supply,date\nUNI,5\n", "supplies line 1: found 2 fields, expected 3"),
        (
            "token,supply,date\nUNI,5.5,2026-11-24\n",
            "line 1 (UNI) supply: found '5.5', expected a whole number",
        ),
        ("token,supply,date\nUNI,0,2026-11-24\n", "supply: found '0', expected a whole number from 1 to"),
        (f"token,supply,date\nUNI,{2**88},2026-11-24\n", "expected a whole number from 1 to"),
        ("token,supply,date\nUNI,5,24.11.2026\n", "date: found '24.11.2026', expected a date such as"),
        ("token,supply,date\nUNI,5,20261124\n", "date: found '20261124', expected a date such as"),
        ("token,supply,date\nUNI,5,2026-11-24\nuni,6,2026-11-24\n", "supplies: uni stands there twice"),
        ('token,supply,date\n"UNI,5,2026-11-24\n', "supplies: not CSV"),
        ('{"UNI": 5}', "supplies: found no list"),
        ("[", "supplies: not JSON"),
        ("[5]", "supplies line 1"),
        ('[{"token": "UNI", "supply": 5}]', "supplies line 1 (UNI) date: missing"),
        (
            '[{"token": "UNI", "supply": 5, "date": 1795478400, "by": 1}]',
            "by: unknown field, expected token",
        ),
        ('[{"token": "UNI", "supply": 5.0, "date": 1795478400}]', "supply: found 5.0, expected a whole number"),
        ('[{"token": "UNI", "supply": true, "date": 1795478400}]', "supply: found True"),
    ],
)
def test_lists_that_cannot_be_read(text: str, line: str) -> None:
    with pytest.raises(SuppliesError) as told:
        parse_supplies(text)
    assert line in str(told.value)
    assert "\n" not in str(told.value)


def test_what_fits() -> None:
    for supply in (750, 1_000, 1_250):
        assert judge(FINE.model_copy(update={"supply": supply}), STANDING, TERMS).reason == ""
    assert judge(FINE.model_copy(update={"date": STANDING.date}), STANDING, TERMS).reason == ""
    oldest = TERMS.determination - TERMS.max_age
    old = replace(STANDING, date=oldest)
    assert judge(FINE.model_copy(update={"date": oldest}), old, TERMS).reason == ""


@pytest.mark.parametrize(
    ("changes", "standing", "reason"),
    [
        ({}, {"posted": False}, "not read from the posted ones"),
        ({}, {"supply": 0, "date": 0}, "first supply is the timelock's"),
        ({}, {"confirmed": 0}, "no started month has confirmed"),
        ({"date": NOW + 1}, {}, "dated in the future"),
        ({"date": STANDING.date - 1}, {}, "older than the one that stands"),
        ({"date": NOW - 90 * DAY_S - 1}, {"date": 1}, "older than 100 days at the next determination"),
        ({"supply": 749}, {}, "expected 750 to 1,250"),
        ({"supply": 1_251}, {}, "expected 750 to 1,250"),
        ({"supply": 1_201}, {"total": 1_200}, "above the 1,200 that exist"),
        ({}, {"total": None}, "does not say how much"),
    ],
)
def test_what_does_not(changes: dict[str, int], standing: dict[str, int], reason: str) -> None:
    verdict = judge(FINE.model_copy(update=changes), replace(STANDING, **standing), TERMS)  # type: ignore[arg-type]
    assert reason in verdict.reason
    assert not verdict.stands


def test_a_bound_above_all_of_it_leaves_one_token() -> None:
    wide = replace(TERMS, max_jump=10 * WAD)
    assert judge(FINE.model_copy(update={"supply": 1}), STANDING, wide).reason == ""
    assert "expected 1 to 11,000" in judge(FINE.model_copy(update={"supply": 11_001}), STANDING, wide).reason


def test_what_stands_already_is_left_alone() -> None:
    """Also where it could not be posted any more."""
    entry = PostedEntry(token="UNI", supply=1_100, date=STANDING.date)
    assert judge(entry, replace(STANDING, confirmed=0), TERMS).stands
    assert not judge(entry, replace(STANDING, posted=False), TERMS).stands


def test_which_are_stale_at_the_next_determination() -> None:
    dates = {"fresh": 1_000, "edge": 900, "old": 899, "never": 0}
    assert going_stale(dates, 1_000, 100) == ("old", "never")


def test_change() -> None:
    assert change(1_100, 1_000) == WAD // 10
    assert change(2, 3) == -(WAD // 3)
    assert change(5, 0) is None


def test_one_line_for_all_that_cannot_be_posted() -> None:
    told = summary([("UNI", "too far"), ("AAVE", "too old")], 5)
    assert told == "supplies: 2 of 5 cannot be posted (UNI: too far; AAVE: too old); correct them or leave them out"
