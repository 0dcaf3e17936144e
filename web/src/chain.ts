/** What the page reads: everything of one fund from its lens, in one block. */

import { type Address, erc20Abi, zeroAddress } from "viem";
import { getBlock, getLogs, readContract } from "viem/actions";
import { fundLens, indexToken, marketCap, rebalancer } from "./abi.js";
import { plain } from "./amounts.js";
import type { Book } from "./books.js";
import type { Constituent, Fund, Rule } from "./fund.js";
import type { Reader } from "./reader.js";
import { simulate } from "./send.js";

/** Of WETH's `deposit()`. */
const DEPOSIT = "0xd0e30db0";

/** What does not change while the page is open. */
export interface Fixed {
  name: string;
  symbol: string;
  /** Of a market-cap methodology; null for fixed weights. */
  rule: Rule | null;
  methodology: Address;
  /** The symbol of what stands for WETH, and whether it wraps ether: a sandbox's does not, and its zap takes none. */
  weth: { symbol: string; wraps: boolean };
}

export interface Snapshot {
  fund: Fund;
  constituents: readonly Constituent[];
  /** A year, 18 decimals. */
  fee: bigint;
  /** Whole shares. */
  cap: bigint;
}

export async function readFixed(client: Reader, book: Book): Promise<Fixed> {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [chainId, name, symbol, methodology, weth] = await Promise.all([
    client.request({ method: "eth_chainId" }),
    readContract(client, { ...index, functionName: "name" }),
    readContract(client, { ...index, functionName: "symbol" }),
    readContract(client, { address: book.contracts.rebalancer, abi: rebalancer, functionName: "methodology" }),
    readWeth(client, book.weth),
  ]);
  if (Number(chainId) !== book.chain_id) throw new Error(`the endpoint is on chain ${Number(chainId)}`);
  const asked = readContract(client, { address: methodology, abi: marketCap, functionName: "rule" });
  return { name: plain(name, 48), symbol: plain(symbol, 12), methodology, weth, rule: await asked.catch(() => null) };
}

/** `deposit()` of nothing is tried, not sent. Where the node does not answer that, it counts as WETH. */
async function readWeth(client: Reader, weth: Address): Promise<Fixed["weth"]> {
  const naming = () => ({ symbol: "WETH", decimals: 18 });
  const [symbol, refusal] = await Promise.all([
    readContract(client, { address: weth, abi: erc20Abi, functionName: "symbol" }).catch(() => "WETH"),
    simulate(client, zeroAddress, { to: weth, data: DEPOSIT }, naming).catch(() => null),
  ]);
  return { symbol: plain(symbol, 12), wraps: refusal === null };
}

/** The fund in its latest block, or in an earlier one. */
export async function readFund(client: Reader, book: Book, blockNumber?: bigint): Promise<Fund> {
  return readContract(client, {
    address: book.contracts.lens,
    abi: fundLens,
    functionName: "fund",
    args: [book.contracts.rebalancer],
    ...(blockNumber === undefined ? {} : { blockNumber }),
  });
}

export async function readSnapshot(client: Reader, book: Book): Promise<Snapshot> {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [fund, constituents, fee, cap] = await Promise.all([
    readFund(client, book),
    readContract(client, {
      address: book.contracts.lens,
      abi: fundLens,
      functionName: "constituents",
      args: [book.contracts.rebalancer],
    }),
    readContract(client, { ...index, functionName: "streamingFee" }),
    readContract(client, { ...index, functionName: "supplyCap" }),
  ]);
  return { fund, constituents, fee, cap };
}

/** Symbols and decimals by token: the address book's, and what other tokens say of themselves. */
export class Tokens {
  private readonly known = new Map<string, { symbol: string; decimals: number }>();

  constructor(
    private readonly client: () => Reader,
    book: Book,
  ) {
    for (const c of book.candidates)
      this.known.set(c.token.toLowerCase(), { symbol: plain(c.symbol), decimals: c.decimals });
    for (const { token, symbol, decimals } of book.chain.pay)
      this.known.set(token.toLowerCase(), { symbol, decimals });
    this.known.set(book.contracts.index_token.toLowerCase(), { symbol: "shares", decimals: 18 });
  }

  get = (token: Address): { symbol: string; decimals: number } =>
    this.known.get(token.toLowerCase()) ?? { symbol: `${token.slice(0, 8)}…`, decimals: 18 };

  /** Asks those that are not known. */
  async learn(tokens: readonly { token: Address; decimals?: number }[]): Promise<void> {
    const missing = tokens.filter(({ token }) => !this.known.has(token.toLowerCase()));
    await Promise.all(
      missing.map(async ({ token, decimals }) => {
        const of = { address: token, abi: erc20Abi } as const;
        const [symbol, said] = await Promise.all([
          readContract(this.client(), { ...of, functionName: "symbol" }).catch(() => `${token.slice(0, 8)}…`),
          decimals ?? readContract(this.client(), { ...of, functionName: "decimals" }).catch(() => 18),
        ]);
        this.known.set(token.toLowerCase(), { symbol: plain(symbol), decimals: said });
      }),
    );
  }
}

/** Most blocks that a node is asked for at once where it refuses the whole range. */
const RANGE = 10_000n;
const AT_ONCE = 5;

/** Logs from a block to the latest: in one question, and where a node refuses that, in ranges. */
export async function allLogs<T>(
  from: bigint,
  to: bigint,
  ask: (fromBlock: bigint, toBlock: bigint) => Promise<T[]>,
): Promise<T[]> {
  try {
    return await ask(from, to);
  } catch (error) {
    if (to - from < RANGE) throw error;
    const starts = Array.from({ length: Number((to - from) / RANGE) + 1 }, (_, i) => from + BigInt(i) * RANGE);
    const found: T[] = [];
    for (let i = 0; i < starts.length; i += AT_ONCE) {
      const some = starts.slice(i, i + AT_ONCE).map((start) => {
        const end = start + RANGE - 1n;
        return ask(start, end < to ? end : to);
      });
      found.push(...(await Promise.all(some)).flat());
    }
    return found;
  }
}

const times = new Map<string, Promise<bigint>>();

/** Unix seconds of a block. */
export function timeOf(client: Reader, blockNumber: bigint): Promise<bigint> {
  const key = `${client.chain.id}/${client.uid}/${blockNumber}`;
  const found = times.get(key) ?? getBlock(client, { blockNumber }).then((block) => block.timestamp);
  times.set(key, found);
  found.catch(() => times.delete(key));
  return found;
}

export { getLogs };
