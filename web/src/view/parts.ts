/** Fields, limits and the status line of the forms. */

import { amount, parseAmount, percent, type Parsed, WAD } from "../amounts.js";
import { describe, type Turn } from "../send.js";
import { h, put, say } from "./dom.js";

export interface Field {
  root: HTMLElement;
  input: HTMLInputElement;
  /** What stands in it. */
  value(): Parsed;
  set(text: string): void;
  /** A word below the field. */
  hint: HTMLElement;
}

export function amountField(
  label: string,
  id: string,
  decimals: number,
  unit: string,
  changed: () => void,
  all?: { label: string; act: () => void },
): Field {
  const hint = h("p", { class: "hint", id: `${id}-hint` });
  const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  const input = h("input", {
    id,
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "0",
    maxlength: 60,
    "aria-describedby": `${id}-hint ${id}-error`,
  });
  const value = () => parseAmount(input.value, decimals);
  const check = () => {
    const found = value();
    const wrong = input.value.trim() !== "" && !found.ok ? found.why : "";
    say(error, wrong);
    input.toggleAttribute("aria-invalid", wrong !== "");
    if (wrong) input.setAttribute("aria-invalid", "true");
    changed();
  };
  input.addEventListener("input", check);
  const root = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h(
      "div",
      { class: "amount" },
      input,
      h("span", { class: "unit" }, unit),
      all ? h("button", { type: "button", class: "plain", click: all.act }, all.label) : null,
    ),
    hint,
    error,
  );
  return {
    root,
    input,
    value,
    hint,
    set: (text) => {
      input.value = text;
      check();
    },
  };
}

const MARGINS = [10n, 30n, 50n, 100n, 300n].map((bps) => bps * 10n ** 14n);

export interface MarginField {
  root: HTMLElement;
  value(): bigint;
}

/** How much may change between this look and the block, as a fraction of 1e18. `words` says what that means. */
export function marginField(
  id: string,
  preset: bigint,
  words: (margin: string) => string,
  changed: () => void,
): MarginField {
  const said = h("p", { class: "hint", id: `${id}-hint` });
  const select = h(
    "select",
    { id, "aria-describedby": `${id}-hint` },
    ...MARGINS.map((m) => h("option", { value: String(m), selected: m === preset }, percent(m, 1))),
  );
  const tell = () => say(said, words(percent(BigInt(select.value), 1)));
  select.addEventListener("change", () => {
    tell();
    changed();
  });
  tell();
  return {
    root: h("div", { class: "field" }, h("label", { for: id }, "Room for change"), select, said),
    value: () => BigInt(select.value),
  };
}

export interface StatusLine {
  root: HTMLElement;
  turn(turn: Turn, what: string): void;
  tell(tone: string, text: string, remedy?: string, action?: { label: string; act: () => void }): void;
}

/** What a screen reader hears of what goes on. */
export function statusLine(id: string, explorer: string | null): StatusLine {
  const text = h("p", { class: "what" });
  const remedy = h("p", { class: "remedy" });
  const action = h("p", { class: "action" });
  const live = h("div", { role: "status", "aria-live": "polite", "aria-atomic": "true" }, text, remedy);
  const root = h("div", { id, class: "status", "data-tone": "none" }, live, action);
  const tell: StatusLine["tell"] = (tone, what, then = "", act) => {
    root.dataset.tone = what ? tone : "none";
    delete root.dataset.turn;
    say(text, what);
    say(remedy, then);
    if (action.textContent !== (act?.label ?? ""))
      put(action, act ? h("button", { type: "button", class: "plain", click: () => act.act() }, act.label) : null);
  };
  return {
    root,
    tell,
    turn: (turn, what) => {
      const { tone, text: said, remedy: then } = describe(turn, what);
      tell(tone, said, then);
      root.dataset.turn = turn.is;
      if ("hash" in turn && turn.hash && explorer)
        put(
          action,
          h(
            "a",
            { href: `${explorer}/tx/${turn.hash}`, target: "_blank", rel: "noreferrer noopener" },
            "See the transaction",
          ),
        );
    },
  };
}

/** In place of what is read from the past and is not here yet. */
export function waiting(unread: boolean): HTMLElement {
  const text = unread ? "The endpoint did not answer for the past; the page asks again." : "Reading…";
  return h("p", { class: "quiet" }, text);
}

/** A whole fraction for people. */
export function shareOf(part: bigint, whole: bigint): string {
  return whole ? percent((part * WAD) / whole, 4) : "–";
}

/** What an approval of so many token wei does, as `describe` wants it; of 0, which withdraws one. */
export function approving(size: bigint, decimals: number, symbol: string): string {
  return size ? `approve ${amount(size, decimals, true)} ${symbol}` : `withdraw the old approval of ${symbol}`;
}
