"""A filler that pays fixed amounts out of its stock, and somebody who trades just before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from keeper.client import stock_data
from tests.contracts.upkeep.scene import deploy_upkeep
from tests.helpers.bench import SELLS, Bench
from tests.helpers.contracts import Contract
from tests.helpers.filling import FILLER, least_pays, sells_worth, trade
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import settle, surplus_of

T = EXECUTION + 1_800
FIRST, SECOND = SELLS
STEP = 1_800
ASIDE = 1_000


@dataclass(frozen=True)
class Solver:
    """A filler with its stock, and the batch that its owner has planned."""

    bench: Bench
    filler: Contract
    owner: str
    asked: int
    """Token wei of SECOND that it pays for."""
    pays: dict[int, int]
    least_value: int

    def order(self, leasts: list[int], pays: list[int] | None = None) -> tuple[Any, ...]:
        amounts = [*self.pays.values()] if pays is None else pays
        data = stock_data(amounts, leasts)
        return [SECOND], [self.asked], [FILLER], [*self.pays], self.least_value, self.filler, data

    def trade(self, leasts: list[int], pays: list[int] | None = None) -> Any:
        return self.filler.trade(self.order(leasts, pays))

    def stock(self) -> list[int]:
        """What it holds of each token."""
        return [self.bench.chain.read(token.balanceOf(self.filler)) for token in self.bench.tokens]


@pytest.fixture
def solver(trading: Bench, stranger: str, test_isolation: None) -> Solver:
    """Of SECOND a batch is left to sell, of FIRST all; the solver is about to pay for what is left of SECOND."""
    bench, chain = trading, trading.chain
    sells = sells_worth(bench.fund(T), bench.fund(T).capacity * 9 // 10, [SECOND])
    trade(bench, sells, least_pays(bench.fund(T), T, sells), T)
    at = T + STEP
    fund = bench.fund(at)
    asked = surplus_of(fund, SECOND)
    pays = least_pays(fund, at, {SECOND: asked})
    planned = settle(fund, at, {SECOND: asked}, pays)
    assert planned.error is None
    filler = chain.deploy("StockFiller", bench.rebalancer, stranger, sender=stranger)
    for i, amount in pays.items():
        bench.give(i, filler, 2 * amount)
    return Solver(bench, filler, stranger, asked, pays, planned.value_in)


def test_who_comes_second_is_not_charged_for_what_is_gone(solver: Solver) -> None:
    """Nine tenths of what it pays for are sold just before it. Everything that the fund counts is in order: paying for
    all of it brings more than the least value in, so nothing but the filler itself can refuse."""
    bench, at = solver.bench, T + STEP
    stock = solver.stock()
    taken = {SECOND: solver.asked * 9 // 10}
    trade(bench, taken, least_pays(bench.fund(at), at, taken), at)
    left = surplus_of(bench.fund(), SECOND)
    assert left == solver.asked - taken[SECOND]
    assert settle(bench.fund(at + 1), at + 1, {SECOND: left}, solver.pays, solver.least_value).error is None

    least, token = solver.asked - solver.asked // ASIDE, bench.tokens[SECOND].address
    words = ("TooLittleSold", token, left, least)
    assert_reverts(bench.chain, solver.trade([least]), *words, sender=solver.owner, at=at + 1)
    assert solver.stock() == stock
    # The least is the boundary.
    words = ("TooLittleSold", token, left, left + 1)
    assert_reverts(bench.chain, solver.trade([left + 1]), *words, sender=solver.owner, at=at + 1)
    bench.chain.send(solver.trade([left]), solver.owner, at=at + 1)
    assert solver.stock()[SECOND] == stock[SECOND] + left


def test_alone_it_gets_what_it_pays_for(solver: Solver) -> None:
    bench, stock = solver.bench, solver.stock()
    bench.chain.send(solver.trade([solver.asked]), solver.owner, at=T + STEP)
    now = solver.stock()
    assert now[SECOND] == stock[SECOND] + solver.asked
    assert [stock[i] - now[i] for i in solver.pays] == [*solver.pays.values()]


def test_each_entry_has_a_least_of_its_own(solver: Solver) -> None:
    """One token in two entries: the second is sent what the first leaves."""
    bench, half = solver.bench, solver.asked // 2
    data = stock_data([*solver.pays.values()], [half, solver.asked - half + 1])
    given = ([SECOND] * 2, [half, solver.asked], [FILLER] * 2, [*solver.pays], 0, solver.filler, data)
    words = ("TooLittleSold", bench.tokens[SECOND].address, solver.asked - half, solver.asked - half + 1)
    assert_reverts(bench.chain, solver.filler.trade(given), *words, sender=solver.owner, at=T + STEP)


@pytest.mark.parametrize(("leasts", "short", "words"), [(0, 0, (0, 1)), (2, 0, (2, 1)), (1, 1, (2, 3))])
def test_data_of_other_lengths(solver: Solver, leasts: int, short: int, words: tuple[int, int]) -> None:
    pays = [*solver.pays.values()]
    call = solver.trade([0] * leasts, pays[: len(pays) - short])
    assert_reverts(solver.bench.chain, call, "UnfitData", *words, sender=solver.owner, at=T + STEP)


def test_its_owner_cannot_be_lost(solver: Solver) -> None:
    chain = solver.bench.chain
    other = chain.account("other")
    assert_reverts(chain, solver.filler.renounceOwnership(), "RenounceRefused", sender=solver.owner)
    chain.send(solver.filler.transferOwnership(other), solver.owner)
    assert chain.read(solver.filler.owner()) == solver.owner
    assert_reverts(
        chain,
        solver.filler.trade(([], [], [], [], 0, solver.filler, b"")),
        "OwnableUnauthorizedAccount",
        other,
        sender=other,
    )
    chain.send(solver.filler.acceptOwnership(), other)
    assert chain.read(solver.filler.owner()) == other


def test_only_its_owner_trades_through_an_upkeep(solver: Solver) -> None:
    """As with its own `trade`, and somebody else's batch through the upkeep meets the same refusal."""
    bench, at = solver.bench, T + STEP
    upkeep = deploy_upkeep(bench, owner=bench.owner)
    planned = solver.order([solver.asked])
    through = solver.filler.tradeThrough(upkeep, planned, solver.owner)
    assert_reverts(bench.chain, through, "OwnableUnauthorizedAccount", bench.keeper, sender=bench.keeper, at=at)
    theirs = upkeep.trade(planned, bench.keeper)
    assert_reverts(bench.chain, theirs, "NotTrading", bench.rebalancer, sender=bench.keeper, at=at, of=solver.filler)
    bench.chain.send(through, solver.owner, at=at)
    assert solver.stock()[SECOND] == solver.asked
