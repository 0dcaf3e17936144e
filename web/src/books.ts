/** The funds that this page was built for: their address books and the endpoints of their chains. */

import type { Address, Hex } from "viem";

export interface Candidate {
  symbol: string;
  token: Address;
  decimals: number;
}

/** A token that a zap takes and gives beside ETH. */
export interface PayToken {
  symbol: string;
  token: Address;
  decimals: number;
}

/** Gas of a zap as measured: in any case, for each component, for each swap in a pool. As `keeper/zap/quote.py`. */
export interface Gas {
  base: number;
  component: number;
  hop_v2: number;
  hop_v3: number;
}

/** The exchanges of the zaps on a chain, as `ballast/networks/exchanges.py` has them, the fees of V3 pools in millionths, and what
 * a zap takes of gas. */
export interface Swaps {
  exchanges: {
    uniswap_v2: Address;
    uniswap_v2_code: Hex;
    sushiswap_v2: Address;
    sushiswap_v2_code: Hex;
    uniswap_v3: Address;
    uniswap_v3_code: Hex;
  };
  v3_fees: number[];
  gas: { mint: Gas; redeem: Gas };
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
  /** Null on a chain without zaps. */
  swaps: Swaps | null;
}

declare const FUNDS: Book[];
export const books: Book[] = FUNDS;

/** What a zap is paid with, or pays, beside ETH. `weth`: the symbol of what stands for WETH. */
export function payTokens(book: Book, weth = "WETH"): PayToken[] {
  return [{ symbol: weth, token: book.weth, decimals: 18 }, ...book.chain.pay];
}

/** How a fund is named in the page's address: by its chain and the address of its shares. */
export function nameOf(book: Book): string {
  return `${book.chain_id}:${book.contracts.index_token}`;
}

/** The funds that a name fits: the address of the shares or the fund's name in its address book, either alone or after
 * the chain's number and a colon. Several have the same name on several chains. */
export function booksFor(wanted: string, all: readonly Book[]): Book[] {
  const [, chain, name = ""] = /^(?:(\d+):)?(.*)$/s.exec(wanted.trim().toLowerCase()) ?? [];
  return all.filter(
    (b) =>
      (chain === undefined || Number(chain) === b.chain_id) &&
      (b.contracts.index_token.toLowerCase() === name || b.fund.toLowerCase() === name),
  );
}

/** What the page calls a contract of the fund; null where it is none. */
export function contractName(book: Book, address: string): string | null {
  const found = Object.entries(book.contracts).find(([, a]) => a.toLowerCase() === address.toLowerCase());
  return found ? found[0].replaceAll("_", " ") : null;
}
