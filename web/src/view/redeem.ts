/** Redeem in kind: what a redemption pays of each component, what cannot be paid, and the redemption. */

import { amount, exact, tidy, usd, WAD } from "../amounts.js";
import { counts, navOf, valueOf } from "../fund.js";
import { planRedeem, readAccount, redeemCall, type RedeemPlan, stuck } from "../kind.js";
import { carry, simulate, spedUp } from "../send.js";
import type { App, View } from "./app.js";
import { debounce, h, region, say, table } from "./dom.js";
import { amountField, before, type Blocker, blockerOf, marginField, statusLine } from "./parts.js";

export function redeemView(app: App): View {
  let plan: RedeemPlan | null = null;
  let refused: Blocker | null = null;
  let held: bigint | null = null;
  /** What does not move, as bits, once that has been found out; and what the holder leaves behind. */
  let [cannot, skip] = [0n, 0n];
  let [busy, asked, doneWith] = [false, 0, ""];

  const look = debounce(250, () => void read());
  const shares = amountField(
    "Shares to redeem",
    "redeem-shares",
    18,
    "shares",
    () => {
      [cannot, skip] = [0n, 0n];
      look();
    },
    { label: "All", act: () => (held ? shares.set(exact(held, 18)) : status.tell("plain", "You hold no shares.")) },
  );
  const margin = marginField(
    "redeem-margin",
    10n ** 15n,
    (m) =>
      `The fund must pay at least what is shown here less ${m} of each component: else nothing happens and only gas is spent.`,
    look,
  );
  const worth = h("p", { class: "worth" });
  const list = h("div", { id: "redeem-list" });
  const drawList = region(list);
  const status = statusLine("redeem-status", app.book.chain.explorer);
  const button = h(
    "button",
    { type: "submit", class: "main", id: "redeem-button", "aria-describedby": "redeem-status" },
    "Redeem",
  );
  const form = h("form", { class: "card", novalidate: true }, shares.root, margin.root, worth, button, status.root);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void redeem();
  });
  const root = h("div", { class: "split" }, form, h("div", { class: "wide" }, list));

  const account = () => (app.connection?.chainId === app.book.chain_id ? app.connection.account : null);
  const entered = () => `${shares.input.value}/${margin.value()}/${account()}/${skip}`;
  const symbols = (bits: bigint) =>
    plan!.tokens
      .filter((_, i) => (bits >> BigInt(i)) & 1n)
      .map((t) => app.tokens.get(t).symbol)
      .join(", ");

  async function read(): Promise<void> {
    const wanted = shares.value(),
      holder = account();
    const turn = ++asked;
    try {
      const [mine, found] = await Promise.all([
        holder ? readAccount(app.client, app.book, holder).then((a) => a.shares) : null,
        wanted.ok ? planRedeem(app.client, app.book, wanted.value, margin.value()) : null,
      ]);
      if (found) await app.tokens.learn(found.tokens.map((token) => ({ token })));
      if (turn !== asked || busy) return;
      [held, plan, refused] = [mine, found, null];
      if (found) cannot |= found.unsound;
    } catch (error) {
      if (turn !== asked || busy) return;
      [plan, refused] = [null, blockerOf(error, app)];
    }
    draw();
  }

  function blocker(): Blocker | null {
    const first = before(app, "redeem");
    if (first) return first;
    if (refused) return refused;
    if (!plan) return { text: "", remedy: "" };
    if (held !== null && plan.shares > held) {
      return {
        text: held ? `You hold ${tidy(held)} shares, fewer than that.` : "You hold no shares.",
        remedy: held ? "Enter fewer, or choose All." : "Mint some first.",
      };
    }
    const open = cannot & ~skip;
    if (open)
      return {
        text: `${symbols(open)} cannot be paid now.`,
        remedy:
          "Wait until it moves again; or tick in the list that you leave it behind, which gives it up to the other holders for good.",
      };
    return null;
  }

  function draw(): void {
    const found = blocker(),
      fund = app.snapshot?.fund;
    say(
      worth,
      plan && fund
        ? `About ${usd((plan.shares * navOf(fund)) / WAD)} at prices now, paid in ${plan.amounts.filter((a) => a > 0n).length} components.`
        : "",
    );
    say(button, plan ? `Redeem ${tidy(plan.shares)} shares` : "Redeem");
    say(shares.hint, held === null ? "" : `You hold ${tidy(held)} shares.`);
    button.disabled = busy || found !== null;
    if (!busy && !(status.root.dataset.turn && doneWith === entered())) {
      if (found) status.tell(found.text ? "plain" : "none", found.text, found.remedy, found.action);
      else
        status.tell(
          "ready",
          "No approval is needed.",
          "It is tried out on the chain once more before your wallet asks you.",
        );
    }
    drawList([plan, cannot, skip, busy], () =>
      plan
        ? [listOf(plan)]
        : [
            h(
              "p",
              { class: "quiet" },
              "Enter how many shares you give back: here will stand what you get of each component.",
            ),
          ],
    );
  }

  function listOf(p: RedeemPlan): HTMLElement {
    const fund = app.snapshot?.fund;
    const leave = cannot !== 0n;
    return table(
      `What ${tidy(p.shares)} shares pay`,
      [
        { head: "Component" },
        { head: "You get", figure: true },
        { head: "At least", figure: true },
        { head: "Worth", figure: true },
        ...(leave ? [{ head: "Leave behind" }] : []),
      ],
      p.tokens.flatMap((token, i) => {
        const bit = 1n << BigInt(i);
        const { symbol, decimals } = app.tokens.get(token);
        const [get, limit] = skip & bit ? [0n, 0n] : [p.amounts[i]!, p.limits[i]!];
        const holding = fund?.holdings.find((x) => x.token === token);
        if (p.amounts[i] === 0n && holding?.balance === 0n && holding.sound) return [];
        return [
          [
            h(
              "span",
              { class: "symbol" },
              symbol,
              holding?.writtenOff ? h("small", { class: "warn" }, "written off: not paid") : null,
            ),
            h("span", { title: exact(get, decimals) }, amount(get, decimals)),
            h("span", { title: exact(limit, decimals) }, amount(limit, decimals)),
            holding && fund && counts(fund, holding) ? usd(valueOf(holding, get)) : "–",
            ...(leave
              ? [
                  cannot & bit
                    ? h(
                        "label",
                        { class: "tick" },
                        h("input", {
                          type: "checkbox",
                          checked: (skip & bit) !== 0n,
                          disabled: busy,
                          "data-skip": token,
                          "aria-label": `Leave ${symbol} behind`,
                          change: () => {
                            skip ^= bit;
                            draw();
                          },
                        }),
                        "forfeit it",
                      )
                    : "",
                ]
              : []),
          ],
        ];
      }),
      { shown: true, stacks: true },
    );
  }

  async function redeem(): Promise<void> {
    const on = app.connection;
    if (busy || !plan || !on || blocker()) return;
    busy = true;
    draw();
    const [given, what] = [plan, `redeem ${tidy(plan.shares)} shares`];
    try {
      const turn = await carry(app.client, on, redeemCall(app.book, given, on.account, skip), app.tokens.get, (t) =>
        status.turn(t, what),
      );
      if (turn.is === "mined") {
        const { shares: left } = await readAccount(app.client, app.book, on.account);
        status.tell(
          "good",
          `Done: you redeemed ${tidy(given.shares)} shares and still hold ${tidy(left)}.`,
          `${skip ? `${symbols(skip)} was left behind.` : "The components are in your account."} ${spedUp(turn)}`.trim(),
        );
        status.root.dataset.turn = "mined";
      } else if (turn.is === "refused" && turn.refusal.name !== "BelowMin") {
        // One that does not move stops all: which?
        const free = { ...given, limits: given.limits.map(() => 0n) };
        const goes = async (without: bigint) =>
          (await simulate(app.client, on.account, redeemCall(app.book, free, on.account, without), app.tokens.get)) ===
          null;
        cannot |= await stuck(free, goes).catch(() => 0n);
      }
    } finally {
      busy = false;
      // What cannot be paid says more than the refusal.
      doneWith = cannot & ~skip ? "" : entered();
      await read();
      await app.refresh();
    }
  }

  let seen = "";
  return {
    root,
    update: () => {
      const key = `${account()}/${app.snapshot?.fund.blockNumber}/${app.answers}`;
      if (key !== seen && !busy) {
        seen = key;
        void read();
      }
      draw();
    },
  };
}
