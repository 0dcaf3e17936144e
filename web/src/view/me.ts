/** What is mine: shares, their worth, what stands behind them, and how they came. */

import { amount, exact, tidy, usd, WAD, when } from "../amounts.js";
import { counts, navOf, valueOf } from "../fund.js";
import { type Deed, readDeeds } from "../history.js";
import { readAccount } from "../kind.js";
import type { App, View } from "./app.js";
import { type Child, h, region, section, table } from "./dom.js";
import { shareOf, waiting } from "./parts.js";

export function meView(app: App): View {
  const [top, made, past] = [h("div", {}), h("div", {}), h("div", {})];
  const [drawTop, drawMade, drawPast] = [region(top), region(made), region(past)];
  const inner = h(
    "div",
    {},
    section("What stands behind them", "h-made", made),
    section("What happened to them", "h-deeds", past),
  );
  const root = h("div", { class: "view" }, top, inner);
  let [shares, deeds, unread, seen, turn] = [null as bigint | null, null as Deed[] | null, false, "", 0];

  async function read(): Promise<void> {
    const account = app.connection?.account,
      now = ++turn;
    if (!account) return;
    const mine = await readAccount(app.client, app.book, account).catch(() => null);
    if (now !== turn) return;
    if (mine && (mine.shares !== shares || deeds === null)) {
      shares = mine.shares;
      draw();
      const found = await readDeeds(app.client, app.book, account, app.snapshot!.fund.blockNumber).catch(() => null);
      if (now !== turn) return;
      [deeds, unread] = [found ?? deeds, found === null];
    }
    draw();
  }

  function draw(): void {
    const { snapshot, connection } = app;
    inner.hidden = connection === null || shares === null;
    if (connection === null) {
      return drawTop("none", () => [
        h("p", { class: "lead" }, "Connect a wallet to see your shares."),
        h("button", { type: "button", class: "main", click: app.connect }, "Connect a wallet"),
      ]);
    }
    if (!snapshot || shares === null) return drawTop("reading", () => [h("p", { class: "quiet" }, "Reading…")]);
    const { fund } = snapshot,
      mine = shares,
      nav = navOf(fund);
    drawTop([mine, nav, fund.supply, connection.account], () => [
      h("p", { class: "over" }, "Your shares are worth"),
      h("p", { class: "nav", id: "my-value" }, usd((mine * nav) / WAD)),
      h(
        "dl",
        { class: "figures three" },
        ...(
          [
            ["Shares", exact(mine, 18)],
            ["NAV a share", usd(nav)],
            ["Part of the fund", shareOf(mine, fund.supply)],
          ] as const
        ).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      ),
    ]);
    const rows = fund.supply
      ? fund.holdings
          .filter((x) => x.balance > 0n)
          .map((x) => ({ x, part: x.writtenOff ? 0n : (x.balance * mine) / fund.supply }))
      : [];
    drawMade([rows, app.fixed], () => [
      table(
        "Components behind your shares",
        [{ head: "Component" }, { head: "Amount", figure: true }, { head: "Worth", figure: true }],
        rows.map(({ x, part }) => [
          app.tokens.get(x.token).symbol,
          amount(part, x.decimals),
          counts(fund, x) ? usd(valueOf(x, part)) : "–",
        ]),
      ),
    ]);
    drawPast(deeds ?? unread, () => (deeds ? deedList(deeds, app) : [waiting(unread)]));
  }

  return {
    root,
    update: () => {
      const key = `${app.connection?.account}/${app.snapshot?.fund.blockNumber}/${app.answers}`;
      if (key !== seen && app.snapshot) {
        if (!seen.startsWith(`${app.connection?.account}/`)) [shares, deeds] = [null, null];
        seen = key;
        void read();
      }
      draw();
    },
  };
}

function deedList(deeds: Deed[], app: App): Child[] {
  if (deeds.length === 0) return [h("p", {}, "Nothing yet.")];
  const { explorer } = app.book.chain;
  return [
    table(
      "What happened to your shares",
      [{ head: "When" }, { head: "What" }, { head: "Shares", figure: true }, { head: "Transaction" }],
      deeds.map((d) => {
        const hash = h("code", {}, `${d.transaction.slice(0, 10)}…`);
        return [
          when(d.time),
          d.what,
          `${d.what === "Minted" || d.what === "Received" ? "+" : "−"}${tidy(d.shares)}`,
          explorer
            ? h("a", { href: `${explorer}/tx/${d.transaction}`, target: "_blank", rel: "noreferrer noopener" }, hash)
            : hash,
        ];
      }),
    ),
  ];
}
