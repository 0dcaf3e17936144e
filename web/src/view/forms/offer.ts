/** What a zap's quote comes to, beside NAV, and how each component is bought or sold. */

import { type Address } from "viem";
import { abs, amount, exact, percent, usd, WAD } from "../../amounts.js";
import { type Fund, navOf, same, valueOf } from "../../fund.js";
import { IN_KIND, legName, Venue } from "../../legs.js";
import type { Swap } from "../../pools.js";
import { lossesOf, type Quote, type Step, worthOf } from "../../zap.js";
import type { App } from "../app.js";
import { type Child, h, table } from "../dom.js";
import { LIFE_S, type Terms } from "./terms.js";

/** A cost against NAV, 18 decimals, that is pointed out. */
const DEAR = 2n * 10n ** 16n;

/** A share of something in percent; what is there is not shown as nothing. */
function portion(fraction: bigint): string {
  const text = percent(fraction);
  return fraction > 0n && text === percent(0n) ? `< ${percent(10n ** 14n)}` : text;
}

/** USD of what comes in kind. */
function keptOf(q: Quote, fund: Fund): bigint {
  return q.steps.reduce((sum, { token, amount: size, leg }) => {
    const x = fund.holdings.find((holding) => same(holding.token, token));
    return leg.venue === Venue.InKind && x ? sum + valueOf(x, size) : sum;
  }, 0n);
}

/** What amounts of WETH are counted in: ether, or what stands for WETH and wraps none. */
function etherOf(app: App): string {
  const weth = app.fixed?.weth;
  return weth && !weth.wraps ? weth.symbol : app.book.chain.currency;
}

/** An amount of WETH in dollars, and in ETH where ETH has no price. */
function money(q: Quote, weth: bigint, currency: string): string {
  return q.ethPrice ? usd((weth * q.ethPrice) / WAD) : `${amount(weth, 18, true)} ${currency}`;
}

/** The quote in sum: expected, worst case, beside NAV, what is lost on the way, gas. */
export function offerOf(app: App, q: Quote, t: Terms): Child[] {
  const { minting, unit, decimals } = t;
  const fund = app.snapshot?.fund;
  const currency = app.book.chain.currency;
  const worth = fund ? worthOf(q, fund, t.pay) : null;
  const kept = fund ? keptOf(q, fund) : 0n;
  const nav = fund ? (q.shares * navOf(fund)) / WAD - kept : 0n;
  const { fees, impact } = lossesOf(q);
  const part = (weth: bigint) => (q.weth ? ` (${portion((weth * WAD) / q.weth)})` : "");
  const beside = worth !== null && nav > 0n ? ((minting ? worth - nav : nav - worth) * WAD) / nav : null;
  const rows: { term: string; text: string; warn?: boolean; title?: string }[] = [
    {
      term: minting ? "At most" : "At least",
      text: `${amount(q.limit, decimals, minting)} ${unit}`,
      title: `${exact(q.limit, decimals)} ${unit}`,
    },
  ];
  if (nav > 0n) rows.push({ term: kept ? "At NAV, less what is in kind" : "Worth at NAV", text: usd(nav) });
  if (beside !== null) {
    const worse = beside >= 0n === minting ? "above" : "below";
    const much = beside > DEAR;
    rows.push({ term: "Against NAV", text: `${percent(abs(beside))} ${worse}${much ? ": much" : ""}`, warn: much });
  }
  rows.push(
    { term: "Pools’ fees", text: `${money(q, fees, etherOf(app))}${part(fees)}` },
    { term: "Price impact", text: `${money(q, impact, etherOf(app))}${part(impact)}` },
    { term: "Network fee", text: `≈ ${networkFee(q, currency)}` },
    { term: "Can be mined for", text: `${LIFE_S / 60n} minutes` },
  );
  return [
    h("p", { class: "over" }, minting ? "You pay" : "You get"),
    h(
      "p",
      { class: "sum", title: `${exact(q.expected, decimals)} ${unit}` },
      `${amount(q.expected, decimals, minting)} ${unit}`,
      worth === null ? null : h("small", {}, usd(worth)),
    ),
    h(
      "dl",
      { class: "terms" },
      ...rows.map(({ term, text, warn, title }) =>
        h("div", {}, h("dt", {}, term), h("dd", { class: warn ? "warn" : undefined, title }, text)),
      ),
    ),
  ];
}

function networkFee(q: Quote, currency: string): string {
  const fee = q.gas * q.gasPrice;
  const eth = `${amount(fee, 18, true)} ${currency}`;
  return q.ethPrice ? `${usd((fee * q.ethPrice) / WAD)} (${eth})` : eth;
}

/** @param toggle Called when the holder wants a component as it is, or no more. */
export function routeOf(app: App, q: Quote, t: Terms, busy: boolean, toggle: (token: Address) => void): HTMLElement {
  const { minting } = t;
  const currency = etherOf(app);
  const swapped = (swap: Swap | null) => {
    if (swap === null) return ["–", "–"];
    const weth = swap.buys ? swap.paid : swap.received;
    const fair = swap.buys ? weth - swap.fees - swap.impact : weth + swap.fees + swap.impact;
    return [`${amount(weth, 18, swap.buys)} ${currency}`, fair ? portion((swap.impact * WAD) / fair) : "–"];
  };
  const row = (step: Step): Child[] => {
    const { symbol, decimals } = app.tokens.get(step.token);
    const place = step.unsold ? h("span", { class: "warn" }, "no pool takes it") : legName(step.leg);
    return [
      h("span", { class: "symbol" }, symbol),
      amount(step.amount, decimals, minting),
      place,
      ...swapped(step.swap),
      ...(minting ? [] : [tick(step, symbol)]),
    ];
  };
  const tick = (step: Step, symbol: string) =>
    h(
      "label",
      { class: "tick" },
      h("input", {
        type: "checkbox",
        checked: step.leg === IN_KIND && !step.unsold,
        disabled: busy,
        "data-kind": step.token,
        "aria-label": `Give ${symbol} in kind`,
        change: () => toggle(step.token),
      }),
      "as it is",
    );
  const last = q.last && [
    h("span", { class: "symbol" }, t.unit),
    amount(q.expected - q.direct, t.decimals, minting),
    legName(q.last.leg),
    ...swapped(q.last),
    ...(minting ? [] : [""]),
  ];
  return table(
    `How the components are ${minting ? "bought" : "sold"}`,
    [
      { head: "Component" },
      { head: "Amount", figure: true },
      { head: "In" },
      { head: minting ? "Costs" : "Brings", figure: true },
      { head: "Impact", figure: true },
      ...(minting ? [] : [{ head: "In kind" }]),
    ],
    [...q.steps.filter((step) => step.amount > 0n).map(row), ...(last ? [last] : [])],
    { shown: true, stacks: true },
  );
}
