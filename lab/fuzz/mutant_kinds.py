"""What a mutant is, and the files that mutants change."""

from __future__ import annotations

from dataclasses import dataclass

FIXED = "FixedWeightInvariants"
MARKET = "MarketCapInvariants"

TOKEN = "contracts/IndexToken.sol"
REBALANCER = "contracts/Rebalancer.sol"
OPENER = "contracts/Opener.sol"
SETTLEMENT = "contracts/libraries/Settlement.sol"
BUCKET = "contracts/libraries/Bucket.sol"
FEE = "contracts/libraries/StreamingFee.sol"
FILLER = "contracts/fillers/UniswapFiller.sol"
STOCK = "contracts/fillers/StockFiller.sol"
BALANCE = "contracts/libraries/Balance.sol"
BOUNDS = "contracts/libraries/Bounds.sol"
MONTH = "contracts/libraries/MonthTargets.sol"
PLAN_CHOICE = "contracts/libraries/PlanChoice.sol"
PLAN_MEASURE = "contracts/libraries/PlanMeasure.sol"
PLAN_MERGE = "contracts/libraries/PlanMerge.sol"
REMAINING = "contracts/libraries/Remaining.sol"
DETERMINATION = "contracts/libraries/Determination.sol"
MARKET_CAP = "contracts/methodologies/MarketCap.sol"
LENS = "contracts/periphery/FundLens.sol"
CIRCULATING = "contracts/libraries/Circulating.sol"


@dataclass(frozen=True)
class Edit:
    """`old`, which stands exactly once in `file`, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """`invariant`: name of the invariant that must fail first. `setup`: the test contract to run."""

    name: str
    invariant: str
    edits: tuple[Edit, ...]
    setup: str = FIXED


def one(name: str, invariant: str, file: str, old: str, new: str, setup: str = FIXED) -> Mutant:
    """A mutant of one edit."""
    return Mutant(name, invariant, (Edit(file, old, new),), setup)
