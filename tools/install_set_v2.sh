#!/usr/bin/env bash
# Unpacks the published build of Set Protocol V2 into .tools/set-v2, for the benchmarks. Only its compiled contracts are
# wanted: as a dependency the package would bring a whole tree that nothing here uses.
set -euo pipefail
cd "$(dirname "$0")/.."

package=@setprotocol/set-protocol-v2
version=0.1.16
sha512=84/rvT7b2k5SFaF5C/vh2SKV/DS4F+9i7E/5rkQBlU+XnNRnGjG/xROsbYYLkkMaz5YPQVDnDZI5tbZ+JsZYhg==
wanted=package/artifacts/contracts/protocol

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack "$package@$version" --pack-destination "$folder" --silent > /dev/null
tarball=$(echo "$folder"/*.tgz)
found=$(node -p 'crypto.createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64")' "$tarball")
if [ "$found" != "$sha512" ]; then
  echo "install_set_v2: $package $version has sha512 $found, expected $sha512" >&2
  exit 1
fi
tar -xzf "$tarball" -C "$folder" --exclude '*.dbg.json' "$wanted" package/package.json
rm -rf .tools/set-v2
mkdir -p .tools/set-v2
mv "$folder/$wanted" .tools/set-v2/protocol
mv "$folder/package/package.json" .tools/set-v2/
