"""A whole month before each client, and what it does to the keeper's questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.chaos import dialects
from lab.chaos.base_chain import build
from lab.chaos.catalogue import named
from lab.chaos.runner import run_all
from lab.chaos.scenario import Outcome
from tests.lab.chaos.clients import EACH_MONTH, heard, race


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """All of them, two at a time."""
    base, work = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("work")
    build(base)
    every = {scenario.name: scenario for scenario in named()}
    found = run_all([every[race(client)] for client in dialects.clients()], base, work, 2, lambda _outcome: None)
    yield {outcome.name: outcome for outcome in found}


@pytest.mark.parametrize("client", dialects.clients())
def test_the_month_is_done_once(outcomes: dict[str, Outcome], client: str) -> None:
    outcome = outcomes[race(client)]
    assert outcome.passed, outcome.problems
    assert (outcome.month_done, outcome.sent_twice, outcome.wrong_nonce) == (True, 0, 0)
    assert outcome.cancelled_needlessly == 0


@pytest.mark.parametrize("client", heard(dialects.clients()))
def test_a_client_is_heard_in_each_month(outcomes: dict[str, Outcome], client: str) -> None:
    assert outcomes[race(client)].worded.keys() & EACH_MONTH
