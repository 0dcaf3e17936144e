/** What the fund's timelock has announced and not done yet, in words. */

import { type Address, decodeFunctionData, type Hex, parseEventLogs } from "viem";
import { readContract } from "viem/actions";
import { ownerCalls, timelock } from "./abi.js";
import { plain } from "./amounts.js";
import { type Book, contractName } from "./books.js";
import { allLogs, getLogs } from "./chain.js";
import type { Reader } from "./reader.js";

export interface Call {
  target: string;
  address: Address;
  /** "setStreamingFee(fee: 100)"; the first bytes where nothing is known of it. */
  text: string;
}

export interface Pending {
  id: Hex;
  /** When anyone may execute it, Unix seconds. */
  ready: bigint;
  calls: Call[];
}

export async function readPending(client: Reader, book: Book, to: bigint): Promise<Pending[]> {
  const address = book.contracts.timelock;
  const raw = await allLogs(BigInt(book.deployed_block), to, (fromBlock, toBlock) =>
    getLogs(client, { address, fromBlock, toBlock }),
  );
  const pending = new Map<Hex, Call[]>();
  for (const log of parseEventLogs({ abi: timelock, logs: raw })) {
    if (log.eventName === "CallScheduled") {
      const calls = pending.get(log.args.id) ?? [];
      calls.push(callOf(book, log.args.target, log.args.data));
      pending.set(log.args.id, calls);
    } else {
      pending.delete(log.args.id);
    }
  }
  const found = await Promise.all(
    [...pending].map(async ([id, calls]) => {
      const ready = await readContract(client, { address, abi: timelock, functionName: "getTimestamp", args: [id] });
      return { id, ready, calls };
    }),
  );
  return found.filter((p) => p.ready > 1n).sort((a, b) => (a.ready < b.ready ? -1 : 1));
}

export function callOf(book: Book, target: Address, data: Hex): Call {
  return { target: contractName(book, target) ?? "another contract", address: target, text: callText(data) };
}

export function callText(data: Hex): string {
  try {
    const { functionName, args } = decodeFunctionData({ abi: ownerCalls, data });
    const entry = ownerCalls.find((e) => e.name === functionName && e.inputs.length === (args?.length ?? 0));
    const shown = (args ?? []).map((value, i) => `${entry?.inputs[i]?.name || `argument ${i + 1}`}: ${written(value)}`);
    return `${functionName}(${shown.join(", ")})`;
  } catch {
    return data === "0x" ? "a plain payment" : `unknown call ${data.slice(0, 10)}`;
  }
}

function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([name, v]) => `${name}: ${written(v)}`)
      .join(", ")}}`;
  }
  return plain(String(value), 80);
}
