"""Any batch at any time: the chain does what the model says, to the wei and to the error's arguments."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from tests.helpers.bench import BUYS, KINDS, SELLS, SUPPLY, Bench
from tests.helpers.filling import UNSHRUNK, check_result, order, pays_worth, sells_worth
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import goal_of, settle, surplus_of

MILLION = 10**6

waits = st.one_of(st.integers(0, 700), st.integers(300, 6000), st.integers(1200, 2400))
moves = st.integers(-150_000, 150_000)
"""Of a price, in millionths."""


def subset(sides: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.sampled_from(sides), min_size=1).map(lambda chosen: tuple(sorted(chosen)))


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Any]:
    """A wait, a price move for each token, and a batch: sells as a part of the capacity, pays of the least allowed."""
    return {
        "wait": draw(waits),
        "moves": draw(st.lists(moves, min_size=len(KINDS), max_size=len(KINDS))),
        "size": draw(st.integers(1, 1_050_000)),
        "sells": draw(subset(SELLS)),
        "buys": draw(subset(BUYS)),
        "generosity": draw(st.integers(998_000, 1_040_000)),
        "spread": draw(st.lists(st.sampled_from([1, 60, 100, 100]), min_size=len(KINDS), max_size=len(KINDS))),
        "min_value": draw(st.sampled_from([False, False, False, True])),
        "mint": draw(st.sampled_from([0, 0, 0, 1, SUPPLY // 3, 50 * SUPPLY])),
        "gift": draw(st.sampled_from([0, 0, 1, 12_345])),
    }


def build(fund: Any, batch: dict[str, Any]) -> tuple[dict[int, int], dict[int, int]]:
    size = fund.capacity * batch["size"] // MILLION
    sells = {i: a * batch["spread"][i] // 100 for i, a in sells_worth(fund, size, batch["sells"]).items()}
    out = settle(fund, fund.time, sells, dict.fromkeys(batch["buys"], 0))
    worth = out.least * batch["generosity"] // MILLION
    # In proportion to what each lacks, or nearly, so that it counts.
    lacks = pays_worth(fund, WAD, batch["buys"])
    weights = {i: a * batch["spread"][i] * fund.holdings[i].price // 10 ** KINDS[i].decimals for i, a in lacks.items()}
    pays = {}
    for i, weight in weights.items():
        fair = worth * weight // max(1, sum(weights.values()))
        pays[i] = fair * 10 ** fund.holdings[i].decimals // fund.holdings[i].price
    return sells, pays


def run(bench: Bench, batch: dict[str, Any], at: int) -> bool:
    """Simulates or sends the batch; whether it traded."""
    bench.chain.move_to(at)
    bench.post_prices([kind.price * (MILLION + m) // MILLION for kind, m in zip(KINDS, batch["moves"], strict=True)])
    if batch["mint"]:
        bench.mint(batch["mint"], bench.holder, at=at)
    if batch["gift"]:
        for i in (*SELLS, *BUYS):
            bench.give(i, bench.index, batch["gift"])
    fund = bench.fund(at)
    sells, pays = build(fund, batch)
    first = settle(fund, at, sells, pays)
    least = first.value_in + 1 if batch["min_value"] else 0
    expected = settle(fund, at, sells, pays, least)
    call = bench.rebalancer.trade(order(bench, sells, pays, min_value=least))
    if expected.error is not None:
        assert_reverts(bench.chain, call, *expected.error, sender=bench.keeper, at=at)
        return False
    receipt = bench.chain.send(call, bench.keeper, at=at)
    (event,) = bench.rebalancer.events(receipt, "Traded")
    check_result(event.result, expected)
    progress = tuple(bench.chain.read(bench.rebalancer.progress()))
    assert progress == (expected.tat, expected.spent, expected.surplus, expected.held)
    limits = fund.limits
    assert expected.spent <= limits.lossBudget
    done = expected.surplus <= limits.dust or expected.held + limits.dust >= fund.opening.buyTargets
    assert len(bench.rebalancer.events(receipt, "Closed")) == done
    return True


def test_chain_and_model_agree(trading: Bench) -> None:
    """Sequences of up to six batches, at moving prices, with mints and gifts between them."""
    traded: list[bool] = []

    @settings(max_examples=20, deadline=None, phases=UNSHRUNK)
    @given(sequence=st.lists(batches(), min_size=1, max_size=6))
    def check(sequence: list[dict[str, Any]]) -> None:
        snapshot = trading.chain.cheats.snapshot()
        try:
            at = EXECUTION + 1
            for batch in sequence:
                at += batch["wait"]
                traded.append(run(trading, batch, at))
                if not trading.chain.read(trading.rebalancer.trading()):
                    return
        finally:
            trading.chain.cheats.revert(snapshot)

    check()
    assert len(traded) < 6 * sum(traded) < 6 * len(traded), "both outcomes have to be seen"


def test_targets_are_the_bench_s(trading: Bench) -> None:
    fund = trading.fund()
    assert fund.shares == SUPPLY
    assert [goal_of(fund, i) for i in BUYS] == [KINDS[i].target * SUPPLY // WAD for i in BUYS]
    assert [surplus_of(fund, i) for i in SELLS] == [
        trading.holdings()[i] - -(-KINDS[i].target * SUPPLY // WAD) for i in SELLS
    ]
