"""FundLens: one call that says what the contracts say."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S
from lab.localnet.rpc import read
from lab.localnet.world import World
from tests.helpers.bench import HELD, KINDS, NOTICE, PERIOD, SUPPLY, Bench, build
from tests.helpers.broken import UNSOUND, breaks
from tests.helpers.chain import Chain
from tests.helpers.filling import batch, trade
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import kept
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import bucket

T = EXECUTION + 1000


def test_a_fund_between_months(chain: Chain) -> None:
    bench = build(chain)
    fund = bench.fund(NOTICE)
    assert (fund.time, fund.current.id, fund.supply, fund.shares) == (NOTICE, PERIOD, SUPPLY, 0)
    assert (fund.current.start, fund.current.execution, fund.current.end) == (NOTICE, EXECUTION, PERIOD_END + 1)
    assert (fund.action, fund.reason, fund.next) == (1, 0, PERIOD_END + 1)
    assert (fund.idle, fund.capacity, fund.tolerance) == (0, 0, 0)
    assert len(fund.holdings) == len(KINDS) - 1
    assert all(tuple(h.target) == (0, 0, 0) for h in fund.holdings)
    assert chain.read(bench.lens.constituents(bench.rebalancer)) == []


def test_a_fund_that_trades(trading: Bench) -> None:
    chain, rebalancer = trading.chain, trading.rebalancer
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    at = T + 777
    fund = trading.fund(at)
    assert fund.month == chain.read(rebalancer.month())
    assert fund.opening == chain.read(rebalancer.opening())
    assert fund.progress == chain.read(rebalancer.progress())
    assert fund.limits == chain.read(rebalancer.limits())
    assert fund.timetable == chain.read(rebalancer.timetable())
    assert fund.former == chain.read(rebalancer.formerTimetable())
    assert fund.band == chain.read(rebalancer.band())
    assert (fund.action, fund.reason, fund.next) == chain.read(rebalancer.workable(), at=at)
    assert fund.blockNumber == int(chain.rpc.request("eth_blockNumber"), 16)
    met = bucket(at, fund.progress.tat, 0, fund.limits)
    budget = (fund.limits.lossBudget - fund.progress.spent) * 10**18 // fund.progress.surplus
    assert (fund.idle, fund.capacity) == (met.idle // 2**24, met.capacity)
    assert fund.tolerance == min(met.tolerance, budget)
    for i, (holding, balance) in enumerate(zip(fund.holdings, trading.holdings(), strict=True)):
        assert (holding.token, holding.balance) == (trading.tokens[i].address, balance)
        assert (holding.decimals, holding.price, holding.sound) == (KINDS[i].decimals, KINDS[i].price, True)
        assert (holding.suspendedUntil, holding.writtenOff) == (0, False)
        assert (holding.target.unit, holding.target.price) == (KINDS[i].target, kept(KINDS[i].price))


def test_prices_pauses_and_states_show(trading: Bench) -> None:
    chain, rebalancer = trading.chain, trading.rebalancer
    trading.post_prices([7, *[0] * (len(KINDS) - 1)])
    chain.send(rebalancer.pauseFor(60), trading.guardian, at=T)
    for i, account in ((1, trading.guardian), (HELD, trading.owner), (5, trading.owner)):
        chain.send(rebalancer.suspend(trading.tokens[i]), account, at=T)
    chain.send(rebalancer.writeOff(trading.tokens[5]), trading.owner, at=T)
    fund = trading.fund(T)
    assert [h.price for h in fund.holdings] == [7, 0, 0, 0, 0, 0]
    assert [h.suspendedUntil for h in fund.holdings] == [0, T + 7 * DAY_S, 0, 0, 2**40 - 1, 0]
    assert [h.writtenOff for h in fund.holdings] == [False] * 5 + [True]
    assert (fund.pausedUntil, fund.pauseLeft) == (T + 60, 3 * DAY_S - 60)
    assert fund.reason == 2


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_balance_that_is_not_sound_shows(trading: Bench, fault: str) -> None:
    """The others are told as before; it itself without balance and prices, so that nobody plans with it."""
    before = trading.fund(T).holdings
    breaks(trading.chain, trading.tokens[0], UNSOUND[fault])
    fund = trading.fund(T)
    assert [h.sound for h in fund.holdings] == [False] + [True] * 5
    broken = fund.holdings[0]
    assert (broken.balance, broken.price, broken.tradePrice) == (0, 0, 0)
    assert broken.target == before[0].target
    assert fund.holdings[1:] == before[1:]


def test_pools_and_what_is_none(trading: Bench, world: World) -> None:
    pairs = [pool.pair for token in world.tokens for pool in token.pools][:4]
    strange = [trading.keeper, trading.tokens[0].address, world.weth]
    call = trading.lens.fundAndPools(trading.rebalancer, [*pairs, *strange[:2]])
    fund, reserves = trading.chain.read(call, at=T)
    assert fund == trading.fund(T)
    for pair, found in zip(pairs, reserves, strict=False):
        wanted = read(trading.chain.rpc, pair, "getReserves()", ["uint112", "uint112", "uint32"])
        assert tuple(found) == wanted[:2]
    assert [list(found) for found in reserves[4:]] == [[0, 0], [0, 0]]


def test_preview_of_the_start_passes_refusals_on(trading: Bench) -> None:
    trading.chain.send(trading.methodology.refuse(False, True), trading.keeper)
    call = trading.rebalancer.previewStart()
    assert_reverts(trading.chain, call, "Refusing", at=T, of=trading.methodology)
