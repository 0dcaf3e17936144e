#!/usr/bin/env bash
# Installs Slither into a Python of its own, .tools/slither: its dependencies and Ape's do not fit together. Argument: the
# Python to make it with.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.11.6
"$1" -m venv .tools/slither
.tools/slither/bin/python -m pip install --quiet --disable-pip-version-check "slither-analyzer==$version"
found=$(.tools/slither/bin/slither --version)
if [ "$found" != "$version" ]; then
  echo "install_slither: slither says '$found', expected version $version" >&2
  exit 1
fi
