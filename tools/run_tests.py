"""Runs the tests on a fork of the local mainnet: `python tools/run_tests.py [arguments for pytest]`.

Starts the local mainnet of data/months/dpi-2021-04.json, lets Ape fork it, and takes everything down again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from localnet.errors import LocalnetError
from localnet.session import NETWORK, fork_environment, interrupt_on_terminate, run_ape


def main(arguments: Sequence[str]) -> int:
    """Run them; pytest's exit code."""
    interrupt_on_terminate()
    try:
        with fork_environment() as environment:
            # Isolation is tests/conftest.py's own: plain snapshots, with nothing swallowed.
            return run_ape(["test", "--network", NETWORK, "--disable-isolation", *arguments], environment)
    except LocalnetError as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
