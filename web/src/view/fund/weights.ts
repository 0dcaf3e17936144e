/** What the fund holds beside what it aims at, and why each candidate has its weight. */

import { fixed, percent, usd, WAD, when } from "../../amounts.js";
import { periodName, timetablesOf } from "../../calendar.js";
import { weights } from "../../fund.js";
import { reasons } from "../../why.js";
import type { App } from "../app.js";
import { type Child, h, table } from "../dom.js";

export function holdings(app: App): Child[] {
  const { fund, constituents } = app.snapshot!;
  const rows = weights(fund, constituents);
  const widest = rows.reduce((most, row) => [row.held, row.target ?? 0n, most].reduce((a, b) => (a > b ? a : b)), 1n);
  const aims = rows.some((row) => row.target !== null);
  const bar = (row: (typeof rows)[number]): HTMLElement => {
    const node = h(
      "div",
      { class: "bar", "aria-hidden": "true" },
      h("span", { class: "held" }),
      row.target === null ? null : h("span", { class: "target" }),
    );
    const share = (value: bigint) => `${(Number((value * 10_000n) / widest) / 100).toFixed(2)}%`;
    (node.children[0] as HTMLElement).style.width = share(row.held);
    if (row.target !== null) (node.children[1] as HTMLElement).style.left = share(row.target);
    return node;
  };
  return [
    h(
      "p",
      { class: "quiet" },
      aims
        ? "The bar is what is held, the mark what is aimed at, as shares of the fund's value at prices now."
        : "The bar is what is held, as a share of the fund's value at prices now. No month is open, so nothing is aimed at.",
    ),
    h(
      "div",
      { class: "holdings" },
      table(
        "Holdings beside targets",
        [
          { head: "Component" },
          { head: "Share" },
          { head: "Held", figure: true },
          ...(aims ? [{ head: "Target", figure: true }] : []),
          { head: "Value", figure: true },
        ],
        rows.map((row) => [
          h(
            "span",
            { class: "symbol" },
            app.tokens.get(row.token).symbol,
            row.trouble ? h("small", { class: "warn" }, row.trouble) : null,
          ),
          bar(row),
          percent(row.held),
          ...(aims ? [row.target === null ? "–" : percent(row.target)] : []),
          usd(row.value, 0),
        ]),
        { stacks: true },
      ),
    ),
  ];
}

export function why(app: App): Child[] {
  const { constituents, fund } = app.snapshot!;
  const rule = app.fixed!.rule;
  if (constituents.length === 0)
    return [h("p", {}, "No month has been determined yet. The fund holds what it was founded with.")];
  if (rule === null) {
    return [
      h("p", {}, "The weights are fixed: each month brings every component back to its own."),
      table(
        "Fixed weights",
        [{ head: "Component" }, { head: "Weight", figure: true }],
        constituents.map((c) => [app.tokens.get(c.token).symbol, percent(c.weight)]),
      ),
    ];
  }
  const cap =
    rule.cap === 0
      ? "No weight is capped."
      : `No weight is to be above ${percent(rule.capWeight, 0)}; what is cut off goes to the others in proportion${rule.capPasses > 1 ? `, up to ${rule.capPasses} times` : ", once"}.`;
  return [
    h(
      "p",
      {},
      `Determined for ${periodName(fund.month.period, timetablesOf(fund))} on ${when(fund.month.determinedAt)}: circulating supply × price is a token's market cap, its share of all market caps the plain weight. ${cap} ` +
        `${rule.entryWeight ? `Members stay with at least ${percent(rule.floorWeight)}, others enter with at least ${percent(rule.entryWeight)}. ` : ""}At most the ${rule.topN} largest are taken.`,
    ),
    table(
      "Each candidate at the last determination",
      [
        { head: "Candidate" },
        { head: "Supply", figure: true },
        { head: "Price", figure: true },
        { head: "Market cap", figure: true },
        { head: "Plain", figure: true },
        { head: "Weight", figure: true },
        { head: "Why" },
      ],
      reasons(constituents, rule).map((r) => [
        h("span", { class: "symbol" }, app.tokens.get(r.token).symbol),
        r.supply ? fixed(r.supply, 0, 0) : "–",
        r.price ? usd(r.price, r.price < 10n * WAD ? 4 : 2) : "–",
        r.marketCap ? usd(r.marketCap, 0) : "–",
        r.plain === null ? "–" : percent(r.plain),
        r.included ? percent(r.weight) : "–",
        h(
          "details",
          {},
          h("summary", {}, r.atCap ? `${r.status}, capped` : r.status),
          ...r.words.map((text) => h("p", {}, text)),
        ),
      ]),
      { stacks: true },
    ),
  ];
}
