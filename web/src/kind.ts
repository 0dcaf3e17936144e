/** Mint and redeem in kind: what they take and pay now, and the calls that do it. */

import { type Address, encodeFunctionData, erc20Abi } from "viem";
import { getBalance, readContract } from "viem/actions";
import { indexToken } from "./abi.js";
import { least, most } from "./amounts.js";
import type { Book } from "./books.js";
import type { Reader } from "./reader.js";
import type { Call } from "./send.js";

/** What a mint takes in this block. `held`, `allowed`: of the account, empty without one. */
export interface MintPlan {
  shares: bigint;
  tokens: readonly Address[];
  amounts: readonly bigint[];
  limits: bigint[];
  /** Bit i: component i stands in the way. */
  blocked: bigint;
  held: bigint[];
  allowed: bigint[];
}

export async function planMint(
  client: Reader,
  book: Book,
  shares: bigint,
  margin: bigint,
  account: Address | null,
): Promise<MintPlan> {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [tokens, amounts, blocked] = await readContract(client, {
    ...index,
    functionName: "previewMint",
    args: [shares],
  });
  const { held, allowed } = account
    ? await standingOf(client, tokens, account, book.contracts.index_token)
    : { held: [], allowed: [] };
  return { shares, tokens, amounts, limits: amounts.map((a) => most(a, margin)), blocked, held, allowed };
}

/** Balances of an account, and what it lets the spender take. What does not answer counts as 0. */
export async function standingOf(client: Reader, tokens: readonly Address[], account: Address, spender: Address) {
  const ask = (token: Address) => ({ address: token, abi: erc20Abi }) as const;
  const [held, allowed] = await Promise.all([
    Promise.all(
      tokens.map((t) =>
        readContract(client, { ...ask(t), functionName: "balanceOf", args: [account] }).catch(() => 0n),
      ),
    ),
    Promise.all(
      tokens.map((t) =>
        readContract(client, { ...ask(t), functionName: "allowance", args: [account, spender] }).catch(() => 0n),
      ),
    ),
  ]);
  return { held, allowed };
}

export function mintCall(book: Book, plan: MintPlan, to: Address): Call {
  const args = [plan.shares, to, plan.tokens, plan.limits] as const;
  return { to: book.contracts.index_token, data: encodeFunctionData({ abi: indexToken, functionName: "mint", args }) };
}

export interface RedeemPlan {
  shares: bigint;
  tokens: readonly Address[];
  amounts: readonly bigint[];
  limits: bigint[];
  /** Bit i: the balance of component i cannot be read, so it must be left behind. */
  unsound: bigint;
}

export async function planRedeem(client: Reader, book: Book, shares: bigint, margin: bigint): Promise<RedeemPlan> {
  const [tokens, amounts, unsound] = await readContract(client, {
    address: book.contracts.index_token,
    abi: indexToken,
    functionName: "previewRedeem",
    args: [shares],
  });
  return { shares, tokens, amounts, limits: amounts.map((a) => least(a, margin)), unsound };
}

/** @param skip Bit i: component i is left behind. */
export function redeemCall(book: Book, plan: RedeemPlan, to: Address, skip: bigint): Call {
  const limits = plan.limits.map((limit, i) => ((skip >> BigInt(i)) & 1n ? 0n : limit));
  const args = [plan.shares, to, plan.tokens, limits, skip] as const;
  return {
    to: book.contracts.index_token,
    data: encodeFunctionData({ abi: indexToken, functionName: "redeem", args }),
  };
}

/** The components that do not move when each alone is paid, as bits. */
export async function stuck(plan: RedeemPlan, goes: (skip: bigint) => Promise<boolean>): Promise<bigint> {
  const every = (1n << BigInt(plan.tokens.length)) - 1n;
  const alone = await Promise.all(plan.tokens.map((_, i) => goes(every & ~(1n << BigInt(i)))));
  return alone.reduce((bits, moves, i) => (moves ? bits : bits | (1n << BigInt(i))), 0n) | plan.unsound;
}

export interface Account {
  shares: bigint;
  eth: bigint;
}

export async function readAccount(client: Reader, book: Book, account: Address): Promise<Account> {
  const [shares, eth] = await Promise.all([
    readContract(client, {
      address: book.contracts.index_token,
      abi: indexToken,
      functionName: "balanceOf",
      args: [account],
    }),
    getBalance(client, { address: account }),
  ]);
  return { shares, eth };
}
