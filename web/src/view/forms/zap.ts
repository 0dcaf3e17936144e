/** Mint with, and redeem for, ETH or a token: quote, worst case, impact, route; then one transaction. */

import { type Address } from "viem";
import { exact, most, tidy } from "../../amounts.js";
import type { PayToken } from "../../books.js";
import { navOf } from "../../fund.js";
import { type Quote, quoteOf } from "../../zap.js";
import { accountOf, type App, type View } from "../app.js";
import { debounce, h, region, say } from "../dom.js";
import { before, type Blocker, blockerOf, NOTHING_YET, zapBlocker } from "./blockers.js";
import { formOf, hintHeld, hintWorth, soFar } from "./form.js";
import { offerOf, routeOf } from "./offer.js";
import { lacks, type Purse, readPurse, takenOf, type Terms, termsOf } from "./terms.js";
import { approveZap, sendZap } from "./transact.js";

/** @param way Which token now; null for ETH. */
export function zapView(app: App, side: "mint" | "redeem", way: () => PayToken | null): View {
  const minting = side === "mint",
    id = `zap-${side}`;
  const naming = app.tokens.get;
  /** Components that the holder takes as they are. */
  const kind = new Set<Address>();
  /** Tokens whose permits were refused. */
  const unfit = new Set<Address>();
  let quote: Quote | null = null;
  let refused: Blocker | null = null;
  let mine: Purse | null = null;
  let [asked, seen, payOf] = [0, "", way()];

  const look = debounce(300, () => void read());
  const { unsoldBox, unsoldField, offer, approveButton } = elementsOf(id, minting, draw, () => void approveIt());
  const drawOffer = region(offer);
  const form = formOf(app, {
    id,
    side,
    all: minting ? undefined : { label: "All", act: enterAll },
    margin: { preset: 5n * 10n ** 15n, words: (m) => marginWords(minting, m) },
    above: [unsoldField, offer],
    below: [approveButton],
    changed: look,
    also: () => `${way()?.token}/${[...kind]}/${unsoldBox.checked}`,
    read,
    draw,
    submit: send,
  });

  const terms = () => termsOf(app.book, minting, way());

  function enterAll(): void {
    if (mine?.shares) form.shares.set(exact(mine.shares, 18));
    else form.status.tell("plain", "You hold no shares.");
  }

  async function read(): Promise<void> {
    const { shares, margin } = form;
    const [wanted, holder, turn] = [shares.value(), accountOf(app), ++asked];
    try {
      const [own, found] = await Promise.all([
        holder ? readPurse(app, terms(), holder, unfit) : null,
        !wanted.ok ? null : quoteOf(app.client, app.book, side, wanted.value, way(), margin.value(), kind),
      ]);
      if (found) await app.tokens.learn(found.steps);
      if (turn !== asked || form.busy) return;
      // What was approved some blocks ago is still the most, where it leaves room: nobody is asked for a little more.
      if (minting && way() && own && found && own.allowed < found.limit) {
        if (own.allowed >= most(found.expected, margin.value() / 2n)) found.limit = own.allowed;
      }
      [mine, quote, refused] = [own, found, null];
    } catch (error) {
      if (turn !== asked || form.busy) return;
      [quote, refused] = [null, blockerOf(error, naming)];
    }
    draw();
  }

  function blocker(): Blocker | null {
    const first = before(app, side) ?? refused;
    if (first) return first;
    if (!quote || !mine || !app.snapshot) return NOTHING_YET;
    const zap = { quote, purse: mine, terms: terms(), snapshot: app.snapshot, takesUnsold: unsoldBox.checked };
    return zapBlocker(zap, naming);
  }

  function draw(): void {
    const [found, q, t] = [blocker(), quote, terms()];
    say(form.button, buttonWords(q, t));
    const taken = q && takenOf(q, t);
    const pays = q !== null && mine !== null && (minting ? mine.pays >= q.limit : mine.shares >= q.shares);
    const open = pays && taken !== null && lacks(mine!, taken);
    const signs = open && mine!.domain !== null;
    approveButton.hidden = !open;
    approveButton.disabled = form.busy;
    say(approveButton, signs ? "Approve with a transaction instead" : `Approve${taken ? ` ${taken.text}` : ""}`);
    if (minting) hintWorth(form, app);
    else hintHeld(form, mine && mine.shares);
    if (signs)
      form.report(
        found,
        "Your wallet will ask twice.",
        `First a signature that lets the zap take ${taken.given} and costs nothing; then the transaction.`,
      );
    else form.report(found);
    drawOffer([q, t.unit, app.snapshot && navOf(app.snapshot.fund)], () => (q ? offerOf(app, q, t) : []));
    form.drawList([q, form.busy, t.unit], () => [
      q
        ? routeOf(app, q, t, form.busy, toggle)
        : soFar(`Enter how many shares: here will stand how each component is ${minting ? "bought" : "sold"}.`),
    ]);
  }

  function toggle(token: Address): void {
    if (!kind.delete(token)) kind.add(token);
    void read();
  }

  const approveIt = () =>
    form.run(async () => {
      const [taken, on] = [quote && takenOf(quote, terms()), app.connection];
      if (!taken || !on || before(app, side)) return false;
      return (await approveZap(app, on, taken, mine!.allowed, form.status)).is !== "mined";
    });

  function send(): Promise<void> {
    return form.run(async () => {
      const on = app.connection;
      if (!quote || !mine || !on || blocker()) return false;
      // What is on the screen now is what is done, whatever is chosen meanwhile.
      await sendZap(app, on, [quote, mine, terms()], form.status, unfit);
      return true;
    });
  }

  return {
    root: form.root,
    update: () => {
      // A quote in another token says nothing in this one.
      if (payOf !== way()) [payOf, quote, mine] = [way(), null, null];
      const key = `${accountOf(app)}/${app.snapshot?.fund.blockNumber}/${app.answers}/${way()?.token}`;
      if (key !== seen && !form.busy && app.snapshot) {
        seen = key;
        void read();
      }
      draw();
    },
  };
}

/** What the form shows beside what all forms do. */
function elementsOf(id: string, minting: boolean, change: () => void, click: () => void) {
  const unsoldBox = h("input", { type: "checkbox", id: `${id}-unsold`, change });
  const words = "What no pool takes, I take as it is";
  return {
    unsoldBox,
    unsoldField: h("label", { class: "tick wraps", hidden: minting }, unsoldBox, words),
    offer: h("div", { class: "offer", "aria-live": "polite" }),
    approveButton: h("button", { type: "button", class: "plain", id: `${id}-approve`, click }),
  };
}

function marginWords(minting: boolean, margin: string): string {
  return minting
    ? `You pay at most ${margin} more than quoted, in sum; what is not needed stays yours. If it would cost more, nothing happens.`
    : `You get at least what is quoted less ${margin}, in sum. If it would bring less, nothing happens.`;
}

function buttonWords(q: Quote | null, { minting, unit }: Terms): string {
  return `${minting ? "Mint" : "Redeem"}${q ? ` ${tidy(q.shares)} shares` : ""} ${minting ? "with" : "for"} ${unit}`;
}
