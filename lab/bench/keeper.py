"""A keeper as a process of its own on quiet days: round trips and time of a tick, and what it keeps in memory.

The fund stands on a local chain with nothing due. The endpoint in front of the node mines a block each time the keeper
asks for the latest one, so every tick finds a new block and reads the fund.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ballast.units import BLOCK_S
from lab.bench.counting import Counter, counting
from lab.bench.errors import BenchError
from lab.bench.run import Stage, ground
from lab.replay.carry import ReplayError, Run, prepare, private_key_of, stage
from lab.testbed.keepers import Keeper, running_keeper

PACED_TICKS = 20
PACED_POLL_S = 0.3
"""So far apart that each tick's pulse is seen."""
EARLY, LATE = 100, 10_000
LATE_POLL_S = 0.01
LOOKS_WITHIN_S = 60.0
STATUS_FIELD = "VmRSS:"


@dataclass(frozen=True)
class Figures:
    """A quiet tick: HTTP requests, median time in ms from the question for the latest block to the pulse; and resident
    memory after 10,000 ticks less that after 100, KiB."""

    round_trips_per_tick: float
    tick_ms: float
    rss_growth_kib: int


@dataclass(frozen=True)
class Memory:
    """Resident memory, KiB."""

    early: int
    late: int


def measure(console: Console, logs: Path, ticks: int = LATE) -> tuple[Figures, Memory]:
    """Measures on a chain of its own. Raises BenchError, KeeperError, LocalnetError, ReplayError."""
    with ground() as on, on.fork() as fork:
        run = _quiet(fork, console)
        with counting(run.on.url) as counter:
            with _keeper(run, counter, logs / "keeper-paced.log", PACED_POLL_S) as keeper:
                trips, tick_ms = _paced(keeper, run.on.folder / "pulse.json", counter)
            counter.looks.clear()
            with (
                _keeper(run, counter, logs / "keeper-long.log", LATE_POLL_S) as keeper,
                _bar(console, ticks) as advance,
            ):
                memory = _memory(keeper, counter, ticks, advance)
                _still_quiet(keeper)
    return Figures(trips, tick_ms, memory.late - memory.early), memory


def _quiet(fork: Stage, console: Console) -> Run:
    """A fund with nothing due for more than a day."""
    run = prepare(stage(fork.project, fork.accounts, fork.provider), console)
    run.rebalancer.determine(sender=run.on.deployer)
    fork.rpc.request("anvil_setBlockTimestampInterval", BLOCK_S)
    due, _, at = run.rebalancer.workable()
    ahead = int(at) - run.clock.now()
    if int(due) != 0 or ahead < (LATE + 1_000) * BLOCK_S:
        raise ReplayError(f"the fund: due {due}, next in {ahead} s; expected nothing for {(LATE + 1_000) * BLOCK_S} s")
    return run


@contextmanager
def _keeper(run: Run, counter: Counter, log: Path, poll_s: float) -> Iterator[Keeper]:
    on = run.on
    with running_keeper(
        rpc_url=counter.url,
        chain_id=on.w3.eth.chain_id,
        book=on.folder / "book.json",
        private_key=private_key_of(on.keeper),
        folder=on.folder,
        log=log,
        extra={"BALLAST_POLL_SECONDS": str(poll_s)},
    ) as keeper:
        yield keeper


def _paced(keeper: Keeper, pulse: Path, counter: Counter) -> tuple[float, float]:
    """Requests for each pulse that the keeper writes, and the median time of a tick in ms."""
    begin = _written(keeper, pulse, 0)
    first = counter.requests
    last, took = begin, []
    for _ in range(PACED_TICKS):
        last = _written(keeper, pulse, last)
        took.append((last - counter.looks[-1]) / 10**6)
    return (counter.requests - first) / PACED_TICKS, round(statistics.median(took), 1)


def _written(keeper: Keeper, pulse: Path, before: int) -> int:
    """When the keeper next writes its pulse, Unix ns."""
    end = time.monotonic() + LOOKS_WITHIN_S
    while time.monotonic() < end:
        try:
            found = pulse.stat().st_mtime_ns
        except FileNotFoundError:
            found = 0
        if found > before:
            return found
        time.sleep(0.002)
    raise BenchError(f"keeper: no tick within {LOOKS_WITHIN_S:.0f} s{keeper.tail()}")


def _memory(keeper: Keeper, counter: Counter, ticks: int, advance: Callable[[int], None]) -> Memory:
    found: dict[int, int] = {}

    def look(count: int) -> None:
        # The look of a tick comes before its read: so many ticks are over.
        if count - 1 in (EARLY, ticks):
            found[count - 1] = resident_kib(keeper.pid)

    counter.on_look = look
    seen, since = 0, time.monotonic()
    while ticks not in found:
        time.sleep(0.2)
        if len(counter.looks) > seen:
            seen, since = len(counter.looks), time.monotonic()
            advance(min(seen, ticks))
        elif time.monotonic() - since > LOOKS_WITHIN_S:
            raise BenchError(f"keeper: stands still after {seen} ticks{keeper.tail()}")
    return Memory(found[EARLY], found[ticks])


def _still_quiet(keeper: Keeper) -> None:
    pulse = keeper.look(0)
    if (pulse.state, pulse.action) != ("idle", "none"):
        raise BenchError(f"keeper: is {pulse.state} with {pulse.action} at the end, expected nothing due")


def resident_kib(pid: int) -> int:
    """Resident memory of a process. Raises BenchError where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BenchError(f"memory of process {pid}: {error}; it is read from /proc, so on Linux only") from None
    return next(int(line.split()[1]) for line in lines if line.startswith(STATUS_FIELD))


@contextmanager
def _bar(console: Console, ticks: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("ticks", total=ticks)
        yield lambda done: bar.update(task, completed=done)


def as_json(figures: Figures) -> dict[str, object]:
    """As out/bench.json has it."""
    return asdict(figures)


def show(console: Console, figures: Figures, memory: Memory) -> None:
    """Prints the table."""
    table = Table(title="The keeper on a quiet day")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_row("round trips for each tick", f"{figures.round_trips_per_tick:.2f}")
    table.add_row("a tick, median", f"{figures.tick_ms:.1f} ms")
    table.add_row(f"memory after {EARLY:,} ticks", f"{memory.early:,} KiB")
    table.add_row(f"memory after {LATE:,} ticks", f"{memory.late:,} KiB")
    table.add_row("growth", f"{figures.rss_growth_kib:+,} KiB")
    console.print(table)
