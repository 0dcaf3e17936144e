"""Runs one published month through both engines.

One local mainnet, with a fork for each engine, so that all start with the same pools at the same time and none sees
another's changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Queue

from rich.console import Console

from ballast.units import HOUR_S
from keeper.errors import KeeperError
from lab.bench import same_slices, set_month
from lab.bench.errors import BenchError
from lab.bench.month_bench import Leaf, MonthBench, leaf
from lab.bench.run import START_S, chain_of
from lab.localnet.errors import LocalnetError
from lab.localnet.market import Market
from lab.localnet.session import interrupt_on_terminate
from lab.replay.carry import carry_month
from lab.replay.measure import MonthOutcome
from lab.testbed.clock import Clock
from lab.testbed.forked import ForkedChain, forkable

PLANS = ("fewest", "cheapest")
"""The keeper's planning modes, as BALLAST_PLAN takes them."""
HELD_TO_HOURS = "cheapest"


def measure(file: Path, logs: Path, said: Queue[tuple[Path, str]]) -> dict[str, object]:
    """The month's object in out/bench.json. Puts progress messages into `said`. Raises BenchError."""
    interrupt_on_terminate()
    try:
        return _measure(file, logs, lambda words: said.put((file, words)))
    except (KeeperError, LocalnetError) as error:
        raise BenchError(f"{file.stem}: {error}") from error


def _measure(file: Path, logs: Path, say: Callable[[str], None]) -> dict[str, object]:
    say("starting a local mainnet")
    with forkable(file) as on:
        price, label = on.world.weth_price_usd, on.world.month
        with on.fork() as fork:
            peer = set_month.carry(_bench(fork), say)
        with on.fork() as fork:
            sliced = same_slices.carry(_bench(fork), fork, say)
        leaves: dict[str, Leaf] = {}
        for plan in PLANS:
            say(f"the keeper, {plan}")
            with on.fork() as fork:
                leaves[plan] = leaf(_by_keeper(fork, plan, peer, logs), price)
    return {"label": label, "same_slices": {"ours": leaf(sliced, price), "set_v2": leaf(peer, price)}, **leaves}


def _bench(on: ForkedChain) -> MonthBench:
    """The month's chain, moved forward by as much as the gas benchmark moves it."""
    chain = chain_of(on)
    chain.move_to(on.world.head + START_S)
    return MonthBench(chain, Clock(on.rpc, Market(on.rpc, on.world)), on.world, on.month, on.w3)


def _by_keeper(on: ForkedChain, plan: str, peer: MonthOutcome, logs: Path) -> MonthOutcome:
    """Runs the month with the keeper's planner; the mode that saves cost by taking longer gets no more hours than the
    peer took."""
    folder = on.folder / plan
    folder.mkdir()
    settings = {"BALLAST_PLAN": plan}
    if plan == HELD_TO_HOURS:
        settings["BALLAST_MAX_HOURS"] = str(max(1, (peer.ended_at - peer.started_at) // HOUR_S))
    return carry_month(
        replace(on, folder=folder),
        Console(quiet=True),
        demo=False,
        keeper_log=logs / f"{on.month.label}-{plan}.log",
        more_settings=settings,
    )
