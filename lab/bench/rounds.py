"""Which published slices go into the next batch, when sells and buys have to pay for each other.

Set Protocol's traders sell first and buy afterwards. A batch here keeps no WETH, so each round needs sells and buys of
the same value. The side with more slices leads: its slices are spread evenly over the rounds. The other side follows
with as few legs as pay for them. No leg is larger than its component's published slice; where the other side's slices
cannot pay for one, it is made smaller.

Pure. Amounts are token wei, WETH wei where it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.bench.arena import FEE_DENOMINATOR, FEE_NUMERATOR

TINY = 20
"""A slice is not cut to less than one in so many of itself: the component waits for the next round instead."""
CRUMB = 20
"""Less than one in so many of a slice is left to the last round."""
PARTS = 4
"""What settlement would credit less of than one in so many of the slice waits."""


@dataclass(frozen=True)
class Item:
    """A component that is still to be traded in its pool against WETH.

    `left` is what is to be traded until the end, `most` what a batch may trade of it now, `slices` the number of
    published slices at the start.
    """

    index: int
    selling: bool
    left: int
    most: int
    slice: int
    slices: int
    token_reserve: int
    weth_reserve: int

    @property
    def slices_left(self) -> int:
        return -(-self.left // self.slice)

    @property
    def next(self) -> int:
        """The next slice: what is traded at once at most."""
        return max(0, min(self.left, self.most, self.slice))

    def weth(self, amount: int) -> int:
        """WETH wei that selling `amount` brings (down) or buying it takes (up)."""
        if self.selling:
            return swapped(self.token_reserve, self.weth_reserve, amount)
        kept = (self.token_reserve - amount) * FEE_NUMERATOR
        return -(-self.weth_reserve * amount * FEE_DENOMINATOR // kept) if amount else 0

    def amount(self, weth: int) -> int:
        """Least that has to be sold for WETH wei, or what they buy."""
        if not self.selling:
            return swapped(self.weth_reserve, self.token_reserve, weth)
        kept = (self.weth_reserve - weth) * FEE_NUMERATOR
        return -(-self.token_reserve * weth * FEE_DENOMINATOR // kept) if weth else 0


def swapped(reserve_in: int, reserve_out: int, amount: int) -> int:
    """What a pool of the Uniswap V2 kind pays for `amount` (Uniswap V2 white paper, 3.2.1), rounded down."""
    kept = amount * FEE_NUMERATOR
    return kept * reserve_out // (reserve_in * FEE_DENOMINATOR + kept)


@dataclass(frozen=True)
class Round:
    """WETH wei by component index: what each sell brings and each buy takes. Both add up to the same."""

    sells: Mapping[int, int]
    buys: Mapping[int, int]


def next_round(items: Sequence[Item], rounds: int, rounds_left: int) -> Round:
    """The next of `rounds` rounds, of which `rounds_left` are left with this one."""
    sells = [item for item in items if item.selling and item.next]
    buys = [item for item in items if not item.selling and item.next]
    if rounds_left <= 1:
        return _last(sells, buys)
    selling_leads = sum(i.slices for i in items if i.selling) > sum(i.slices for i in items if not i.selling)
    leading, following = (sells, buys) if selling_leads else (buys, sells)
    lead = _lead(leading, following, rounds, rounds_left)
    follow = _follow(following, sum(lead.values()), rounds_left)
    return Round(lead, follow) if selling_leads else Round(follow, lead)


def _urgency(item: Item) -> tuple[int, int]:
    """Most slices left first, then the larger ones."""
    return (-item.slices_left, -item.weth(item.next))


def _must(item: Item, rounds_left: int) -> bool:
    """Whether the component has to be in every round that is left."""
    return item.slices_left >= rounds_left


def _waits(item: Item) -> bool:
    """Whether so little of it could be traded now that a later round does it at once."""
    return item.left * CRUMB < item.slice or item.next * PARTS < min(item.left, item.slice)


def _lead(leading: list[Item], following: list[Item], rounds: int, rounds_left: int) -> dict[int, int]:
    """WETH by index of the leading side."""
    most = sum(item.weth(item.next) for item in following)
    least = sum(item.weth(item.next) for item in following if _must(item, rounds_left))
    found: dict[int, int] = {}
    total = 0
    by_urgency = sorted(leading, key=_urgency)
    # Spread evenly: after this round so many slices should be left, rounded to the nearest.
    wanted = [i for i in by_urgency if i.slices_left > (2 * i.slices * (rounds_left - 1) + rounds) // (2 * rounds)]
    for item in wanted:
        if not _must(item, rounds_left) and _waits(item):
            continue
        weth = min(item.weth(item.next), most - total)
        if weth * TINY >= item.weth(item.next):
            found[item.index] = weth
            total += weth
    for item in by_urgency:
        if total >= least:
            break
        if item.index not in found:
            found[item.index] = min(item.weth(item.next), most - total)
            total += found[item.index]
    return {index: weth for index, weth in found.items() if weth > 0}


def _follow(following: Iterable[Item], total: int, rounds_left: int) -> dict[int, int]:
    """WETH by index of the following side, `total` in all, as few legs as will do."""
    left = total
    found: dict[int, int] = {}
    waiting = sorted(following, key=_urgency)
    for item in [i for i in waiting if _must(i, rounds_left)]:
        found[item.index] = min(item.weth(item.next), left)
        left -= found[item.index]
        waiting.remove(item)
    while left > 0 and waiting:
        enough = [item for item in waiting if item.weth(item.next) >= left]
        item = enough[0] if enough else max(waiting, key=lambda i: i.weth(i.next))
        found[item.index] = min(item.weth(item.next), left)
        left -= found[item.index]
        waiting.remove(item)
    return {index: weth for index, weth in found.items() if weth > 0}


def _last(sells: Iterable[Item], buys: Iterable[Item]) -> Round:
    """All that is left to sell, into the buys that may take most."""
    brings = {item.index: item.weth(min(item.left, item.slice)) for item in sells}
    left = sum(brings.values())
    takes: dict[int, int] = {}
    for item in sorted(buys, key=lambda i: -i.weth(min(i.most, i.slice))):
        if left <= 0:
            break
        takes[item.index] = min(item.weth(min(item.most, item.slice)), left)
        left -= takes[item.index]
    spent = sum(takes.values())
    if left > 0:
        total = sum(brings.values())
        brings = {index: weth * spent // total for index, weth in brings.items()}
    return Round(brings, takes)
