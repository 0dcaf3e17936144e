/** Mint in kind: what is due of each component, what is approved, and the mint. */

import type { Address } from "viem";
import { exact, tidy, WAD } from "../../amounts.js";
import { approve } from "../../approve.js";
import type { Snapshot } from "../../chain.js";
import { mostMintable, roomBelowCap } from "../../fund.js";
import { mintCall, type MintPlan, planMint, readAccount, standingOf } from "../../kind.js";
import { carry, spedUp, type Turn } from "../../send.js";
import { accountOf, type App, type View } from "../app.js";
import { debounce, h, say } from "../dom.js";
import { approving, type StatusLine } from "../parts.js";
import { before, type Blocker, blockerOf, mintBlocker, NOTHING_YET, unapproved } from "./blockers.js";
import { dueList } from "./due.js";
import { formOf, hintWorth, soFar, tellDone, worthOf } from "./form.js";

export function mintView(app: App): View {
  let plan: MintPlan | null = null;
  let refused: Blocker | null = null;
  let [asked, seen] = [0, ""];
  const naming = app.tokens.get;

  const look = debounce(250, () => void read());
  const worth = h("p", { class: "worth" });
  const approveAll = h("button", {
    type: "button",
    class: "second",
    id: "approve-all",
    click: () => void approveThese(plan ? unapproved(plan) : []),
  });
  const form = formOf(app, {
    id: "mint",
    side: "mint",
    all: { label: "Most I can", act: () => void useMost() },
    margin: {
      preset: 10n ** 15n,
      words: (m) =>
        `The fund may take up to ${m} more of a component than shown here, not more: else nothing happens and only gas is spent.`,
    },
    above: [worth, approveAll],
    changed: look,
    read,
    draw,
    submit: mint,
  });

  async function read(): Promise<void> {
    const wanted = form.shares.value();
    const turn = ++asked;
    if (!wanted.ok) {
      [plan, refused] = [null, null];
      return draw();
    }
    try {
      const found = await planMint(app.client, app.book, wanted.value, form.margin.value(), accountOf(app));
      await app.tokens.learn(found.tokens.map((token) => ({ token })));
      if (turn !== asked || form.busy) return;
      [plan, refused] = [found, null];
    } catch (error) {
      if (turn !== asked || form.busy) return;
      [plan, refused] = [null, blockerOf(error, naming)];
    }
    draw();
  }

  async function useMost(): Promise<void> {
    const [holder, { snapshot }, first] = [accountOf(app), app, before(app, "mint")];
    if (first) return form.status.tell("plain", first.text, first.remedy, first.action);
    if (!holder || !snapshot) return;
    const most = await mostOf(app, snapshot, holder);
    if (most === 0n)
      form.status.tell(
        "plain",
        "The account lacks a component altogether.",
        "Enter a number of shares to see what is due of each.",
      );
    else form.shares.set(exact(most, 18));
  }

  function blocker(): Blocker | null {
    const first = before(app, "mint") ?? refused;
    return first ?? (plan && app.snapshot ? mintBlocker(plan, app.snapshot, naming) : NOTHING_YET);
  }

  function draw(): void {
    const found = blocker();
    const open = found?.approvals ?? 0;
    say(worth, worthOf(plan, app.snapshot?.fund, "given"));
    say(form.button, plan ? `Mint ${tidy(plan.shares)} shares` : "Mint");
    approveAll.hidden = open < 2;
    approveAll.disabled = form.busy;
    say(approveAll, `Approve all ${open}, one after another`);
    form.report(found);
    form.drawList([plan, form.busy, accountOf(app), app.snapshot?.cap], () => [
      plan
        ? dueList(plan, app.snapshot?.fund, naming, form.busy, (i) => void approveThese([i]))
        : soFar("Enter how many shares you want: here will stand what is due of each component."),
    ]);
  }

  const approveThese = (which: number[]) =>
    form.run(async () => {
      for (const i of which) if ((await approveOne(app, plan!, i, form.status)).is !== "mined") return true;
      return false;
    });

  function mint(): Promise<void> {
    return form.run(async () => {
      const on = app.connection;
      if (!plan || !on || blocker()) return false;
      const what = `mint ${tidy(plan.shares)} shares`;
      const call = mintCall(app.book, plan, on.account);
      const turn = await carry(app.client, on, call, naming, (t) => form.status.turn(t, what));
      if (turn.is === "mined") {
        const { shares: held } = await readAccount(app.client, app.book, on.account);
        tellDone(form.status, true, plan.shares, held, spedUp(turn));
      }
      return true;
    });
  }

  return {
    root: form.root,
    update: () => {
      const key = `${accountOf(app)}/${app.snapshot?.fund.blockNumber}/${app.answers}`;
      if (key !== seen && !form.busy) {
        seen = key;
        if (form.shares.value().ok) void read();
      }
      hintWorth(form, app);
      draw();
    },
  };
}

/** The most shares that an account can mint of what it holds, below the cap. */
async function mostOf(app: App, { fund, cap }: Snapshot, holder: Address): Promise<bigint> {
  const tokens = fund.holdings.map((x) => x.token);
  const { held } = await standingOf(app.client, tokens, holder, app.book.contracts.index_token);
  const room = roomBelowCap(fund, cap);
  // The fee accrues with each second: a little is left aside, so that it is still enough in the next blocks.
  const can = (mostMintable(fund, held) * (WAD - 10n ** 12n)) / WAD;
  return can < room ? can : room;
}

/** Lets the fund take what a mint may take of its component `i`. */
function approveOne(app: App, plan: MintPlan, i: number, status: StatusLine): Promise<Turn> {
  const token = plan.tokens[i]!;
  const { symbol, decimals } = app.tokens.get(token);
  const asked = { token, spender: app.book.contracts.index_token, size: plan.limits[i]!, old: plan.allowed[i]! };
  return approve(app.client, app.connection!, asked, app.tokens.get, (turn, size) =>
    status.turn(turn, approving(size, decimals, symbol)),
  );
}
