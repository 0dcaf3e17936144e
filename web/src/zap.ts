/** In and out by the zap: what a mint costs and a redemption brings in ETH or another token, where each component is
 * swapped, and the calls that do it. As `keeper/zap/quote.py` reckons, to the wei, from pools in one block. */

import { type Address, encodeFunctionData, parseAbi, zeroAddress } from "viem";
import { getBlockNumber, getGasPrice, readContract } from "viem/actions";
import { indexToken, zap } from "./abi.js";
import { ceilDiv, most, WAD } from "./amounts.js";
import type { Book, Gas, PayToken } from "./books.js";
import type { Reader } from "./reader.js";
import { type Fund, same, valueOf } from "./fund.js";
import { IN_KIND, type Leg, NONE, packed, packedAll, Venue } from "./legs.js";
import type { Permit } from "./permit.js";
import { readReserves, type Reserves, type Swap, swapsFor, type Wish } from "./pools.js";
import type { Call } from "./send.js";

export interface Step {
  token: Address;
  amount: bigint;
  leg: Leg;
  /** Null: paid or received itself, given in kind, or nothing. */
  swap: Swap | null;
  /** It is to be sold and no pool takes it: in kind, if the holder says so. */
  unsold: boolean;
}

export interface Quote {
  block: bigint;
  shares: bigint;
  steps: Step[];
  /** Between WETH and the pay or receive token; null for ETH and WETH. */
  last: Swap | null;
  /** What it costs or brings, in wei of the pay or receive token. */
  expected: bigint;
  /** The most that is paid, the least that is received. */
  limit: bigint;
  /** Of `expected`: what is a component itself. */
  direct: bigint;
  /** The rest as WETH wei, at the price of the last swap's pool. */
  weth: bigint;
  gas: bigint;
  /** Wei. */
  gasPrice: bigint;
  /** USD of one ETH, 18 decimals; 0: no price. */
  ethPrice: bigint;
}

const AGAIN_MS = 500;
const oracleAbi = parseAbi(["function price(address token) view returns (uint256)"]);

/** Tokens that no known pool gives or takes in that amount. */
export class NoWay extends Error {
  constructor(readonly tokens: readonly Address[]) {
    super("no pool");
  }
}

/** What both ways read of one block. */
interface Basis {
  block: bigint;
  tokens: readonly Address[];
  amounts: readonly bigint[];
  ethPrice: bigint;
  gasPrice: bigint;
  reserves: Promise<Reserves>;
}

async function basisOf(
  client: Reader,
  book: Book,
  functionName: "previewMint" | "previewRedeem",
  shares: bigint,
  pay: PayToken | null,
): Promise<Basis> {
  const block = await getBlockNumber(client, { cacheTime: 0 });
  const index = { address: book.contracts.index_token, abi: indexToken, blockNumber: block } as const;
  // Feeds price ETH as the zero address; where anchors stand before them, the first oracle does.
  const oracle = { address: book.contracts.first_oracle ?? book.contracts.oracle, abi: oracleAbi, blockNumber: block };
  const [[tokens, amounts], ethPrice, gasPrice] = await Promise.all([
    readContract(client, { ...index, functionName, args: [shares] }),
    readContract(client, { ...oracle, functionName: "price", args: [zeroAddress] }).catch(() => 0n),
    getGasPrice(client),
  ]);
  const swapped = new Set([...tokens, ...(pay ? [pay.token] : [])].filter((token) => !same(token, book.weth)));
  const reserves = readReserves(client, book, [...swapped], block);
  reserves.catch(() => null); // whoever waits for it hears of it
  return { block, tokens, amounts, ethPrice, gasPrice, reserves };
}

/** Whether a component is paid or received as it is. */
const itself = (book: Book, pay: PayToken | null, token: Address) =>
  same(token, book.weth) || (pay !== null && same(token, pay.token));

function hop(gas: Gas, leg: Leg): bigint {
  return BigInt(leg.venue === Venue.UniswapV3 ? gas.hop_v3 : gas.hop_v2);
}

/** The best swap once its gas is counted; null where there is none. `out`: what comes out is given, what goes in counts. */
function best(swaps: readonly Swap[], { gasPrice }: Basis, gas: Gas, out: boolean): Swap | null {
  const gain = (swap: Swap) => {
    const cost = hop(gas, swap.leg) * gasPrice;
    const inWeth = out === swap.buys; // the side that counts
    // {tok} = {WETH} * {tok} / {WETH}
    const paid = inWeth ? cost : (cost * swap.price.token) / swap.price.weth;
    return out ? -(swap.paid + paid) : swap.received - paid;
  };
  return swaps.reduce<Swap | null>((a, b) => (a === null || gain(b) > gain(a) ? b : a), null);
}

function gasOf(gas: Gas, steps: readonly Step[], last: Swap | null): bigint {
  const swaps = [...steps.map((step) => step.swap), last].filter((swap) => swap !== null);
  return swaps.reduce((sum, swap) => sum + hop(gas, swap.leg), BigInt(gas.base + gas.component * steps.length));
}

/** What is paid or received as the token itself, and as WETH. */
function sides(book: Book, steps: readonly Step[], pay: PayToken | null, of: (swap: Swap) => bigint) {
  let [direct, weth] = [0n, 0n];
  for (const { token, amount, leg, swap } of steps) {
    if (swap) weth += of(swap);
    else if (leg.venue !== Venue.None) continue;
    else if (same(token, book.weth)) weth += amount;
    else if (pay && same(token, pay.token)) direct += amount;
  }
  return { direct, weth };
}

/** As `quoteAt`, tried twice: of the nodes behind one endpoint some know the latest block a little later. */
export async function quoteOf(...asked: Parameters<typeof quoteAt>): Promise<Quote> {
  try {
    return await quoteAt(...asked);
  } catch (error) {
    if (error instanceof NoWay) throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return quoteAt(...asked);
  }
}

/** What a mint costs, or a redemption brings, in ETH (`pay` null) or in a token. Raises NoWay for what a mint cannot buy,
 * and for the token; what a redemption cannot sell is said of its step. Or raises the contracts' refusals.
 * @param kind Components that a redemption gives in kind. */
async function quoteAt(
  client: Reader,
  book: Book,
  side: "mint" | "redeem",
  shares: bigint,
  pay: PayToken | null,
  margin: bigint,
  kind: ReadonlySet<string>,
): Promise<Quote> {
  const minting = side === "mint";
  const basis = await basisOf(client, book, minting ? "previewMint" : "previewRedeem", shares, pay);
  const { block, tokens, amounts, ethPrice, gasPrice, reserves } = basis;
  const gas = book.swaps!.gas[side];
  const kept = tokens.map((token, i) => !minting && (kind.has(token) || amounts[i] === 0n));
  const wishes = tokens.flatMap((token, i): Wish[] =>
    kept[i] || amounts[i] === 0n || itself(book, pay, token)
      ? []
      : [{ token, amount: amounts[i]!, buys: minting, out: minting }],
  );
  const found = await swapsFor(client, book, wishes, reserves, block);
  const chosen = new Map(wishes.map(({ token }, k) => [token, best(found[k]!, basis, gas, minting)]));
  const unsold = tokens.filter((token) => chosen.get(token) === null);
  if (minting && unsold.length) throw new NoWay(unsold);
  const steps = tokens.map((token, i): Step => {
    const swap = chosen.get(token) ?? null;
    const inKind = kept[i] || chosen.get(token) === null;
    return {
      token,
      amount: amounts[i]!,
      leg: swap?.leg ?? (inKind ? IN_KIND : NONE),
      swap,
      unsold: unsold.includes(token),
    };
  });
  const { direct, weth } = sides(book, steps, pay, (swap) => (minting ? swap.paid : swap.received));
  let last: Swap | null = null;
  if (pay && !same(pay.token, book.weth) && weth) {
    const wish = { token: pay.token, amount: weth, buys: !minting, out: minting };
    const [some] = await swapsFor(client, book, [wish], reserves, block);
    last = best(some!, basis, gas, minting);
    if (!last) throw new NoWay([pay.token]);
  }
  const expected = direct + (last ? (minting ? last.paid : last.received) : weth);
  const lost = last ? last.fees + last.impact : 0n;
  return {
    block,
    shares,
    steps,
    last,
    expected,
    limit: minting ? most(expected, margin) : ceilDiv(expected * (WAD - margin), WAD),
    direct,
    weth: last ? (minting ? last.received + lost : last.paid - lost) : weth,
    gas: gasOf(gas, steps, last),
    gasPrice,
    ethPrice,
  };
}

/** WETH wei that stay with the pools' owners, and that are lost because the swaps move prices. */
export function lossesOf(quote: Quote): { fees: bigint; impact: bigint } {
  const swaps = [...quote.steps.map((step) => step.swap), quote.last].filter((swap) => swap !== null);
  return swaps.reduce((sum, swap) => ({ fees: sum.fees + swap.fees, impact: sum.impact + swap.impact }), {
    fees: 0n,
    impact: 0n,
  });
}

/** USD of what is paid or received: at the oracle's price of ETH, and of what is a component itself; null without one. */
export function worthOf(quote: Quote, fund: Fund, pay: PayToken | null): bigint | null {
  if (!quote.ethPrice) return null;
  const own = pay && fund.holdings.find((x) => same(x.token, pay.token));
  return (own ? valueOf(own, quote.direct) : 0n) + (quote.weth * quote.ethPrice) / WAD;
}

/* CALLS */

export function mintCall(
  book: Book,
  quote: Quote,
  pay: PayToken | null,
  to: Address,
  deadline: bigint,
  permit: Permit | null,
): Call {
  const args = [
    quote.shares,
    pay?.token ?? zeroAddress,
    quote.limit,
    packedAll(quote.steps.map((s) => s.leg)),
    packed(quote.last?.leg ?? NONE),
    deadline,
    to,
  ] as const;
  const data = permit
    ? encodeFunctionData({ abi: zap, functionName: "mintWithPermit", args: [...args, permit] })
    : encodeFunctionData({ abi: zap, functionName: "mint", args });
  return { to: book.contracts.zap!, data, ...(pay === null ? { value: quote.limit } : {}) };
}

export function redeemCall(
  book: Book,
  quote: Quote,
  pay: PayToken | null,
  to: Address,
  deadline: bigint,
  permit: Permit | null,
): Call {
  const args = [
    quote.shares,
    pay?.token ?? zeroAddress,
    quote.limit,
    quote.steps.map((step) => step.token),
    packedAll(quote.steps.map((s) => s.leg)),
    packed(quote.last?.leg ?? NONE),
    deadline,
    to,
  ] as const;
  const data = permit
    ? encodeFunctionData({ abi: zap, functionName: "redeemWithPermit", args: [...args, permit] })
    : encodeFunctionData({ abi: zap, functionName: "redeem", args });
  return { to: book.contracts.zap!, data };
}
