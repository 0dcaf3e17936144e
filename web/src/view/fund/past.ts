/** What each month traded and cost, and what is announced. */

import { distance, percent, short, usd, WAD, when } from "../../amounts.js";
import { csv, type Month, readMovements, sum } from "../../months.js";
import type { App } from "../app.js";
import { type Child, h, put, table } from "../dom.js";

export function monthList(app: App, months: Month[]): Child[] {
  if (months.length === 0) return [h("p", {}, "None yet.")];
  const rows = months.map((m) => {
    const [out, into] = [sum(m.batches.map((b) => b.out)), sum(m.batches.map((b) => b.in))];
    const cost = out - into;
    const said = h("span", { role: "status", class: "quiet" });
    const save = h(
      "button",
      {
        type: "button",
        class: "plain",
        click: () => void download(app, m, said),
        "aria-label": `CSV of ${m.name}`,
      },
      "CSV",
    );
    return [
      m.name,
      m.how,
      m.nav === null ? "–" : usd(m.nav),
      String(m.batches.length),
      usd(out, 0),
      usd(cost),
      out ? percent((cost * WAD) / out, 3) : "–",
      m.spent === null ? "–" : percent(m.spent, 3),
      m.batches.length ? h("span", {}, save, said) : "",
    ];
  });
  return [
    h(
      "p",
      { class: "quiet" },
      "From the fund's events alone. Cost is what was sold less what was bought, at the prices of each batch; below zero the fund gained.",
    ),
    table(
      "What each month traded and cost",
      [
        { head: "Month" },
        { head: "State" },
        { head: "NAV at start", figure: true },
        { head: "Batches", figure: true },
        { head: "Sold", figure: true },
        { head: "Cost", figure: true },
        { head: "Of the sold", figure: true },
        { head: "Lost of NAV", figure: true },
        { head: "Tokens" },
      ],
      rows,
      { stacks: true },
    ),
  ];
}

async function download(app: App, m: Month, said: HTMLElement): Promise<void> {
  put(said, " reading…");
  try {
    const text = csv(m, await readMovements(app.client, app.book, m), app.tokens.get);
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    h("a", { href: url, download: `${m.name.replaceAll(/[ :]/g, "-").toLowerCase()}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    put(said, " saved");
  } catch {
    put(said, " the chain does not answer; try again");
  }
}

export function pendingList(app: App): Child[] {
  const now = app.snapshot?.fund.time ?? 0n;
  const list = app.pending ?? [];
  if (list.length === 0)
    return [
      h(
        "p",
        {},
        "Nothing is announced. Whatever the owner changes waits in the timelock first, and stands here meanwhile.",
      ),
    ];
  return [
    h(
      "ul",
      { class: "pending" },
      ...list.map((p) =>
        h(
          "li",
          {},
          h(
            "p",
            {},
            h("b", {}, p.ready <= now ? "Can be executed now" : `From ${when(p.ready)} (${distance(p.ready, now)})`),
            h("small", {}, ` ${short(p.id)}`),
          ),
          ...p.calls.map((c) => h("p", {}, `${c.target}: `, h("code", {}, c.text))),
        ),
      ),
    ),
  ];
}
