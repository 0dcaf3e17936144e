#!/usr/bin/env bash
# Installs anvil and forge into .tools from the npm packages made for this platform. The umbrella packages would ask npm for
# every platform's binary; only this platform's is needed.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.7.1

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-amd64 ;;
  Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  Darwin-x86_64) platform=darwin-amd64 ;;
  *)
    echo "install_foundry: no packages for $(uname -s) $(uname -m); put anvil and forge $version at .tools/anvil/bin/anvil and .tools/foundry/bin/forge" >&2
    exit 1
    ;;
esac

package="@foundry-rs/anvil-$platform"
forge="@foundry-rs/forge-$platform"
npm install --prefix .tools/anvil --no-save --no-package-lock --ignore-scripts --silent \
  "$package@$version" "$forge@$version"
chmod +x ".tools/anvil/node_modules/$package/bin/anvil" ".tools/anvil/node_modules/$forge/bin/forge"
mkdir -p .tools/foundry/bin
ln -sf "../../anvil/node_modules/$forge/bin/forge" .tools/foundry/bin/forge

# Tests, demo and replays start this anvil, and so does Ape, with options of its own. What is put right here:
# - A fork of a local chain must not keep what it read for the next run, whose chain may have the same block number and
#   another state.
# - Beyond 500 states anvil moves old ones to disk, more of them with each block until 10 are left in memory. Each block
#   then waits for a megabyte to be written, and a run leaves gigabytes in ~/.foundry. Of contracts with the same code all
#   but one come back without it on a fork ("missing bytecode"). So a fork keeps its last 2,000 states in memory, more
#   than a test mines, and forgets older ones.
# - --steps-tracing makes a transaction with many swaps twenty times slower. BALLAST_STEPS_TRACING=1 leaves it, for a
#   look at traces.
# - Where the system can, anvil ends with the process that started it, however that ended.
mkdir -p .tools/anvil/bin
cat > .tools/anvil/bin/anvil << WRAPPER
#!/usr/bin/env bash
here=\$(dirname "\$(readlink -f "\$0")")
options=()
for option in "\$@"; do
  case "\$option" in
    --steps-tracing) [ -z "\${BALLAST_STEPS_TRACING:-}" ] || options+=("\$option") ;;
    --fork-url) options+=(--no-storage-caching --prune-history 2000 "\$option") ;;
    *) options+=("\$option") ;;
  esac
done
binary="\$here/../node_modules/$package/bin/anvil"
if command -v setpriv > /dev/null && setpriv --help 2>&1 | grep -q pdeathsig; then
  exec setpriv --pdeathsig KILL "\$binary" "\${options[@]}"
fi
exec "\$binary" "\${options[@]}"
WRAPPER
chmod +x .tools/anvil/bin/anvil
for program in .tools/anvil/bin/anvil .tools/foundry/bin/forge; do
  found=$("$program" --version | head -n 1)
  case "$found" in
    *"$version"*) ;;
    *)
      echo "install_foundry: $program says '$found', expected version $version" >&2
      exit 1
      ;;
  esac
done
