"""`python -m lab.bench`: gas of every operation, published months against Set Protocol V2, an idle day of the
keeper."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from ballast.build import ROOT
from lab.bench import keeper, months, months_report, report, trace
from lab.bench.errors import BenchError
from lab.bench.run import SIZES, Measured, call_trees, measure
from lab.localnet.session import command
from lab.testbed.forked import forked

OUT = ROOT / "out"
SNAPSHOT = ROOT / "lab" / "bench" / "gas.snapshot.json"

EVERY = "all"

_SIZE = click.IntRange(2, 30)


@click.command()
@click.option("--check", is_flag=True, help="Measure ours only; fail where it costs more than the snapshot says.")
@click.option("--snapshot", is_flag=True, help="Also write the snapshot.")
@click.option("--size", "sizes", type=_SIZE, multiple=True, help="Only these numbers of components.")
@click.option("--months", "label", is_flag=False, flag_value=EVERY, help="Only the published months, or the one LABEL.")
@click.option("--keeper", "quiet", is_flag=True, help="Only the keeper on a quiet day.")
@click.option("--trace", "traced", type=_SIZE, help="Only write where the gas of ours goes, with N components.")
def main(
    check: bool, snapshot: bool, sizes: tuple[int, ...], label: str | None, quiet: bool, traced: int | None
) -> None:
    """Measure gas and whole months on local chains; writes out/bench.json, out/bench-gas.png, out/bench-months.png.

    Without options everything is measured.
    """
    console = Console()
    with command("bench"):
        if sum((check, snapshot, quiet, traced is not None, label is not None)) > 1:
            raise BenchError("--check, --snapshot, --months, --keeper and --trace: expected one of them at a time")
        if label is not None and sizes:
            raise BenchError("--size with --months: the months have components of their own, leave --size out")
        if quiet and sizes:
            raise BenchError("--size with --keeper: its fund is that of a published month, leave --size out")
        if snapshot and sizes:
            raise BenchError("--size with --snapshot: the snapshot holds every size, leave --size out")
        if traced is not None:
            _trace(console, traced)
        elif label is not None:
            _months(console, None if label == EVERY else label)
        elif quiet:
            _keeper(console)
        elif check:
            _check(console, sorted(set(sizes)) or list(SIZES))
        else:
            _measure(console, sorted(set(sizes)) or list(SIZES), snapshot=snapshot)
            if not sizes and not snapshot:
                _months(console, None)
                _keeper(console)


def _run(console: Console, sizes: list[int], *, peers: bool) -> Measured:
    with console.status("starting a local mainnet") as status, forked() as on:
        return measure(on, sizes, peers=peers, say=status.update)


def _measure(console: Console, sizes: list[int], *, snapshot: bool) -> None:
    found = _run(console, sizes, peers=True)
    rows = report.rows_of(found.ours, found.set_v2, found.floor)
    report.show(console, rows)
    report.save(OUT / "bench.json", rows)
    report.draw(OUT / "bench-gas.png", rows)
    console.print(f"figures: {_short(OUT / 'bench.json')}    picture: {_short(OUT / 'bench-gas.png')}")
    if snapshot:
        report.save_snapshot(SNAPSHOT, found.ours)
        console.print(f"snapshot: {_short(SNAPSHOT)}")


def _months(console: Console, label: str | None) -> None:
    path = OUT / "bench.json"
    found = months.measure(months.files(label), OUT / "bench-months", console)
    every = months.merged(report.load(path).get("months", []), found)
    report.put(path, "months", every)
    months_report.show(console, found)
    months_report.draw(OUT / "bench-months.png", every)
    (OUT / "bench-months.md").write_text(months_report.markdown(every), encoding="utf-8")
    console.print(f"figures: {_short(path)}    picture: {_short(OUT / 'bench-months.png')}")


def _keeper(console: Console) -> None:
    path = OUT / "bench.json"
    figures, memory = keeper.measure(console, OUT / "bench-keeper")
    report.put(path, "keeper", keeper.as_json(figures))
    keeper.show(console, figures, memory)
    console.print(f"figures: {_short(path)}")


def _trace(console: Console, n: int) -> None:
    with console.status("starting a local mainnet") as status, forked() as on:
        trees = call_trees(on, n, status.update)
    path = OUT / "bench-trace.txt"
    trace.write(path, n, trees)
    console.print(path.read_text(encoding="utf-8"), highlight=False, markup=False)
    console.print(f"traces: {_short(path)}")


def _check(console: Console, sizes: list[int]) -> None:
    before = report.load_snapshot(SNAPSHOT)
    unknown = [n for n in sizes if n not in before]
    if unknown:
        raise BenchError(f"--size {unknown[0]}: not in {_short(SNAPSHOT)}, expected one of {sorted(before)}")
    _compare(console, before, _run(console, sizes, peers=False))


def _compare(console: Console, before: report.Gas, found: Measured) -> None:
    differing = report.changes(before, found.ours)
    rose = [change for change in differing if change.rose]
    if rose:
        report.show_changes(console, rose, "Gas that rose")
        raise BenchError(f"{len(rose)} figures rose above {_short(SNAPSHOT)}")
    if differing:
        report.show_changes(console, differing, "Gas that fell, or is new")
    console.print(f"nothing costs more than {_short(SNAPSHOT)} says")


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
