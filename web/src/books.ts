/** The funds that this page was built for: their address books and the endpoints of their chains. */

import type { Address } from "viem";
import type { Leg } from "./legs.js";

export interface Pool {
  venue: string;
  pair: Address;
  fee_bps: number;
  other: Address | null;
}

export interface Candidate {
  symbol: string;
  token: Address;
  decimals: number;
  pools: Pool[];
}

/** A token that a zap takes and gives beside ETH, with its legs against WETH. */
export interface PayToken {
  symbol: string;
  token: Address;
  decimals: number;
  legs: Leg[];
}

export interface Chain {
  name: string;
  currency: string;
  endpoints: string[];
  /** Of transactions and addresses, without a slash at the end; null where there is none. */
  explorer: string | null;
  /** Milliseconds between two looks. */
  poll_ms: number;
  pay: PayToken[];
}

/** As `ballast/book.py` writes it; checked there when the page is built. */
export interface Book {
  fund: string;
  chain_id: number;
  deployed_block: number;
  contracts: Record<"index_token" | "rebalancer" | "lens" | "methodology" | "timelock" | "oracle", Address> & {
    zap?: Address;
    posted_supply?: Address;
    locked_supply?: Address;
    first_oracle?: Address;
  };
  weth: Address;
  candidates: Candidate[];
  chain: Chain;
}

declare const FUNDS: Book[];
export const books: Book[] = FUNDS;

/** What the page calls a contract of the fund; null where it is none. */
export function contractName(book: Book, address: string): string | null {
  const found = Object.entries(book.contracts).find(([, a]) => a.toLowerCase() === address.toLowerCase());
  return found ? found[0].replaceAll("_", " ") : null;
}
