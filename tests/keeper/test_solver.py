"""Solvers beside the keeper: what the fund gains from their competition, and from an oracle that lags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ballast.units import BLOCK_S, WAD
from examples.solver import Solver
from keeper.client import SLACK, FundClient, Offer, offer, order_for, stock_data
from keeper.look import contracts
from keeper.look.fund_reader import FundReader
from keeper.plan.order import order_of
from keeper.plan.planner import Pace, plan
from keeper.state import FundState, Phase, Side
from lab.localnet.rpc import send
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts
from tests.keeper.deployed_fund import Field

SHARE = 5 * 10**15
"""Half a percent of NAV: about what the keeper sells in a batch."""
MARGINS = (50, 20)
LAG_BPS = 200


@dataclass(frozen=True)
class Rivals:
    """The keeper's way to fill, and two solvers with stocks of their own; the fund is trading."""

    field: Field
    chain: Chain
    reader: FundReader
    solvers: dict[int, tuple[Solver, Contract]]
    """By margin."""
    owner: str

    def state(self) -> FundState:
        return self.reader.read(self.field.w3.eth.block_number)[0]

    def keepers_order(self, last_trade: int | None = None) -> tuple[Any, ...] | None:
        """What the keeper would send now."""
        state, market = self.reader.read(self.field.w3.eth.block_number)
        pace = Pace(600, 14 * 3_600, state.time, last_trade, 0)
        found = plan(state, market, 100 * 10**9, pace, 10)
        if found.batch is None or found.possible_from is None or found.possible_from > state.time:
            return None
        tokens = [h.token for h in state.holdings]
        return order_of(found.batch, found.min_value_in, self.reader.book["filler"], market.weth, tokens)

    def first_batch(self, margins: Sequence[int], *, keeper: bool = True) -> tuple[str, Any]:
        """Gives blocks until the keeper or one of these solvers can trade; the keeper is asked first. Who it was, and
        the contract's result."""
        rebalancer = self.chain.at("Rebalancer", self.reader.book["rebalancer"])
        for _ in range(400):
            order = self.keepers_order() if keeper else None
            if order is not None:
                self.chain.send(rebalancer.trade(order), self.owner)
                return "keeper", self.result()
            for margin in margins:
                solver, filler = self.solvers[margin]
                found = self.offer_of(solver)
                if found is not None and found.allowed(self.state()):
                    self.chain.send(filler.trade(order_for(found, filler.address)), self.owner)
                    return f"solver {margin}", self.result()
            self.field.clock.step(self.field.clock.now() + BLOCK_S)
        raise AssertionError("nobody traded")

    def offer_of(self, solver: Solver) -> Offer | None:
        """What a solver would fill now."""
        return solver.offer(solver.fund.look(self.field.w3.eth.block_number))

    def result(self) -> Any:
        return self.field.events("Traded")[-1]["args"]["result"]


@pytest.fixture(scope="module")
def rivals(
    module_isolation: None, field: Field, chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rivals]:
    owner = chain.account("solver")
    with field.keeper(tmp_path_factory.mktemp("start")) as keeper:
        keeper.to_trading()
    reader = field.chain
    state = field.state()
    assert state.phase is Phase.TRADING
    solvers = {}
    for margin in MARGINS:
        filler = chain.deploy("StockFiller", reader.book["rebalancer"], owner, sender=owner)
        for h in state.holdings:
            if h.side is Side.BUY:
                lack = state.target_balance(h) - h.balance
                chain.send(chain.at("ReferenceToken", h.token).mint(filler, lack), owner)
        solvers[margin] = (Solver(FundClient(reader), filler.address, margin, SHARE), filler)
    yield Rivals(field, chain, reader, solvers, owner)


def lost_bps(result: Any) -> int:
    """Hundredths of a percent of what went out, 18 decimals; below 0: the fund gained."""
    return int((result["valueOut"] - result["valueIn"]) * 10_000 * WAD // result["valueOut"])


@pytest.fixture(scope="module")
def alone(rivals: Rivals) -> int:
    """What a batch loses that only the keeper fills; the chain is as before."""
    snapshot = rivals.chain.rpc.request("evm_snapshot")
    try:
        who, result = rivals.first_batch([])
        assert who == "keeper"
        return lost_bps(result)
    finally:
        rivals.chain.rpc.request("evm_revert", snapshot)


def test_a_solver_pays_more_than_the_keeper(rivals: Rivals, test_isolation: None, alone: int) -> None:
    who, result = rivals.first_batch([50])
    assert who == "solver 50"
    assert abs(lost_bps(result) - 50 * WAD) < WAD // 20
    assert alone > 70 * WAD


def test_the_fund_gains_from_two_that_compete(rivals: Rivals, test_isolation: None) -> None:
    who, result = rivals.first_batch([50, 20])
    # The one that asks for less comes first, though the other is asked before it.
    assert who == "solver 20"
    assert abs(lost_bps(result) - 20 * WAD) < WAD // 20
    assert result["tolerance"] < 50 * WAD // 10_000


@pytest.fixture
def lag(rivals: Rivals, test_isolation: None) -> Iterator[int]:
    """UNI, which the fund sells, rises in the pools; the feeds do not follow yet. Its true price."""
    market = rivals.field.clock._market
    uni = market.world.token("UNI")
    before = market.prices[uni.address]
    market.set_price(uni.address, uni.price_usd * (10_000 + LAG_BPS) // 10_000)
    market.arbitrage()
    yield market.prices[uni.address]
    market.set_price(uni.address, before)


def true_gain(rivals: Rivals, before: FundState, true_price: int) -> int:
    """What the batch brought at true prices, in hundredths of a percent of what went out (18 decimals)."""
    uni = rivals.field.clock._market.world.token("UNI").address
    out = came = 0
    for old, new in zip(before.holdings, rivals.state().holdings, strict=True):
        priced = replace(old, price=true_price) if old.token == uni else old
        if new.balance < old.balance:
            out += priced.value(old.balance - new.balance)
        else:
            came += priced.value(new.balance - old.balance)
    return (came - out) * 10_000 * WAD // out


def test_nobody_keeps_the_lag_of_the_oracle(rivals: Rivals, lag: int) -> None:
    """Who pays what the lagging oracle asks, as would do with a first tolerance of 0, is refused while the tolerance is
    below 0; who competes for the batch pays the true price less its margin."""
    state = rivals.state()
    solver, filler = rivals.solvers[20]
    # A grabber: what it pays is worth what the oracle says, 2 % less than it gets.
    oracle = {h.token: h.price for h in state.holdings}
    rivals.chain.move_to(state.time + 400)
    state = rivals.state()
    grab = offer(state, oracle, solver.fund.stock(solver.filler, state), 0, SHARE // 2)
    assert grab is not None and state.tolerance < 0 and not grab.allowed(state)
    rebalancer = rivals.chain.artifact("Rebalancer")
    assert_reverts(
        rivals.chain,
        filler.trade(order_for(grab, filler.address)),
        "BelowTolerance",
        sender=rivals.owner,
        of=rebalancer,
    )
    before = rivals.state()
    who, result = rivals.first_batch([50, 20], keeper=False)
    margin = int(who.split()[1])
    assert result["tolerance"] < 0 and lost_bps(result) < -(LAG_BPS - margin - 10) * WAD
    gain = true_gain(rivals, before, lag)
    assert abs(gain + margin * WAD) < 8 * WAD


def test_the_keeper_alone_brings_the_lag_home_too(rivals: Rivals, lag: int, alone: int) -> None:
    who, result = rivals.first_batch([])
    assert who == "keeper"
    # Its pools pay by the true price: what the oracle does not know comes to the fund.
    assert lost_bps(result) < alone - (LAG_BPS - 30) * WAD


def test_only_its_owner_s_batches_are_filled(rivals: Rivals, test_isolation: None) -> None:
    """Others cannot name it in an order and take its stock, nor call it, nor withdraw."""
    _, filler = rivals.solvers[20]
    thief = rivals.chain.account("thief")
    token = next(h.token for h in rivals.state().holdings if h.side is Side.BUY)
    rivals.chain.move_to(rivals.state().time + 1_500)
    found = rivals.offer_of(rivals.solvers[20][0])
    assert found is not None
    order = order_for(found, filler.address)
    rebalancer = rivals.chain.at("Rebalancer", rivals.reader.book["rebalancer"])
    stock = rivals.chain.artifact("StockFiller")
    assert_reverts(rivals.chain, rebalancer.trade(order), "NotTrading", rebalancer.address, sender=thief, of=stock)
    data = stock_data([1], [])
    call = filler.fill(thief, [], [], [token], data)
    assert_reverts(rivals.chain, call, "NotTrading", thief, sender=thief)
    assert_reverts(rivals.chain, filler.trade(order), "OwnableUnauthorizedAccount", thief, sender=thief)
    withdrawal = filler.withdraw(token, thief, 1)
    assert_reverts(rivals.chain, withdrawal, "OwnableUnauthorizedAccount", thief, sender=thief)
    # The owner's own order with fewer amounts than buys, or sells, is refused; what it holds it can take back.
    sells, buys = len(order[0]), len(order[3])
    for pays, leasts, words in (([1], [0] * sells, (1, buys)), ([1] * buys, [0] * (sells + 1), (sells + 1, sells))):
        short = (*order[:6], stock_data(pays, leasts))
        assert_reverts(rivals.chain, filler.trade(short), "UnfitData", *words, sender=rivals.owner)
    rivals.chain.send(filler.withdraw(token, rivals.owner, 1), rivals.owner)


def stock_of(rivals: Rivals, filler: Contract) -> dict[str, int]:
    """What a filler holds of each component."""
    chain, held = rivals.chain, rivals.state().holdings
    return {h.token: chain.read(chain.at("ReferenceToken", h.token).balanceOf(filler)) for h in held}


def test_who_comes_second_pays_nothing(rivals: Rivals, test_isolation: None) -> None:
    """Somebody sells nine tenths of what a solver is about to be sent, just before it. The fund would send the rest
    and the solver pay for all: its batch reverts whole."""
    (first, first_filler), (second, filler) = rivals.solvers[50], rivals.solvers[20]

    def planned(solver: Solver, most: int) -> Offer:
        found = replace(solver, most_share=most).offer(solver.fund.look(rivals.field.w3.eth.block_number))
        assert found is not None
        return found

    def fill_first(found: Offer) -> None:
        rivals.chain.send(first_filler.trade(order_for(found, first_filler.address)), rivals.owner)

    while rivals.state().progress.surplus > SHARE:
        rivals.field.clock.jump(rivals.field.clock.now() + 1_800)
        fill_first(planned(first, 4 * SHARE))
    rivals.field.clock.jump(rivals.field.clock.now() + 1_800)
    state, wanted = rivals.state(), planned(second, SHARE)
    (uni, asked), *others = wanted.sells.items()
    token = state.holdings[uni].token
    assert asked == state.surplus(state.holdings[uni]) and not others
    fill_first(planned(first, wanted.outcome.share * 9 // 10))
    left = rivals.state().surplus(rivals.state().holdings[uni])
    assert 0 < left < asked // 9

    order, stock = order_for(wanted, filler.address), stock_of(rivals, filler)
    words = ("TooLittleSold", token, left, asked - asked // SLACK)
    assert_reverts(rivals.chain, filler.trade(order), *words, sender=rivals.owner)
    assert stock_of(rivals, filler) == stock


def test_the_solver_s_call_is_what_its_filler_takes(rivals: Rivals, test_isolation: None) -> None:
    solver, filler = rivals.solvers[20]
    for _ in range(400):
        call = solver.call(rivals.field.w3.eth.block_number)
        if call is not None:
            break
        rivals.field.clock.step(rivals.field.clock.now() + BLOCK_S)
    assert call is not None and call.to == filler.address
    abi = contracts.abi("Rebalancer")
    _, arguments = rivals.field.w3.eth.contract(abi=abi).decode_function_input(call.data)
    assert arguments["order"]["filler"] == filler.address
    send(rivals.chain.rpc, rivals.owner, call.to, call.data, gas=10**7)
    assert rivals.result()["valueIn"] >= arguments["order"]["minValueIn"]
