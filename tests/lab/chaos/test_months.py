"""A fast subset of the faults: whole months, each on a chain of its own, judged from chain and journals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.chaos.base_chain import build
from lab.chaos.catalogue import named
from lab.chaos.runner import run_all
from lab.chaos.scenario import Outcome, Scenario

FAST = (
    "answer-dropped-after-each-batch",
    "receipt-missing",
    "swallowed",
    "dropped-from-the-pool",
    "reorganization-of-3-lost",
    "killed-right-before-sending-trade",
    "killed-right-after-sending-determine",
    "two-keepers",
)


def chosen() -> list[Scenario]:
    every = {scenario.name: scenario for scenario in named()}
    return [every[name] for name in FAST]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """All of them, two at a time."""
    base, work = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("work")
    build(base)
    found = run_all(chosen(), base, work, 2, lambda _outcome: None)
    yield {outcome.name: outcome for outcome in found}


@pytest.mark.parametrize("name", FAST)
def test_the_month_is_done_once(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.passed, outcome.problems
    assert (outcome.month_done, outcome.sent_twice, outcome.wrong_nonce) == (True, 0, 0)
