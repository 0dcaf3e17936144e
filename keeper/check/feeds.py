"""Checks of prices: each component's feed and anchor, the sequencer's feed, and tokens' decimals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from eth_utils import to_checksum_address

from ballast.units import BLOCK_S, WAD
from ballast.values import NO_ADDRESS
from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Says
from keeper.errors import ChainError

ETH = NO_ADDRESS
_ROUND = ["uint80", "int256", "uint256", "uint256", "uint80"]
_ANCHOR = ["address", "uint32", "uint64", "address", "bool", "uint8", "uint8"]
_SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
WAIT_OR_REPLACE = "wait for the feed's next answer; if it stays, the owner can set another feed (setFeed)"


class FeedQuote(IntEnum):
    """What a token's source quotes (`Quote` of the oracle)."""

    USD = 0
    ETH = 1
    PEGGED = 2


@dataclass(frozen=True)
class Source:
    """A token's source in the oracle: `max_age` in seconds, the band `lowest` to `highest` in 18 decimals."""

    feed: str
    max_age: int
    decimals: int
    quote: FeedQuote
    lowest: int
    highest: int


def _first(fund: CheckedFund) -> str:
    """The oracle that reads the feeds."""
    return "first_oracle" if "first_oracle" in fund.book.contracts else "oracle"


def _source(fund: CheckedFund, token: str) -> Source | None:
    answer = fund.view(_first(fund), "sources(address)", _SOURCE, token)
    if answer is None or int(answer[0], 16) == 0:
        return None
    return Source(to_checksum_address(answer[0]), answer[1], answer[2], FeedQuote(answer[3]), *answer[5:])


def feeds(fund: CheckedFund) -> Iterator[Finding]:
    """Each component has a price, from a feed with a fresh answer and the decimals that the oracle expects."""
    sources = {candidate.token: _source(fund, candidate.token) for candidate in fund.book.candidates}
    fund.ahead((s.feed, view) for s in sources.values() if s for view in ("latestRoundData()", "decimals()"))
    inactive = _inactive(fund)
    for candidate in fund.book.candidates:
        says = Says("feed", candidate.symbol)
        source, price = sources[candidate.token], fund.prices[candidate.token]
        if candidate.token in inactive:
            yield says.ok("does not count: see its state")
        elif source is None:
            yield says.failure("the oracle lists no source for it", "the owner sets one (setFeed)")
        elif source.quote is FeedQuote.PEGGED:
            if price:
                yield says.ok(f"{_usd(price)}, pegged to {source.feed}")
            else:
                why = f"no price: pegged to {source.feed}, which has none, or the price is outside the band"
                yield says.failure(why, WAIT_OR_REPLACE)
        else:
            age, wrong = _answer(fund, source)
            if wrong is None and price:
                yield says.ok(f"{_usd(price)}, {age} s old of at most {source.max_age} s")
            else:
                yield says.failure(wrong or "no price, though its feed answers", WAIT_OR_REPLACE)
    if any(s is not None and s.quote is FeedQuote.ETH for t, s in sources.items() if t not in inactive):
        says = Says("feed", "ETH")
        source = _source(fund, ETH)
        wrong = "the oracle lists no source for it" if source is None else _answer(fund, source)[1]
        if wrong is None:
            yield says.ok("answers, for feeds that are quoted in ETH")
        else:
            yield says.failure(wrong, WAIT_OR_REPLACE)


def _inactive(fund: CheckedFund) -> set[str]:
    """Suspended and written-off components, whose prices do not count; empty if the fund cannot be read."""
    try:
        return {h.token for h in fund.state.holdings if not fund.state.active(h)}
    except ChainError:
        return set()


def _answer(fund: CheckedFund, source: Source) -> tuple[int, str | None]:
    """The age of a feed's answer in seconds, and its fault, None if it has none."""
    feed, answer = source.feed, fund.view(source.feed, "latestRoundData()", _ROUND)
    if answer is None:
        return 0, f"no price: the feed {feed} does not answer"
    age = int(fund.endpoint.head["timestamp"]) - int(answer[3])
    decimals = fund.value(feed, "decimals()", "uint8")
    value = answer[1] * 10 ** (18 - source.decimals)
    wrong = None
    if answer[1] <= 0:
        wrong = f"no price: the feed {feed} answers {answer[1]}"
    elif not 0 <= age <= source.max_age:
        wrong = f"no price: the answer of {feed} is {age} s old, expected 0 to {source.max_age} s"
    elif decimals != source.decimals:
        found = "nothing" if decimals is None else decimals
        wrong = f"wrong price: the feed {feed} has {found} decimals now, the oracle counts {source.decimals}"
    elif not source.lowest <= value <= source.highest:
        band = f"{_amount(source.lowest)} to {_amount(source.highest)}"
        wrong = f"no price: the feed {feed} answers {_amount(value)}, outside its band of {band}"
    return age, wrong


def sequencer(fund: CheckedFund) -> Iterator[Finding]:
    """On a rollup: the sequencer has been up for the grace period; otherwise the oracle gives no price at all."""
    feed = fund.value(_first(fund), "SEQUENCER()", "address")
    if feed is None or int(feed, 16) == 0:
        return
    says = Says("sequencer", fund.book.fund)
    grace = fund.value(_first(fund), "GRACE()", "uint256") or 0
    round_ = fund.view(feed, "latestRoundData()", _ROUND)
    since = 0 if round_ is None else int(fund.endpoint.head["timestamp"]) - int(round_[2])
    if round_ is None or round_[1] not in (0, 1) or not round_[2] or since < 0:
        yield says.failure(f"no price at all: {feed} does not answer as a sequencer's feed", "wait, or ask Chainlink")
    elif round_[1] == 1:
        yield says.failure(f"no price at all: down since {since} s", "wait until the sequencer is up")
    elif since < grace:
        yield says.warning(f"no price at all: up since {since} s, expected {grace} s", "wait")
    else:
        yield says.ok(f"up since {since} s")


def tokens(fund: CheckedFund) -> Iterator[Finding]:
    """Each token's decimals match the book's and the index token's."""
    listed = {holding.token: holding.decimals for holding in fund.state.holdings}
    # The check of states reports tokens that do not answer.
    unread = {h.token for h in fund.state.holdings if not h.sound or not fund.state.active(h)}
    wrong = False
    for candidate in fund.book.candidates:
        found = fund.value(candidate.token, "decimals()", "uint256")
        counted = {candidate.decimals, listed.get(candidate.token, candidate.decimals)}
        if counted != {found} and candidate.token not in unread:
            wrong = True
            yield Says("token", candidate.symbol).failure(
                f"{candidate.token} has {found} decimals, counted with {' and '.join(map(str, sorted(counted)))}",
                "correct decimals in the address book; if the index token is wrong, ask the fund's governance",
            )
    strangers = sorted(token for token in listed if fund.book.candidate(token) is None)
    for token in strangers:
        wrong = True
        yield Says("token", token).warning(
            "the fund holds it, the address book does not name it",
            "add it to the candidates of the book, with its pools: without them the keeper cannot trade it",
        )
    if not wrong:
        yield Says("token", fund.book.fund).ok(f"{len(fund.book.candidates)} tokens, decimals as counted")


def anchors(fund: CheckedFund) -> Iterator[Finding]:
    """Each anchor reaches back over its window and is within its bound of the feed."""
    if "first_oracle" not in fund.book.contracts:
        return
    block_time = fund.value("oracle", "BLOCK_TIME()", "uint256") or BLOCK_S
    for candidate in fund.book.candidates:
        found = fund.view("oracle", "anchors(address)", _ANCHOR, candidate.token)
        if found is None or int(found[0], 16) == 0:
            continue
        says = Says("anchor", candidate.symbol)
        pool, window, bound = str(found[0]), int(found[1]), int(found[2])
        needed = window // block_time + 2
        slot = fund.view(pool, "slot0()", ["uint160", "int24", "uint16", "uint16", "uint16"])
        kept = 0 if slot is None else slot[3]
        anchored = fund.value("oracle", "anchorPrice(address)", "uint256", candidate.token) or 0
        price = fund.prices[candidate.token]
        if kept < needed:
            yield says.warning(
                f"pool {pool} keeps {kept} observations, expected {needed} for {window} s",
                f"anyone can call increaseObservationCardinalityNext({needed}) on it; until it has filled, the feed "
                "counts alone when the pool is busy",
            )
        elif not anchored:
            yield says.warning(
                f"pool {pool} does not reach back {window} s", "wait for the window; meanwhile the feed counts alone"
            )
        elif price and abs(anchored - price) * WAD > price * bound:
            apart = abs(anchored - price) * 10_000 // price
            yield says.warning(
                f"says {_usd(anchored)}, the feed {_usd(price)}: {apart / 100:.2f} % apart, "
                f"bound {bound * 100 / WAD:g} %",
                "look which one is wrong: batches of it count at the bound and may find nobody to fill them",
            )
        else:
            yield says.ok(f"{_usd(anchored)} over {window} s, {kept} observations")


def _amount(value: int) -> str:
    """An amount (18 decimals) in the feed's own currency."""
    return f"{value / WAD:,.6g}"


def _usd(amount: int) -> str:
    return f"{amount / WAD:,.4g} USD" if amount < 100 * WAD else f"{amount / WAD:,.2f} USD"
