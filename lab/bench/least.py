"""`python -m lab.bench.least`: lower bound on the impact of any plan for a published month, for given gas.

Trading V in pools of depth D in n slices loses V^2 / (n D) beyond fees, at g gas a slice (pools recover between
batches). If a unit of gas is worth w, the best n is V / sqrt(D g w), from 1 to the number of batches; the impact is
least at the w for which the month uses exactly the gas that it may use. The bound ignores that the sells and buys of a
batch have to match and that settlement holds something back, so no plan can be better. A study in floating point;
nothing on chain depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import click

from ballast.build import ROOT
from ballast.units import WAD
from lab.localnet.month_file import Month, load_month
from lab.localnet.reserves import load_reserves, pools_of

HALVINGS = 60


@dataclass(frozen=True)
class Work:
    """A component's value to trade and the depths of its pools, deepest first; USD."""

    value: float
    depths: tuple[float, ...]


@dataclass(frozen=True)
class Gas:
    """Gas of a leg without its swaps, of a swap, of a batch, of determine and start; the maximum for the month."""

    leg: float
    hop: float
    batch: float
    fixed: float
    most: float


def works_of(month: Month, lost: float) -> list[Work]:
    """The month's components; the buys take `lost` (a fraction) less than the sells bring."""
    depths: dict[str, list[float]] = {}
    for pool in pools_of(month, load_reserves(ROOT / "data" / "reserves" / "v2_pairs_months.csv")).pools:
        depths.setdefault(pool.token, []).append(pool.weth_wei * month.weth_price_usd / WAD / WAD)
    works = []
    for c in month.components:
        change = (c.published_target_unit - c.current_unit) * month.total_supply / WAD
        value = abs(change) * c.price_usd / 10**c.decimals / WAD
        if value:
            kept = 1 - lost if change > 0 else 1.0
            works.append(Work(value * kept, tuple(sorted(depths[c.address], reverse=True))))
    return works


def at_worth(works: list[Work], batches: int, gas: Gas, worth: float) -> tuple[float, float]:
    """Least impact (USD) and its gas, if a unit of gas is worth `worth` USD."""
    impact, used = 0.0, gas.fixed + batches * gas.batch
    for work in works:
        choices = []
        for pools in range(1, len(work.depths) + 1):
            depth, each = sum(work.depths[:pools]), gas.leg + pools * gas.hop
            near = int(work.value / sqrt(depth * each * worth))
            for slices in {max(1, min(batches, n)) for n in (near, near + 1)}:
                lost = work.value**2 / depth / slices
                choices.append((lost + slices * each * worth, lost, slices * each))
        _, lost, taken = min(choices)
        impact, used = impact + lost, used + taken
    return impact, used


def least(works: list[Work], batches: int, gas: Gas) -> float:
    """Least impact in USD within the gas, in at most `batches` batches; infinite if no number of batches fits."""
    found = []
    for count in range(1, batches + 1):
        low, high = 1e-8, 1e3
        for _ in range(HALVINGS):
            worth = sqrt(low * high)
            low, high = (worth, high) if at_worth(works, count, gas, worth)[1] > gas.most else (low, worth)
        impact, used = at_worth(works, count, gas, high)
        if used <= gas.most:
            found.append(impact)
    return min(found) if found else float("inf")


@click.command()
@click.argument("label", default="dpi-2021-04")
@click.option("--leg", default=25_000, show_default=True, help="Gas of a component in a batch, without swaps.")
@click.option("--hop", default=48_500, show_default=True, help="Gas of a swap.")
@click.option("--batch", default=97_000, show_default=True, help="Gas of a batch besides.")
@click.option("--fixed", default=1_520_000, show_default=True, help="Gas of determine and start.")
@click.option("--most", default=12_000_000, show_default=True, help="Gas of the month.")
@click.option("--batches", default=18, show_default=True, help="Most batches.")
@click.option("--lost", default=0.02, show_default=True, help="Part of the turnover that trading costs.")
def main(label: str, leg: int, hop: int, batch: int, fixed: int, most: int, batches: int, lost: float) -> None:
    """The least impact of a month for given gas, USD."""
    works = works_of(load_month(ROOT / "data" / "months" / f"{label}.json"), lost)
    click.echo(f"{label}: {least(works, batches, Gas(leg, hop, batch, fixed, most)):,.0f} USD")


if __name__ == "__main__":
    main()
