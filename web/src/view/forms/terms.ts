/** The terms of a zap: what is paid or received, what the zap takes of an account, and what the account lets it take. */

import { type Address, erc20Abi, type TypedDataDomain } from "viem";
import { readContract } from "viem/actions";
import { amount } from "../../amounts.js";
import type { Book, PayToken } from "../../books.js";
import { type Account, readAccount } from "../../kind.js";
import { readDomain } from "../../permit.js";
import type { Quote } from "../../zap.js";
import type { App } from "../app.js";

/** Seconds in which a zap may be mined. */
export const LIFE_S = 1_800n;
const FOREVER = 2n ** 256n - 1n;

export interface Terms {
  minting: boolean;
  /** Null for ETH. */
  pay: PayToken | null;
  /** Symbol and decimals of what is paid or received. */
  unit: string;
  decimals: number;
  /** What the network's fee is paid in. */
  currency: string;
  /** The token of the fund's shares. */
  shares: Address;
}

export function termsOf({ chain, contracts }: Book, minting: boolean, pay: PayToken | null): Terms {
  const { currency } = chain;
  return {
    minting,
    pay,
    unit: pay?.symbol ?? currency,
    decimals: pay?.decimals ?? 18,
    currency,
    shares: contracts.index_token,
  };
}

/** What the zap takes of an account by allowance or permit. */
export interface Taken {
  token: Address;
  size: bigint;
  /** Its name and decimals. */
  what: string;
  places: number;
  /** So much of what, and the same with "at most" before it where it may be less, for people. */
  text: string;
  given: string;
}

/** Null for ETH, which is sent along. */
export function takenOf(q: Quote, { minting, pay, shares }: Terms): Taken | null {
  const taken = minting
    ? pay && { token: pay.token, size: q.limit, what: pay.symbol, places: pay.decimals }
    : { token: shares, size: q.shares, what: "shares", places: 18 };
  if (!taken) return null;
  const text = `${amount(taken.size, taken.places, minting)} ${taken.what}`;
  return { ...taken, text, given: minting ? `at most ${text}` : text };
}

/** What an account has for a zap. */
export interface Purse extends Account {
  /** Of what it pays with. */
  pays: bigint;
  /** What it lets the zap take of that. */
  allowed: bigint;
  /** How it signs a permit in place of an approval; null where the token takes none. */
  domain: TypedDataDomain | null;
}

/** @param unfit Tokens whose permits were refused. */
export async function readPurse(app: App, terms: Terms, holder: Address, unfit: ReadonlySet<Address>): Promise<Purse> {
  const token = terms.minting ? terms.pay?.token : terms.shares;
  const of = token && ({ address: token, abi: erc20Abi } as const);
  const args = [holder, app.book.contracts.zap!] as const;
  const [own, pays, allowed, domain] = await Promise.all([
    readAccount(app.client, app.book, holder),
    of ? readContract(app.client, { ...of, functionName: "balanceOf", args: [holder] }) : null,
    of ? readContract(app.client, { ...of, functionName: "allowance", args }) : null,
    of && !unfit.has(of.address) ? readDomain(app.client, of.address) : null,
  ]);
  return { ...own, pays: pays ?? own.eth, allowed: allowed ?? FOREVER, domain };
}

/** Whether the zap may not take enough yet. */
export function lacks(purse: Purse, taken: Taken): boolean {
  return purse.allowed < taken.size;
}

/** The components that are to be sold and no pool takes. */
export function unsoldOf(q: Quote): Address[] {
  return q.steps.filter((step) => step.unsold).map((step) => step.token);
}
