"""Compiles all contracts unless the build is current: `python tools/compile.py [--force]`."""

from __future__ import annotations

import subprocess
import sys

from ballast.build import BUILD, STAMP, is_current, mark_current


def main() -> int:
    """Compiles if needed; the exit code, 0 if there was nothing to do."""
    if is_current() and "--force" not in sys.argv[1:]:
        return 0
    BUILD.unlink(missing_ok=True)
    STAMP.unlink(missing_ok=True)
    code = subprocess.run(["ape", "compile"], check=False).returncode
    if code == 0:
        mark_current()
    return code


if __name__ == "__main__":
    sys.exit(main())
