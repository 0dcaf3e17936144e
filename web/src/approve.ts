/** Approvals: what a spender may take of a token. */

import { type Address, encodeFunctionData, erc20Abi } from "viem";
import type { Reader } from "./reader.js";
import type { Naming } from "./refusals.js";
import { type Call, carry, simulate, type Turn } from "./send.js";
import type { Connection } from "./wallet.js";

export interface Approval {
  token: Address;
  spender: Address;
  /** What the spender is to be let take, and what it may take so far. */
  size: bigint;
  old: bigint;
}

export function approveCall(token: Address, spender: Address, amount: bigint): Call {
  return { to: token, data: encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [spender, amount] }) };
}

/** Approves, see `carry`. Some tokens, USDT among them, want the old approval withdrawn first, which is a transaction of
 * its own. `say` gets each turn, and the size that is being approved in it. */
export async function approve(
  client: Reader,
  on: Connection,
  { token, spender, size, old }: Approval,
  naming: Naming,
  say: (turn: Turn, size: bigint) => void,
): Promise<Turn> {
  const give = (wanted: bigint) =>
    carry(client, on, approveCall(token, spender, wanted), naming, (turn) => say(turn, wanted));
  if (old > 0n && (await simulate(client, on.account, approveCall(token, spender, size), naming).catch(() => null))) {
    const first = await give(0n);
    if (first.is !== "mined") return first;
  }
  return give(size);
}
