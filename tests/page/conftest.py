"""Fixtures: a fund with a hostile symbol, and a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.keeper.conftest import field
from tests.page.browser import Browser, chromium, executable

__all__ = ["field"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium. Without one these tests fail in continuous integration (CI is set), elsewhere they are
    skipped."""
    path = executable()
    if path is None:
        missing = "no Chromium: 'make test-page' installs it as root; else install it, or name one with CHROMIUM="
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with chromium(path, tmp_path_factory.mktemp("browser")) as found:
        yield found
