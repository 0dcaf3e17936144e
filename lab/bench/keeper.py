"""A keeper in its own process on quiet days: round trips and time per tick, and growth of its memory.

The fund is deployed on a local chain with nothing due. The endpoint in front of the node mines a block each time the
keeper requests the latest one, so every tick finds a new block and reads the fund.
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
from lab.replay.carry import ReplayError, prepare
from lab.testbed.forked import ForkedChain, forked
from lab.testbed.keepers import KeeperProcess, running_keeper

PACED_TICKS = 20
PACED_POLL_S = 0.3
"""Far enough apart to observe each tick's pulse."""
EARLY, LATE = 100, 10_000
LATE_POLL_S = 0.01
LOOKS_WITHIN_S = 60.0
STATUS_FIELD = "VmRSS:"


@dataclass(frozen=True)
class Figures:
    """A quiet tick: HTTP requests, median time in ms from the request for the latest block to the pulse; growth of
    resident memory from tick 100 to tick 10,000, KiB."""

    round_trips_per_tick: float
    tick_ms: float
    rss_growth_kib: int


@dataclass(frozen=True)
class Memory:
    """Resident memory, KiB."""

    early: int
    late: int


def measure(console: Console, logs: Path, ticks: int = LATE) -> tuple[Figures, Memory]:
    """Measures on a chain of its own. Raises LocalnetError."""
    with forked() as on:
        _let_nothing_be_due(on, console)
        with counting(on.url) as counter:
            paced, long = ({"BALLAST_POLL_SECONDS": str(poll_s)} for poll_s in (PACED_POLL_S, LATE_POLL_S))
            with running_keeper(on, logs / "keeper-paced.log", counter.url, **paced) as keeper:
                trips, tick_ms = _paced(keeper, counter)
            counter.looks.clear()
            with (
                running_keeper(on, logs / "keeper-long.log", counter.url, **long) as keeper,
                _bar(console, ticks) as advance,
            ):
                memory = _memory(keeper, counter, ticks, advance)
                _still_quiet(keeper)
    return Figures(trips, tick_ms, memory.late - memory.early), memory


def _let_nothing_be_due(on: ForkedChain, console: Console) -> None:
    """Sets up a fund with nothing due for more than a day."""
    run = prepare(on, console)
    run.rebalancer.determine(sender=on.deployer)
    on.rpc.request("anvil_setBlockTimestampInterval", BLOCK_S)
    due, _, at = run.rebalancer.workable()
    ahead = int(at) - run.clock.now()
    if int(due) != 0 or ahead < (LATE + 1_000) * BLOCK_S:
        raise ReplayError(f"the fund: due {due}, next in {ahead} s; expected nothing for {(LATE + 1_000) * BLOCK_S} s")


def _paced(keeper: KeeperProcess, counter: Counter) -> tuple[float, float]:
    """Requests per pulse that the keeper writes, and the median time of a tick in ms."""
    begin = _written(keeper, 0)
    first = counter.requests
    last, took = begin, []
    for _ in range(PACED_TICKS):
        last = _written(keeper, last)
        took.append((last - counter.looks[-1]) / 10**6)
    return (counter.requests - first) / PACED_TICKS, round(statistics.median(took), 1)


def _written(keeper: KeeperProcess, before: int) -> int:
    """Waits for the next pulse; when the keeper wrote it, Unix ns."""
    end = time.monotonic() + LOOKS_WITHIN_S
    while time.monotonic() < end:
        try:
            found = keeper.pulse_path.stat().st_mtime_ns
        except FileNotFoundError:
            found = 0
        if found > before:
            return found
        time.sleep(0.002)
    raise BenchError(f"keeper: no tick within {LOOKS_WITHIN_S:.0f} s{keeper.tail()}")


def _memory(keeper: KeeperProcess, counter: Counter, ticks: int, advance: Callable[[int], None]) -> Memory:
    found: dict[int, int] = {}

    def look(count: int) -> None:
        # A tick requests the latest block before it reads the fund, so count - 1 ticks are complete.
        if count - 1 in (EARLY, ticks):
            found[count - 1] = resident_kib(keeper.pid or 0)

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


def _still_quiet(keeper: KeeperProcess) -> None:
    pulse = keeper.look(0)
    if (pulse.state, pulse.action) != ("idle", "none"):
        raise BenchError(f"keeper: is {pulse.state} with {pulse.action} at the end, expected nothing due")


def resident_kib(pid: int) -> int:
    """Resident memory of a process, KiB. Raises BenchError where /proc does not have it."""
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
    """The figures as out/bench.json has them."""
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
