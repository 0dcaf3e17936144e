// A command-line face for the compiler that the npm package `solc` carries, for programs that expect the native one:
//
//   solc --version
//   solc --standard-json [--base-path DIR]      standard input JSON on stdin, output JSON on stdout
//
// The contracts that are asked for are dealt out to two threads: nearly all the time goes into generating their code, and
// what comes out for a contract does not depend on which others are asked for. Each thread still sees all sources.
//
// Imports are read under the base path, else under this repository's node_modules, as with `--include-path`: so
// "@openzeppelin/contracts/..." and "solady/src/..." need no remapping, and work from Ape's temporary copy of the
// project too. Other options that such programs add (--allow-paths) have no meaning here.
"use strict";

const fs = require("fs");
const path = require("path");
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const solc = require("solc");

const THREADS = 2;

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

// Code generation takes about as long as a contract's source is with all that it imports.
function weights(sources, files) {
  const imports = /^\s*import\b[^"']*["']([^"']+)["']/gm;
  const reached = (name, seen) => {
    if (seen.has(name) || !sources[name]) return seen;
    seen.add(name);
    for (const [, found] of (sources[name].content || "").matchAll(imports)) {
      reached(found.startsWith(".") ? path.posix.join(path.posix.dirname(name), found) : found, seen);
    }
    return seen;
  };
  const length = (name) => (sources[name].content || "").length;
  return new Map(files.map((file) => [file, [...reached(file, new Set())].reduce((sum, name) => sum + length(name), 0)]));
}

// The files of an output selection in as many parts as there are threads, of about equal weight, the heaviest first.
function dealt(input) {
  const selection = input.settings.outputSelection;
  const weight = weights(input.sources, Object.keys(selection).filter((file) => input.sources[file]));
  const parts = Array.from({ length: THREADS }, () => ({ weight: 0, selection: {} }));
  for (const file of Object.keys(selection).sort((a, b) => (weight.get(b) || 0) - (weight.get(a) || 0))) {
    const least = parts.reduce((a, b) => (b.weight < a.weight ? b : a));
    least.selection[file] = selection[file];
    least.weight += weight.get(file) || 0;
  }
  return parts.map((part) => part.selection).filter((part) => Object.keys(part).length);
}

function compile(input, base) {
  return JSON.parse(solc.compile(JSON.stringify(input), { import: reader(base) }));
}

function inThread(input, base) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { input, base }, resourceLimits: { stackSizeMb: 8 } });
    worker.on("message", resolve);
    worker.on("error", reject);
  });
}

// Every thread reports the warnings of all sources, with the same words.
function merged(outputs) {
  const errors = new Map(outputs.flatMap((output) => output.errors || []).map((one) => [JSON.stringify(one), one]));
  const whole = { contracts: {}, sources: {} };
  for (const { contracts = {}, sources = {} } of outputs) {
    for (const [file, found] of Object.entries(contracts)) Object.assign((whole.contracts[file] ??= {}), found);
    for (const [file, found] of Object.entries(sources)) Object.assign((whole.sources[file] ??= {}), found);
  }
  return errors.size ? { errors: [...errors.values()], ...whole } : whole;
}

async function standardJson(input, base) {
  const selection = input.settings?.outputSelection ?? {};
  // A pattern names no file that could be dealt out.
  const parts = "*" in selection || Object.keys(selection).length < THREADS ? [selection] : dealt(input);
  const settings = (part) => ({ ...input, settings: { ...input.settings, outputSelection: part } });
  if (parts.length === 1) return compile(input, base);
  return merged(await Promise.all(parts.map((part) => inThread(settings(part), base))));
}

if (!isMainThread) {
  parentPort.postMessage(compile(workerData.input, workerData.base));
} else if (process.argv.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes("--standard-json")) {
  standardJson(JSON.parse(fs.readFileSync(0, "utf8")), option("--base-path") || ".").then((output) =>
    process.stdout.write(JSON.stringify(output)),
  );
} else {
  process.stderr.write("solc.js: give --version or --standard-json\n");
  process.exitCode = 1;
}
