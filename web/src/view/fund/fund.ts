/** The fund: what a share is worth, what it holds and why, what happened and what comes next. */

import { amount, fixed, percent, usd } from "../../amounts.js";
import { navOf, totalValue, weights } from "../../fund.js";
import type { App, View } from "../app.js";
import { type Child, h, region, section } from "../dom.js";
import { waiting } from "../parts.js";
import { navChart } from "./chart.js";
import { month } from "./month.js";
import { monthList, pendingList } from "./past.js";
import { holdings, why } from "./weights.js";

/** A part of the view, and what draws it when that has changed. */
function part(name: string): { at: HTMLElement; draw: ReturnType<typeof region> } {
  const at = h("div", { id: `part-${name}` });
  return { at, draw: region(at) };
}

export function fundView(app: App): View {
  const parts = {
    worth: part("worth"),
    chart: part("chart"),
    month: part("month"),
    holdings: part("holdings"),
    why: part("why"),
    months: part("months"),
    pending: part("pending"),
    contracts: part("contracts"),
  };
  const root = h(
    "div",
    { class: "view" },
    h(
      "div",
      { class: "hero" },
      parts.worth.at,
      h("div", { class: "plot" }, h("h2", { class: "small" }, "Value of a share over time"), parts.chart.at),
    ),
    section("This month", "h-month", parts.month.at),
    section("What it holds", "h-holdings", parts.holdings.at),
    section("Why these weights", "h-why", parts.why.at),
    section("Past months", "h-months", parts.months.at),
    section("Announced changes", "h-pending", parts.pending.at),
    section("Contracts", "h-contracts", parts.contracts.at),
  );
  const update = (): void => {
    const { snapshot, fixed: facts, months, pending, nav } = app;
    if (snapshot && facts) {
      const { fund, constituents, fee, cap } = snapshot;
      parts.worth.draw([navOf(fund), totalValue(fund), fund.supply / 10n ** 14n, fee, cap, facts], () => worth(app));
      parts.month.draw(
        [fund.action, fund.reason, fund.next, fund.month, fund.time / 60n, fund.progress, fund.pausedUntil],
        () => month(app),
      );
      parts.holdings.draw([weights(fund, constituents), fund.month.phase], () => holdings(app));
      parts.why.draw([constituents, facts.rule], () => why(app));
    }
    const wait = () => [waiting(app.unread)];
    parts.months.draw(months ?? app.unread, () => (months ? monthList(app, months) : wait()));
    parts.pending.draw(pending ? [pending, snapshot?.fund.time] : app.unread, () =>
      pending ? pendingList(app) : wait(),
    );
    parts.chart.draw(nav ?? app.unread, () => (nav ? navChart(nav.samples, nav.whole) : wait()));
    parts.contracts.draw(app.book, () => contracts(app));
  };
  return { root, update };
}

function worth(app: App): Child[] {
  const { fund, fee, cap } = app.snapshot!;
  const figure = (name: string, value: string, more = "") =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : null));
  return [
    h("p", { class: "over" }, `One share of ${app.fixed!.name}`),
    h("p", { class: "nav", id: "nav" }, usd(navOf(fund))),
    h(
      "dl",
      { class: "figures" },
      figure("All shares", usd(totalValue(fund), 0)),
      figure("Shares", amount(fund.supply, 18), `of at most ${fixed(cap, 0, 0)}`),
      figure("Fee a year", percent(fee)),
      figure("Components", String(fund.holdings.filter((x) => x.balance > 0n).length)),
    ),
    h(
      "p",
      { class: "go" },
      h("a", { class: "main", href: "#/mint" }, "Mint shares"),
      h("a", { href: "#/redeem" }, "Redeem"),
    ),
  ];
}

function contracts(app: App): Child[] {
  const { explorer, name } = app.book.chain;
  return [
    h(
      "p",
      { class: "quiet" },
      `On ${name}. Compare them with the address book of the fund before you trust this page.`,
    ),
    h(
      "dl",
      { class: "addresses" },
      ...Object.entries(app.book.contracts).map(([key, address]) =>
        h(
          "div",
          {},
          h("dt", {}, key.replaceAll("_", " ")),
          h(
            "dd",
            {},
            explorer
              ? h(
                  "a",
                  { href: `${explorer}/address/${address}`, rel: "noreferrer noopener", target: "_blank" },
                  h("code", {}, address),
                )
              : h("code", {}, address),
          ),
        ),
      ),
    ),
  ];
}
