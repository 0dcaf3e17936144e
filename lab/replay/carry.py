"""Runs one fund through one month on the connected fork: deployment, the keeper at work, and the measurements.

`python -m lab.replay` starts the local mainnet and connects Ape around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ballast.book import Book
from ballast.deployment.deploy import approve, deploy_fund
from ballast.fund_file import FundConfig
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import BLOCK_S, HOUR_S, WAD
from keeper.ops.pulse import Pulse
from lab.localnet.errors import LocalnetError
from lab.localnet.market import Market
from lab.replay.measure import MonthOutcome, abis_of, measure
from lab.testbed.clock import GAS_PRICE_GWEI, Clock, next_look
from lab.testbed.forked import ForkedChain
from lab.testbed.funding import deal, deal_seed, month_config
from lab.testbed.keepers import KeeperProcess, KeeperRunError, running_keeper

HOLDER_SHARES = 1_000 * WAD
"""Shares that the demo's holder mints before the month and redeems after it."""
MAX_LOOKS = 20_000
MAX_ERRORS = 20
"""Looks in a row with an error of the keeper before the run is given up."""


class ReplayError(LocalnetError):
    """The month could not be completed; the message is one line for the user."""


@dataclass
class Run:
    """A running month."""

    on: ForkedChain
    console: Console
    clock: Clock
    config: FundConfig
    book: Book
    index: Any
    rebalancer: Any

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    @property
    def period(self) -> int:
        year, month = self.on.month.period
        return year * 12 + month - 1


def prepare(on: ForkedChain, console: Console) -> Run:
    """Deploys the fund in the published state of the month."""
    clock = Clock(on.rpc, Market(on.rpc, on.world))
    clock.jump(clock.now() + BLOCK_S)
    config = month_config(on.month, on.world)
    heading = f"[bold]{on.month.label}[/bold]: {len(config.components)} components, {on.world.reserves_note}"
    console.print(heading, soft_wrap=True)
    with console.status("deploying") as status:
        deal_seed(on.deployer, config)
        book = deploy_fund(
            on.project,
            on.deployer,
            config,
            book_path=on.folder / "book.json",
            progress=status.update,
            unsafe=True,  # one account proposes: nothing of this fund outlives the replay
        )
    index = on.project.IndexToken.at(book["index_token"])
    run = Run(on, console, clock, config, book, index, on.project.Rebalancer.at(book["rebalancer"]))
    run.say(
        f"deployed: {len(config.seeded())} components held, {_shares(config.seed_shares)} shares, "
        f"index token {book['index_token']}, owner is the timelock {book['timelock']}"
    )
    return run


def mint(run: Run, shares: int) -> None:
    """Mints for the holder, who gives at most a millionth more of each component than the preview says."""
    on = run.on
    tokens, amounts, _ = run.index.previewMint(shares)
    limits = [amount + 1 + amount // 10**6 for amount in amounts]
    for token, limit in zip(tokens, limits, strict=True):
        deal(on.holder, token, on.holder.address, limit)
        approve(on.holder, token, run.index.address, limit)
    run.index.mint(shares, on.holder.address, tokens, limits, sender=on.holder)
    run.say(f"a holder minted {_shares(run.index.balanceOf(on.holder.address))} shares in kind")


def redeem(run: Run) -> None:
    """Redeems all of the holder's shares, for at least the preview less a millionth."""
    shares = run.index.balanceOf(run.on.holder.address)
    tokens, amounts, _ = run.index.previewRedeem(shares)
    limits = [amount - amount // 10**6 for amount in amounts]
    run.index.redeem(shares, run.on.holder.address, tokens, limits, 0, sender=run.on.holder)
    run.say(f"the holder redeemed {_shares(shares)} shares and got {len(tokens)} components")


def carry_month(
    on: ForkedChain, console: Console, *, demo: bool, keeper_log: Path, more_settings: Mapping[str, str] | None = None
) -> MonthOutcome:
    """Runs the whole month and measures it. `more_settings`: environment variables of the keeper."""
    run = prepare(on, console)
    if demo:
        mint(run, HOLDER_SHARES)
    settings = {"BALLAST_MAX_FEE_GWEI": str(4 * GAS_PRICE_GWEI), **(more_settings or {})}
    with running_keeper(on, keeper_log, **settings) as keeper:
        run.say(f"keeper: running as a process of its own, log in {keeper_log}")
        _to_determination(run, keeper)
        _to_start(run, keeper)
        _trade(run, keeper)
    with console.status("measuring"):
        outcome = measure(on.w3, abis_of(on.project), run.book, on.month, on.world, on.keeper.address)
    if demo:
        redeem(run)
    return outcome


def _to_determination(run: Run, keeper: KeeperProcess) -> None:
    run.say("time goes to the beginning of the period")
    run.clock.jump(period_start(run.period, run.config.timetable.notice))
    until(run.clock, keeper, lambda: int(run.rebalancer.month().period) == run.period, "determination")
    run.say("keeper: determined the month's constituents")


def _to_start(run: Run, keeper: KeeperProcess) -> None:
    timetable = run.config.timetable
    run.say(f"time goes to the first business day, {run.on.month.execution_date}")
    run.clock.jump(execution_time(run.period, timetable.day, timetable.fixed_day))
    until(run.clock, keeper, lambda: bool(run.rebalancer.trading()) or _done(run), "start")
    run.say("keeper: started the month, targets are fixed")


def _done(run: Run) -> bool:
    month = run.rebalancer.month()
    return int(month.period) == run.period and int(month.phase) == 0


def until(clock: Clock, keeper: KeeperProcess, reached: Callable[[], bool], what: str) -> None:
    """Mines blocks for the keeper until `reached` is true. Raises ReplayError and KeeperRunError."""
    errors = 0
    for _ in range(3 * MAX_ERRORS):
        pulse = keeper.look(clock.latest()[0])
        if reached():
            return
        errors = count_errors(pulse, errors, keeper)
        if pulse.block >= clock.latest()[0]:
            clock.step(clock.now() + BLOCK_S)
    raise ReplayError(f"{what}: the keeper did not get there; it saw {pulse.action} ({pulse.reason}){keeper.tail()}")


def while_trading(clock: Clock, keeper: KeeperProcess, what: str, most: int = MAX_LOOKS) -> Iterator[int]:
    """Yields the time of each block that the keeper has looked at, then moves time on as far as the keeper waits; the
    caller leaves once the month is done. Raises ReplayError after `most` looks."""
    errors = 0
    for _ in range(most):
        number, now = clock.latest()
        pulse = keeper.look(number)
        yield now
        if clock.latest()[0] > pulse.block:
            continue  # it has sent something: let it look again before time moves on
        errors = count_errors(pulse, errors, keeper)
        clock.step(next_look(now, pulse.possible_from, clock.next_rest()))
    raise ReplayError(f"{what}: not done after {most} looks of the keeper{keeper.tail()}")


def _trade(run: Run, keeper: KeeperProcess) -> None:
    """Trades the month from start to end."""
    opened = run.clock.now()
    left = total = int(run.rebalancer.progress().surplus)
    with _bar(run.console) as bar:
        task = bar.add_task("trading", total=max(total, 1))
        for _ in while_trading(run.clock, keeper, "trading"):
            if _done(run):
                return
            before, left = left, int(run.rebalancer.progress().surplus)
            if left != before:
                _show_progress(run, bar, task, total - left, (run.clock.now() - opened) / HOUR_S, left)


def _show_progress(run: Run, bar: Progress, task: TaskID, sold: int, hours: float, left: int) -> None:
    text = f"hour {hours:4.1f}: {left * 100 / WAD:.2f} % of NAV left to sell"
    bar.update(task, completed=sold, description=f"trading, {text}")
    if not run.console.is_terminal:
        run.say(f"  {text}")


def _bar(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def count_errors(pulse: Pulse, so_far: int, keeper: KeeperProcess) -> int:
    """Errors in a row, this look included; raises KeeperRunError when there are too many."""
    if pulse.state != "error":
        return 0
    if so_far + 1 >= MAX_ERRORS:
        raise KeeperRunError(f"keeper: keeps failing, last with {pulse.error!r}{keeper.tail()}")
    return so_far + 1


def _shares(amount: int) -> str:
    return f"{amount / WAD:,.2f}"
