"""A fast subset of the faults: whole months, each on a chain of its own, judged from chain and journals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lab.chaos import dialects
from lab.chaos.base_chain import build
from lab.chaos.catalogue import HARDHAT, named, spoil
from lab.chaos.faults import Fault
from lab.chaos.month_run import PATIENCE_S
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
    f"client-{HARDHAT}",
    *(f"client-{client}-race" for client in dialects.clients()),
)
"""Before each client one month: two keepers that race, so that calls may revert in its words."""
REVERTS = "client-nethermind-older-reverts"
"""A batch that a reorganization leaves without its bucket: the keeper is told of a revert on any machine."""
EACH_MONTH = {"batch", "fields"}
"""What a client does to the questions of every month. Its words for a revert need one."""
HARMLESS = (
    spoil("determine:due", "http_500", "eth_getBlockByNumber"),
    spoil("start:due", "older_head", "*", 20, within_s=4),
    spoil("trade1:due", "odd", "eth_call", shape="null"),
    Fault("drop", "determine:pooled"),
    Fault("no_mining", "start:pooled", more={"seconds": 0.3}),
    Fault("base_fee", "start:mined", more={"gwei": 400, "blocks": 1}),
    Fault("stop", "trade1:pooled", more={"seconds": 0.3}),
    Fault("lock", "trade1:mined", more={"seconds": 0.3}),
    Fault("kill", "trade2:pooled", more={"blocks": 1}),
    Fault("reorg", "trade2:mined", more={"depth": 1}),
    Fault("clock_jump", "trade3:mined", more={"hours": 2}),
    Fault("host_clock", "determine:mined", more={"shift_s": 7_200.0}),
)
"""One of each kind that needs no disk of its own."""


def chosen() -> list[Scenario]:
    every = {scenario.name: scenario for scenario in named()}
    hardhat = f"client-{HARDHAT}"
    # Its blocks need not wait: it is slow on a busy machine, and no dialect is to be heard.
    every[hardhat] = replace(every[hardhat], patience_s=PATIENCE_S)
    reverts = replace(every["reorganization-of-3-lost"], name=REVERTS, dialect="nethermind-older")
    return [*(every[name] for name in FAST), reverts, Scenario("harmless", HARMLESS, harmless=True)]


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
    # The blocks that replace others are dated before them: the bucket has not filled yet, and the batch would revert.
    assert outcome.cancelled_needlessly == (1 if name == "reorganization-of-3-lost" else 0)


@pytest.mark.parametrize("client", [name for name in dialects.clients() if EACH_MONTH & dialects.tables()[name].keys()])
def test_a_client_is_heard_in_each_month(outcomes: dict[str, Outcome], client: str) -> None:
    assert outcomes[f"client-{client}-race"].worded.keys() & EACH_MONTH


def test_a_revert_in_a_clients_words(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[REVERTS]
    assert outcome.passed, outcome.problems
    assert outcome.worded.keys() & {"revert", "estimate_revert"}


def test_faults_that_do_nothing_are_all_missed(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["harmless"]
    assert outcome.month_done and not outcome.passed
    assert outcome.problems == [f"fault never arrived: {fault.words()}" for fault in HARMLESS]
