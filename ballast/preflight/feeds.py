"""Checks of the feeds: they answer, in the right currency, often enough, and for the right token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ballast.parts import Component, Feed
from ballast.preflight.chain import Reader, usd
from ballast.preflight.problems import Problem, Severity

ROUNDS = 20
"""Number of gaps between past answers to check."""
MUCH_LONGER = 4
"""Warn about a max_age of more than this many times the longest of those gaps."""
MAX_APART = Decimal("0.1")
"""Largest difference between a feed and the deepest pool that the file names for the token."""
_ROUND = ["uint80", "int256", "uint256", "uint256", "uint80"]
_IN_PHASE = 2**64
"""A proxy's round id is the aggregator's round id, with the aggregator's number in the bits above."""


@dataclass(frozen=True)
class Reading:
    """A feed's answer; None: unreadable. `price`: in the feed's currency; `age` and `gaps`: seconds."""

    code: bool
    decimals: int | None = None
    answer: int | None = None
    age: int = 0
    description: str = ""
    gaps: tuple[int, ...] = ()

    @property
    def named(self) -> tuple[str, str] | None:
        """The two sides of a description such as "AAVE / USD"."""
        base, slash, quote = self.description.partition("/")
        return (base.strip(), quote.strip()) if slash and base.strip() and quote.strip() else None

    @property
    def price(self) -> Decimal:
        return Decimal(self.answer or 0).scaleb(-(self.decimals or 0))


def read(reader: Reader, feed: Feed) -> Reading:
    if not reader.has_code(feed.address):
        return Reading(False)
    decimals = reader.number(feed.address, "decimals()")
    found = reader.view(feed.address, "latestRoundData()", _ROUND)
    if found is None:
        return Reading(True, decimals)
    description = reader.text(feed.address, "description()") or ""
    return Reading(True, decimals, found[1], reader.now - found[3], description, _gaps(reader, feed.address, found[0]))


def _gaps(reader: Reader, feed: str, latest: int) -> tuple[int, ...]:
    """Seconds between its last answers; empty if its aggregator does not have that many."""
    if latest % _IN_PHASE <= ROUNDS:
        return ()
    times = []
    for round_ in range(latest - ROUNDS, latest + 1):
        found = reader.view(feed, "getRoundData(uint80)", _ROUND, round_)
        if found is None or found[3] == 0:
            return ()
        times.append(int(found[3]))
    return tuple(after - before for before, after in pairwise(times))


def check(where: str, feed: Feed, reading: Reading) -> Iterator[Problem]:
    """Problems of the feed itself. If one is an error, its price is meaningless."""
    wrong = _wrong(feed, reading)
    if wrong is not None:
        yield Problem(f"{where}: {wrong}")
        return
    yield from _rhythm(where, feed, reading)


def _wrong(feed: Feed, reading: Reading) -> str | None:
    address = feed.address
    if not reading.code:
        return f"missing, no contract at {address} on this chain"
    if reading.decimals is None or reading.answer is None:
        return f"{address} does not answer, expected a Chainlink feed"
    wrong = _currency(feed, reading, reading.decimals)
    if wrong is not None:
        return wrong
    if reading.answer <= 0:
        return f"{address} answers {reading.answer}, expected a price above 0"
    if not 0 <= reading.age <= feed.max_age:
        return f"the answer of {address} is {reading.age} s old, expected 0 to {feed.max_age} s"
    return None


def _currency(feed: Feed, reading: Reading, decimals: int) -> str | None:
    address = feed.address
    says = f"it describes itself as {reading.description!r}" if reading.named else ""
    if decimals > 18 or (feed.quoted_in_eth and decimals != 18):
        right = "18 (quoted in ETH)" if feed.quoted_in_eth else "at most 18"
        return f"{address} has {decimals} decimals, expected {right}" + (f"; {says}" if says else "")
    quote = reading.named[1].upper() if reading.named else None
    if quote not in (None, "USD", "ETH"):
        return f"{address}: {says}, expected a price in USD or ETH"
    if quote is not None and (quote == "ETH") != feed.quoted_in_eth:
        found, right = str(feed.quoted_in_eth).lower(), str(quote == "ETH").lower()
        return f"quoted_in_eth: found {found}, expected {right}: {address}: {says}"
    return None


def _rhythm(where: str, feed: Feed, reading: Reading) -> Iterator[Problem]:
    """Compares max_age with past answers. Only warns: in volatile weeks a feed answers faster than its heartbeat."""
    if not reading.gaps:
        return
    longest = max(reading.gaps)
    if feed.max_age > MUCH_LONGER * longest:
        yield Problem(
            f"{where}: max_age: found {feed.max_age} s, but its last {ROUNDS} answers came at most {longest} s apart: "
            "a feed that died would be believed for long; expected its heartbeat and a margin",
            Severity.WARNING,
        )
    elif feed.max_age < longest:
        yield Problem(
            f"{where}: max_age: found {feed.max_age} s, but its last {ROUNDS} answers came up to {longest} s apart: "
            "there would be no price in between; expected its heartbeat and a margin",
            Severity.WARNING,
        )


def check_eth(reading: Reading) -> Iterator[Problem]:
    """The fund's ETH/USD feed describes itself as one."""
    if reading.named and not fits("ETH", reading.named[0]):
        yield Problem(f"eth_feed: it describes itself as {reading.description!r}, expected ETH / USD")


def fits(symbol: str, base: str) -> bool:
    """Whether a feed of `base` prices this token: the token itself, or its wrapped form, such as WETH for ETH."""
    return symbol.upper() in (base.upper(), "W" + base.upper())


@dataclass(frozen=True)
class Priced:
    """A component with a sound feed: the feed's reading, and USD for a whole token."""

    component: Component
    reading: Reading
    usd: Decimal


def check_token(one: Priced, pools: Decimal | None, others: Mapping[str, Priced]) -> Iterator[Problem]:
    """The feed is this token's. `pools`: USD for a whole token in its deepest pool; `others`: all components with sound
    feeds, by symbol."""
    component, feed = one.component, one.component.feed
    named = one.reading.named
    misnamed = named is not None and not fits(component.symbol, named[0])
    far = pools is not None and abs(one.usd - pools) > pools * MAX_APART
    if not misnamed and not far:
        return
    says = [f"describes itself as {one.reading.description!r}"] if misnamed else []
    if pools is not None:
        says.append(f"says {usd(one.usd)}, the deepest pool {usd(pools)}")
    text = f"{component.symbol}: feed: {feed.address} {' and '.join(says)}"
    better = _better(component.symbol, pools, others)
    if better is not None:
        text += f"; the feed of {better.component.symbol}, {better.component.feed.address}, would fit"
    elif far:
        text += f", expected at most {MAX_APART * 100:.0f} % apart"
    else:
        text += f", expected {component.symbol}"
    exchanged = named is not None and any(fits(symbol, named[0]) for symbol in others)
    if far or (pools is None and exchanged):
        yield Problem(text)
    else:
        yield Problem(text, Severity.UNSAFE if pools is None else Severity.WARNING)


def _better(symbol: str, pools: Decimal | None, others: Mapping[str, Priced]) -> Priced | None:
    """Another component's feed that matches this token better, by its description or by the pools' price; None if there
    is none."""
    rest = [other for name, other in others.items() if name != symbol]
    for other in rest:
        if other.reading.named and fits(symbol, other.reading.named[0]):
            return other
    if pools is None:
        return None
    near = [o for o in rest if not o.reading.named and abs(o.usd - pools) <= pools * MAX_APART]
    return min(near, key=lambda o: abs(o.usd - pools), default=None)
