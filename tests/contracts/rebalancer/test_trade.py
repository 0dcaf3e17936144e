"""trade(): what it does, and each way in which it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode

from ballast.units import WAD
from tests.helpers.bench import BUYS, HELD, KINDS, NEWCOMER, PERIOD, SELLS, Bench
from tests.helpers.filling import FILLER, batch, check_result, least_pays, order, pays_worth, sells_worth, step, trade
from tests.helpers.fund import EXECUTION
from tests.helpers.packed import kept
from tests.helpers.reverts import assert_reverts, failure
from tests.helpers.settling import SCALE, goal_of, settle, surplus_of, total_value_at_start, usd

T = EXECUTION + 1800


def refused(bench: Bench, given: Any, error: str, *args: Any, at: int = T, **more: Any) -> None:
    assert_reverts(bench.chain, bench.rebalancer.trade(given), error, *args, sender=bench.keeper, at=at, **more)


def test_moves_what_the_model_says(trading: Bench) -> None:
    before = trading.holdings()
    sells, pays = batch(trading, T)
    result = trade(trading, sells, pays, T)
    after = trading.holdings()
    assert 39 * 10**15 < result.tolerance <= 4 * 10**16
    assert [before[i] - after[i] for i in SELLS] == [sells[i] for i in SELLS]
    assert [after[i] - before[i] for i in BUYS] == [pays[i] for i in BUYS]
    assert after[HELD] == before[HELD]


def test_anyone_may_trade(trading: Bench, stranger: str) -> None:
    sells, pays = batch(trading, T)
    receipt = trading.chain.send(trading.rebalancer.trade(order(trading, sells, pays)), stranger, at=T)
    (event,) = trading.rebalancer.events(receipt, "Traded")
    assert (event.period, event.filler) == (PERIOD, trading.filler.address)


def test_calls_the_filler_with_what_it_sent(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    receipt = trading.chain.send(trading.rebalancer.trade(order(trading, sells, pays)), trading.keeper, at=T)
    (filled,) = trading.filler.events(receipt, "Filled")
    assert (filled.caller, filled.index) == (trading.rebalancer.address, trading.index.address)
    assert filled.sells == [trading.tokens[i].address for i in SELLS]
    assert filled.amounts == [sells[i] for i in SELLS]
    assert filled.buys == [trading.tokens[i].address for i in BUYS]
    for i in SELLS:
        assert trading.chain.read(trading.tokens[i].balanceOf(trading.filler)) == sells[i]
        assert trading.chain.read(trading.tokens[i].balanceOf(trading.rebalancer)) == 0


def test_least_payment_passes_and_one_wei_less_does_not(trading: Bench) -> None:
    for at, value in ((EXECUTION + 1, 10**13), (EXECUTION + 400, 10**16), (T, None), (T + 9000, None)):
        sells, pays = batch(trading, at, value)
        less = {**pays, 5: pays[5] - 1}
        expected = settle(trading.fund(at), at, sells, less)
        assert expected.error is not None
        refused(trading, order(trading, sells, less), *expected.error, at=at)
        assert expected.error[0] == "BelowTolerance"
        receipt = trading.chain.raw(trading.rebalancer.trade(order(trading, sells, pays)), sender=trading.keeper, at=at)
        assert receipt == b""


def test_the_first_tolerance_asks_for_more_than_is_given(trading: Bench) -> None:
    sells, pays = batch(trading, EXECUTION + 2, 10**13)
    result = trade(trading, sells, pays, EXECUTION + 2)
    assert result.valueIn > result.valueOut * 1014 // 1000


def test_clamps_sells_to_the_surplus(trading: Bench) -> None:
    """A whole component is asked for; what leaves is what lies above target, of an odd number of shares."""
    trading.mint(333_333_333_333_333_333, trading.holder, at=T)
    trading.chain.send(trading.rebalancer.close(), trading.keeper, at=1619222400)
    trading.set_limits(batch_cap=10**17)
    trading.determine(1619222400)
    start = 1620000000
    trading.start(start)
    at = start + 1800
    fund = trading.fund(at)
    sells = {i: surplus_of(fund, i) for i in SELLS}
    pays = least_pays(fund, at, sells)
    everything = {i: trading.holdings()[i] for i in SELLS}
    trade(trading, everything, pays, at)
    left = trading.holdings()
    for i in SELLS:
        assert left[i] == -(-KINDS[i].target * fund.shares // WAD)
    assert not trading.chain.read(trading.rebalancer.trading())


def test_a_component_at_its_target_is_sold_no_further(trading: Bench) -> None:
    """Another sell of the batch still trades."""
    trading.chain.send(trading.tokens[0].mint(trading.keeper, 1), trading.keeper, at=EXECUTION)
    time = EXECUTION
    while surplus_of(trading.fund(), SELLS[0]):
        time += 1800
        fund = trading.fund(time)
        sells = sells_worth(fund, 2 * 10**16, [SELLS[0]])
        if surplus_of(fund, SELLS[0]) - sells[SELLS[0]] < 10**15:
            sells = {SELLS[0]: surplus_of(fund, SELLS[0])}
        trade(trading, sells, least_pays(fund, time, sells), time)
    time += 1800
    fund = trading.fund(time)
    both = {SELLS[0]: 10**18, **sells_worth(fund, 10**16, [SELLS[1]])}
    before = trading.holdings()
    trade(trading, both, least_pays(fund, time, both), time)
    after = trading.holdings()
    assert [before[i] - after[i] for i in SELLS] == [0, both[SELLS[1]]]
    refused(trading, order(trading, {SELLS[0]: 10**18}, {5: 10**18}), "NothingSold", at=time + 1800)


def test_credits_buys_up_to_lambda_and_calls_the_rest_a_gift(trading: Bench) -> None:
    """One buy is filled to its whole target while what others may yet lose is still open."""
    fund = trading.fund(T)
    sells = sells_worth(fund, fund.capacity)
    pays = {NEWCOMER: goal_of(fund, NEWCOMER)}
    out = settle(fund, T, sells, pays)
    counted = usd(pays[NEWCOMER], kept(KINDS[NEWCOMER].price), KINDS[NEWCOMER].decimals)
    counted = counted * WAD // total_value_at_start(fund)
    may_lose = out.surplus * 4 // 100  # less than the budget of 0.5 %
    part = (fund.progress.held + counted + out.surplus - may_lose) * WAD // fund.opening.buyTargets
    assert 97 * WAD // 100 < part < WAD
    assert out.credited[NEWCOMER] == goal_of(fund, NEWCOMER, part) < pays[NEWCOMER]
    result = trade(trading, sells, pays, T)
    assert result.attainable == part
    assert result.valueIn == usd(out.credited[NEWCOMER], KINDS[NEWCOMER].price, KINDS[NEWCOMER].decimals)
    assert trading.holdings()[NEWCOMER] == pays[NEWCOMER]


def test_a_gift_does_not_pay_for_the_batch(trading: Bench) -> None:
    """Above a buy's target nothing counts, however much comes."""
    fund = trading.fund(T)
    sells = sells_worth(fund, fund.capacity)
    value = settle(fund, T, sells, {1: 0}).value_out
    lacking = goal_of(fund, 1) - fund.holdings[1].balance
    pays = {1: lacking * 1000}
    out = settle(fund, T, sells, pays)
    assert out.error is not None
    assert out.value_in < value
    refused(trading, order(trading, sells, pays), *out.error)


def test_a_buy_that_has_its_part_already_is_worth_nothing(trading: Bench) -> None:
    """Somebody has given the fund all but two wei of what it lacks: those two are above what all buys can attain."""
    fund = trading.fund(T)
    trading.give(1, trading.index, goal_of(fund, 1) - fund.holdings[1].balance - 2)
    fund = trading.fund(T)
    sells = sells_worth(fund, fund.capacity)
    pays = {1: 2, **least_pays(fund, T, sells, buys=(NEWCOMER, 5))}
    out = settle(fund, T, sells, pays)
    assert out.credited[1] == 0 < goal_of(fund, 1) - fund.holdings[1].balance
    trade(trading, sells, pays, T)


def test_what_is_sent_back_is_not_sold(trading: Bench) -> None:
    fund = trading.fund(T)
    sells = sells_worth(fund, fund.capacity)
    kept = {i: amount // 4 for i, amount in sells.items()}
    back = [step(trading.tokens[i].transfer(trading.index, sells[i] - kept[i])) for i in SELLS]
    pays = least_pays(fund, T, kept)
    given = order(trading, sells, pays, steps=back)
    receipt = trading.chain.send(trading.rebalancer.trade(given), trading.keeper, at=T)
    (event,) = trading.rebalancer.events(receipt, "Traded")
    left = trading.holdings()
    assert {i: fund.holdings[i].balance - left[i] for i in SELLS} == kept
    expected = settle(fund, T, kept, pays)
    check_result(event.result, expected)
    progress = tuple(trading.chain.read(trading.rebalancer.progress()))
    assert progress == (expected.tat, expected.spent, expected.surplus, expected.held)


def test_sending_everything_back_is_no_batch(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    for more in (0, 5):
        back = [step(trading.tokens[i].transfer(trading.index, sells[i])) for i in SELLS]
        back += [step(trading.tokens[i].mint(trading.index, more)) for i in SELLS]
        refused(trading, order(trading, sells, pays, steps=back), "NothingSold")


def test_values_at_fresh_prices(trading: Bench) -> None:
    """Prices moved since the start: values and tolerance use the new ones, the month's progress the old."""
    moved = [kind.price * (110 + i) // 100 for i, kind in enumerate(KINDS)]
    trading.post_prices(moved)
    sells, pays = batch(trading, T, 10**16)
    before = trading.chain.read(trading.rebalancer.progress())
    result = trade(trading, sells, pays, T)
    assert result.valueOut == sum(-(-sells[i] * moved[i] // 10 ** KINDS[i].decimals) for i in SELLS)
    after = trading.chain.read(trading.rebalancer.progress())
    at_start = sum(sells[i] * kept(KINDS[i].price) // 10 ** KINDS[i].decimals for i in SELLS)
    assert before.surplus - after.surplus == at_start * WAD // total_value_at_start(trading.fund(T))


def test_least_value_that_the_sender_asks_for(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    value = settle(trading.fund(T), T, sells, pays).value_in
    refused(trading, order(trading, sells, pays, min_value=value + 1), "BelowMinimum", value, value + 1)
    trade(trading, sells, pays, T, min_value=value)


def test_at_most_what_the_bucket_gives(trading: Bench) -> None:
    at = EXECUTION + 300
    fund = trading.fund(at)
    assert fund.capacity == 10**16
    sells = sells_worth(fund, 10**16)
    pays = pays_worth(fund, total_value_at_start(fund) // 50)
    over = {**sells, 0: sells[0] + 10**15}
    expected = settle(fund, at, over, pays)
    assert expected.error is not None
    refused(trading, order(trading, over, pays), *expected.error, at=at)
    assert expected.error[0] == "AboveCapacity"
    trade(trading, sells, pays, at)


def test_one_batch_of_the_cap_for_each_cool_off(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    fund = trading.fund(T)
    assert 1199 * SCALE < T * SCALE - fund.progress.tat < 1201 * SCALE
    for at in (T, T, T):  # what is left of the idle time lets two more pass, at a falling tolerance
        if trading.fund(at).capacity < 10**15:
            break
        more, paid = batch(trading, at)
        trade(trading, more, paid, at)
    assert trading.fund(T).capacity < 10**15
    assert trading.fund(T + 600).capacity >= 2 * 10**16 - 10**13


def test_losses_are_counted_and_gains_are_not(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    result = trade(trading, sells, pays, T)
    fund = trading.fund(T)
    loss = result.valueOut - result.valueIn
    assert loss > 0
    assert fund.progress.spent == -(-loss * WAD // total_value_at_start(fund))
    gain_at = T + 1
    sells = sells_worth(fund, 10**15)
    trade(trading, sells, pays_worth(fund, total_value_at_start(fund) // 500), gain_at)
    assert trading.fund(gain_at).progress.spent == fund.progress.spent


def test_unfit_batches(trading: Bench) -> None:
    filler, data = trading.filler, b""
    for given in (
        ([], [], [], [1], 0, filler, data),
        ([0], [1], [FILLER], [], 0, filler, data),
        ([0], [], [FILLER], [1], 0, filler, data),
        ([0], [1, 1], [FILLER], [1], 0, filler, data),
        ([0], [1], [], [1], 0, filler, data),
        ([0], [1], [FILLER, FILLER], [1], 0, filler, data),
    ):
        refused(trading, given, "UnfitBatch")


@pytest.mark.parametrize(
    ("sells", "buys", "error", "args"),
    [
        ([2, 0], [1], "IndexesNotAscending", (0,)),
        ([0, 2, 0], [1], "IndexesNotAscending", (0,)),
        ([0], [5, 1], "IndexesNotAscending", (1,)),
        ([0], [1, 1], "IndexesNotAscending", (1,)),
        ([0, 6], [1], "UnknownIndex", (6,)),
        ([2**256 - 1], [1], "UnknownIndex", (2**256 - 1,)),
        ([0], [1, 6], "UnknownIndex", (6,)),
    ],
)
def test_indexes_are_checked(
    trading: Bench, sells: list[int], buys: list[int], error: str, args: tuple[int, ...]
) -> None:
    n = len(sells)
    refused(trading, (sells, [1] * n, [FILLER] * n, buys, 0, trading.filler, b""), error, *args)


@pytest.mark.parametrize(
    ("sells", "buys", "token", "side"),
    [([1], [1], 1, 2), ([0], [0], 0, 1), ([HELD], [1], HELD, 0), ([0], [HELD], HELD, 0), ([0, 1], [1], 1, 2)],
)
def test_each_component_on_its_side(trading: Bench, sells: list[int], buys: list[int], token: int, side: int) -> None:
    n = len(sells)
    given = (sells, [1] * n, [FILLER] * n, buys, 0, trading.filler, b"")
    refused(trading, given, "WrongSide", trading.tokens[token].address, side)


@pytest.mark.parametrize("dead", [*SELLS, *BUYS])
def test_traded_tokens_need_a_price(trading: Bench, dead: int) -> None:
    sells, pays = batch(trading, T)
    trading.post_prices([0 if i == dead else kind.price for i, kind in enumerate(KINDS)])
    refused(trading, order(trading, sells, pays), "NoPrice", trading.tokens[dead].address)
    others = {i: a for i, a in sells.items() if i != dead}
    fund = trading.fund(T)
    rest = pays_worth(fund, total_value_at_start(fund) // 40, [i for i in BUYS if i != dead])
    trade(trading, others, rest, T)  # a dead feed stops its own token only


@pytest.mark.parametrize("traded", [SELLS[0], BUYS[1]])
def test_prices_above_all_measure_are_none(trading: Bench, traded: int) -> None:
    given = order(trading, *batch(trading, T))

    def post(price: int) -> None:
        trading.post_prices([price if i == traded else kind.price for i, kind in enumerate(KINDS)])

    post(2**100 + 1)
    refused(trading, given, "NoPrice", trading.tokens[traded].address)
    post(2**100)
    if traded in SELLS:
        refused(trading, given, "AboveCapacity")
    else:
        trading.chain.read(trading.rebalancer.trade(given), sender=trading.keeper, at=T)


def answering(data: bytes, *, reverting: bool = False) -> bytes:
    """Code of a contract that answers every call with this."""
    # PUSH2 size, DUP1, PUSH2 11, PUSH0, CODECOPY, PUSH0, RETURN or REVERT
    return (
        b"\x61"
        + len(data).to_bytes(2, "big")
        + b"\x80\x61\x00\x0b\x5f\x39\x5f"
        + (b"\xfd" if reverting else b"\xf3")
        + data
    )


def test_an_oracle_that_does_not_answer_for_each_token(trading: Bench) -> None:
    """Fewer values, none at all, and a list that begins somewhere else."""
    sells, pays = batch(trading, T)
    given = order(trading, sells, pays)
    n = len(sells) + len(pays)
    answers = [
        encode(["uint256[]"], [[WAD] * (n - 1)]),
        encode(["uint256[]"], [[WAD] * (n + 1)]),
        b"",
        encode(["uint256"], [32]),
        encode(["uint256[]"], [[WAD] * n])[:-1],
        encode(["uint256"] * (n + 3), [64, n, n, *[WAD] * n]),
    ]
    for answer in answers:
        trading.chain.cheats.set_code(trading.oracle.address, answering(answer))
        refused(trading, given, "NoPrice", "0x" + "00" * 20)
    trading.chain.cheats.set_code(trading.oracle.address, answering(b"spent", reverting=True))
    assert failure(trading.chain, trading.rebalancer.trade(given), sender=trading.keeper, at=T) == b"spent"


def test_balances_above_all_measure(trading: Bench) -> None:
    """2^128 token wei and more could overflow what a batch computes; one less is traded."""
    sells, pays = batch(trading, T)
    component = SELLS[0]
    given = order(trading, sells, pays)
    room = 2**128 - trading.holdings()[component]
    trading.give(component, trading.index, room - 1)
    trading.chain.read(trading.rebalancer.trade(given), sender=trading.keeper, at=T)
    trading.give(component, trading.index, 1)
    refused(trading, given, "AboveMeasure", trading.tokens[component].address)


def test_nothing_sold(trading: Bench) -> None:
    refused(trading, order(trading, {0: 0, 2: 0}, {5: 1}), "NothingSold")


def test_filler_s_own_error_is_passed_on(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    steps = [step(trading.tokens[0].transfer(trading.keeper, 10**30))]
    given = order(trading, sells, pays, steps=steps)
    refused(trading, given, "InsufficientBalance", of=trading.tokens[0])
    assert failure(trading.chain, trading.rebalancer.trade((*given[:6], b"\x01")), at=T) == b""
