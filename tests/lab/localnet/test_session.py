"""Which node the tests run on."""

from __future__ import annotations

import os
from typing import Any

import ape

from lab.localnet.session import APE_HOST


def test_ape_starts_no_node() -> None:
    """It draws a port for one at random, and where somebody has that port no test runs."""
    provider: Any = ape.networks.active_provider
    assert provider.process is None
    assert provider.http_uri == os.environ[APE_HOST]
