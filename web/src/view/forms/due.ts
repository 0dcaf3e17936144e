/** What is due of each component for a mint in kind, and what is approved. */

import { amount, exact, tidy, usd } from "../../amounts.js";
import { counts, type Fund, valueOf } from "../../fund.js";
import type { MintPlan } from "../../kind.js";
import type { Naming } from "../../refusals.js";
import { type Child, h, table } from "../dom.js";

/** @param approve Called with the place of the component that the holder approves. */
export function dueList(
  plan: MintPlan,
  fund: Fund | undefined,
  naming: Naming,
  busy: boolean,
  approve: (i: number) => void,
): HTMLElement {
  const approval = (i: number): Child => {
    const token = plan.tokens[i]!;
    if (plan.amounts[i] === 0n) return h("span", { class: "quiet" }, "not taken");
    if (plan.held[i] === undefined) return "–";
    if ((plan.allowed[i] ?? 0n) >= plan.limits[i]!) return h("span", { class: "good" }, "✓ approved");
    return h(
      "button",
      {
        type: "button",
        class: "plain",
        disabled: busy,
        "data-token": token,
        "aria-label": `Approve ${naming(token).symbol}`,
        click: () => approve(i),
      },
      "Approve",
    );
  };
  const row = (i: number): Child[] => {
    const token = plan.tokens[i]!;
    const { symbol, decimals } = naming(token);
    const [due, limit, held] = [plan.amounts[i]!, plan.limits[i]!, plan.held[i]];
    const holding = fund?.holdings.find((x) => x.token === token);
    const short = held !== undefined && held < due;
    return [
      h("span", { class: "symbol" }, symbol),
      h("span", { title: exact(due, decimals) }, amount(due, decimals, true)),
      h("span", { title: exact(limit, decimals) }, amount(limit, decimals, true)),
      held === undefined
        ? "–"
        : h(
            "span",
            { class: short ? "warn" : "", title: exact(held, decimals) },
            amount(held, decimals),
            short ? h("small", {}, `${amount(due - held, decimals, true)} missing`) : null,
          ),
      holding && fund && counts(fund, holding) ? usd(valueOf(holding, due)) : "–",
      approval(i),
    ];
  };
  return table(
    `What ${tidy(plan.shares)} shares take`,
    [
      { head: "Component" },
      { head: "Due now", figure: true },
      { head: "At most", figure: true },
      { head: "You hold", figure: true },
      { head: "Worth", figure: true },
      { head: "Approval" },
    ],
    plan.tokens.flatMap((token, i) => (plan.amounts[i] === 0n && unheld(fund, token) ? [] : [row(i)])),
    { shown: true, stacks: true },
  );
}

/** Whether a component is listed, and the fund holds none of it yet. */
export function unheld(fund: Fund | undefined, token: string): boolean {
  const holding = fund?.holdings.find((x) => x.token === token);
  return holding !== undefined && holding.balance === 0n && holding.sound;
}
