"""`python -m lab.bench.upkeep`: gas of each step of a month through the upkeep, and what the upkeep pays for it.

Runs the benchmark's fund in its second month, so that no slot is written for the first time. Each step is sent as the
plain call, then through the upkeep at several base fees, without an access list and without a tip. Writes `upkeep` into
out/bench.json.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ballast.build import ROOT
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import GWEI, WAD
from lab.bench import ours, report
from lab.bench.arena import Arena
from lab.bench.errors import BenchError
from lab.bench.ours import Fund
from lab.bench.run import arena_of, chain_of, taken_back
from lab.localnet.errors import LocalnetError
from lab.localnet.session import interrupt_on_terminate
from lab.testbed.chain import BASE_FEE, Contract
from lab.testbed.forked import ForkedChain, forked

SIZES = (5, 10, 20, 30)
FEES = tuple(gwei * GWEI for gwei in (5, 30, 100, 300))
STEPS = ("determine", "start", "trade", "close")
ACTIONS = {"determine": 1, "start": 2, "close": 4}
PURSE = 100 * WAD


@dataclass(frozen=True)
class Step:
    """A step at one base fee: gas as the plain call and through the upkeep; its cost at that base fee and what the
    upkeep paid, wei."""

    action: str
    n: int
    gwei: int
    plain: int
    through: int
    cost: int
    paid: int


@dataclass(frozen=True)
class Meter:
    """A fund with an upkeep whose purse is full. `holder` has shares, makes the steps and is paid."""

    arena: Arena
    fund: Fund
    upkeep: Contract

    def call(self, action: str, period: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Function and arguments of the step: for the rebalancer, and for the upkeep."""
        if action == "trade":
            order = ours.order_of(self.arena, self.fund)
            return ("trade", order), ("trade", order, self.arena.holder)
        return (action,), ("perform", ACTIONS[action], period, self.arena.holder)

    def shares(self) -> int:
        return int(self.fund.index.read("balanceOf", self.arena.holder))

    def measured(self, action: str, period: int) -> Iterator[Step]:
        """Measures the step that is due at each base fee, reverting it each time."""
        chain, holder = self.arena.chain, self.arena.holder
        plain_call, paid_call = self.call(action, period)
        with taken_back(chain):
            plain = self.fund.rebalancer.send(holder, *plain_call)
        for fee in FEES:
            with taken_back(chain):
                chain.base_fee = fee
                before = self.shares()
                try:
                    through = self.upkeep.send(holder, *paid_call)
                finally:
                    chain.base_fee = BASE_FEE
                _, price, _ = self.upkeep.read("purse")
                paid = (self.shares() - before) * price // WAD
                yield Step(action, len(self.arena.assets), fee // GWEI, plain, through, through * fee, paid)

    def to(self, action: str, period: int) -> None:
        """Moves the time to where the step is due; posts the feeds, except before a trade."""
        notice = self.fund.config.timetable.notice
        moments = {
            "determine": period_start(period, notice),
            "start": execution_time(period),
            "trade": self.arena.chain.cheats.now() + self.fund.config.limits.max_idle,
            "close": period_start(period + 1, notice),
        }
        self.arena.chain.move_to(moments[action])
        if action != "trade":
            self.arena.post_feeds()

    def perform(self, action: str, period: int) -> None:
        """Makes the step through the upkeep without reverting it."""
        self.upkeep.send(self.arena.holder, *self.call(action, period)[1])


def measure(arena: Arena, on: ForkedChain) -> list[Step]:
    """All steps of one size."""
    account = on.accounts[0]
    fund = ours.deploy(arena, on.project, account)
    upkeep = arena.chain.at("Upkeep", fund.book["upkeep"])
    meter = Meter(arena, fund, upkeep)
    arena.chain.cheats.impersonate(account.address)
    for to, amount in ((upkeep.address, PURSE), (arena.holder, WAD)):
        fund.index.send(account.address, "transfer", to, amount)
    period = int(fund.rebalancer.read("currentPeriod")) + 1
    for action in ("determine", "start", "close"):
        meter.to(action, period)
        meter.perform(action, period)
    found: list[Step] = []
    for action in STEPS:
        meter.to(action, period + 1)
        found += meter.measured(action, period + 1)
        if action in ("determine", "start"):
            meter.perform(action, period + 1)
    return found


def show(console: Console, steps: list[Step]) -> None:
    """Prints the table: a line for each step and size, with the payment in % of the cost at each base fee."""
    table = Table(title="Gas through the upkeep; paid, in % of its cost, at a base fee of so many gwei", padding=(0, 0))
    table.add_column("step", no_wrap=True)
    for name in ("n", "plain", "through", "over", *(str(fee // GWEI) for fee in FEES)):
        table.add_column(name, justify="right", no_wrap=True)
    for first in (step for step in steps if step.gwei * GWEI == FEES[0]):
        same = [s for s in steps if (s.action, s.n) == (first.action, first.n)]
        ratios = [f"{100 * s.paid / s.cost:.1f}" for s in same]
        gas = (first.plain, first.through, first.through - first.plain)
        table.add_row(first.action, str(first.n), *(f"{value:,}" for value in gas), *ratios)
    console.print(table)


@click.command()
@click.option("--size", "sizes", type=click.IntRange(2, 30), multiple=True, help="Only these numbers of components.")
def main(sizes: tuple[int, ...]) -> None:
    """Measure the steps of a month through the upkeep, and what is paid for them."""
    interrupt_on_terminate()
    console, path = Console(), Path(ROOT / "out" / "bench.json")
    steps: list[Step] = []
    try:
        with console.status("starting a local mainnet") as status, forked() as on:
            chain = chain_of(on)
            for n in sorted(set(sizes)) or SIZES:
                with taken_back(chain):
                    steps += measure(arena_of(chain, on, n, status.update), on)
    except (BenchError, LocalnetError, ValueError) as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
    steps.sort(key=lambda step: (STEPS.index(step.action), step.n, step.gwei))
    report.put(path, "upkeep", [asdict(step) for step in steps])
    show(console, steps)
    console.print(f"figures: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
