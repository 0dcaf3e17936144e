/** In and out by the zap: what a mint costs and a redemption brings in ETH or another token, where each component is
 * swapped, and the calls that do it. */

import {
  type Address,
  type Client,
  encodeFunctionData,
  decodeFunctionResult,
  type Hex,
  parseAbi,
  zeroAddress,
} from "viem";
import { call, readContract } from "viem/actions";
import { fundLens, indexToken, zap } from "./abi.js";
import { ceilDiv, least, most } from "./amounts.js";
import type { Book, PayToken } from "./books.js";
import type { Reader } from "./chain.js";
import { same } from "./fund.js";
import {
  IN_KIND,
  intoFor,
  type Leg,
  NONE,
  outOf,
  packed,
  packedAll,
  type Reserves,
  Venue,
  VENUES,
  wethFor,
} from "./legs.js";
import type { Call } from "./send.js";

export interface Step {
  token: Address;
  amount: bigint;
  leg: Leg;
  /** WETH that it costs or brings, where it is known for itself. */
  weth: bigint | null;
}

export interface Quote {
  shares: bigint;
  steps: Step[];
  /** Of the pay or receive token and WETH. */
  leg: Leg;
  /** What it costs or brings, in wei of the pay or receive token. */
  expected: bigint;
  /** The most that is paid, the least that is received. */
  limit: bigint;
  /** Found by running it on the chain; else computed, and run before it is signed. */
  run: boolean;
  /** USD of one ETH, 18 decimals; 0: no price. */
  ethPrice: bigint;
}

const oracleAbi = parseAbi(["function price(address token) view returns (uint256)"]);
const slotAbi = parseAbi([
  "function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16 a, uint16 b, uint16 c, uint8 d, bool e)",
  "function token0() view returns (address)",
]);
/** Enough for any quote; nobody has it. */
const PLENTY = 10n ** 24n;
const FOREVER = 2n ** 256n - 1n;

/** The legs that a component has against WETH, by its pools in the address book. */
export function legsOf(book: Book, token: Address): Leg[] {
  const pools = book.candidates.find((c) => same(c.token, token))?.pools ?? [];
  return pools
    .filter((p) => p.other === null && p.venue in VENUES)
    .map((p) => ({ venue: VENUES[p.venue]!, fee: p.fee_bps * 100, pool: p.pair }));
}

async function reservesOf(
  client: Reader,
  book: Book,
  pairs: { token: Address; pool: Address }[],
): Promise<Map<string, Reserves>> {
  const [, all] = await readContract(client, {
    address: book.contracts.lens,
    abi: fundLens,
    functionName: "fundAndPools",
    args: [book.contracts.rebalancer, pairs.map((p) => p.pool)],
  });
  return new Map(
    pairs.map(({ token, pool }, i) => {
      const [zero, first] = all[i]!;
      const isZero = BigInt(token) < BigInt(book.weth);
      return [pool.toLowerCase(), isZero ? { token: zero, weth: first } : { token: first, weth: zero }];
    }),
  );
}

/** Spot WETH of an amount of the token in a V3 pool, less its fee; the price's own impact is not in it. */
async function spot(client: Reader, book: Book, leg: Leg, amount: bigint, buying: boolean): Promise<bigint> {
  const [[root], token0] = await Promise.all([
    readContract(client, { address: leg.pool!, abi: slotAbi, functionName: "slot0" }),
    readContract(client, { address: leg.pool!, abi: slotAbi, functionName: "token0" }),
  ]);
  const square = root * root; // token1 per token0, x 2^192
  const weth = same(token0, book.weth) ? (amount << 192n) / square : (amount * square) >> 192n;
  const fee = BigInt(leg.fee);
  return buying ? ceilDiv(weth * 1_000_000n, 1_000_000n - fee) : (weth * (1_000_000n - fee)) / 1_000_000n;
}

interface Priced {
  leg: Leg;
  weth: bigint;
}

/** The cheapest leg to buy, or the dearest to sell, of those of a token. */
async function best(
  client: Reader,
  book: Book,
  legs: Leg[],
  reserves: Map<string, Reserves>,
  amount: bigint,
  buying: boolean,
): Promise<Priced | null> {
  const priced = await Promise.all(
    legs.map(async (leg): Promise<Priced | null> => {
      if (leg.venue === Venue.UniswapV3) return { leg, weth: await spot(client, book, leg, amount, buying) };
      const r = reserves.get(leg.pool!.toLowerCase());
      const weth = r && (buying ? wethFor(amount, r) : outOf(amount, r.token, r.weth) || null);
      return weth ? { leg, weth } : null;
    }),
  );
  const found = priced.filter((p) => p !== null);
  return found.length ? found.reduce((a, b) => ((buying ? b.weth < a.weth : b.weth > a.weth) ? b : a)) : null;
}

/** Where each component is swapped, and WETH in sum. @param kind Components that are given in kind. */
async function route(
  client: Reader,
  book: Book,
  tokens: readonly Address[],
  amounts: readonly bigint[],
  pay: PayToken | null,
  buying: boolean,
  kind: ReadonlySet<string>,
) {
  const choices = tokens.map((token) => legsOf(book, token));
  const pairs = [
    ...tokens.flatMap((token, i) =>
      choices[i]!.filter((leg) => leg.venue !== Venue.UniswapV3).map((leg) => ({ token, pool: leg.pool! })),
    ),
    ...(pay?.legs ?? [])
      .filter((leg) => leg.venue !== Venue.UniswapV3)
      .map((leg) => ({ token: pay!.token, pool: leg.pool! })),
  ];
  const reserves = await reservesOf(client, book, pairs);
  const steps = await Promise.all(
    tokens.map(async (token, i): Promise<Step> => {
      const amount = amounts[i]!;
      if (!buying && (kind.has(token) || amount === 0n)) return { token, amount, leg: IN_KIND, weth: null };
      if (amount === 0n || same(token, book.weth) || (pay && same(token, pay.token))) {
        return { token, amount, leg: NONE, weth: same(token, book.weth) ? amount : 0n };
      }
      const found = await best(client, book, choices[i]!, reserves, amount, buying);
      if (found) return { token, amount, ...found };
      if (buying) throw new NoWay(token);
      return { token, amount, leg: IN_KIND, weth: null };
    }),
  );
  return { steps, reserves, weth: steps.reduce((sum, step) => sum + (step.weth ?? 0n), 0n) };
}

/** A component that no known pool sells. */
export class NoWay extends Error {
  constructor(readonly token: Address) {
    super("no pool");
  }
}

async function run(
  client: Reader,
  asked: Call,
  from: Address,
  override: boolean,
  name: "mint" | "redeem",
): Promise<bigint | null> {
  try {
    const { data } = await call(client, {
      account: from,
      ...asked,
      ...(override ? { stateOverride: [{ address: from, balance: PLENTY * 2n }] } : {}),
    });
    return data ? decodeFunctionResult({ abi: zap, functionName: name, data }) : null;
  } catch {
    return null;
  }
}

const ANYBODY: Address = "0x00000000000000000000000000000000000a11ce";

/** What a mint costs in ETH (`pay` null) or in a token. Raises NoWay, or the contracts' refusals. */
export async function quoteMint(
  client: Reader,
  book: Book,
  shares: bigint,
  pay: PayToken | null,
  margin: bigint,
  account: Address | null,
): Promise<Quote> {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [[tokens, amounts], ethPrice] = await Promise.all([
    readContract(client, { ...index, functionName: "previewMint", args: [shares] }),
    priceOfEth(client, book),
  ]);
  const { steps, reserves, weth } = await route(client, book, tokens, amounts, pay, true, new Set());
  const plain = { shares, steps, leg: NONE, expected: weth, limit: 0n, run: false, ethPrice };
  // Run with ETH that the node lends: exact through pools of every kind.
  const who = account ?? ANYBODY;
  const trial = mintCall(book, { ...plain, limit: PLENTY }, null, who, FOREVER);
  const paid = await run(client, trial, who, true, "mint");
  const eth = paid ?? weth;
  if (pay === null) return { ...plain, expected: eth, limit: most(eth, margin), run: paid !== null };
  const direct = steps.reduce((sum, step) => (same(step.token, pay.token) ? sum + step.amount : sum), 0n);
  const legs = await Promise.all(
    pay.legs.map(async (leg): Promise<Priced | null> => {
      if (leg.venue === Venue.UniswapV3) {
        // Spot of 10^18 WETH-wei backwards: so much of the token buys one WETH.
        const unit = await spot(client, book, leg, 10n ** BigInt(pay.decimals), false);
        return unit ? { leg, weth: ceilDiv(eth * 10n ** BigInt(pay.decimals), unit) } : null;
      }
      const r = reserves.get(leg.pool!.toLowerCase());
      const cost = r && intoFor(eth, r.token, r.weth);
      return cost ? { leg, weth: cost } : null;
    }),
  );
  const found = legs.filter((l) => l !== null);
  if (!found.length) throw new NoWay(pay.token);
  const { leg, weth: cost } = found.reduce((a, b) => (b.weth < a.weth ? b : a));
  const expected = cost + direct;
  return {
    ...plain,
    leg,
    expected,
    limit: most(expected, margin),
    run: paid !== null && leg.venue !== Venue.UniswapV3,
  };
}

/** What a redemption brings in ETH (`pay` null) or in a token. @param kind Components that are given in kind. */
export async function quoteRedeem(
  client: Reader,
  book: Book,
  shares: bigint,
  pay: PayToken | null,
  margin: bigint,
  kind: ReadonlySet<string>,
): Promise<Quote> {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [[tokens, amounts], ethPrice] = await Promise.all([
    readContract(client, { ...index, functionName: "previewRedeem", args: [shares] }),
    priceOfEth(client, book),
  ]);
  const { steps, reserves, weth } = await route(client, book, tokens, amounts, pay, false, kind);
  const exact = steps.every((step) => step.leg.venue !== Venue.UniswapV3);
  const plain = { shares, steps, leg: NONE, expected: weth, limit: least(weth, margin), run: exact, ethPrice };
  if (pay === null) return plain;
  const direct = steps.reduce(
    (sum, step) => (same(step.token, pay.token) && step.leg.venue === Venue.None ? sum + step.amount : sum),
    0n,
  );
  const legs = await Promise.all(
    pay.legs.map(async (leg): Promise<Priced> => {
      if (leg.venue === Venue.UniswapV3) {
        const unit = await spot(client, book, leg, 10n ** BigInt(pay.decimals), true);
        return { leg, weth: unit ? (weth * 10n ** BigInt(pay.decimals)) / unit : 0n };
      }
      const r = reserves.get(leg.pool!.toLowerCase());
      return { leg, weth: r ? outOf(weth, r.weth, r.token) : 0n };
    }),
  );
  if (!legs.length) throw new NoWay(pay.token);
  const found = legs.reduce((a, b) => (b.weth > a.weth ? b : a));
  const expected = found.weth + direct;
  return {
    ...plain,
    leg: found.leg,
    expected,
    limit: least(expected, margin),
    run: exact && found.leg.venue !== Venue.UniswapV3,
  };
}

function priceOfEth(client: Client, book: Book): Promise<bigint> {
  // Feeds price ETH as the zero address; where anchors stand before them, the first oracle does.
  const address = book.contracts.first_oracle ?? book.contracts.oracle;
  return readContract(client, { address, abi: oracleAbi, functionName: "price", args: [zeroAddress] }).catch(() => 0n);
}

/** What the pools take of a swap, 18 decimals: of all components in proportion, and of the pay or receive token. */
export function feesOf(quote: Quote): bigint {
  const fee = (leg: Leg): bigint =>
    leg.pool === null ? 0n : BigInt(leg.venue === Venue.UniswapV3 ? leg.fee : 3000) * 10n ** 12n;
  const swapped = quote.steps.reduce((sum, step) => sum + (step.weth ?? 0n), 0n);
  const taken = quote.steps.reduce((sum, step) => sum + (step.weth ?? 0n) * fee(step.leg), 0n);
  return (swapped ? taken / swapped : 0n) + fee(quote.leg);
}

/* CALLS */

export interface Permit {
  deadline: bigint;
  v: number;
  r: Hex;
  s: Hex;
}

export function mintCall(book: Book, quote: Quote, pay: PayToken | null, to: Address, deadline: bigint): Call {
  const args = [
    quote.shares,
    pay?.token ?? zeroAddress,
    quote.limit,
    packedAll(quote.steps.map((s) => s.leg)),
    packed(quote.leg),
    deadline,
    to,
  ] as const;
  const data = encodeFunctionData({ abi: zap, functionName: "mint", args });
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
  const tokens = quote.steps.map((step) => step.token);
  const legs = packedAll(quote.steps.map((s) => s.leg));
  const args = [
    quote.shares,
    pay?.token ?? zeroAddress,
    quote.limit,
    tokens,
    legs,
    packed(quote.leg),
    deadline,
    to,
  ] as const;
  const data = permit
    ? encodeFunctionData({ abi: zap, functionName: "redeemWithPermit", args: [...args, permit] })
    : encodeFunctionData({ abi: zap, functionName: "redeem", args });
  return { to: book.contracts.zap!, data };
}

/** What a wallet signs to let the zap take shares once (ERC-2612). */
export async function permitQuestion(client: Reader, book: Book, owner: Address, shares: bigint, deadline: bigint) {
  const index = { address: book.contracts.index_token, abi: indexToken } as const;
  const [domain, nonce] = await Promise.all([
    readContract(client, { ...index, functionName: "eip712Domain" }),
    readContract(client, { ...index, functionName: "nonces", args: [owner] }),
  ]);
  const [, name, version, chainId, verifyingContract] = domain;
  const field = (name: string, type: string) => ({ name, type });
  return {
    types: {
      EIP712Domain: [
        field("name", "string"),
        field("version", "string"),
        field("chainId", "uint256"),
        field("verifyingContract", "address"),
      ],
      Permit: [
        field("owner", "address"),
        field("spender", "address"),
        field("value", "uint256"),
        field("nonce", "uint256"),
        field("deadline", "uint256"),
      ],
    },
    primaryType: "Permit",
    domain: { name, version, chainId: Number(chainId), verifyingContract },
    message: {
      owner,
      spender: book.contracts.zap!,
      value: String(shares),
      nonce: String(nonce),
      deadline: String(deadline),
    },
  };
}

/** A signature of 65 bytes as a permit; null where it is none, as of a contract's wallet. */
export function permitOf(signature: Hex, deadline: bigint): Permit | null {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return null;
  const last = parseInt(signature.slice(130), 16);
  return {
    deadline,
    r: signature.slice(0, 66) as Hex,
    s: `0x${signature.slice(66, 130)}`,
    v: last < 27 ? last + 27 : last,
  };
}
