"""Reports in one line which packages a keeper lacks, instead of the trace of a failed import. Imports no third-party
package, and its syntax must stay readable by older Pythons."""

from __future__ import annotations

import sys
from importlib.util import find_spec

OLDEST = (3, 11)
NEEDED = ("click", "eth_account", "pydantic_settings", "rich", "structlog", "web3")


def missing_packages(version: tuple[int, int] = sys.version_info[:2]) -> str | None:
    """What is missing and how to install it; None if the keeper can start."""
    if version < OLDEST:
        found = ".".join(map(str, version))
        return "this is Python " + found + "; the keeper needs 3.11 to 3.13: `uv python install 3.11` fetches one"
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return (
            "not installed for " + sys.executable + ": " + ", ".join(missing) + "; run `. .venv/bin/activate` (after "
            "`make setup`), or for a keeper alone `uv venv` and `uv pip sync requirements-keeper.lock`"
        )
    return None


if (text := missing_packages()) is not None:
    sys.exit("keeper: " + text)
