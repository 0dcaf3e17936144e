"""Batches for the bench: what to sell, what to pay for it, and the script that makes the filler pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi import encode
from hypothesis import Phase

from ballast.units import WAD
from ballast.values import NO_ADDRESS
from tests.helpers.bench import BUYS, SELLS, Bench
from tests.helpers.contracts import Call, Contract
from tests.helpers.settling import Outcome, attainable, goal_of, settle, surplus_of, total_value_at_start, usd

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Phases for examples of many transactions each, without shrinking, which would take minutes."""
Steps = Sequence[tuple[str, bytes, bool]]
Entries = Sequence[tuple[int, int, Contract | str]]
"""Component, amount and recipient of each entry of an order's sells."""
FILLER = NO_ADDRESS
"""As a recipient: whoever fills the batch."""


FORWARD, PAID, POT, CHAINED, HOME = (1 << k for k in range(5))
"""Flags of a hop of UniswapFiller."""


def hop(pool: str, flags: int, leg: int = 0, share: int = 0, kind: int = 0) -> bytes:
    """A hop of UniswapFiller: pool (160 bits, high), kind (8), flags (8), leg (8), nothing (8), share of 2^64 (64)."""
    return bytes.fromhex(pool[2:]) + bytes([kind, flags, leg, 0]) + share.to_bytes(8, "big")


def step(call: Call, tolerated: bool = False) -> tuple[str, bytes, bool]:
    """A call for the filler to make; the revert of a tolerated one is recorded, not passed on."""
    assert call.to is not None
    return call.to, call.data, tolerated


def script(steps: Steps) -> bytes:
    """The filler's data."""
    return encode(["(address,bytes,bool)[]"], [list(steps)])


def paying(bench: Bench, pays: Mapping[int, int]) -> Steps:
    """Steps that bring token wei of each component to the fund, made on the spot."""
    return [step(bench.tokens[i].mint(bench.index, amount)) for i, amount in pays.items() if amount]


def order(
    bench: Bench,
    sells: Mapping[int, int],
    pays: Mapping[int, int],
    *,
    steps: Steps = (),
    min_value: int = 0,
    filler: Contract | str | None = None,
    entries: Entries | None = None,
) -> tuple[Any, ...]:
    """IRebalancer.Order: the filler makes `steps`, then pays. It keeps what it is sent. `entries`: component, amount
    and recipient of each entry, in place of one for each sell."""
    data = script([*steps, *paying(bench, pays)])
    rows = [(i, amount, FILLER) for i, amount in sells.items()] if entries is None else entries
    indexes, amounts, recipients = [[row[k] for row in rows] for k in range(3)]
    return indexes, amounts, recipients, [*pays], min_value, filler or bench.filler, data


def sells_worth(fund: Any, value: int, sides: Sequence[int] = SELLS) -> dict[int, int]:
    """Sells of at most `value` (share of NAV, 18 decimals), the same part of each one's surplus."""
    surplus = {i: surplus_of(fund, i) for i in sides}
    total = sum(usd(a, fund.holdings[i].price, fund.holdings[i].decimals) for i, a in surplus.items())
    # One wei of each less: the batch's value is rounded up.
    wanted = max(0, value * total_value_at_start(fund) // WAD - 10**15)
    return {i: min(a, a * wanted // total) if total else 0 for i, a in surplus.items()}


def pays_worth(fund: Any, value: int, sides: Sequence[int] = BUYS) -> dict[int, int]:
    """Payments of at least about `value` USD, each buy the same part of what it still lacks of its target."""
    lacks = {i: max(0, goal_of(fund, i) - fund.holdings[i].balance) for i in sides}
    total = sum(usd(a, fund.holdings[i].price, fund.holdings[i].decimals) for i, a in lacks.items())
    return {i: -(-a * value // total) if total else 0 for i, a in lacks.items()}


def even_pays(fund: Any, value: int) -> dict[int, int]:
    """Payments worth about `value` USD at most, which bring every buy to the same part of its target."""

    def pays(part: int) -> dict[int, int]:
        return {i: max(0, goal_of(fund, i, part) - fund.holdings[i].balance) for i in BUYS}

    low, high = 0, WAD
    while low < high:
        middle = (low + high + 1) // 2
        worth = sum(usd(a, fund.holdings[i].price, fund.holdings[i].decimals) for i, a in pays(middle).items())
        if worth <= value:
            low = middle
        else:
            high = middle - 1
    return pays(low)


def least_pays(
    fund: Any, now: int, sells: Mapping[int, int], tuned: int = BUYS[-1], buys: Sequence[int] = BUYS
) -> dict[int, int]:
    """The least that a filler can pay for these sells: one wei of component `tuned` less is below the tolerance.

    Every buy is paid towards the part of its target that all can attain, `tuned` makes up the rest.
    """
    out = settle(fund, now, sells, {tuned: 0})
    received = sum(out.sold.values()) and out.least * WAD // total_value_at_start(fund)
    part = attainable(fund, out.surplus, received)
    lacks = {i: max(0, goal_of(fund, i, part) - fund.holdings[i].balance) for i in buys}
    total = sum(usd(a, fund.holdings[i].tradePrice, fund.holdings[i].decimals) for i, a in lacks.items())
    assert total, "nothing is left to buy"
    pays = {i: min(a, a * out.least // total) for i, a in lacks.items()}
    low, high = 0, goal_of(fund, tuned)
    while low < high:
        middle = (low + high) // 2
        if _enough(settle(fund, now, sells, {**pays, tuned: middle})):
            high = middle
        else:
            low = middle + 1
    return {**pays, tuned: low}


def _enough(out: Outcome) -> bool:
    return out.value_in >= out.least


def trade(bench: Bench, sells: Mapping[int, int], pays: Mapping[int, int], at: int, **more: Any) -> Any:
    """Trades the batch, and checks Result and holdings against the model; the Result of its Traded event."""
    fund = bench.fund(at)
    expected = settle(fund, at, sells, pays, more.get("min_value", 0))
    receipt = bench.chain.send(bench.rebalancer.trade(order(bench, sells, pays, **more)), bench.keeper, at=at)
    (event,) = bench.rebalancer.events(receipt, "Traded")
    check_result(event.result, expected)
    moved = [now - holding.balance for now, holding in zip(bench.holdings(), fund.holdings, strict=True)]
    assert {i: -moved[i] for i in sells} == expected.sold
    assert {i: moved[i] for i in pays} == pays
    progress = bench.chain.read(bench.rebalancer.progress())
    assert tuple(progress) == (expected.tat, expected.spent, expected.surplus, expected.held)
    return event.result


def check_result(result: Any, expected: Outcome) -> None:
    """Asserts that a Result from the chain is the model's outcome."""
    assert expected.error is None, expected.error
    found = (result.valueOut, result.valueIn, result.tolerance, result.attainable)
    assert found == (expected.value_out, expected.value_in, expected.tolerance, expected.part)


def batch(bench: Bench, at: int, value: int | None = None) -> tuple[dict[int, int], dict[int, int]]:
    """A batch that pays the least allowed, of that value (share of NAV), or as large as the bucket allows."""
    fund = bench.fund(at)
    sells = sells_worth(fund, fund.capacity if value is None else value)
    return sells, least_pays(fund, at, sells)
