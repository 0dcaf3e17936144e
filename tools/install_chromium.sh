#!/usr/bin/env bash
# Chromium for the test of the status page, from Debian's packages, where there is none yet and root may install it.
# Where it cannot be had: an error in continuous integration (CI is set), else a word, and the test is skipped.
set -euo pipefail

for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then exit 0; fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  echo "installing chromium (apt-get)" >&2
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if { apt-get update -q && apt-get install -yq --no-install-recommends chromium fonts-liberation; } < /dev/null > "$log" 2>&1
  then exit 0; fi
  tail -5 "$log" >&2
fi

echo "no Chromium: install Debian's packages chromium and fonts-liberation, or name a binary with CHROMIUM=" >&2
[ -z "${CI:-}" ]
