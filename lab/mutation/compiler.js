// Compiles task after task in one process, which is several times as quick as a new one for each: a line of standard
// input JSON on stdin, a line of output JSON on stdout. Imports that are not among the sources are read from node_modules.
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const solc = require("solc");

const MODULES = path.resolve(__dirname, "..", "..", "node_modules");

function read(name) {
  const file = path.resolve(MODULES, name);
  if (!file.startsWith(MODULES + path.sep) || !fs.existsSync(file)) return { error: `${name}: not in node_modules` };
  return { contents: fs.readFileSync(file, "utf8") };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(solc.compile(line, { import: read }) + "\n");
});
