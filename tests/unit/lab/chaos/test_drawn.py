"""Random combinations follow from their seeds, and every name and fault of the catalogue can be run."""

from __future__ import annotations

from lab.chaos.catalogue import kills, named
from lab.chaos.drawn import combination, drawn
from lab.chaos.faults import KINDS, rule_of
from lab.chaos.steps import last_step

SEEDS = 300


def test_a_seed_gives_the_same_combination_each_time() -> None:
    assert [combination(seed) for seed in range(SEEDS)] == [combination(seed) for seed in range(SEEDS)]
    assert drawn(5, 3) == [combination(seed) for seed in (5, 6, 7)]


def test_combinations_differ_and_meet_every_kind() -> None:
    found = drawn(1, SEEDS)
    assert len({str(scenario.faults) for scenario in found}) == SEEDS
    assert {len(scenario.faults) for scenario in found} == {2, 3, 4}
    drawn_kinds = {fault.kind for scenario in found for fault in scenario.faults}
    assert drawn_kinds == {"rpc", "no_mining", "drop", "reorg", "base_fee", "kill", "stop", "clock_jump", "lock"}


def test_every_fault_can_be_laid() -> None:
    for scenario in (*named(), *drawn(1, SEEDS)):
        assert all(fault.kind in KINDS for fault in scenario.faults)
        for rule in (rule_of(fault) for fault in scenario.faults if fault.kind == "rpc"):
            assert rule.hits == 0


def test_there_are_enough_scenarios_and_each_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in (*named(), *kills({"determine": 9, "trade": 12}))]
    assert len(names) == len(set(names)) >= 40 + 21


def test_the_last_step_is_the_one_after_the_word_in_the_journal() -> None:
    trace = ["request eth_call", "journal BEGIN", "journal INSERT", "journal COMMIT", "request eth_sendRawTransaction"]
    trace += ["request eth_getTransactionReceipt", "journal BEGIN", "journal UPDATE", "journal COMMIT", "request x"]
    assert last_step("\n".join(f"{place + 1} {line}" for place, line in enumerate(trace))) == 10
