// A command-line face for the compiler that the npm package `solc` carries, for programs that expect the native one:
//
//   solc --version
//   solc --standard-json [--base-path DIR]      standard input JSON on stdin, output JSON on stdout
//
// Imports are read under the base path, else under this repository's node_modules, as with `--include-path`: so
// "@openzeppelin/contracts/..." and "solady/src/..." need no remapping, and work from Ape's temporary copy of the
// project too. Other options that such programs add (--allow-paths) have no meaning here.
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

function option(name) {
  const at = process.argv.indexOf(name);
  return at >= 0 ? process.argv[at + 1] : undefined;
}

function reader(base) {
  const roots = [path.resolve(base), path.resolve(__dirname, "..", "node_modules")];
  return (name) => {
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (!file.startsWith(root + path.sep) || !fs.existsSync(file)) continue;
      try {
        return { contents: fs.readFileSync(file, "utf8") };
      } catch (error) {
        return { error: `${name}: ${error.message}` };
      }
    }
    return { error: `${name}: found neither under ${roots.join(" nor under ")}` };
  };
}

if (process.argv.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes("--standard-json")) {
  const input = fs.readFileSync(0, "utf8");
  process.stdout.write(solc.compile(input, { import: reader(option("--base-path") || ".") }));
} else {
  process.stderr.write("solc.js: give --version or --standard-json\n");
  process.exitCode = 1;
}
