/** The fund: what a share is worth, what it holds and why, what happened and what comes next. */

import { amount, day, distance, fixed, percent, short, usd, WAD, when } from "../amounts.js";
import { type Period, periodName, periodOf, timetablesOf } from "../calendar.js";
import { Action, navOf, Phase, Reason, totalValue, weights } from "../fund.js";
import { csv, type Month, readMovements, sum } from "../months.js";
import { reasons } from "../why.js";
import type { App, View } from "./app.js";
import { navChart } from "./chart.js";
import { type Child, h, put, region, section, table } from "./dom.js";
import { waiting } from "./parts.js";

export function fundView(app: App): View {
  const parts = ["worth", "chart", "month", "holdings", "why", "months", "pending", "contracts"] as const;
  const at = Object.fromEntries(parts.map((name) => [name, h("div", { id: `part-${name}` })])) as any as Record<
    (typeof parts)[number],
    HTMLElement
  >;
  const draw = Object.fromEntries(parts.map((name) => [name, region(at[name])])) as any as Record<
    (typeof parts)[number],
    ReturnType<typeof region>
  >;
  const root = h(
    "div",
    { class: "view" },
    h(
      "div",
      { class: "hero" },
      at.worth,
      h("div", { class: "plot" }, h("h2", { class: "small" }, "Value of a share over time"), at.chart),
    ),
    section("This month", "h-month", at.month),
    section("What it holds", "h-holdings", at.holdings),
    section("Why these weights", "h-why", at.why),
    section("Past months", "h-months", at.months),
    section("Announced changes", "h-pending", at.pending),
    section("Contracts", "h-contracts", at.contracts),
  );
  const update = (): void => {
    const { snapshot, fixed: facts, months, pending, nav } = app;
    if (snapshot && facts) {
      const { fund, constituents, fee, cap } = snapshot;
      draw.worth([navOf(fund), totalValue(fund), fund.supply / 10n ** 14n, fee, cap, facts], () => worth(app));
      draw.month(
        [fund.action, fund.reason, fund.next, fund.month, fund.time / 60n, fund.progress, fund.pausedUntil],
        () => month(app),
      );
      draw.holdings([weights(fund, constituents), fund.month.phase], () => holdings(app));
      draw.why([constituents, facts.rule], () => why(app));
    }
    const wait = () => [waiting(app.unread)];
    draw.months(months ?? app.unread, () => (months ? monthList(app, months) : wait()));
    draw.pending(pending ? [pending, snapshot?.fund.time] : app.unread, () => (pending ? pendingList(app) : wait()));
    draw.chart(nav ?? app.unread, () => (nav ? navChart(nav.samples, nav.whole) : wait()));
    draw.contracts(app.book, () => contracts(app));
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

/* THE MONTH */

/** Where the month stands, and what comes next. */
export function standing(app: App): { now: string; next: string } {
  const { fund } = app.snapshot!;
  const { month, time } = fund;
  const tables = timetablesOf(fund);
  const current = fund.current.id;
  const determinable = month.phase === Phase.Idle && fund.action === Action.Determine;
  const name = periodName(determinable ? current : month.period || current, tables);
  const at = fund.next ? `${when(fund.next)} (${distance(fund.next, time)})` : "";
  if (fund.reason === Reason.Paused)
    return { now: "Paused by the guardian.", next: `It goes on ${at}. You can mint and redeem meanwhile.` };
  if (fund.reason === Reason.NotSeeded) return { now: "The fund has not been founded yet.", next: "" };
  if (fund.reason === Reason.Refused)
    return {
      now: "The rule refuses to go on: a price or supply is missing.",
      next: "Mint and redeem go on meanwhile.",
    };
  if (month.phase === Phase.Trading && fund.action !== Action.Close) {
    const sold = fund.progress.surplus;
    return {
      now: `${name} is being traded towards its targets.`,
      next: `${percent(sold)} of the fund is left to sell. It ends when that is done, at the latest on ${day(fund.opening.end + 1)}.`,
    };
  }
  if (fund.action === Action.Determine)
    return {
      now: `${periodName(current, tables)} can be determined now.`,
      next: "Anyone may call it; a keeper does so within minutes.",
    };
  if (fund.action === Action.Start)
    return {
      now: `${name} is determined and can start now.`,
      next: "Anyone may call it; a keeper does so within minutes.",
    };
  if (fund.action === Action.Close) return { now: `${name} is over and can be closed now.`, next: "" };
  if (month.phase === Phase.Determined && fund.reason === Reason.NotYet) {
    return {
      now: `${name} is determined: the new weights are known.`,
      next: `Trading starts ${at}. Until then you can leave at the old weights.`,
    };
  }
  if (month.phase === Phase.Vetoed || fund.reason === Reason.Vetoed)
    return { now: `${name} passes without trades: it was vetoed.`, next: at && `The next period begins ${at}.` };
  if (fund.reason === Reason.TooLate)
    return {
      now: `${name} passes without trades: too little time is left.`,
      next: at && `The next period begins ${at}.`,
    };
  const period = current + (fund.next && fund.next >= fund.current.end ? 1n : 0n);
  return {
    now: `${name} is done.`,
    next:
      at &&
      `The weights of ${periodName(period, tables)} are determined ${at}; trading starts ${dated(periodOf(period, tables), "execution")}.`,
  };
}

function month(app: App): Child[] {
  const { fund } = app.snapshot!;
  const { now, next } = standing(app);
  const period = periodOf(fund.month.period || fund.current.id, timetablesOf(fund));
  const { start, execution: begin, end } = period;
  const along = (time: bigint) =>
    `${Math.max(0, Math.min(100, (Number(time - start) / Number(end - start)) * 100)).toFixed(2)}%`;
  const track = h(
    "div",
    { class: "track", "aria-hidden": "true" },
    h("span", { class: "passed" }),
    h("span", { class: "mark" }),
    h("span", { class: "today" }),
  );
  const [passed, mark, today] = track.children as unknown as HTMLElement[];
  passed!.style.width = along(fund.time);
  mark!.style.left = along(begin);
  today!.style.left = along(fund.time);
  return [
    h("p", { class: "lead", id: "standing" }, now),
    h("p", { id: "next" }, next),
    track,
    h(
      "ol",
      { class: "steps" },
      h(
        "li",
        {},
        h("b", {}, "Determined"),
        ` ${fund.month.determinedAt && fund.month.period ? when(fund.month.determinedAt) : `from ${dated(period, "start")}`}`,
      ),
      h("li", {}, h("b", {}, "Trading from"), ` ${dated(period, "execution")}`),
      h("li", {}, h("b", {}, "Ends by"), ` ${dated(period, "end")}`),
    ),
  ];
}

/** A moment of a period: its day, and in periods of a few days the time too. */
function dated(period: Period, moment: keyof Period): string {
  return period.end - period.start < 864_000n ? when(period[moment]) : day(period[moment]);
}

/* HOLDINGS */

function holdings(app: App): Child[] {
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

function why(app: App): Child[] {
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

/* THE PAST, AND WHAT IS ANNOUNCED */

function monthList(app: App, months: Month[]): Child[] {
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

function pendingList(app: App): Child[] {
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
