/** Where a zap swaps a component, and what pools of Uniswap V2 ask and pay. Pure. */

import { type Address, concat, type Hex, numberToHex } from "viem";

/* LEGS: as `Legs` */

export const Venue = { None: 0, UniswapV2: 1, SushiSwapV2: 2, UniswapV3: 3, InKind: 4, Skip: 5 } as const;

const NAMES = ["no swap", "Uniswap V2", "SushiSwap", "Uniswap V3", "given in kind", "left behind"];

export interface Leg {
  venue: number;
  /** Millionths, of Uniswap V3. */
  fee: number;
  /** Null where no pool takes part. */
  pool: Address | null;
}

export const IN_KIND: Leg = { venue: Venue.InKind, fee: 0, pool: null };
export const NONE: Leg = { venue: Venue.None, fee: 0, pool: null };

export function packed(leg: Leg): number {
  return leg.venue * 2 ** 24 + (leg.venue === Venue.UniswapV3 ? leg.fee : 0);
}

export function packedAll(legs: readonly Leg[]): Hex {
  return concat(legs.map((leg) => numberToHex(packed(leg), { size: 4 })));
}

export function legName(leg: Leg): string {
  const name = NAMES[leg.venue] ?? "";
  return leg.venue === Venue.UniswapV3 ? `${name} (${leg.fee / 10_000} %)` : name;
}

/* POOLS OF UNISWAP V2: as `PairV2` */

/** What a pool pays for an amount that goes in. */
export function outOf(amount: bigint, into: bigint, from: bigint): bigint {
  const after = amount * 997n;
  return into ? (after * from) / (into * 1000n + after) : 0n;
}

/** What must go in for an amount that comes out; null where the pool has too little. */
export function intoFor(amount: bigint, into: bigint, from: bigint): bigint | null {
  return amount < from ? (into * amount * 1000n) / ((from - amount) * 997n) + 1n : null;
}
