/** Redeem in kind: what a redemption pays of each component, what cannot be paid, and the redemption. */

import { exact, tidy } from "../../amounts.js";
import { planRedeem, readAccount, redeemCall, type RedeemPlan, stuck } from "../../kind.js";
import { carry, simulate, spedUp } from "../../send.js";
import { accountOf, type App, type View } from "../app.js";
import { debounce, h, say } from "../dom.js";
import { before, type Blocker, blockerOf, NOTHING_YET, redeemBlocker, symbolsOf, tokensAt } from "./blockers.js";
import { formOf, hintHeld, soFar, tellDone, worthOf } from "./form.js";
import { payoutList } from "./payout.js";

export function redeemView(app: App): View {
  let plan: RedeemPlan | null = null;
  let refused: Blocker | null = null;
  let held: bigint | null = null;
  /** What does not move, as bits, once that has been found out; and what the holder leaves behind. */
  let [cannot, skip] = [0n, 0n];
  let [asked, seen] = [0, ""];
  const naming = app.tokens.get;

  const look = debounce(250, () => void read());
  const worth = h("p", { class: "worth" });
  const form = formOf(app, {
    id: "redeem",
    side: "redeem",
    all: {
      label: "All",
      act: () => (held ? form.shares.set(exact(held, 18)) : form.status.tell("plain", "You hold no shares.")),
    },
    margin: {
      preset: 10n ** 15n,
      words: (m) =>
        `The fund must pay at least what is shown here less ${m} of each component: else nothing happens and only gas is spent.`,
    },
    above: [worth],
    changed: (field) => {
      if (field === "shares") [cannot, skip] = [0n, 0n];
      look();
    },
    also: () => String(skip),
    read,
    draw,
    submit: redeem,
  });

  async function read(): Promise<void> {
    const wanted = form.shares.value(),
      holder = accountOf(app);
    const turn = ++asked;
    try {
      const [mine, found] = await Promise.all([
        holder ? readAccount(app.client, app.book, holder).then((a) => a.shares) : null,
        wanted.ok ? planRedeem(app.client, app.book, wanted.value, form.margin.value()) : null,
      ]);
      if (found) await app.tokens.learn(found.tokens.map((token) => ({ token })));
      if (turn !== asked || form.busy) return;
      [held, plan, refused] = [mine, found, null];
      if (found) cannot |= found.unsound;
    } catch (error) {
      if (turn !== asked || form.busy) return;
      [plan, refused] = [null, blockerOf(error, naming)];
    }
    draw();
  }

  function blocker(): Blocker | null {
    const first = before(app, "redeem") ?? refused;
    return first ?? (plan ? redeemBlocker(plan, held, cannot & ~skip, naming) : NOTHING_YET);
  }

  function draw(): void {
    const fund = app.snapshot?.fund;
    say(worth, worthOf(plan, fund, "paid"));
    say(form.button, plan ? `Redeem ${tidy(plan.shares)} shares` : "Redeem");
    hintHeld(form, held);
    form.report(blocker(), "No approval is needed.");
    form.drawList([plan, cannot, skip, form.busy], () => [
      plan
        ? payoutList(plan, fund, naming, { cannot, skip }, form.busy, (bit) => {
            skip ^= bit;
            draw();
          })
        : soFar("Enter how many shares you give back: here will stand what you get of each component."),
    ]);
  }

  async function redeem(): Promise<void> {
    const [on, given] = [app.connection, plan];
    if (!given || !on || blocker()) return;
    const what = `redeem ${tidy(given.shares)} shares`;
    await form.run(async () => {
      const call = redeemCall(app.book, given, on.account, skip);
      const turn = await carry(app.client, on, call, naming, (t) => form.status.turn(t, what));
      if (turn.is === "mined") {
        const { shares: left } = await readAccount(app.client, app.book, on.account);
        const behind = symbolsOf(tokensAt(given.tokens, skip), naming);
        const rest = skip ? `${behind} was left behind.` : "The components are in your account.";
        tellDone(form.status, false, given.shares, left, `${rest} ${spedUp(turn)}`);
      } else if (turn.is === "refused" && turn.refusal.name !== "BelowMin") {
        // One that does not move stops all: which?
        const free = { ...given, limits: given.limits.map(() => 0n) };
        const goes = async (without: bigint) =>
          (await simulate(app.client, on.account, redeemCall(app.book, free, on.account, without), naming)) === null;
        cannot |= await stuck(free, goes).catch(() => 0n);
      }
      // What cannot be paid says more than the refusal.
      return !(cannot & ~skip);
    });
  }

  return {
    root: form.root,
    update: () => {
      const key = `${accountOf(app)}/${app.snapshot?.fund.blockNumber}/${app.answers}`;
      if (key !== seen && !form.busy) {
        seen = key;
        void read();
      }
      draw();
    },
  };
}
