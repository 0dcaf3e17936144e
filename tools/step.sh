#!/usr/bin/env bash
# Runs a command as a step of .ci/run: `tools/step.sh NAME COMMAND...`. Where BALLAST_STEPS names a file, it gets a line:
# name, seconds, exit code, with tabs between.
set -uo pipefail
name=$1
shift
began=$SECONDS
"$@"
code=$?
if [ -n "${BALLAST_STEPS:-}" ]; then
	printf '%s\t%s\t%s\n' "$name" "$((SECONDS - began))" "$code" >>"$BALLAST_STEPS"
fi
exit "$code"
