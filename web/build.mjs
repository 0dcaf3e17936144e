/** Bundles the page: `node web/build.mjs CONFIG OUT`. CONFIG is JSON: `funds`, each an address book with its `chain`, and
 * `test_wallet`, null but for a local chain. `tools/page.py` writes it. */

import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [config, out] = process.argv.slice(2);
const { funds, test_wallet } = JSON.parse(readFileSync(config, "utf8"));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};
await build({
  ...common,
  entryPoints: [join(here, "src/main.ts")],
  outfile: join(out, "app.js"),
  define: { FUNDS: JSON.stringify(funds) },
});
if (test_wallet) {
  const define = { TEST_WALLET: JSON.stringify(test_wallet) };
  await build({
    ...common,
    format: "iife",
    entryPoints: [join(here, "dev/wallet.ts")],
    outfile: join(out, "test-wallet.js"),
    define,
  });
}

const endpoints = [...new Set(funds.flatMap((fund) => fund.chain.endpoints).map((url) => new URL(url).origin))];
const csp = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  `connect-src ${endpoints.join(" ")}`,
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
const html = readFileSync(join(here, "src/index.html"), "utf8")
  .replace("%CSP%", csp)
  .replace("%TEST%", test_wallet ? '<script src="test-wallet.js"></script>' : "");
writeFileSync(join(out, "index.html"), html);
// For whoever serves it: `frame-ancestors` counts in a header only.
writeFileSync(
  join(out, "headers.json"),
  JSON.stringify(
    {
      "Content-Security-Policy": `${csp}; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    },
    null,
    1,
  ),
);
for (const name of ["style.css", "icon.svg"]) copyFileSync(join(here, "src", name), join(out, name));
