"""`python tools/audit/native_ids.py COMPILER ARGUMENTS`: runs the compiler, with syntax trees as the native one writes
them.

Solidity's own declarations (`this`, `msg`, `keccak256`) have negative ids in a syntax tree. The compiler of npm's
package is a 32-bit program, and writes -18 as 2^32 - 18; Wake looks for -18.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

_ID = re.compile(r"(?<=[\[:,])42949\d{5}(?=[\],}])")


def native(text: str) -> str:
    """The compiler's JSON (without spaces, as it writes it), with numbers from 2^32 - 100,000 on as negative ones."""
    return _ID.sub(lambda found: str(int(found[0]) - 2**32) if int(found[0]) >= 2**32 - 10**5 else found[0], text)


def asked(text: str) -> str:
    """The compiler's input, without a request for code: without the optimizer, as Wake runs it, the contracts have
    none."""
    found = json.loads(text)
    found["settings"]["outputSelection"] = {"*": {"": ["ast"], "*": ["abi", "storageLayout"]}}
    return json.dumps(found)


def main() -> int:
    """Runs the compiler; its exit code."""
    given = asked(sys.stdin.read()) if "--standard-json" in sys.argv else None
    done = subprocess.run(sys.argv[1:], input=given, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(native(done.stdout))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
