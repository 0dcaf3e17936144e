/** What the forms share: how they look, one transaction at a time, and what the status line says meanwhile. */

import { tidy, usd, WAD } from "../../amounts.js";
import { type Fund, navOf } from "../../fund.js";
import { accountOf, type App } from "../app.js";
import { type Child, h, region, say } from "../dom.js";
import { amountField, type Field, marginField, type MarginField, statusLine, type StatusLine } from "../parts.js";
import type { Blocker } from "./blockers.js";

/** What one form is made of. */
export interface Design {
  /** What its elements' ids begin with. */
  id: string;
  side: "mint" | "redeem";
  /** A button that enters the most that can be. */
  all?: { label: string; act: () => void };
  margin: { preset: bigint; words: (margin: string) => string };
  /** Between the fields and the button, and below the button. */
  above: Child[];
  below?: Child[];
  changed(field: "shares" | "margin"): void;
  /** What else is entered, beside shares, margin and account, as text. */
  also?(): string;
  read(): Promise<void>;
  draw(): void;
  submit(): Promise<void>;
}

export interface Form {
  root: HTMLElement;
  shares: Field;
  margin: MarginField;
  button: HTMLButtonElement;
  status: StatusLine;
  /** Draws what stands beside the form. */
  drawList: ReturnType<typeof region>;
  /** Whether a transaction is on its way. */
  readonly busy: boolean;
  /** Does one thing at a time, then reads again. `act` answers whether what it told last is to stand. */
  run(act: () => Promise<boolean>): Promise<void>;
  /** Closes the button and says why; else says that all is ready. */
  report(found: Blocker | null, ready?: string, then?: string): void;
}

export function formOf(app: App, design: Design): Form {
  const { id, side, margin: room, above, below = [], changed } = design;
  let busy = false;
  /** What was entered when a transaction ended: what it said stands until something is entered anew. */
  let doneWith = "";

  const shares = amountField(`Shares to ${side}`, `${id}-shares`, 18, "shares", () => changed("shares"), design.all);
  const margin = marginField(`${id}-margin`, room.preset, room.words, () => changed("margin"));
  const list = h("div", { id: `${id}-list` });
  const status = statusLine(`${id}-status`, app.book.chain.explorer);
  const button = h("button", { type: "submit", class: "main", id: `${id}-button`, "aria-describedby": `${id}-status` });
  const submit = (event: Event) => {
    event.preventDefault();
    void design.submit();
  };
  const fields = [shares.root, margin.root, ...above, button, ...below, status.root];
  const form = h("form", { class: "card", novalidate: true, submit }, ...fields);
  const root = h("div", { class: "split" }, form, h("div", { class: "wide" }, list));

  const entered = () => `${shares.input.value}/${margin.value()}/${accountOf(app)}/${design.also?.() ?? ""}`;

  async function run(act: () => Promise<boolean>): Promise<void> {
    if (busy) return;
    busy = true;
    design.draw();
    let stands = true;
    try {
      stands = await act();
    } finally {
      busy = false;
      doneWith = stands ? entered() : "";
      await design.read();
      await app.refresh();
    }
  }

  const report: Form["report"] = (
    found,
    ready = "Everything is in place.",
    then = "It is tried out on the chain once more before your wallet asks you.",
  ) => {
    button.disabled = busy || found !== null;
    if (busy || (status.root.dataset.turn && doneWith === entered())) return;
    if (found) status.tell(found.text ? "plain" : "none", found.text, found.remedy, found.action);
    else status.tell("ready", ready, then);
  };

  return {
    root,
    shares,
    margin,
    button,
    status,
    drawList: region(list),
    get busy() {
      return busy;
    },
    run,
    report,
  };
}

/** Says that it is done, which stands as a transaction's turns do. */
export function tellDone(status: StatusLine, minting: boolean, shares: bigint, left: bigint, more: string): void {
  const did = minting ? `minted ${tidy(shares)} shares and now` : `redeemed ${tidy(shares)} shares and still`;
  status.tell("good", `Done: you ${did} hold ${tidy(left)}.`, more.trim());
  status.root.dataset.turn = "mined";
}

/** In place of a list that has nothing to show. */
export function soFar(text: string): HTMLElement {
  return h("p", { class: "quiet" }, text);
}

/** One share's worth, below the field of a mint. */
export function hintWorth({ shares }: Form, { snapshot }: App): void {
  say(shares.hint, snapshot ? `One share is worth ${usd(navOf(snapshot.fund))}.` : "");
}

/** The shares that are held, below the field of a redemption. */
export function hintHeld({ shares }: Form, held: bigint | null): void {
  say(shares.hint, held === null ? "" : `You hold ${tidy(held)} shares.`);
}

/** What the shares of a plan in kind are worth, and in how many components that is given or paid. */
export function worthOf(
  plan: { shares: bigint; amounts: readonly bigint[] } | null,
  fund: Fund | undefined,
  how: "given" | "paid",
): string {
  if (!plan || !fund) return "";
  const components = plan.amounts.filter((size) => size > 0n).length;
  return `About ${usd((plan.shares * navOf(fund)) / WAD)} at prices now, ${how} in ${components} components.`;
}
