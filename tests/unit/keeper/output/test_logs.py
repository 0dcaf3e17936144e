"""A log that cannot be written stops nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ballast.build import ROOT
from tests.helpers.waiting import PATIENCE_S

PROGRAM = """
import structlog
from keeper.output import logs
logs.configure("json")
for _ in range(3):
    structlog.get_logger().error("nobody can read this")
print("still here")
"""


def test_a_full_disk_under_the_log_stops_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.stdout == "still here\n"
