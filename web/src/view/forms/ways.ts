/** What is paid with, or received: one choice above the form. */

import { type PayToken, payTokens } from "../../books.js";
import type { App, View } from "../app.js";
import { h, region } from "../dom.js";
import { zapView } from "./zap.js";

/** In kind, ETH or a token: one choice above the form of each. In kind alone where the fund has no zap; no ETH where what
 * stands for WETH wraps none. */
export function withWays(app: App, side: "mint" | "redeem", inKind: View): View {
  if (!app.book.contracts.zap || !app.book.swaps) return inKind;
  let tokens: PayToken[] = [];
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
  const inOneToken = h("div", { class: "ways" });
  const ways = h(
    "div",
    { class: "ways" },
    way("kind", side === "mint" ? "All components" : "All components, as they are"),
    inOneToken,
  );
  const drawWays = region(inOneToken);
  const root = h("div", {}, h("fieldset", {}, h("legend", {}, side === "mint" ? "Pay with" : "Get"), ways), slot);
  return {
    root,
    update: () => {
      const weth = app.fixed?.weth;
      drawWays(weth, () => {
        if (!weth) return [];
        tokens = payTokens(app.book, weth.symbol);
        return [
          weth.wraps ? way("eth", app.book.chain.currency) : null,
          ...tokens.map((token) => way(token.token, token.symbol)),
        ];
      });
      shown.update();
    },
  };
}
