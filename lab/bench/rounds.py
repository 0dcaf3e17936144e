"""Chooses the published slices of the next batch, where sells and buys have to pay for each other.

Set Protocol's traders sell first and buy afterwards. A batch here keeps no WETH, so the sells and buys of a round must
have the same value. The side with more slices leads: its slices are spread evenly over the rounds. The other side
follows with as few legs as pay for them. No leg exceeds its component's published slice; where the other side's slices
cannot pay for one, it is cut.

Pure. Amounts are token wei, or WETH wei where stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.bench.arena import FEE_DENOMINATOR, FEE_NUMERATOR

TINY = 20
"""A slice is cut to no less than one part in TINY of itself; otherwise the component waits for the next round."""
CRUMB = 20
"""A remainder below one part in CRUMB of a slice is left to the last round."""
PARTS = 4
"""A component waits if settlement would credit less than one part in PARTS of its slice."""


@dataclass(frozen=True)
class Item:
    """A component that is still to be traded in its pool against WETH.

    `left`: amount to trade until the end; `most`: how much of it a batch may trade now; `slices`: number of published
    slices at the start.
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
        """The next slice: the most to trade at once."""
        return max(0, min(self.left, self.most, self.slice))

    def weth(self, amount: int) -> int:
        """WETH wei that selling `amount` brings (down) or buying it takes (up)."""
        if self.selling:
            return swapped(self.token_reserve, self.weth_reserve, amount)
        kept = (self.token_reserve - amount) * FEE_NUMERATOR
        return -(-self.weth_reserve * amount * FEE_DENOMINATOR // kept) if amount else 0

    def amount(self, weth: int) -> int:
        """Least amount whose sale brings `weth` wei (up), or the amount that they buy (down)."""
        if not self.selling:
            return swapped(self.weth_reserve, self.token_reserve, weth)
        kept = (self.weth_reserve - weth) * FEE_NUMERATOR
        return -(-self.token_reserve * weth * FEE_DENOMINATOR // kept) if weth else 0


def swapped(reserve_in: int, reserve_out: int, amount: int) -> int:
    """What a Uniswap V2 pool pays for `amount` (Uniswap V2 white paper, 3.2.1), rounded down."""
    kept = amount * FEE_NUMERATOR
    return kept * reserve_out // (reserve_in * FEE_DENOMINATOR + kept)


@dataclass(frozen=True)
class Round:
    """WETH wei by component index: what each sell brings and each buy takes. The two sums are equal."""

    sells: Mapping[int, int]
    buys: Mapping[int, int]


def next_round(items: Sequence[Item], rounds: int, rounds_left: int) -> Round:
    """The next of `rounds` rounds; `rounds_left` counts this one."""
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
    """Sort key: most slices left first, then the larger ones."""
    return (-item.slices_left, -item.weth(item.next))


def _must(item: Item, rounds_left: int) -> bool:
    """Whether the component has to trade in every remaining round."""
    return item.slices_left >= rounds_left


def _waits(item: Item) -> bool:
    """Whether so little of it can be traded now that it can wait for a later round."""
    return item.left * CRUMB < item.slice or item.next * PARTS < min(item.left, item.slice)


def _lead(leading: list[Item], following: list[Item], rounds: int, rounds_left: int) -> dict[int, int]:
    """WETH wei by component index, for the leading side."""
    most = sum(item.weth(item.next) for item in following)
    least = sum(item.weth(item.next) for item in following if _must(item, rounds_left))
    found: dict[int, int] = {}
    total = 0
    by_urgency = sorted(leading, key=_urgency)
    # Spread evenly: compare with the slices that should be left after this round, rounded to the nearest.
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
    """WETH wei by component index for the following side, `total` altogether, in as few legs as will do."""
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
    """The last round: at most a slice of everything left to sell, into the buys that may take most, scaled down to what
    they take."""
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
