"""A token replaced by another one at a fixed ratio: the old one's price is pegged to the new one's, the old leaves, the
new enters, and the migration contract is one filler among others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ballast.rule.methodology import State, Status
from ballast.units import DAY_S, WAD
from tests.contracts.flow.carrying import APRIL, Carrier
from tests.helpers.contracts import Contract
from tests.helpers.fund import PEGGED, USD, by_address, through_timelock
from tests.helpers.settling import BUY, SELL, usd

FEED_UNIT = 10**8
HELD_FOR = 1_000_000_000 * WAD
"""Market cap that the old token has: USD with 18 decimals, about 5 % of the index."""


@dataclass(frozen=True)
class Replacement:
    """Old and new token, whole new ones for one whole old one (18 decimals), USD of a new one (8 decimals)."""

    old: str
    new: str
    ratio: int
    price: int
    decimals: tuple[int, int] = (18, 18)

    @property
    def old_price(self) -> int:
        """USD of one whole old one, 18 decimals, down."""
        return self.price * 10**10 * self.ratio // WAD


REPLACEMENTS = [
    Replacement("RGT", "TRIBE", 26_705_670_000_000_000_000, 50_000_000),
    Replacement("LEND", "AAVE", WAD // 100, 400 * FEED_UNIT),
    Replacement("OLD", "NEW", 3 * WAD, 125_000_000, (6, 27)),
]


@dataclass(frozen=True)
class Pair:
    """Both tokens and the new one's feed."""

    old: Contract
    new: Contract
    feed: Contract


def deploy(carrier: Carrier, replacement: Replacement) -> Pair:
    """Both tokens, a feed for the new one; the old one is pegged to it and a candidate."""
    chain, fund = carrier.chain, carrier.fund
    made = []
    for symbol, decimals in zip((replacement.old, replacement.new), replacement.decimals, strict=True):
        token = chain.deploy("ReferenceToken", sender=carrier.keeper)
        carrier.send(token.init(symbol, symbol, decimals))
        made.append(token)
    feed = chain.deploy("ReferenceFeed", sender=carrier.keeper)
    carrier.send(feed.init(f"{replacement.new} / USD", 8))
    pair = Pair(made[0], made[1], feed)
    post(carrier, replacement, pair)
    carrier.send(fund.oracle.setFeed((pair.new, feed, 8 * DAY_S, USD, 0, 0, 0)), fund.owner)
    carrier.send(fund.oracle.setFeed((pair.old, pair.new, 0, PEGGED, replacement.ratio, 0, 0)), fund.owner)
    return pair


def post(carrier: Carrier, replacement: Replacement, pair: Pair) -> None:
    carrier.send(pair.feed.post(replacement.price, carrier.chain.now()))


def supplies(carrier: Carrier, **tokens: tuple[str, int]) -> Any:
    """The owner's call that posts supplies."""
    now = carrier.chain.now()
    return carrier.fund.supplies.post([(token, supply, now) for token, supply in tokens.values()])


def set_candidates(carrier: Carrier, *added: tuple[str, int]) -> None:
    """The candidates of before, with these (token, state) in their places; through the timelock."""
    fund = carrier.fund
    listed = carrier.chain.read(fund.methodology.candidates())
    present = {c.token: (c.token, c.source, c.state, c.wholeTokens) for c in listed}
    for token, state in added:
        present[token] = (token, fund.supplies.address, state, 0)
    call = fund.methodology.setCandidates(sorted(present.values(), key=by_address))
    through_timelock(fund, call)
    carrier.post()


@pytest.mark.parametrize("replacement", REPLACEMENTS, ids=lambda replacement: f"{replacement.old}-{replacement.new}")
def test_a_replacement_at_a_fixed_ratio(carrier: Carrier, replacement: Replacement) -> None:
    chain, fund = carrier.chain, carrier.fund
    pair = deploy(carrier, replacement)
    supply = HELD_FOR // replacement.old_price
    carrier.send(supplies(carrier, old=(pair.old.address, supply)), fund.owner)
    set_candidates(carrier, (pair.old.address, State.ACTIVE))

    # April: the old token is in the index, priced through its successor.
    april = month(carrier, replacement, pair)
    assert april[pair.old.address].price == replacement.old_price
    carrier.whole_rest()
    held = carrier.balance(pair.old.address)
    share = usd(held, replacement.old_price, replacement.decimals[0]) * WAD // worth(carrier.state())
    assert WAD * 3 // 100 < share < WAD * 7 // 100

    # May: the old one leaves, the new one enters with the migrated supply.
    carrier.send(supplies(carrier, new=(pair.new.address, supply * replacement.ratio // WAD)), fund.owner)
    set_candidates(carrier, (pair.old.address, State.LEAVING), (pair.new.address, State.ACTIVE))
    may = month(carrier, replacement, pair)
    assert may[pair.old.address].status == Status.LEAVING
    assert may[pair.new.address].status == Status.INCLUDED
    state = carrier.state()
    sides = {h.token: h.target for h in state.holdings}
    assert (sides[pair.old.address].side, sides[pair.old.address].unit) == (SELL, 0)
    assert sides[pair.new.address].side == BUY
    migrate(carrier, replacement, pair)
    assert carrier.balance(pair.old.address) == 0
    carrier.whole_rest()

    # June: the old one is off the list, the new one stays.
    post(carrier, replacement, pair)
    month(carrier, replacement, pair)
    tokens = fund.tokens()
    assert pair.old.address not in tokens
    assert pair.new.address in tokens
    carrier.whole_rest()
    assert chain.read(pair.old.balanceOf(fund.index)) == 0


def month(carrier: Carrier, replacement: Replacement, pair: Pair) -> dict[str, Any]:
    """From the present to the start of the next month that can be started; its constituents."""
    if carrier.due() != ("Determine", "Due") or carrier.period() < APRIL:
        carrier.to_determination()
    post(carrier, replacement, pair)
    constituents = carrier.determine()
    carrier.to_start()
    post(carrier, replacement, pair)
    carrier.start()
    return constituents


def worth(state: Any) -> int:
    """USD of the whole fund."""
    return sum(usd(h.balance, h.price, h.decimals) for h in state.holdings)


def whole(sells: dict[int, int], pays: dict[int, int], state: Any) -> tuple[dict[int, int], dict[int, int]]:
    """These sells, less what is above the bucket's capacity."""
    value = sum(usd(a, state.holdings[i].price, state.holdings[i].decimals) for i, a in sells.items())
    most = state.capacity * worth(state) // WAD * 999 // 1000
    return {i: min(a, a * most // value) for i, a in sells.items()}, pays


def migrate(carrier: Carrier, replacement: Replacement, pair: Pair) -> None:
    """Sells the whole of the old token to the migration contract, which pays the new one at the ratio."""
    chain = carrier.chain
    migrator = chain.deploy("Migrator", pair.old, pair.new, replacement.ratio, sender=carrier.keeper)
    carrier.send(pair.new.mint(migrator, 10**15 * 10 ** replacement.decimals[1]))
    lines = [h.token for h in carrier.state().holdings]
    old, new = lines.index(pair.old.address), lines.index(pair.new.address)
    sold = 0
    for _ in range(4):
        if not (left := carrier.balance(pair.old.address)):
            break
        before = carrier.balance(pair.new.address)
        post(carrier, replacement, pair)
        result = carrier.trade(partial(whole, {old: left}, {new: 0}), migrator)
        gone = left - carrier.balance(pair.old.address)
        assert carrier.balance(pair.new.address) - before == chain.read(migrator.migrated(gone))
        # At the ratio it costs nothing but what is rounded: far below a millionth.
        assert 0 <= result.valueOut - result.valueIn <= result.valueOut // 10**6
        sold += gone
    assert chain.read(pair.old.balanceOf(migrator)) == sold
