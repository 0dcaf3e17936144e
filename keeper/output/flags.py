"""Texts of a determination's flags. Pure."""

from __future__ import annotations

from ballast.rule.types import Flag

FLAGS = {
    Flag.STALE: "stale",
    Flag.CLAMPED: "clamped",
    Flag.OVERRIDDEN: "overridden",
    Flag.NO_PRICE: "no price",
    Flag.UNCONFIRMED: "unconfirmed",
    Flag.BELOW_RANK: "below rank",
    Flag.BELOW_FLOOR: "below floor",
    Flag.CONFIRMED_AT_START: "confirmed at start",
}


def flags(given: Flag) -> list[str]:
    """The texts of these flags."""
    return [word for flag, word in FLAGS.items() if flag in given]
