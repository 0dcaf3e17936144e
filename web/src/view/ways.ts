/** What is paid with, or received: one choice above the form. */

import { type PayToken, payTokens } from "../books.js";
import type { App, View } from "./app.js";
import { h } from "./dom.js";
import { zapView } from "./zap.js";

/** In kind, ETH or a token: one choice above the form of each. In kind alone where the fund has no zap. */
export function withWays(app: App, side: "mint" | "redeem", inKind: View): View {
  if (!app.book.contracts.zap || !app.book.swaps) return inKind;
  const tokens = payTokens(app.book);
  let pay: PayToken | null = null;
  const zapped = zapView(app, side, () => pay);
  const slot = h("div", {}, inKind.root);
  let shown = inKind;
  const choose = (value: string) => {
    pay = tokens.find((token) => token.token === value) ?? null;
    shown = value === "kind" ? inKind : zapped;
    slot.replaceChildren(shown.root);
    shown.update();
  };
  const way = (value: string, label: string) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: `${side}-way`, value, checked: value === "kind", change: () => choose(value) }),
      label,
    );
  const root = h(
    "div",
    {},
    h(
      "fieldset",
      {},
      h("legend", {}, side === "mint" ? "Pay with" : "Get"),
      h(
        "div",
        { class: "ways" },
        way("kind", side === "mint" ? "All components" : "All components, as they are"),
        way("eth", app.book.chain.currency),
        ...tokens.map((token) => way(token.token, token.symbol)),
      ),
    ),
    slot,
  );
  return { root, update: () => shown.update() };
}
