"""Long runs: chunks of calls with consecutive seeds, added up in out/invariants.json."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from ballast.files import replace_json
from lab.fuzz import forge

OUT = ROOT / "out" / "invariants.json"
DEPTH = 500
CHUNK_RUNS = 25
"""Sequences of each set-up in one process of forge: the most that an interruption loses."""


@dataclass
class Campaign:
    """Results of one command: `calls` were made and checked, `discarded` were not possible at that point."""

    commit: str
    contracts: str
    first_seed: int
    seeds: int
    depth: int
    calls: int
    discarded: int
    seconds: float
    failures: list[str]
    handlers: dict[str, dict[str, int]]


def run(calls: int, seed: int, say: Callable[[str], None], *, out: Path = OUT) -> Campaign:
    """Make at least `calls` calls, as many for each set-up, and stop at the first broken invariant.

    A chunk's seed is `seed` plus its number: `make invariants CALLS=... SEED=that seed` repeats it. The file is written
    after each chunk; campaigns already in it are kept, except those that `write` drops.
    """
    forge.lay_contracts()
    forge.build()
    campaign = Campaign(_commit(), contracts_hash(), seed, 0, DEPTH, 0, 0, 0.0, [], {})
    while campaign.calls < calls and not campaign.failures:
        left = -(-(calls - campaign.calls) // (DEPTH * len(forge.SETUPS)))
        began = time.monotonic()
        report = forge.test(seed=seed + campaign.seeds, runs=min(left, CHUNK_RUNS), depth=DEPTH)
        campaign.seconds = round(campaign.seconds + time.monotonic() - began, 1)
        campaign.seeds += 1
        add(campaign, report)
        write(campaign, out)
        say(
            f"seed {seed + campaign.seeds - 1}: {campaign.calls:,} calls, "
            f"{campaign.calls / campaign.seconds:,.0f} a second, {len(campaign.failures)} broken"
        )
        if campaign.failures or campaign.calls >= calls:
            say(report.text)
    return campaign


def add(campaign: Campaign, report: forge.Report) -> None:
    """Add a chunk's figures to the campaign's."""
    campaign.calls += report.calls
    campaign.failures += report.failures
    for suite in report.suites:
        for name, handler in suite.handlers.items():
            sums = campaign.handlers.setdefault(name, {"made": 0, "discarded": 0})
            sums["made"] += handler.made
            sums["discarded"] += handler.discarded
            campaign.discarded += handler.discarded


def write(campaign: Campaign, out: Path) -> None:
    """Write all campaigns, with the sum of the calls made on the same contracts as this one.

    Earlier campaigns that this one repeats, in part or whole, are dropped: no sequence counts twice. Those of other
    processes, with other seeds, stay.
    """
    campaigns = [*(entry for entry in _earlier(out) if not _repeats(entry, campaign)), asdict(campaign)]
    same = [entry for entry in campaigns if entry["contracts"] == campaign.contracts]
    document = {
        "calls": sum(entry["calls"] for entry in campaigns),
        "calls_on_these_contracts": sum(entry["calls"] for entry in same),
        "broken": sum(len(entry["failures"]) for entry in campaigns),
        "campaigns": campaigns,
    }
    replace_json(out, document, indent=2)


def contracts_hash(root: Path = ROOT) -> str:
    """SHA-256 over the contracts under test (without contracts/testing) and the harness."""
    digest = hashlib.sha256()
    files = [*(root / "contracts").rglob("*.sol"), *(root / "lab" / "fuzz").rglob("*.sol")]
    for path in sorted(files):
        name = path.relative_to(root).as_posix()
        if name.startswith("contracts/testing/"):
            continue
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _repeats(entry: dict[str, Any], campaign: Campaign) -> bool:
    """Whether both ran the same contracts with a seed in common."""
    apart = (
        entry["first_seed"] + entry["seeds"] <= campaign.first_seed
        or campaign.first_seed + campaign.seeds <= entry["first_seed"]
    )
    return entry["contracts"] == campaign.contracts and not apart


def _earlier(out: Path) -> list[dict[str, Any]]:
    if not out.exists():
        return []
    campaigns: list[dict[str, Any]] = json.loads(out.read_text())["campaigns"]
    return campaigns


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
