#!/usr/bin/env bash
# Puts an executable named solc-v0.8.30 where py-solc-x (and with it Ape) looks for compilers: .tools/solc.
# It runs the compiler of the npm package `solc`, so no binary is downloaded from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.8.30
found=$(node -p 'require("solc/package.json").version')
if [ "$found" != "$version" ]; then
  echo "install_solc: node_modules/solc is $found, expected $version: run 'npm ci'" >&2
  exit 1
fi
mkdir -p .tools/solc
# forge asks for the version before each run of tests, and the compiler takes half a second to load: it is kept.
said=$(node tools/solc.js --version)
cat > ".tools/solc/solc-v$version" <<WRAPPER
#!/usr/bin/env bash
if [ "\${1:-}" = --version ]; then
  echo "$said"
  exit
fi
exec node "\$(dirname "\$(readlink -f "\$0")")/../../tools/solc.js" "\$@"
WRAPPER
chmod +x ".tools/solc/solc-v$version"
