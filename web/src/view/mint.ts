/** Mint in kind: what is due of each component, what is approved, and the mint. */

import { amount, exact, tidy, usd, WAD, when } from "../amounts.js";
import { approve } from "../approve.js";
import { counts, mostMintable, navOf, roomBelowCap, suspended, UNTIL_ENDED, valueOf } from "../fund.js";
import { mintCall, type MintPlan, planMint, readAccount, standingOf } from "../kind.js";
import { carry, spedUp, type Turn } from "../send.js";
import type { App, View } from "./app.js";
import { debounce, h, region, say, table } from "./dom.js";
import { amountField, approving, before, type Blocker, blockerOf, marginField, statusLine } from "./parts.js";

export function mintView(app: App): View {
  let plan: MintPlan | null = null;
  let refused: Blocker | null = null;
  let busy = false;
  let asked = 0;

  const look = debounce(250, () => void read());
  const shares = amountField("Shares to mint", "mint-shares", 18, "shares", look, {
    label: "Most I can",
    act: () => void useMost(),
  });
  const margin = marginField(
    "mint-margin",
    10n ** 15n,
    (m) =>
      `The fund may take up to ${m} more of a component than shown here, not more: else nothing happens and only gas is spent.`,
    look,
  );
  const worth = h("p", { class: "worth" });
  const list = h("div", { id: "mint-list" });
  const drawList = region(list);
  const status = statusLine("mint-status", app.book.chain.explorer);
  const button = h(
    "button",
    { type: "submit", class: "main", id: "mint-button", "aria-describedby": "mint-status" },
    "Mint",
  );
  const all = h("button", { type: "button", class: "second", id: "approve-all", click: () => void approveAll() });
  const form = h(
    "form",
    { class: "card", novalidate: true },
    shares.root,
    margin.root,
    worth,
    all,
    button,
    status.root,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void mint();
  });
  const root = h("div", { class: "split" }, form, h("div", { class: "wide" }, list));

  const symbol = (i: number) => (plan ? app.tokens.get(plan.tokens[i]!).symbol : "");
  const missing = () =>
    plan ? plan.tokens.flatMap((_, i) => ((plan!.allowed[i] ?? 0n) < plan!.limits[i]! ? [i] : [])) : [];

  async function read(): Promise<void> {
    const wanted = shares.value();
    const turn = ++asked;
    if (!wanted.ok) {
      [plan, refused] = [null, null];
      return draw();
    }
    try {
      const found = await planMint(app.client, app.book, wanted.value, margin.value(), account());
      await app.tokens.learn(found.tokens.map((token) => ({ token })));
      if (turn !== asked || busy) return;
      [plan, refused] = [found, null];
    } catch (error) {
      if (turn !== asked || busy) return;
      [plan, refused] = [null, blockerOf(error, app)];
    }
    draw();
  }

  const account = () => (app.connection?.chainId === app.book.chain_id ? app.connection.account : null);

  async function useMost(): Promise<void> {
    const holder = account(),
      fund = app.snapshot?.fund,
      first = before(app, "mint");
    if (first) return status.tell("plain", first.text, first.remedy, first.action);
    if (!holder || !fund) return;
    const { held } = await standingOf(
      app.client,
      fund.holdings.map((x) => x.token),
      holder,
      app.book.contracts.index_token,
    );
    const room = roomBelowCap(fund, app.snapshot!.cap);
    // The fee accrues with each second: a little is left aside, so that it is still enough in the next blocks.
    const can = (mostMintable(fund, held) * (WAD - 10n ** 12n)) / WAD;
    const most = can < room ? can : room;
    if (most === 0n)
      status.tell(
        "plain",
        "The account lacks a component altogether.",
        "Enter a number of shares to see what is due of each.",
      );
    else shares.set(exact(most, 18));
  }

  function blocker(): Blocker | null {
    const first = before(app, "mint");
    if (first) return first;
    if (refused) return refused;
    if (!plan || !app.snapshot) return { text: "", remedy: "" };
    const { fund, cap } = app.snapshot;
    const stopping = plan.tokens.flatMap((_, i) => ((plan!.blocked >> BigInt(i)) & 1n ? [i] : []));
    if (stopping.length) {
      const until = fund.holdings.filter((x) => suspended(fund, x)).map((x) => x.suspendedUntil);
      const end =
        until.length && Math.max(...until) < UNTIL_ENDED
          ? ` It ends on ${when(Math.max(...until))} if nobody lengthens it.`
          : "";
      return {
        text: `Nobody can mint now: ${stopping.map(symbol).join(", ")} ${stopping.length === 1 ? "is" : "are"} suspended or cannot be read.`,
        remedy: `Wait until that has ended.${end} You can redeem at any time.`,
      };
    }
    const room = roomBelowCap(fund, cap);
    if (plan.shares > room) {
      return {
        text: room ? `The fund's cap leaves room for ${tidy(room)} shares.` : "The fund's cap is reached.",
        remedy: "Mint fewer shares, or wait until others redeem or the cap is raised.",
      };
    }
    const short = plan.tokens.flatMap((_, i) => (plan!.held[i]! < plan!.amounts[i]! ? [i] : []));
    if (short.length)
      return {
        text: `You hold too little of ${short.map(symbol).join(", ")}.`,
        remedy: "The list says how much is missing. Mint fewer shares, or get more of it first.",
      };
    const open = missing();
    if (open.length) {
      return {
        text: `${open.length} approval${open.length === 1 ? " is" : "s are"} missing.`,
        remedy: "Each lets the fund take what this mint may take of that token, and no more.",
      };
    }
    return null;
  }

  function draw(): void {
    const found = blocker();
    const fund = app.snapshot?.fund;
    say(
      worth,
      plan && fund
        ? `About ${usd((plan.shares * navOf(fund)) / WAD)} at prices now, given in ${plan.amounts.filter((a) => a > 0n).length} components.`
        : "",
    );
    say(button, plan ? `Mint ${tidy(plan.shares)} shares` : "Mint");
    button.disabled = busy || found !== null;
    const open = found?.text.includes("approval") ? missing().length : 0;
    all.hidden = open < 2;
    all.disabled = busy;
    say(all, `Approve all ${open}, one after another`);
    if (!busy && !(status.root.dataset.turn && sameAsDone())) {
      if (found) status.tell(found.text ? "plain" : "none", found.text, found.remedy, found.action);
      else
        status.tell(
          "ready",
          "Everything is in place.",
          "It is tried out on the chain once more before your wallet asks you.",
        );
    }
    drawList([plan, busy, account(), app.snapshot?.cap], () =>
      plan
        ? [listOf(plan)]
        : [
            h(
              "p",
              { class: "quiet" },
              "Enter how many shares you want: here will stand what is due of each component.",
            ),
          ],
    );
  }

  /** What a finished transaction said stands until something is entered anew. */
  let doneWith = "";
  const entered = () => `${shares.input.value}/${margin.value()}/${account()}`;
  const sameAsDone = () => doneWith === entered();

  function listOf(p: MintPlan): HTMLElement {
    const fund = app.snapshot?.fund;
    return table(
      `What ${tidy(p.shares)} shares take`,
      [
        { head: "Component" },
        { head: "Due now", figure: true },
        { head: "At most", figure: true },
        { head: "You hold", figure: true },
        { head: "Worth", figure: true },
        { head: "Approval" },
      ],
      p.tokens.flatMap((token, i) => {
        const { symbol: name, decimals } = app.tokens.get(token);
        const [due, limit, held] = [p.amounts[i]!, p.limits[i]!, p.held[i]];
        const holding = fund?.holdings.find((x) => x.token === token);
        // Listed, and none of it held yet.
        if (due === 0n && holding?.balance === 0n && holding.sound) return [];
        const lacks = held !== undefined && held < due;
        const approved = (p.allowed[i] ?? 0n) >= limit;
        return [
          [
            h("span", { class: "symbol" }, name),
            h("span", { title: exact(due, decimals) }, amount(due, decimals, true)),
            h("span", { title: exact(limit, decimals) }, amount(limit, decimals, true)),
            held === undefined
              ? "–"
              : h(
                  "span",
                  { class: lacks ? "warn" : "", title: exact(held, decimals) },
                  amount(held, decimals),
                  lacks ? h("small", {}, `${amount(due - held, decimals, true)} missing`) : null,
                ),
            holding && fund && counts(fund, holding) ? usd(valueOf(holding, due)) : "–",
            due === 0n
              ? h("span", { class: "quiet" }, "not taken")
              : held === undefined
                ? "–"
                : approved
                  ? h("span", { class: "good" }, "✓ approved")
                  : h(
                      "button",
                      {
                        type: "button",
                        class: "plain",
                        disabled: busy,
                        "data-token": token,
                        "aria-label": `Approve ${name}`,
                        click: () => void approveThese([i]),
                      },
                      "Approve",
                    ),
          ],
        ];
      }),
      { shown: true, stacks: true },
    );
  }

  /** `act` says whether what it told last is to stand. */
  async function run(act: () => Promise<boolean>): Promise<void> {
    if (busy) return;
    busy = true;
    draw();
    let stands = true;
    try {
      stands = await act();
    } finally {
      busy = false;
      doneWith = stands ? entered() : "";
      await read();
      await app.refresh();
    }
  }

  async function approveOne(i: number): Promise<Turn> {
    const { decimals } = app.tokens.get(plan!.tokens[i]!);
    const asked = {
      token: plan!.tokens[i]!,
      spender: app.book.contracts.index_token,
      size: plan!.limits[i]!,
      old: plan!.allowed[i]!,
    };
    return approve(app.client, app.connection!, asked, app.tokens.get, (turn, size) =>
      status.turn(turn, approving(size, decimals, symbol(i))),
    );
  }

  const approveThese = (which: number[]) =>
    run(async () => {
      for (const i of which) if ((await approveOne(i)).is !== "mined") return true;
      return false;
    });
  const approveAll = () => approveThese(missing());

  const mint = () =>
    run(async () => {
      const on = app.connection;
      if (!plan || !on || blocker()) return false;
      const what = `mint ${tidy(plan.shares)} shares`;
      const turn = await carry(app.client, on, mintCall(app.book, plan, on.account), app.tokens.get, (t) =>
        status.turn(t, what),
      );
      if (turn.is === "mined") {
        const { shares: held } = await readAccount(app.client, app.book, on.account);
        status.tell("good", `Done: you minted ${tidy(plan.shares)} shares and now hold ${tidy(held)}.`, spedUp(turn));
        status.root.dataset.turn = "mined";
      }
      return true;
    });

  let seen: unknown;
  return {
    root,
    update: () => {
      const key = `${account()}/${app.snapshot?.fund.blockNumber}/${app.answers}`;
      if (key !== seen && !busy) {
        seen = key;
        if (shares.value().ok) void read();
      }
      say(shares.hint, app.snapshot ? `One share is worth ${usd(navOf(app.snapshot.fund))}.` : "");
      draw();
    },
  };
}
