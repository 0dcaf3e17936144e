/** The pools of a token and WETH that a zap swaps in, and what swaps in them take and give in one block, to the wei. */

import {
  type Address,
  concat,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  getCreate2Address,
  keccak256,
} from "viem";
import { call, readContract } from "viem/actions";
import { fundLens, v3Quoter, v3QuoterCode } from "./abi.js";
import type { Book } from "./books.js";
import type { Reader } from "./reader.js";
import { intoFor, type Leg, outOf, Venue } from "./legs.js";

const MILLION = 1_000_000n;
/** Millionths that pools of Uniswap V2 and SushiSwap take. */
const FEE_V2 = 3_000n;

/** A price: so much of the token is as much as so much WETH. */
export interface Price {
  token: bigint;
  weth: bigint;
}

/** One swap. Of the WETH on its one side `fees` stay with the pool's owners, and `impact` is lost because the swap moves
 * the price; both are reckoned at the price before it. */
export interface Swap {
  leg: Leg;
  paid: bigint;
  received: bigint;
  /** Whether WETH is what goes in. */
  buys: boolean;
  price: Price;
  fees: bigint;
  impact: bigint;
}

/** A swap that is wanted: of WETH and a token, exactly `amount` out or in. */
export interface Wish {
  token: Address;
  amount: bigint;
  /** Whether WETH is what goes in. */
  buys: boolean;
  /** Whether `amount` is what comes out. */
  out: boolean;
}

/** Where the pools of a token and WETH are, by the exchanges' factories (CREATE2), whether or not there are any. */
export function poolsOf(book: Book, token: Address): Leg[] {
  const swaps = book.swaps;
  if (!swaps) return [];
  const pair: [Address, Address] = BigInt(token) < BigInt(book.weth) ? [token, book.weth] : [book.weth, token];
  const v2 = keccak256(concat(pair));
  const { exchanges: x, v3_fees } = swaps;
  return [
    {
      venue: Venue.UniswapV2,
      fee: 0,
      pool: getCreate2Address({ from: x.uniswap_v2, salt: v2, bytecodeHash: x.uniswap_v2_code }),
    },
    {
      venue: Venue.SushiSwapV2,
      fee: 0,
      pool: getCreate2Address({ from: x.sushiswap_v2, salt: v2, bytecodeHash: x.sushiswap_v2_code }),
    },
    ...v3_fees.map((fee) => {
      const key = [{ type: "address" }, { type: "address" }, { type: "uint24" }] as const;
      const salt = keccak256(encodeAbiParameters(key, [...pair, fee]));
      const pool = getCreate2Address({ from: x.uniswap_v3, salt, bytecodeHash: x.uniswap_v3_code });
      return { venue: Venue.UniswapV3, fee, pool };
    }),
  ];
}

export type Reserves = Map<Address, Price>;

/** Reserves of the pools of the Uniswap V2 kind of these tokens; those that do not exist are left out. */
export async function readReserves(
  client: Reader,
  book: Book,
  tokens: readonly Address[],
  blockNumber: bigint,
): Promise<Reserves> {
  const pairs = tokens.flatMap((token) =>
    poolsOf(book, token)
      .filter((leg) => leg.venue !== Venue.UniswapV3)
      .map((leg) => ({ pool: leg.pool!, first: BigInt(token) < BigInt(book.weth) })),
  );
  const [, all] = await readContract(client, {
    address: book.contracts.lens,
    abi: fundLens,
    functionName: "fundAndPools",
    args: [book.contracts.rebalancer, pairs.map((p) => p.pool)],
    blockNumber,
  });
  const found: Reserves = new Map();
  pairs.forEach(({ pool, first }, i) => {
    const [zero, one] = all[i]!;
    if (zero && one) found.set(pool, first ? { token: zero, weth: one } : { token: one, weth: zero });
  });
  return found;
}

/** For each wish the swap in every pool that can make it. */
export async function swapsFor(
  client: Reader,
  book: Book,
  wishes: readonly Wish[],
  reserves: Reserves | Promise<Reserves>,
  blockNumber: bigint,
): Promise<Swap[][]> {
  const [held, v3] = await Promise.all([reserves, quoteV3(client, book, wishes, blockNumber)]);
  return wishes.map((wish, i) => {
    const v2 = poolsOf(book, wish.token).flatMap((leg) => {
      const price = held.get(leg.pool!);
      return price ? [swapV2(wish, leg, price)] : [];
    });
    return [...v2, ...v3[i]!].filter((swap) => swap !== null);
  });
}

/** As `PairV2` swaps; null where the pool has too little. */
export function swapV2(wish: Wish, leg: Leg, price: Price): Swap | null {
  const [into, from] = wish.buys ? [price.weth, price.token] : [price.token, price.weth];
  const paid = wish.out ? intoFor(wish.amount, into, from) : wish.amount;
  return paid === null ? null : swapOf(wish, leg, price, paid, wish.out ? wish.amount : outOf(paid, into, from));
}

/** Every V3 pool is asked to make its swap (`V3Quoter`), in one call of a contract that lives as long as the call. */
async function quoteV3(client: Reader, book: Book, wishes: readonly Wish[], blockNumber: bigint) {
  const asked = wishes.flatMap((wish, i) =>
    poolsOf(book, wish.token)
      .filter((leg) => leg.venue === Venue.UniswapV3)
      .map((leg) => ({ i, leg, wish, forward: wish.buys === BigInt(book.weth) < BigInt(wish.token) })),
  );
  const found: (Swap | null)[][] = wishes.map(() => []);
  if (!asked.length) return found;
  const swaps = asked.map(({ leg, wish, forward }) => ({
    pool: leg.pool!,
    forward,
    amount: wish.out ? -wish.amount : wish.amount,
  }));
  const data = encodeFunctionData({ abi: v3Quoter, functionName: "quotes", args: [swaps] });
  const answer = await call(client, { code: v3QuoterCode, data, blockNumber });
  const quotes = decodeFunctionResult({ abi: v3Quoter, functionName: "quotes", data: answer.data ?? "0x" });
  asked.forEach(({ i, leg, wish }, k) => {
    const { paid, received, sqrtPriceX96: root } = quotes[k]!;
    // Less than asked: the liquidity ends before.
    if (root === 0n || (wish.out ? received : paid) !== wish.amount) return;
    const [square, one]: [bigint, bigint] = [root * root, 1n << 192n]; // token1 wei for one of token0, x 2^192
    const first = BigInt(wish.token) < BigInt(book.weth);
    const price = first ? { token: one, weth: square } : { token: square, weth: one };
    found[i]!.push(swapOf(wish, leg, price, paid, received));
  });
  return found;
}

function swapOf(wish: Wish, leg: Leg, price: Price, paid: bigint, received: bigint): Swap | null {
  if (!paid || !received) return null;
  const fee = leg.venue === Venue.UniswapV3 ? BigInt(leg.fee) : FEE_V2;
  const least = (amount: bigint) => (amount > 0n ? amount : 0n);
  if (wish.buys) {
    const fees = (paid * fee) / MILLION;
    // {WETH} = {tok} * {WETH} / {tok}
    const impact = paid - fees - (received * price.weth) / price.token;
    return { leg, paid, received, buys: true, price, fees, impact: least(impact) };
  }
  const fair = (paid * price.weth) / price.token;
  const fees = (fair * fee) / MILLION;
  return { leg, paid, received, buys: false, price, fees, impact: least(fair - fees - received) };
}
