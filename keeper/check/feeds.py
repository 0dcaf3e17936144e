"""Prices: each component's feed, and the anchors beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from web3 import Web3

from ballast.units import BLOCK_S, WAD
from keeper.check.context import Fund
from keeper.check.lines import Line, Says
from keeper.errors import ChainError

ETH = "0x" + "00" * 20
_ROUND = ["uint80", "int256", "uint256", "uint256", "uint80"]
_ANCHOR = ["address", "uint32", "uint64", "address", "bool", "uint8", "uint8"]
_SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
WAIT_OR_REPLACE = "wait for the feed's next answer; if it stays, the owner can set another feed (setFeed)"


class Quote(IntEnum):
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
    quote: Quote
    lowest: int
    highest: int


def _first(fund: Fund) -> str:
    """The oracle that reads the feeds."""
    return "first_oracle" if "first_oracle" in fund.book.contracts else "oracle"


def _source(fund: Fund, token: str) -> Source | None:
    answer = fund.view(_first(fund), "sources(address)", _SOURCE, token)
    if answer is None or int(answer[0], 16) == 0:
        return None
    return Source(Web3.to_checksum_address(answer[0]), answer[1], answer[2], Quote(answer[3]), *answer[5:])


def feeds(fund: Fund) -> Iterator[Line]:
    """Each component has a price, from a feed with a fresh answer and the decimals that the oracle expects."""
    quoted_in_eth = False
    sources = {candidate.token: _source(fund, candidate.token) for candidate in fund.book.candidates}
    fund.ahead((s.feed, view) for s in sources.values() if s for view in ("latestRoundData()", "decimals()"))
    inactive = _inactive(fund)
    for candidate in fund.book.candidates:
        says = Says("feed", candidate.symbol)
        if candidate.token in inactive:
            yield says.ok("does not count: see its state")
            continue
        source = sources[candidate.token]
        if source is None:
            yield says.failure("the oracle lists no source for it", "the owner sets one (setFeed)")
            continue
        quoted_in_eth |= source.quote is Quote.ETH
        price = fund.prices[candidate.token]
        if source.quote is Quote.PEGGED:
            if price:
                yield says.ok(f"{_usd(price)}, pegged to {source.feed}")
            else:
                why = f"no price: pegged to {source.feed}, which has none, or the price is outside the band"
                yield says.failure(why, WAIT_OR_REPLACE)
            continue
        wrong = _answer(fund, source)
        if wrong is None and price:
            yield says.ok(f"{_usd(price)}, {_age(fund, source)} s old of at most {source.max_age} s")
        else:
            yield says.failure(wrong or "no price, though its feed answers", WAIT_OR_REPLACE)
    if quoted_in_eth:
        says = Says("feed", "ETH")
        source = _source(fund, ETH)
        wrong = "the oracle lists no source for it" if source is None else _answer(fund, source)
        if wrong is None:
            yield says.ok("answers, for feeds that are quoted in ETH")
        else:
            yield says.failure(wrong, WAIT_OR_REPLACE)


def _inactive(fund: Fund) -> set[str]:
    """Components suspended or written off, whose prices do not count; empty if the fund cannot be read."""
    try:
        return {h.token for h in fund.state.holdings if not fund.state.active(h)}
    except ChainError:
        return set()


def _age(fund: Fund, source: Source) -> int | None:
    answer = fund.view(source.feed, "latestRoundData()", _ROUND)
    return None if answer is None else int(fund.endpoint.head["timestamp"]) - int(answer[3])


def _answer(fund: Fund, source: Source) -> str | None:
    """What is wrong with a feed's answer, None if nothing is."""
    answer = fund.view(source.feed, "latestRoundData()", _ROUND)
    if answer is None:
        return f"no price: the feed {source.feed} does not answer"
    if answer[1] <= 0:
        return f"no price: the feed {source.feed} answers {answer[1]}"
    age = int(fund.endpoint.head["timestamp"]) - int(answer[3])
    if not 0 <= age <= source.max_age:
        return f"no price: the answer of {source.feed} is {age} s old, expected 0 to {source.max_age} s"
    decimals = fund.view(source.feed, "decimals()", ["uint8"])
    if decimals is None or decimals[0] != source.decimals:
        found = "nothing" if decimals is None else decimals[0]
        return f"wrong price: the feed {source.feed} has {found} decimals now, the oracle counts {source.decimals}"
    value = answer[1] * 10 ** (18 - source.decimals)
    if not source.lowest <= value <= source.highest:
        band = f"{_amount(source.lowest)} to {_amount(source.highest)}"
        return f"no price: the feed {source.feed} answers {_amount(value)}, outside its band of {band}"
    return None


def sequencer(fund: Fund) -> Iterator[Line]:
    """On a rollup: the sequencer has been up for the grace period. Else there is no price at all."""
    answer = fund.view(_first(fund), "SEQUENCER()", ["address"])
    if answer is None or int(answer[0], 16) == 0:
        return
    says, feed = Says("sequencer", fund.book.fund), str(answer[0])
    grace = fund.view(_first(fund), "GRACE()", ["uint256"]) or (0,)
    round_ = fund.view(feed, "latestRoundData()", _ROUND)
    since = 0 if round_ is None else int(fund.endpoint.head["timestamp"]) - int(round_[2])
    if round_ is None or round_[1] not in (0, 1) or not round_[2] or since < 0:
        yield says.failure(f"no price at all: {feed} does not answer as a sequencer's feed", "wait, or ask Chainlink")
    elif round_[1] == 1:
        yield says.failure(f"no price at all: down since {since} s", "wait until the sequencer is up")
    elif since < grace[0]:
        yield says.warning(f"no price at all: up since {since} s, expected {grace[0]} s", "wait")
    else:
        yield says.ok(f"up since {since} s")


def tokens(fund: Fund) -> Iterator[Line]:
    """Each token's decimals are those that book and index token use."""
    listed = {holding.token: holding.decimals for holding in fund.state.holdings}
    # The check of states reports a token that does not answer.
    unread = {h.token for h in fund.state.holdings if not h.sound or not fund.state.active(h)}
    wrong = False
    for candidate in fund.book.candidates:
        answer = fund.view(candidate.token, "decimals()", ["uint256"])
        found = None if answer is None else answer[0]
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


def anchors(fund: Fund) -> Iterator[Line]:
    """Each anchor reaches back over its window and is within its bound of the feed."""
    if "first_oracle" not in fund.book.contracts:
        return
    block_time = (fund.view("oracle", "BLOCK_TIME()", ["uint256"]) or (BLOCK_S,))[0]
    for candidate in fund.book.candidates:
        found = fund.view("oracle", "anchors(address)", _ANCHOR, candidate.token)
        if found is None or int(found[0], 16) == 0:
            continue
        says = Says("anchor", candidate.symbol)
        pool, window, bound = str(found[0]), int(found[1]), int(found[2])
        needed = window // block_time + 2
        slot = fund.view(pool, "slot0()", ["uint160", "int24", "uint16", "uint16", "uint16"])
        kept = 0 if slot is None else slot[3]
        answer = fund.view("oracle", "anchorPrice(address)", ["uint256"], candidate.token)
        anchored = 0 if answer is None else int(answer[0])
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
