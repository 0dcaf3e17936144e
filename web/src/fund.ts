/** A fund's figures, computed from what its lens says as the contracts compute them. Pure. */

import type { AbiFunctionReturn } from "./types.js";
import { WAD } from "./amounts.js";

export type Fund = AbiFunctionReturn<"fund">;
export type Holding = Fund["holdings"][number];
export type Constituent = AbiFunctionReturn<"constituents">[number];
export type Rule = {
  cap: number;
  capWeight: bigint;
  floorWeight: bigint;
  entryWeight: bigint;
  topN: number;
  floorEach: boolean;
  maxSupplyAge: number;
  maxSupplyJump: bigint;
  capPasses: number;
};

export const Phase = { Idle: 0, Determined: 1, Vetoed: 2, Trading: 3, Voided: 4 } as const;
export const Action = { None: 0, Determine: 1, Start: 2, Trade: 3, Close: 4 } as const;
export const Reason = {
  Due: 0,
  Locked: 1,
  Paused: 2,
  NotSeeded: 3,
  NotYet: 4,
  TooLate: 5,
  Vetoed: 6,
  Done: 7,
  Refused: 8,
} as const;
export const Side = { Held: 0, Sell: 1, Buy: 2 } as const;
export const Status = { Included: 0, Frozen: 1, Leaving: 2, Outside: 3 } as const;

/** A suspension of the owner's has no end of its own. */
export const UNTIL_ENDED = 2 ** 40 - 1;

/** What counts has a price, a unit and a value of a share of at most so many bits (`Opener`). */
const [PRICE_BITS, UNIT_BITS, VALUE_BITS] = [100n, 119n, 98n];

export function one(decimals: number): bigint {
  return 10n ** BigInt(decimals);
}

/** USD of an amount of a holding's token, rounded down. */
export function valueOf(h: Holding, amount: bigint): bigint {
  return (amount * h.price) / one(h.decimals);
}

export function suspended(fund: Fund, h: Holding): boolean {
  return fund.time < BigInt(h.suspendedUntil) && !h.writtenOff;
}

/** Whether a component is in NAV. */
export function counts(fund: Fund, h: Holding): boolean {
  if (h.writtenOff || suspended(fund, h) || !h.sound || h.price === 0n || h.price >> PRICE_BITS) return false;
  const unit = fund.supply ? (h.balance * WAD) / fund.supply : 0n;
  return unit >> UNIT_BITS === 0n && valueOf(h, unit) >> VALUE_BITS === 0n;
}

/** USD of all that counts. */
export function totalValue(fund: Fund): bigint {
  return fund.holdings.reduce((sum, h) => (counts(fund, h) ? sum + valueOf(h, h.balance) : sum), 0n);
}

/** USD of one share, rounded down; 0 before the fund is founded. */
export function navOf(fund: Fund): bigint {
  return fund.supply ? (totalValue(fund) * WAD) / fund.supply : 0n;
}

/** What keeps a component out of NAV; empty where nothing does. */
export function trouble(fund: Fund, h: Holding): string {
  if (h.writtenOff) return "written off";
  if (suspended(fund, h)) return "suspended";
  if (!h.sound) return "balance not readable";
  if (h.price === 0n) return "no price now";
  return counts(fund, h) ? "" : "beyond all measure";
}

/** What is held and does not count in NAV, each with why. What is written off is out of it for good. */
export function missing(fund: Fund): { token: `0x${string}`; why: string }[] {
  const held = fund.holdings.filter((h) => !h.writtenOff);
  return held.map((h) => ({ token: h.token, why: trouble(fund, h) })).filter((one) => one.why !== "");
}

export interface Weight {
  token: `0x${string}`;
  /** Share of NAV, 18 decimals. */
  held: bigint;
  /** Null where nothing is aimed at. */
  target: bigint | null;
  value: bigint;
  trouble: string;
}

/** Every component, the largest first, beside its target: while trading the month's, before that the determination's.
 * What is determined and not held yet comes with nothing held. */
export function weights(fund: Fund, constituents: readonly Constituent[]): Weight[] {
  const total = totalValue(fund);
  const share = (value: bigint): bigint => (total ? (value * WAD) / total : 0n);
  const trading = fund.month.phase === Phase.Trading;
  const determined = fund.month.phase === Phase.Determined;
  const rows = fund.holdings.map((h): Weight => {
    const value = counts(fund, h) ? valueOf(h, h.balance) : 0n;
    let target: bigint | null = null;
    if (trading && h.target.side !== Side.Held) target = share(valueOf(h, (h.target.unit * fund.shares) / WAD));
    if (trading && h.target.side === Side.Held && counts(fund, h)) target = share(value);
    if (determined) target = determinedWeight(constituents.find((c) => same(c.token, h.token)));
    return { token: h.token, held: share(value), target, value, trouble: trouble(fund, h) };
  });
  if (determined) {
    for (const c of constituents) {
      if (c.status !== Status.Included || rows.some((row) => same(row.token, c.token))) continue;
      rows.push({ token: c.token, held: 0n, target: c.weight, value: 0n, trouble: "" });
    }
  }
  return rows.sort((a, b) =>
    a.held === b.held ? Number((b.target ?? 0n) - (a.target ?? 0n) > 0n) * 2 - 1 : a.held < b.held ? 1 : -1,
  );
}

function determinedWeight(c: Constituent | undefined): bigint | null {
  if (c === undefined || c.status === Status.Frozen) return null;
  return c.status === Status.Included ? c.weight : 0n;
}

export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Most shares that an account can mint of what it holds, 18 decimals, rounded down. */
export function mostMintable(fund: Fund, held: readonly bigint[]): bigint {
  let most: bigint | null = null;
  fund.holdings.forEach((h, i) => {
    if (h.writtenOff || h.balance === 0n) return;
    // amount = ceil(balance x shares / supply) <= held
    const shares = ((held[i] ?? 0n) * fund.supply) / h.balance;
    if (most === null || shares < most) most = shares;
  });
  return most ?? 0n;
}

/** Shares that the cap leaves room for. */
export function roomBelowCap(fund: Fund, cap: bigint): bigint {
  const room = cap * WAD - fund.supply;
  return room > 0n ? room : 0n;
}
