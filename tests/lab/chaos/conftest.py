"""These tests start chains of their own: Ape's is left alone, and need not be there."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def module_isolation() -> None:
    """Nothing to undo."""


@pytest.fixture(autouse=True)
def test_isolation() -> None:
    """Nothing to undo."""
