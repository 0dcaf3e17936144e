"""Texts of a fund's file as numbers: fractions, shares, durations."""

from __future__ import annotations

import pytest

from ballast.values import parse_duration, parse_fraction, parse_shares, span_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25 %", 25 * 10**16),
        ("25%", 25 * 10**16),
        ("0.25", 25 * 10**16),
        ("-1.5 %", -15 * 10**15),
        ("0.002 %", 2 * 10**13),
        ("1e-18", 1),
        ("0.000000000000000001", 1),
        ("0.100000000000000001", 10**17 + 1),
        ("14.4177 %", 144_177 * 10**12),
    ],
)
def test_fractions_are_exact(text: str, value: int) -> None:
    assert parse_fraction(text) == value


def test_large_share_amounts_keep_every_digit() -> None:
    assert parse_shares("318564.173063822888353616") == 318564173063822888353616
    assert parse_shares("12345678901234567890123.000000000000000001") == 12345678901234567890123 * 10**18 + 1


@pytest.mark.parametrize("text", ["", "x", "1e-19", "0.0000000000000000001", "nan", "inf", "1e999999999", "1,5", "% 5"])
def test_bad_fractions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a fraction"):
        parse_fraction(text)


@pytest.mark.parametrize(("text", "seconds"), [("45", 45), ("600 s", 600), ("30min", 1_800), ("2 days", 172_800)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1.5 hours", "-3", "2 weeks", "soon"])
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (3_599, "59 min 59 s"),
        (3_600, "1 hour"),
        (172_524, "1 day 23 hours"),
        (2 * 86_400 + 61, "2 days 1 min"),
    ],
)
def test_spans_in_their_two_largest_units(seconds: int, text: str) -> None:
    assert span_text(seconds) == text
