"""The bench, once per module, in the states that tests begin from."""

from __future__ import annotations

import pytest

from tests.helpers.bench import Bench, build
from tests.helpers.chain import Chain


@pytest.fixture(scope="module")
def bench(module_isolation: None, chain: Chain) -> Bench:
    """A seeded fund; nothing is determined yet."""
    return build(chain)


@pytest.fixture(scope="module")
def trading(bench: Bench) -> Bench:
    """The same with trading open since EXECUTION. A module takes `bench` or `trading`, not both."""
    bench.open()
    return bench
