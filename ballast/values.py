"""Exact parsers of the values in a fund file: text in, integers out, never a float; and texts of such values.

Each parser accepts the text of the file, or (most of them) a value that has its final type already, for a fund built in
Python, and raises ValueError with what is expected.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from eth_utils import is_hex_address, to_checksum_address
from eth_utils.address import is_checksum_address, is_checksum_formatted_address

from ballast.units import DAY_S, HOUR_S, WAD

DEPLOYER = "deployer"
"""Means the account that deploys the fund, wherever a role needs an account."""

NO_ADDRESS = "0x" + "00" * 20
"""The zero address: nobody, where a contract keeps a role."""

_SECONDS = {"s": 1, "min": 60, "hour": HOUR_S, "hours": HOUR_S, "day": DAY_S, "days": DAY_S}
_WEI_DIGITS = {"gwei": 9, "ether": 18}
MIN_DATE = 10**9
"""In 2001: nobody means a smaller number as a Unix time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"^(\d+)\s*([a-z]*)$")
_INTEGER = re.compile(r"^-?\d[\d_]*$")


def parse_fraction(value: object) -> int:
    """A fraction such as "2 %" or "0.02" to 18 decimals, exactly; an int has 18 decimals already."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    right = 'expected a fraction such as "2 %" or "0.02" with at most 18 decimals'
    if not isinstance(value, str):
        raise ValueError(right)
    text = value.strip()
    return _scaled(text.removesuffix("%").strip(), 16 if text.endswith("%") else 18, right)


def parse_shares(value: object) -> int:
    """Whole shares such as "1000.5" to 18 decimals, exactly; an int has 18 decimals already."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    right = 'expected whole shares such as "1000" or "1000.5" with at most 18 decimals'
    if not isinstance(value, str):
        raise ValueError(right)
    return _scaled(value.strip(), 18, right)


def parse_amount(value: object, decimals: int) -> int:
    """Whole tokens such as "1000.5" to token wei, exactly."""
    right = f'expected an amount such as "1000" or "1000.5" with at most {decimals} decimals'
    if not isinstance(value, str):
        raise ValueError(right)
    return _scaled(value.strip(), decimals, right)


def parse_price(value: object) -> int:
    """A price such as "0.01" or "64000" to 18 decimals, exactly; an int has 18 decimals already."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    right = 'expected a price such as "0.01" or "64000" with at most 18 decimals'
    if not isinstance(value, str):
        raise ValueError(right)
    return _scaled(value.strip(), 18, right)


def parse_wei(value: object) -> int:
    """Wei from "100 gwei" or "0.5 ether", exactly; an int is wei already."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    right = 'expected an amount of ether such as "100 gwei" or "0.5 ether"'
    number, _, unit = value.strip().partition(" ") if isinstance(value, str) else ("", "", "")
    if unit.strip() not in _WEI_DIGITS:
        raise ValueError(right)
    return _scaled(number, _WEI_DIGITS[unit.strip()], right)


def _scaled(text: str, places: int, right: str) -> int:
    try:
        number = Decimal(text)
        # Works on the digits: Decimal's own arithmetic rounds to its context's precision.
        sign, digits, exponent = number.as_tuple()
    except InvalidOperation:
        raise ValueError(right) from None
    if not isinstance(exponent, int) or len(digits) > 60 or abs(exponent) > 60:
        raise ValueError(right)
    shift = exponent + places
    whole: int = int("".join(map(str, digits)))
    if shift < 0:
        whole, rest = divmod(whole, int(10**-shift))
        if rest:
            raise ValueError(right)
    else:
        whole *= int(10**shift)
    return -whole if sign else whole


def parse_integer(value: object) -> int:
    """A whole number, underscores allowed."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _INTEGER.match(value.strip()):
        raise ValueError("expected a whole number")
    return int(value)


def parse_duration(value: object) -> int:
    """Seconds from "600 s", "30 min", "12 hours", "2 days", or plain seconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    unit = (match[2] or "s") if match else ""
    if match is None or unit not in _SECONDS:
        raise ValueError('expected a duration such as "600 s", "30 min", "12 hours" or "2 days"')
    return int(match[1]) * _SECONDS[unit]


def parse_date(value: object) -> int:
    """Unix seconds from "2026-11-01" (00:00 UTC), "2026-11-01T12:00:00Z", or plain seconds; UTC if no zone is given.
    Rounds fractions of a second down."""
    if isinstance(value, str) and not value.strip().isdecimal():
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            moment = _EPOCH
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = int((moment - _EPOCH).total_seconds() // 1)
    else:
        seconds = parse_integer(value)
    if not MIN_DATE <= seconds < 2**40:
        raise ValueError('expected a date such as "2026-11-01" or "2026-11-01T12:00:00Z", or Unix seconds')
    return seconds


def duration_text(seconds: int) -> str:
    """Seconds in the format of a fund file, in the largest unit without remainder: "2 days", "30 min", "45 s"."""
    for unit, size in (("day", DAY_S), ("hour", HOUR_S), ("min", 60)):
        count, rest = divmod(seconds, size)
        if count and not rest:
            return f"{count:,} {unit}{'s' if count > 1 and unit != 'min' else ''}"
    return f"{seconds:,} s"


def span_text(seconds: int) -> str:
    """Text of a duration, in its two largest units, rounded down: "1 day 23 hours", "12 min 5 s"."""
    parts = []
    for unit, size in (("day", DAY_S), ("hour", HOUR_S), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 and size >= HOUR_S else ''}")
    return " ".join(parts[:2]) or "0 s"


def time_text(time: int) -> str:
    """Text of a Unix time, to the second, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def fraction_text(value: int) -> str:
    """An 18-decimal fraction as an exact percentage, such as "0.95 %"."""
    return f"{decimal(value, 16)} %"


def parse_flag(value: object) -> bool:
    """A bool from "true" or "false", in any case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise ValueError("expected true or false")


def parse_address(value: object) -> str:
    """A checksummed address; never the zero address."""
    if not isinstance(value, str) or not is_hex_address(value) or not value.startswith("0x"):
        raise ValueError("expected an address: 0x and 40 hexadecimal digits")
    if is_checksum_formatted_address(value) and not is_checksum_address(value):
        raise ValueError(f"expected {to_checksum_address(value)} (the checksum in its capitals is wrong)")
    if int(value, 16) == 0:
        raise ValueError("expected an address other than zero")
    return str(to_checksum_address(value))


def checked_address(value: object, field: str) -> str:
    """An address that a program wrote into a file. Raises ValueError, which names the field, unless it is
    checksummed."""
    if not isinstance(value, str) or not is_checksum_address(value):
        raise ValueError(f"{field} is {value!r}, not a checksummed address")
    return value


def parse_account(value: object) -> str:
    """An address, or the word "deployer"."""
    return DEPLOYER if value == DEPLOYER else parse_address(value)


def decimal(amount: int, decimals: int) -> str:
    """Token wei as an exact decimal number in whole tokens, with commas."""
    whole, rest = divmod(abs(amount), 10**decimals)
    sign = "-" if amount < 0 else ""
    digits = f"{rest:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{sign}{whole:,}" + (f".{digits}" if digits else "")


def ether_text(wei: int, *, up: bool = True) -> str:
    """Text of an amount of ether, to the millionth, rounded up, or down if `up` is false."""
    step = 10**12
    return f"{decimal((-(-wei // step) if up else wei // step) * step, 18)} ETH"


def decimal_text(value: int) -> str:
    """An 18-decimal integer in the format of a fund file: without commas."""
    return decimal(value, 18).replace(",", "")


def percent(fraction: int, digits: int = 2) -> str:
    """Text of a fraction of 18 decimals as a percentage with `digits` decimals, rounded towards zero."""
    sign = "-" if fraction < 0 else ""
    scaled = abs(fraction) * 100 * 10**digits // WAD
    return f"{sign}{scaled // 10**digits}.{scaled % 10**digits:0{digits}d} %"


def gwei_text(wei: int) -> str:
    """Text of a gas price in gwei, with its unit."""
    return f"{decimal(wei, 9)} gwei"
