/** Why the weights are what they are: the arithmetic of a determination, from what the fund stored of it. Pure.
 *
 * Shares of all market caps are figured here to 18 decimals; the contract figures them by way of a floored divisor, which
 * differs beyond the eighth digit. What the fund aims at is always the stored weight. */

import { amount, percent, usd, WAD } from "./amounts.js";
import { type Constituent, type Rule, Status } from "./fund.js";

export const Flags = {
  STALE: 1,
  CLAMPED: 2,
  OVERRIDDEN: 4,
  NO_PRICE: 8,
  UNCONFIRMED: 16,
  BELOW_RANK: 32,
  BELOW_FLOOR: 64,
  CONFIRMED_AT_START: 128,
} as const;

const FLAG_WORDS: [number, string][] = [
  [Flags.STALE, "The supply was too old or missing, so the last confirmed one was carried forward."],
  [Flags.CLAMPED, "The supply had jumped, so it was held to the bound around the last confirmed one."],
  [Flags.OVERRIDDEN, "The owner has set the supply."],
  [Flags.NO_PRICE, "There was no price."],
  [Flags.UNCONFIRMED, "No supply had been confirmed before; this month's start may confirm it for the next."],
  [Flags.BELOW_RANK, "It is not among the largest."],
  [Flags.BELOW_FLOOR, "Its weight is below what it needs."],
  [Flags.CONFIRMED_AT_START, "The supply read again at start counts."],
];

export interface Reason {
  token: `0x${string}`;
  status: string;
  included: boolean;
  supply: bigint;
  price: bigint;
  marketCap: bigint;
  /** Share of the market caps that were weighed, 18 decimals; null where it was not weighed. */
  plain: bigint | null;
  /** The same after the cap, figured here. */
  capped: bigint | null;
  weight: bigint;
  /** Whether the cap bound. */
  atCap: boolean;
  /** Sentences, the arithmetic first. */
  words: string[];
}

const STATUS_WORDS = ["in the index", "held as it is", "leaving", "not in the index"];

/** Each candidate of a market-cap determination, the largest first. */
export function reasons(constituents: readonly Constituent[], rule: Rule): Reason[] {
  const included = constituents.filter((c) => c.status === Status.Included);
  const small = constituents.filter((c) => c.flags & Flags.BELOW_FLOOR);
  const last = weigh(included, rule);
  // Those below the floor fell in the weighing before, with all that were in rank.
  const first = weigh([...included, ...small], rule);
  return constituents
    .map((c): Reason => {
      const inIndex = c.status === Status.Included;
      const w = inIndex ? last.of.get(c.token) : c.flags & Flags.BELOW_FLOOR ? first.of.get(c.token) : undefined;
      const marketCap = c.basis * c.price;
      const words = w === undefined ? [] : arithmetic(c, w, inIndex ? last : first, rule);
      for (const [bit, text] of FLAG_WORDS)
        if (c.flags & bit) words.push(bit === Flags.BELOW_RANK ? `It is not among the ${rule.topN} largest.` : text);
      if (c.status === Status.Frozen)
        words.push("It is held as it is: not traded, and its weight taken out before the others share.");
      if (c.status === Status.Leaving) words.push("The owner has set it to leave: its target is zero.");
      if (c.status === Status.Outside && words.length === 0)
        words.push("It is not a candidate; what the fund holds of it is sold.");
      return {
        token: c.token,
        status: STATUS_WORDS[c.status] ?? "",
        included: inIndex,
        supply: c.basis,
        price: c.price,
        marketCap,
        plain: w?.plain ?? null,
        capped: w?.capped ?? null,
        weight: inIndex ? c.weight : 0n,
        atCap: w !== undefined && w.bound,
        words,
      };
    })
    .sort((a, b) => (a.marketCap < b.marketCap ? 1 : a.marketCap > b.marketCap ? -1 : 0));
}

interface Weighed {
  plain: bigint;
  capped: bigint;
  bound: boolean;
}

interface Weighing {
  of: Map<string, Weighed>;
  total: bigint;
  /** Of the uncapped before the excess was shared out, and the excess; one pass. */
  free: bigint;
  excess: bigint;
}

/** Market-cap weights with a hard cap, as `MarketCapMath`. A flexible cap depends on weights that are not stored: there
 * only the plain ones are figured. */
export function weigh(list: readonly Constituent[], rule: Rule): Weighing {
  const total = list.reduce((sum, c) => sum + c.basis * c.price, 0n);
  const rows = list.map((c) => ({
    token: c.token,
    plain: total ? (c.basis * c.price * WAD) / total : 0n,
    bound: false,
    capped: 0n,
  }));
  for (const row of rows) row.capped = row.plain;
  let [free, excess] = [0n, 0n];
  if (rule.cap === 1) {
    for (let pass = 0; pass < rule.capPasses; pass += 1) {
      const above = rows.filter((row) => !row.bound && row.capped > rule.capWeight);
      if (above.length === 0) break;
      for (const row of above) [row.capped, row.bound] = [rule.capWeight, true];
      const sum = rows.reduce((all, row) => all + row.capped, 0n);
      free = rows.reduce((all, row) => (row.bound ? all : all + row.capped), 0n);
      excess = sum < WAD ? WAD - sum : 0n;
      for (const row of rows) {
        if (free === 0n) row.capped = WAD / BigInt(rows.length);
        else if (!row.bound) row.capped += (((row.capped * WAD) / free) * excess) / WAD;
      }
    }
  }
  return { of: new Map(rows.map((row) => [row.token, row])), total, free, excess };
}

function arithmetic(c: Constituent, w: Weighed, all: Weighing, rule: Rule): string[] {
  const words = [
    `${amount(c.basis, 0)} tokens × ${usd(c.price, c.price < 10n ** 18n ? 4 : 2)} = ${usd(c.basis * c.price, 0)}, which is ` +
      `${percent(w.plain)} of the ${usd(all.total, 0)} that all weighed candidates come to.`,
  ];
  if (rule.cap === 1 && w.bound)
    words.push(`That is above the cap of ${percent(rule.capWeight, 0)}: it counts ${percent(w.capped)}.`);
  if (rule.cap === 1 && !w.bound && all.excess > 0n && rule.capPasses === 1) {
    words.push(
      `What the cap cut off, ${percent(all.excess)}, goes to the uncapped in proportion: ${percent(w.plain)} + ` +
        `${percent(w.plain)} ÷ ${percent(all.free)} × ${percent(all.excess)} = ${percent(w.capped)}.`,
    );
  }
  if (rule.cap === 2)
    words.push(`Above ${percent(rule.capWeight, 0)} a weight is cut to the middle between the cap and what it had.`);
  const needed = c.member ? rule.floorWeight : rule.entryWeight;
  if (needed > 0n) {
    const name = c.member ? "To stay a member" : "To enter";
    words.push(`${name} it needs ${percent(needed)}: ${w.capped >= needed ? "it has that" : "it has less"}.`);
  }
  return words;
}
