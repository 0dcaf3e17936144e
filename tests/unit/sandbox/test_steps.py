"""The transactions that make a market, and what they are told to take."""

from __future__ import annotations

import pytest

from ballast.build import ROOT
from ballast.networks.presets import TEST_CHAINS, network_of
from sandbox import gas
from sandbox.errors import SandboxError
from sandbox.plan import Plan, load_plan
from sandbox.steps import AT_ONCE, steps_of
from sandbox.up import require_test_network

STANDING = network_of(11_155_111).uniswap_v2


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(ROOT / "funds" / "sandbox.yaml")


def test_steps_in_order(plan: Plan) -> None:
    names = [step.name for step in steps_of(plan, None)]
    assert names == ["factory", "market", "list", "router", "open 1-5", "open 6-10"]
    assert [step.name for step in steps_of(plan, STANDING)] == ["market", "list", "open 1-5", "open 6-10"]


@pytest.mark.parametrize("count", range(2, 15))
def test_every_pool_is_opened_once(count: int, plan: Plan) -> None:
    several = plan.model_copy(update={"components": (plan.components * 2)[:count]})
    opened = [step for step in steps_of(several, STANDING) if step.pools]
    assert sum(step.pools for step in opened) == count
    numbers = [number for step in opened for number in range(*_span(step.name))]
    assert numbers == list(range(1, count + 1))
    assert all(step.pools <= AT_ONCE for step in opened)
    # so many fit into a transaction (EIP-7825)
    assert max(gas.of_step(step.name, 1 + count, step.pools) for step in opened) < 2**24


def _span(name: str) -> tuple[int, int]:
    first, last = map(int, name.removeprefix("open ").split("-"))
    return first, last + 1


def test_the_whole_is_within_what_was_promised(plan: Plan) -> None:
    market = sum(gas.of_step(step.name, 11, step.pools) for step in steps_of(plan, None))
    assert market + gas.FUND <= gas.MOST


def test_test_networks_alone() -> None:
    for chain_id in TEST_CHAINS:
        require_test_network(chain_id)
    for chain_id in (1, 10, 137, 8_453, 42_161):
        with pytest.raises(SandboxError, match=rf"chain id: found {chain_id}, expected a test network"):
            require_test_network(chain_id)
