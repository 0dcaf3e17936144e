"""April 2021 in a fund at the local mainnet's prices: the published targets, and an honest batch over its pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ballast.units import WAD
from lab.localnet.month_file import Month
from lab.localnet.rpc import read, send
from tests.helpers.filling import CHAINED, FORWARD, HOME, PAID, POT, hop
from tests.helpers.fund import EXECUTION, PERIOD_START, Fund, Setup
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import SELL, settle, surplus_of, usd

FIRST_BATCH = EXECUTION + 1800


@pytest.fixture(scope="module")
def setup() -> Setup:
    """The published units are what was really held: no fee until start."""
    return Setup(fee=0)


@pytest.fixture(scope="module")
def started(fund: Fund) -> Fund:
    """Trading since EXECUTION + 2."""
    fund.move_to(PERIOD_START)
    fund.chain.send(fund.rebalancer.determine(), fund.deployer)
    fund.move_to(EXECUTION)
    fund.chain.send(fund.rebalancer.start(), fund.deployer)
    return fund


def lens(fund: Fund, at: int | None = None) -> Any:
    return fund.chain.read(fund.lens.fund(fund.rebalancer), at=at)


def test_targets_to_the_wei(started: Fund, month: Month) -> None:
    published = {c.address: c.published_target_unit for c in month.components}
    holdings = lens(started).holdings
    assert len(holdings) == 14
    assert {h.token: h.target.unit for h in holdings} == published


def test_the_determination_is_public(started: Fund, month: Month) -> None:
    """Supplies and prices as published, and the weights that the published targets have."""
    nav = lens(started).opening.nav
    found = {c.token: c for c in started.chain.read(started.lens.constituents(started.rebalancer))}
    assert list(found) == sorted((c.address for c in month.components), key=lambda token: int(token, 16))
    for published in month.components:
        c = found[published.address]
        assert (c.basis, c.status, c.flags, c.price) == (published.supply, 0, 0, published.price_usd)
        weight = usd(published.published_target_unit, published.price_usd, published.decimals) * WAD // nav
        # The target is rounded down to a wei of the token, its weight to one of 10^18.
        assert weight <= c.weight <= weight + published.price_usd // nav + 2
    assert max(c.weight for c in found.values()) in (month.cap_weight, (month.cap_weight or 0) - 1)


def test_nav_and_units_at_start(started: Fund, month: Month) -> None:
    held = {c.address: c for c in month.components}
    nav = sum(usd(c.current_unit, c.price_usd, c.decimals) for c in month.components)
    assert lens(started).opening.nav == nav
    sold = [h.token for h in lens(started).holdings if h.target.side == SELL]
    assert [held[token].symbol for token in sold] == ["UNI"]


def swap(amount: int, reserve_in: int, reserve_out: int) -> int:
    """Uniswap V2's formula, down."""
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def reserves(fund: Fund, pair: str, token: str) -> tuple[int, int]:
    """Of the token and of WETH."""
    first, second, _ = read(fund.chain.rpc, pair, "getReserves()", ["uint112", "uint112", "uint32"])
    return (first, second) if token.lower() < fund.world.weth.lower() else (second, first)


def pools(fund: Fund, token: str) -> list[str]:
    return [pool.pair for pool in fund.world.token(token).pools]


def test_an_honest_batch_over_the_pools(started: Fund) -> None:
    """UNI to WETH to all that is missing, in proportion to what is missing, each over its first pool."""
    fund, chain = started, started.chain
    fund.move_to(FIRST_BATCH)
    at = chain.now() + 1
    state = lens(fund, at)
    (sell,) = [i for i, h in enumerate(state.holdings) if h.target.side == SELL]
    buys = [i for i, h in enumerate(state.holdings) if h.target.side == 2]
    assert len(buys) == 13
    amount = surplus_of(state, sell) // 400
    uni = state.holdings[sell].token
    weth = swap(amount, *reserves(fund, pools(fund, uni)[0], uni))

    lacks = {i: missing(state, i) for i in buys}
    shares = {i: worth * 2**64 // sum(lacks.values()) for i, worth in lacks.items()}
    paid: dict[int, int] = {}
    left = weth
    for i in buys:
        token = state.holdings[i].token
        part = left if i == buys[-1] else weth * shares[i] // 2**64
        left -= part
        in_token, in_weth = reserves(fund, pools(fund, token)[0], token)
        paid[i] = swap(part, in_weth, in_token)
    expected = settle(state, at, {sell: amount}, paid)
    assert expected.error is None
    pool = pools(fund, uni)[0]
    data = hop(pool, PAID | forward(fund, uni))
    for i in buys:
        token = state.holdings[i].token
        share = 0 if i == buys[-1] else shares[i]
        data += hop(pools(fund, token)[0], POT | HOME | FORWARD - forward(fund, token), share=share)
    batch = ([sell], [amount], [pool], buys, expected.value_in, fund.filler, data)
    before = fund.balances()
    receipt = chain.send(fund.rebalancer.trade(batch), fund.deployer, at=at)
    (event,) = fund.rebalancer.events(receipt, "Traded")
    result = event.result
    assert (result.valueOut, result.valueIn) == (expected.value_out, expected.value_in)
    gained = [now - was for now, was in zip(fund.balances(), before, strict=True)]
    assert gained[sell] == -amount
    assert {i: gained[i] for i in buys} == paid
    assert fund.balances(fund.filler) == [0] * 14
    # The cost is two pool fees and a little impact.
    assert 50 < (result.valueOut - result.valueIn) * 10_000 // result.valueOut < 150


def forward(fund: Fund, token: str) -> int:
    """FORWARD if the token is token0 of its pool against WETH."""
    return FORWARD if token.lower() < fund.world.weth.lower() else 0


def missing(state: Any, i: int) -> int:
    """USD that component i lacks of its target."""
    holding = state.holdings[i]
    lacking = holding.target.unit * state.shares // WAD - holding.balance
    return usd(lacking, holding.price, holding.decimals)


def test_another_amount_in_pocket_does_not_help(started: Fund) -> None:
    """The sender's own minimum stops a batch after somebody moved the pool."""
    fund, chain = started, started.chain
    fund.move_to(FIRST_BATCH)
    at = chain.now() + 1
    state = lens(fund, at)
    (sell,) = [i for i, h in enumerate(state.holdings) if h.target.side == SELL]
    aave = next(i for i, h in enumerate(state.holdings) if h.target.side == 2 and h.balance)
    uni, token = state.holdings[sell].token, state.holdings[aave].token
    amount = surplus_of(state, sell) // 1000
    # One sell pays one buy: from pool to pool.
    data = hop(pools(fund, uni)[0], PAID | forward(fund, uni))
    data += hop(pools(fund, token)[0], CHAINED | HOME | FORWARD - forward(fund, token))
    weth = swap(amount, *reserves(fund, pools(fund, uni)[0], uni))
    in_token, in_weth = reserves(fund, pools(fund, token)[0], token)
    expected = settle(state, at, {sell: amount}, {aave: swap(weth, in_weth, in_token)})
    batch = ([sell], [amount], [pools(fund, uni)[0]], [aave], expected.value_in, fund.filler, data)
    chain.read(fund.rebalancer.trade(batch), sender=fund.deployer, at=at)

    front_run(fund, token, in_weth // 100)
    call = fund.rebalancer.trade(batch)
    value, least = assert_reverts(chain, call, "BelowMinimum", sender=fund.deployer, at=at + 1)
    assert least == expected.value_in
    assert value < least * 99 // 100


def front_run(fund: Fund, token: str, weth: int) -> None:
    """Somebody buys the token from its first pool."""
    pair = pools(fund, token)[0]
    in_token, in_weth = reserves(fund, pair, token)
    stranger = fund.chain.account("front runner")
    send(fund.chain.rpc, stranger, fund.world.weth, "0x", gas=10**5, value=weth)
    erc20 = fund.chain.at("ReferenceToken", fund.world.weth)
    fund.chain.send(erc20.transfer(pair, weth), stranger, at=fund.chain.now())
    out = swap(weth, in_weth, in_token)
    amounts: Mapping[bool, tuple[int, int]] = {True: (out, 0), False: (0, out)}
    pool = fund.chain.at("IUniswapV2Pair", pair)
    forward = token.lower() < fund.world.weth.lower()
    fund.chain.send(pool.swap(*amounts[forward], stranger, b""), stranger, at=fund.chain.now())
