"""What the folders of `tests/solidity` test: the contracts that each deploys, and the files it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CONTRACTS: Mapping[str, Sequence[str]] = {
    "index_token": (
        "IndexToken",
        "RoundingHarness",
        "StreamingFeeHarness",
        "WordsHarness",
        "ComponentListHarness",
    ),
    "settlement": ("Rebalancer", "SettlementHarness", "BucketHarness", "RoundingHarness"),
    "rebalancer": ("Rebalancer",),
    "opening": ("Opener",),
    "schedule": ("Calendar", "ScheduleHarness", "PackedPeriodHarness"),
    "methodologies": (
        "MarketCap",
        "PostedSupply",
        "MarketCapMathHarness",
        "CandidatesHarness",
        "ChoiceHarness",
        "CirculatingHarness",
        "DeterminationHarness",
        "HoldingsHarness",
        "WeighHarness",
    ),
    "packing": ("PackedHarness", "ConstituentsHarness", "ListsHarness"),
    "upkeep": ("Upkeep", "GasTableHarness", "FeeSplit"),
}
"""By folder: the contracts under test, the most telling first. Others that a test deploys are its surroundings."""

FILES: Mapping[str, Sequence[str]] = {
    "IndexToken": ("index_token",),
    "FeeAccrual": ("index_token",),
    "StreamingFee": ("index_token",),
    "ProRata": ("index_token",),
    "ComponentList": ("index_token", "opening"),
    "Balance": ("index_token", "settlement"),
    "Words": ("index_token",),
    "Settlement": ("settlement",),
    "BatchCalls": ("settlement",),
    "Bucket": ("settlement",),
    "Value": ("settlement", "opening"),
    "Rebalancer": ("rebalancer", "settlement"),
    "RebalancerState": ("rebalancer", "settlement"),
    "RebalancerBrakes": ("rebalancer",),
    "RebalancerSetters": ("rebalancer",),
    "Bounds": ("schedule", "rebalancer"),
    "Opener": ("opening",),
    "PlanDraft": ("opening",),
    "PlanMerge": ("opening",),
    "PlanMeasure": ("opening",),
    "PlanChoice": ("opening",),
    "MonthTargets": ("opening",),
    "Remaining": ("opening",),
    "Calendar": ("schedule",),
    "Periods": ("schedule",),
    "PackedPeriod": ("schedule",),
    "Schedule": ("schedule",),
    "MarketCap": ("methodologies",),
    "MarketCapMath": ("methodologies",),
    "Choice": ("methodologies",),
    "Circulating": ("methodologies",),
    "Holdings": ("methodologies",),
    "Candidates": ("methodologies",),
    "Determination": ("methodologies", "opening"),
    "PostedSupply": ("methodologies",),
    "Targets": ("packing", "settlement"),
    "Constituents": ("packing", "opening"),
    "Lists": ("packing",),
    "Upkeep": ("upkeep",),
    "GasTable": ("upkeep",),
    "FeeSplit": ("upkeep",),
}
"""By the name of a core file: the folders that test it, the likeliest to notice a change first."""
