#!/usr/bin/env bash
# Says in one line what is missing before set-up begins. Argument: the Python to use.
set -euo pipefail

python=$1
fail() {
  echo "setup: $1" >&2
  exit 1
}

command -v "$python" > /dev/null || fail "'$python' not found: install Python 3.11 (\`uv python install 3.11\` fetches one into your home), or name one with PYTHON=/path/to/python3.11; the keeper alone runs on 3.11 to 3.13 (docs/operations/install.md)"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$found" = "3.11" ] || fail "'$python' is Python $found: 3.11 is needed (\`uv python install 3.11\` fetches one; name it with PYTHON=/path/to/python3.11); the keeper alone runs on 3.11 to 3.13 (docs/operations/install.md)"
"$python" -c 'import venv, ensurepip' 2> /dev/null || fail "'$python' has no venv module: install it (Debian: python3.11-venv)"
command -v node > /dev/null || fail "'node' not found: install Node 20 or later"
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || fail "node is $(node --version): 20 or later is needed"
command -v npm > /dev/null || fail "'npm' not found: install the npm that comes with Node 20"
