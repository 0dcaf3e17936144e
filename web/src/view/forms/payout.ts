/** What a redemption in kind pays of each component, and what is left behind. */

import { amount, exact, tidy, usd } from "../../amounts.js";
import { counts, type Fund, valueOf } from "../../fund.js";
import type { RedeemPlan } from "../../kind.js";
import type { Naming } from "../../refusals.js";
import { type Child, h, table } from "../dom.js";
import { unheld } from "./due.js";

/** Bit i is component i: what cannot be paid, and what of it the holder leaves behind. */
export interface Left {
  cannot: bigint;
  skip: bigint;
}

/** @param toggle Called with the bit of what the holder leaves behind, or no more. */
export function payoutList(
  plan: RedeemPlan,
  fund: Fund | undefined,
  naming: Naming,
  { cannot, skip }: Left,
  busy: boolean,
  toggle: (bit: bigint) => void,
): HTMLElement {
  const leave = cannot !== 0n;
  const tick = (token: string, symbol: string, bit: bigint) =>
    h(
      "label",
      { class: "tick" },
      h("input", {
        type: "checkbox",
        checked: (skip & bit) !== 0n,
        disabled: busy,
        "data-skip": token,
        "aria-label": `Leave ${symbol} behind`,
        change: () => toggle(bit),
      }),
      "forfeit it",
    );
  const row = (i: number): Child[] => {
    const [token, bit] = [plan.tokens[i]!, 1n << BigInt(i)];
    const { symbol, decimals } = naming(token);
    const [get, limit] = skip & bit ? [0n, 0n] : [plan.amounts[i]!, plan.limits[i]!];
    const holding = fund?.holdings.find((x) => x.token === token);
    return [
      h(
        "span",
        { class: "symbol" },
        symbol,
        holding?.writtenOff ? h("small", { class: "warn" }, "written off: not paid") : null,
      ),
      h("span", { title: exact(get, decimals) }, amount(get, decimals)),
      h("span", { title: exact(limit, decimals) }, amount(limit, decimals)),
      holding && fund && counts(fund, holding) ? usd(valueOf(holding, get)) : "–",
      ...(leave ? [cannot & bit ? tick(token, symbol, bit) : ""] : []),
    ];
  };
  return table(
    `What ${tidy(plan.shares)} shares pay`,
    [
      { head: "Component" },
      { head: "You get", figure: true },
      { head: "At least", figure: true },
      { head: "Worth", figure: true },
      ...(leave ? [{ head: "Leave behind" }] : []),
    ],
    plan.tokens.flatMap((token, i) => (plan.amounts[i] === 0n && unheld(fund, token) ? [] : [row(i)])),
    { shown: true, stacks: true },
  );
}
