"""Checks of the pools that the keeper may use: they exist, trade the right tokens, and are deep enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ballast.book import BookCandidate, BookPool
from ballast.units import WAD
from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Level, Says
from keeper.look.fund_reader import POOL_FEE_BPS, V2_VENUES
from keeper.pools.venues import MILLION

TAKE_OUT = "take it out of the address book, or name the right one"
DEEPER = "name more or deeper pools for it in the address book; or the fund's owner lets the component leave"
MAX_OFF_BPS = 500
"""Beyond this difference between pool and oracle, one of them is off the market."""
USELESS_BPS = 5_000
"""Impact, or difference from the oracle, from which pools are useless: a slice loses half its value."""


def pools(fund: CheckedFund) -> Iterator[Finding]:
    """Each pool of the book exists, trades the right tokens, and is not empty."""
    for candidate in fund.book.candidates:
        for pool in candidate.pools:
            says = Says("pool", f"{candidate.symbol} {pool.venue}")
            wrong = _wrong(fund, candidate, pool)
            if wrong is None:
                yield says.ok(pool.pair)
            else:
                yield says.failure(f"{pool.pair}: {wrong}", TAKE_OUT)


def _wrong(fund: CheckedFund, candidate: BookCandidate, pool: BookPool) -> str | None:
    """A pool's fault, None if it has none."""
    if not fund.code(pool.pair):
        return f"no contract there on chain {fund.book.chain_id}"
    sides = [fund.value(pool.pair, f"{side}()", "address") for side in ("token0", "token1")]
    other = pool.other or fund.book.weth
    if {candidate.token, other} != set(sides):
        return f"trades {' and '.join(str(side) for side in sides)}, expected {candidate.token} and {other}"
    if pool.venue in V2_VENUES:
        if pool.fee_bps != POOL_FEE_BPS:
            return f"the book says a fee of {pool.fee_bps} bps, the filler counts with {POOL_FEE_BPS}: it is left alone"
        reserves = fund.view(pool.pair, "getReserves()", ["uint112", "uint112", "uint32"])
        return None if reserves is not None and reserves[0] and reserves[1] else "has no reserves"
    fee = fund.value(pool.pair, "fee()", "uint24")
    if fee != pool.fee_bps * 100:
        return f"the book says a fee of {pool.fee_bps} bps, the pool {'nothing' if fee is None else fee} millionths"
    return None if fund.value(pool.pair, "liquidity()", "uint128") else "has no liquidity at its price"


@dataclass(frozen=True)
class Carried:
    """The effect of selling one slice over a component's pools. `slice`: USD, 18 decimals; `impact`, and difference
    `off` of the pools' price without fee from the oracle's: basis points."""

    slice: int
    impact: int
    off: int


def verdict(carried: Carried, tolerance: int) -> tuple[Level, str]:
    """Level and remedy for a slice; `tolerance` (18 decimals): a batch's widest."""
    if carried.impact >= USELESS_BPS or abs(carried.off) >= USELESS_BPS:
        return Level.FAILURE, DEEPER
    if carried.impact * WAD > tolerance * 10_000:
        return Level.WARNING, DEEPER
    if abs(carried.off) > MAX_OFF_BPS:
        return Level.WARNING, "compare pool and feed with the market: one of them is wrong, and batches will lose by it"
    return Level.OK, ""


def depth(fund: CheckedFund) -> Iterator[Finding]:
    """Each component's pools together can trade its part of a full batch: `batchCap` x NAV x its weight, or an equal
    part for one that the fund does not hold yet.
    """
    state, market = fund.state, fund.market
    total = max(1, state.total_value)
    weights = {h.token: h.value(h.balance) * WAD // total for h in state.holdings if state.counts(h)}
    for candidate in fund.book.candidates:
        says = Says("depth", candidate.symbol)
        token, price = candidate.token, fund.prices[candidate.token]
        if token == fund.book.weth:
            continue
        if not market.pools.get(token):
            yield says.failure("no pool against WETH with anything in it: it cannot be traded", DEEPER)
            continue
        if not price or not market.eth_price:
            yield says.warning("cannot be judged without a price", "see its feed")
            continue
        weight = weights.get(token) or WAD // len(fund.book.candidates)
        slice_ = total * state.limits.batch_cap // WAD * weight // WAD
        carried = _carried(fund, candidate, price, slice_)
        level, remedy = verdict(carried, state.limits.last_tolerance)
        count = len(market.pools[token])
        text = (
            f"a slice of {slice_ // WAD:,} USD loses {carried.impact / 100:.2f} % over {count} "
            f"pool{'s' * (count > 1)}, which stand {carried.off / 100:+.2f} % from the oracle"
        )
        yield Finding(says.check, says.subject, level, text, remedy)


def _carried(fund: CheckedFund, candidate: BookCandidate, price: int, slice_: int) -> Carried:
    market = fund.market
    curve = market.curve(candidate.token, market.pools[candidate.token], selling=True)
    amount = max(1, slice_ * 10**candidate.decimals // price)
    # What exceeds the pools' limits counts as lost.
    out = curve.out(amount if curve.most_in is None else min(amount, curve.most_in))
    straight = max(1, curve.at_start(amount))
    impact = max(0, straight - out) * 10_000 // straight
    fee = min(pool.fee for pool in market.pools[candidate.token])
    before_fee = market.usd(straight) * MILLION // (MILLION - fee)
    worth = max(1, amount * price // 10**candidate.decimals)
    return Carried(slice_, impact, (before_fee - worth) * 10_000 // worth)
