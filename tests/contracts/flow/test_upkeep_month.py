"""Months without a keeper of ours: anybody performs what the upkeep names, as keeper networks do, and a solver fills
the batches out of its own stock. A month that nobody trades ends too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ape
import pytest
from web3 import Web3

from ballast.units import WAD
from examples.solver import Solver
from keeper.client import FundClient
from keeper.state import Phase, Side
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.contracts.upkeep.scene import performing
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.keeper.deployed_fund import PERIOD, Field, deployed

STEP_S = 60
MARGIN_BPS = 20
SHARE = 2 * WAD // 100
"""Most of NAV in a batch of the solver."""
MAX_STEPS = 600
PURSE = 100 * WAD
"""Shares that the upkeep is given before the batches."""


@dataclass
class Network:
    """A keeper network at a fund's upkeep; looks when it is told to, and is paid. `done`: what it has performed."""

    field: Field
    chain: Chain
    upkeep: Contract
    account: str
    done: list[bytes] = dataclasses.field(default_factory=list)

    def look(self) -> bool:
        """Asks for the next block, and performs in it what is needed; whether anything was."""
        payee = bytes(12) + bytes.fromhex(self.account[2:])
        needed, data = self.chain.read(self.upkeep.checkUpkeep(payee), at=self.chain.now() + 1)
        if needed:
            self.chain.send(self.upkeep.performUpkeep(data), self.account)
            self.done.append(data)
        return bool(needed)

    def phase(self) -> Phase:
        return self.field.state().phase

    def to_start(self) -> None:
        """Through determination and start."""
        self.field.to_determination()
        assert self.look()
        assert not self.look()
        self.field.to_execution()
        assert self.look()
        assert not self.look()
        assert self.phase() is Phase.TRADING

    def senders(self, *events: str) -> dict[str, set[tuple[str, str]]]:
        """Who sent the transactions of the rebalancer's events of each name, and to whom."""
        w3 = self.field.w3
        found = {}
        for name in events:
            sent = [w3.eth.get_transaction(event["transactionHash"]) for event in self.field.events(name)]
            found[name] = {(str(tx["from"]), str(tx["to"])) for tx in sent}
        return found


@pytest.fixture(scope="module")
def network(
    module_isolation: None, world: World, w3: Web3, chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """A network at the upkeep that was deployed with the fund."""
    with deployed(world, w3, tmp_path_factory.mktemp("book")) as found:
        yield Network(found, chain, chain.at("Upkeep", found.book["upkeep"]), chain.account("a network's sender"))


@pytest.fixture
def network_at_rest(network: Network, test_isolation: None) -> Network:
    """The same with nothing performed yet."""
    network.done.clear()
    return network


def stocked(network: Network, owner: str) -> Solver:
    """A solver that holds all that the fund lacks."""
    chain, at = network.chain, network.field.state()
    filler = chain.deploy("StockFiller", network.field.book["rebalancer"], owner, sender=owner)
    for h in at.holdings:
        if h.side is Side.BUY:
            chain.send(chain.at("ReferenceToken", h.token).mint(filler, at.target_balance(h) - h.balance), owner)
    return Solver(FundClient(network.field.chain), filler.address, MARGIN_BPS, SHARE, payee=owner)


def trade_all(network: Network, solver: Solver, owner: str) -> int:
    """Blocks with the network and the solver looking at each, until the month is done; how many batches it took."""
    batches = 0
    for _ in range(MAX_STEPS):
        if network.phase() is Phase.IDLE:
            return batches
        assert not network.look()
        call = solver.call(network.field.w3.eth.block_number)
        if call is None:
            network.field.clock.step(network.field.clock.now() + STEP_S)
            continue
        send(network.chain.rpc, owner, call.to, call.data, gas=10**7)
        batches += 1
    raise AssertionError(f"the month is not done after {MAX_STEPS} steps and {batches} batches")


def test_a_month_of_a_network_and_a_solver(network_at_rest: Network, chain: Chain) -> None:
    network, owner = network_at_rest, chain.account("solver")
    network.to_start()
    solver = stocked(network, owner)
    index = chain.at("IndexToken", network.field.book["index_token"])
    before = [chain.read(index.balanceOf(account)) for account in (network.account, owner, network.upkeep.address)]
    assert before[:2] == [0, 0], "the purse was empty"
    chain.send(index.transfer(network.upkeep, PURSE), chain.impersonate(ape.accounts.test_accounts[0].address))
    keepers = network.field.sent_by_keeper()
    batches = trade_all(network, solver, owner)
    assert not network.look()
    assert network.done == [performing(step, PERIOD, network.account) for step in ("Determine", "Start")]
    # Each batch was paid, out of the purse and nothing else.
    paid = chain.read(index.balanceOf(owner))
    assert 0 < paid == PURSE - chain.read(index.balanceOf(network.upkeep))
    by_network, by_solver = {(network.account, network.upkeep.address)}, {(owner, solver.filler)}
    expected = {"Determined": by_network, "Started": by_network, "Traded": by_solver, "Closed": by_solver}
    assert network.senders(*expected) == expected
    assert len(network.field.events("Traded")) == batches > 3
    assert [len(network.field.events(name)) for name in ("Determined", "Started", "Closed")] == [1, 1, 1]
    assert network.field.sent_by_keeper() == keepers
    closed = network.field.events("Closed")[0]["args"]
    dust = network.field.state().limits.dust
    assert closed["period"] == PERIOD and (closed["surplus"] <= dust or closed["deficit"] <= dust)
    # What the solver asked for is what it cost.
    results = [event["args"]["result"] for event in network.field.events("Traded")]
    out, came = (sum(result[key] for result in results) for key in ("valueOut", "valueIn"))
    assert 0 < (out - came) * 10_000 < 2 * MARGIN_BPS * out


def test_a_month_that_nobody_trades(network_at_rest: Network) -> None:
    """The network opens it, closes it once it is over, and goes on with the next one."""
    network = network_at_rest
    network.to_start()
    before = [h.balance for h in network.field.state().holdings]
    end = network.field.state().opening.end
    network.field.clock.jump(end - 3)
    assert not network.look()
    network.field.clock.jump(end)
    assert network.look()
    assert network.phase() is Phase.IDLE
    assert network.look()
    assert not network.look()
    named: list[tuple[str, int]] = [("Determine", PERIOD), ("Start", PERIOD), ("Close", PERIOD)]
    assert network.done == [performing(*each, network.account) for each in (*named, ("Determine", PERIOD + 1))]
    by_network = {(network.account, network.upkeep.address)}
    assert network.senders("Closed") == {"Closed": by_network}
    closed: Any = network.field.events("Closed")[0]["args"]
    assert closed["period"] == PERIOD and closed["surplus"] > 10**16 and closed["spent"] == 0
    assert [h.balance for h in network.field.state().holdings] == before
