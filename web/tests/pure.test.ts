/** The page's pure functions; run by tests/unit/web on Node. */

import { domainSeparator, encodeErrorResult, encodeFunctionData } from "viem";
import { errors, ownerCalls } from "../src/abi.js";
import {
  amount,
  distance,
  exact,
  fixed,
  least,
  most,
  parseAmount,
  percent,
  plain,
  tidy,
  usd,
  WAD,
} from "../src/amounts.js";
import { periodName, periodOf, timetablesOf, withTimetable } from "../src/calendar.js";
import { allLogs } from "../src/chain.js";
import { mostMintable, navOf, roomBelowCap, weights } from "../src/fund.js";
import { cell } from "../src/months.js";
import { refusalOf, TABLE } from "../src/refusals.js";
import { refusalIn } from "../src/send.js";
import { callText } from "../src/timelock.js";
import { reasons, weigh } from "../src/why.js";
import { type Book, booksFor, nameOf } from "../src/books.js";
import { intoFor, outOf, packed, packedAll, Venue } from "../src/legs.js";
import { domainOf, permitOf, type Said } from "../src/permit.js";
import { poolsOf, swapV2 } from "../src/pools.js";

declare const require: (name: string) => any;
const test: (name: string, act: () => void | Promise<void>) => void = require("node:test");
const assert = require("node:assert/strict");

const T = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as `0x${string}`;
const naming = () => ({ symbol: "ABC", decimals: 6 });

test("amounts are read strictly", () => {
  const read = (text: string, decimals = 18) => {
    const p = parseAmount(text, decimals);
    return p.ok ? p.value : null;
  };
  assert.equal(read("2.5"), 25n * 10n ** 17n);
  assert.equal(read(" 1 "), WAD);
  assert.equal(read("0.000001", 6), 1n);
  for (const wrong of [
    "",
    "0",
    "0.0",
    "-1",
    "+1",
    "1e18",
    "1,5",
    "1,000",
    ".5",
    "5.",
    "0x10",
    "1 000",
    "١",
    "Infinity",
    "1.0000001",
  ]) {
    assert.equal(read(wrong, 6), null, wrong);
  }
});

test("amounts are written so that they can be read back", () => {
  for (const [value, decimals] of [
    [1n, 18],
    [123456789012345678901n, 18],
    [5n, 0],
    [10n ** 30n, 27],
  ] as const) {
    const p = parseAmount(exact(value, decimals), decimals);
    assert.equal(p.ok && p.value, value);
  }
  assert.equal(fixed(1234567899n, 6, 2), "1,234.56");
  assert.equal(fixed(1234567899n, 6, 2, true), "1,234.57");
  assert.equal(amount(1586n, 6, true), "0.001586");
  assert.equal(amount(1234567890123n, 6), "1,234,567.89");
  assert.equal(tidy(25n * 10n ** 17n), "2.5");
  assert.equal(tidy(100n * WAD), "100");
  assert.equal(usd(1069005n * 10n ** 15n), "$1,069.01");
  assert.equal(usd(-5n * WAD), "−$5.00");
  assert.equal(usd(1n), "< $0.01");
  assert.equal(percent(25n * 10n ** 16n), "25.00 %");
  assert.equal(distance(100n + 3n * 86_400n, 100n), "in 3 days");
});

test("limits are rounded as the contracts round", () => {
  assert.equal(most(1000n, 10n ** 15n), 1001n);
  assert.equal(most(1001n, 10n ** 15n), 1003n); // up
  assert.equal(least(1001n, 10n ** 15n), 999n); // down
});

test("names are one line without hidden marks", () => {
  assert.equal(plain("A\u202eB\u200b\nC"), "A B C");
  assert.equal(plain("x".repeat(50), 5), "xxxx…");
});

const holding = (n: number, balance: bigint, price: bigint, more = {}) => ({
  token: T(n),
  decimals: 18,
  suspendedUntil: 0,
  writtenOff: false,
  sound: true,
  balance,
  price,
  tradePrice: price,
  target: { side: 0, unit: 0n, price: 0n },
  ...more,
});
const fundOf = (holdings: any[], more = {}): any => ({
  time: 1000n,
  supply: 10n * WAD,
  shares: 0n,
  month: { phase: 0 },
  holdings,
  ...more,
});

test("what does not count is not in NAV", () => {
  const sound = holding(1, 10n * WAD, 2n * WAD);
  const out = [{ writtenOff: true }, { suspendedUntil: 1001 }, { sound: false }, { price: 0n }].map((more, i) =>
    holding(2 + i, WAD, WAD, more),
  );
  assert.equal(navOf(fundOf([sound, ...out])), 2n * WAD);
  assert.equal(navOf(fundOf([sound, holding(9, WAD, WAD, { suspendedUntil: 1000 })])), 21n * 10n ** 17n);
  assert.equal(navOf(fundOf([], { supply: 0n })), 0n);
  const shown = weights(fundOf([sound, ...out]), []);
  assert.deepEqual(shown.map((w) => w.trouble).sort(), [
    "",
    "balance not readable",
    "no price now",
    "suspended",
    "written off",
  ]);
});

test("the most that can be minted is never one wei too much", () => {
  const fund = fundOf([holding(1, 7n * WAD, WAD), holding(2, 3n, WAD)]);
  const held = [5n * WAD + 3n, 2n];
  const shares = mostMintable(fund, held);
  const due = (h: any, s: bigint) => (h.balance * s + fund.supply - 1n) / fund.supply;
  assert.ok(fund.holdings.every((h: any, i: number) => due(h, shares) <= held[i]!));
  assert.ok(fund.holdings.some((h: any, i: number) => due(h, shares + 1n) > held[i]!));
  assert.equal(roomBelowCap(fund, 12n), 2n * WAD);
  assert.equal(roomBelowCap(fund, 9n), 0n);
});

const day = 86_400;
const at = (...parts: number[]) => Date.UTC(parts[0]!, parts[1]! - 1, parts[2], parts[3] ?? 0) / 1000;
const april = 2021 * 12 + 3;
const months = {
  length: 1,
  day: 0,
  fixedDay: 0,
  notice: 7 * day,
  minNotice: 2 * day,
  minTrading: 2 * day,
  begins: at(2021, 3, 25),
  first: april,
};
const quarters = { ...months, length: 3, begins: at(2021, 6, 24), first: april + 3 };
const weeks = { ...quarters, length: 7 * day, notice: 2 * day };

test("the calendar is the contracts'", () => {
  const execution = (id: number, fields: object) => Number(periodOf(id, [{ ...months, ...fields }]).execution);
  assert.equal(execution(april, {}), at(2021, 4, 1)); // a Thursday
  assert.equal(execution(april + 1, {}), at(2021, 5, 3)); // the 1st is a Saturday
  assert.equal(execution(april + 4, {}), at(2021, 8, 2)); // the 1st is a Sunday
  assert.equal(execution(april, { day: 1 }), at(2021, 3, 31));
  assert.equal(execution(april, { day: 2, fixedDay: 15 }), at(2021, 4, 15));
  assert.deepEqual(periodOf(april + 1, [months]), {
    start: BigInt(at(2021, 4, 24)),
    end: BigInt(at(2021, 5, 25)),
    execution: BigInt(at(2021, 5, 3)),
  });
});

test("a period has the name of its timetable", () => {
  const tables = [months, quarters];
  assert.equal(periodName(april, tables), "April 2021");
  assert.equal(periodName(BigInt(april + 3), tables), "July to September 2021");
  assert.equal(periodName(april + 5, tables), "January to March 2022");
  assert.equal(periodName(april + 4, [months, weeks]), "1 July 2021");
  assert.equal(periodName(april + 3, [months, { ...weeks, length: 7_200 }]), "24 June 2021 00:00 UTC");
  const autumn = { ...quarters, begins: at(2021, 10, 25) };
  assert.equal(periodName(april + 3, [months, autumn]), "November 2021 to January 2022");
});

test("the period before a change lasts until then", () => {
  const later = { ...weeks, begins: at(2021, 7, 10) };
  assert.equal(periodOf(april + 2, [months, later]).end, BigInt(later.begins));
  assert.equal(periodOf(april + 3, [months, later]).start, BigInt(later.begins));
  assert.deepEqual(timetablesOf({ timetable: months, former: { ...months, length: 0 } }), [months]);
  assert.deepEqual(withTimetable(withTimetable([months], quarters), later), [months, later]); // replaced
});

const rule: any = {
  cap: 1,
  capWeight: 25n * 10n ** 16n,
  capPasses: 1,
  floorWeight: 10n ** 16n,
  entryWeight: 2n * 10n ** 16n,
  topN: 3,
};
const candidate = (n: number, basis: bigint, more = {}): any => ({
  token: T(n),
  basis,
  status: 0,
  flags: 0,
  price: WAD,
  weight: 0n,
  confirmed: 0n,
  member: true,
  ...more,
});

test("weights are capped as the rule says", () => {
  // docs/contracts/market-cap.md: three at 60, 24 and 16 % become 25, 45 and 30 %.
  const list = [candidate(1, 60n), candidate(2, 24n), candidate(3, 16n)];
  const after = (r: any) => list.map((c) => weigh(list, r).of.get(c.token)!.capped / 10n ** 14n);
  assert.deepEqual(after(rule), [2500n, 4500n, 3000n]);
  assert.deepEqual(after({ ...rule, capPasses: 2 }), [3333n, 3333n, 3333n]);
  assert.deepEqual(after({ ...rule, cap: 0 }), [6000n, 2400n, 1600n]);
});

test("each candidate has its reason", () => {
  const list = [
    candidate(1, 60n),
    candidate(2, 24n),
    candidate(3, 16n),
    candidate(4, 0n, { status: 3, flags: 64, basis: 1n }),
    candidate(5, 5n, { status: 3, flags: 8, price: 0n }),
    candidate(6, 3n, { status: 3, flags: 32 }),
  ];
  const found = new Map(reasons(list, rule).map((r) => [r.token, r]));
  assert.match(found.get(T(1))!.words.join(" "), /above the cap of 25 %/);
  assert.match(found.get(T(2))!.words.join(" "), /in proportion/);
  assert.match(found.get(T(4))!.words.join(" "), /needs 1.00 %/);
  assert.match(found.get(T(5))!.words.join(" "), /no price/);
  assert.match(found.get(T(6))!.words.join(" "), /3 largest/);
});

test("every error of the contracts has words and a remedy, with its arguments in place", () => {
  for (const entry of errors) {
    const args = entry.inputs.map((i) =>
      i.type === "address"
        ? T(7)
        : i.type === "bytes32"
          ? `0x${"00".repeat(32)}`
          : i.type === "bytes"
            ? "0x"
            : i.type === "string"
              ? "s"
              : i.type === "uint8"
                ? 1
                : 1_600_000n,
    );
    const data = encodeErrorResult({ abi: [entry], errorName: entry.name, args } as any);
    const found = refusalOf(data, naming);
    assert.equal(found?.name, entry.name);
    assert.ok(found!.what.length > 10 && found!.remedy.length > 10, entry.name);
    assert.doesNotMatch(found!.what + found!.remedy, /[{}]|undefined|NaN/, entry.name);
  }
  const names = new Set<string>(errors.map((e) => e.name));
  assert.ok(names.size > 100 && [...names].every((name) => name in TABLE));
  const data = encodeErrorResult({ abi: errors, errorName: "AboveMax", args: [T(7), 1_600_000n, 1_500_000n] });
  assert.equal(refusalOf(data, naming)!.what, "The fund now asks for 1.60000 ABC, more than your limit of 1.50000.");
});

test("a revert is found wherever a node or a wallet puts it", () => {
  const data = encodeErrorResult({ abi: errors, errorName: "Locked" });
  for (const error of [
    { data },
    { cause: { cause: { data } } },
    { data: { data } },
    { data: { originalError: { data } } },
  ]) {
    assert.equal(refusalIn(error, naming)?.name, "Locked");
  }
  const old = `0x08c379a0${"20".padStart(64, "0")}${"3".padStart(64, "0")}${"616263".padEnd(64, "0")}`;
  assert.match(refusalIn({ data: old }, naming)!.what, /abc/);
  assert.match(refusalIn({ data: "0xdeadbeef" }, naming)!.what, /does not know \(0xdeadbeef\)/);
  assert.equal(refusalIn({ details: "insufficient funds for gas" }, naming)?.name, "funds");
  assert.equal(refusalIn({ name: "HttpRequestError", message: "fetch failed" }, naming), null);
});

test("legs are packed as the zap reads them", () => {
  const of = (venue: number, fee = 0) => ({ venue, fee, pool: null });
  assert.equal(packed(of(Venue.UniswapV2, 3000)), 1 << 24); // V2 asks for no fee
  assert.equal(packed(of(Venue.UniswapV3, 500)), (3 << 24) + 500);
  assert.equal(
    packedAll([of(Venue.SushiSwapV2), of(Venue.UniswapV3, 3000), of(Venue.InKind)]),
    "0x0200000003000bb804000000",
  );
});

test("pools are quoted as they swap", () => {
  const [weth, token] = [10n ** 20n, 10n ** 21n];
  const cost = intoFor(10n ** 18n, weth, token)!;
  // So much in brings it, and one wei less does not.
  assert.ok(outOf(cost, weth, token) >= 10n ** 18n);
  assert.ok(outOf(cost - 1n, weth, token) < 10n ** 18n);
  assert.equal(intoFor(token, weth, token), null);
  assert.equal(outOf(1n, 0n, 0n), 0n);
});

const leg = { venue: Venue.UniswapV2, fee: 0, pool: T(9) };

test("what a swap loses is its fee and its impact", () => {
  const price = { token: 10n ** 21n, weth: 10n ** 20n };
  for (const wish of [
    { token: T(1), amount: 10n ** 18n, buys: true, out: true },
    { token: T(1), amount: 10n ** 18n, buys: false, out: false },
  ]) {
    const swap = swapV2(wish, leg, price)!;
    const weth = swap.buys ? swap.paid : swap.received;
    const fair = 10n ** 17n; // a tenth of the amount
    const lost = swap.buys ? weth - fair : fair - weth;
    assert.equal(swap.fees + swap.impact, lost);
    assert.equal(swap.fees, ((swap.buys ? weth : fair) * 3n) / 1000n);
    assert.ok(swap.impact > 0n && swap.impact < lost);
  }
  assert.equal(swapV2({ token: T(1), amount: price.token, buys: true, out: true }, leg, price), null);
});

test("pools stand where mainnet has them", () => {
  const weth = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";
  const usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
  const exchanges = {
    uniswap_v2: "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
    uniswap_v2_code: "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
    sushiswap_v2: "0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac",
    sushiswap_v2_code: "0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303",
    uniswap_v3: "0x1F98431c8aD98523631AE4a59f267346ea31F984",
    uniswap_v3_code: "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
  };
  const book = { weth, swaps: { exchanges, v3_fees: [500], gas: null } } as unknown as Book;
  assert.deepEqual(
    poolsOf(book, usdc).map((found) => found.pool),
    [
      "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc",
      "0x397FF1542f962076d0BFE58eA045FfA2d347ACa0",
      "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
    ],
  );
  assert.deepEqual(poolsOf({ ...book, swaps: null }, usdc), []);
});

test("a fund is found by its address or its name", () => {
  const book = (fund: string, chain_id: number, token: number) =>
    ({ fund, chain_id, contracts: { index_token: T(token) } }) as unknown as Book;
  const all = [book("Core", 1, 0xabc), book("Core", 8453, 0xabc), book("Edge", 1, 0xdef)];
  const found = (wanted: string) => booksFor(wanted, all).map((b) => all.indexOf(b));
  assert.deepEqual(found("edge"), [2]);
  assert.deepEqual(found(` ${T(0xdef).toUpperCase().replace("0X", "0x")} `), [2]);
  assert.deepEqual(found(T(0xabc)), [0, 1]);
  assert.deepEqual(found(`8453:${T(0xabc)}`), [1]);
  assert.deepEqual(found("1:core"), [0]);
  for (const unknown of ["", ":", "1:", T(1), "137:core", "co", "core\n:"]) {
    assert.deepEqual(found(unknown), [], unknown);
  }
  assert.deepEqual(
    all.map((b) => found(nameOf(b))),
    [[0], [1], [2]],
  );
});

test("a permit is offered where the token's own separator says so", () => {
  const token = T(7);
  const name = "USD Coin";
  const domain = (more: object) => ({ name, chainId: 1, verifyingContract: token, ...more });
  const said = (d: object, more: Partial<Said> = {}): Said => ({
    separator: domainSeparator({ domain: d as any }),
    type: null,
    name,
    version: null,
    domain: null,
    ...more,
  });
  // USDC's way, the usual "1" that is told nowhere, and UNI's without a version.
  assert.deepEqual(domainOf(said(domain({ version: "2" }), { version: "2" }), token, 1), domain({ version: "2" }));
  assert.deepEqual(domainOf(said(domain({ version: "1" })), token, 1), domain({ version: "1" }));
  assert.deepEqual(domainOf(said(domain({})), token, 1), domain({}));
  // ERC-5267: the fields that it names, a name that differs from name().
  const told = {
    fields: "0x0f" as const,
    name: "Other",
    version: "3",
    chainId: 1n,
    verifyingContract: token,
    salt: `0x${"00".repeat(32)}` as const,
    extensions: [],
  };
  const other = domain({ name: "Other", version: "3" });
  assert.deepEqual(domainOf(said(other, { domain: told }), token, 1), other);
  assert.equal(domainOf(said(other, { domain: { ...told, extensions: [1n] } }), token, 1), null);
  // Nothing fits, nothing is said, another chain's or contract's, DAI's type.
  assert.equal(domainOf(said(domain({ version: "2" })), token, 1), null);
  assert.equal(domainOf(said(domain({}), { separator: null }), token, 1), null);
  assert.equal(domainOf(said(domain({}), { name: null }), token, 1), null);
  assert.equal(domainOf(said(domain({ version: "1", chainId: 5 })), token, 1), null);
  assert.equal(domainOf(said(other, { domain: told }), token, 5), null);
  const dai = "0xea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb";
  assert.equal(domainOf(said(domain({ version: "1" }), { type: dai }), token, 1), null);
});

test("a signature becomes a permit, others do not", () => {
  const rs = "ab".repeat(32) + "cd".repeat(32);
  assert.deepEqual(permitOf(`0x${rs}1c`, 5n), {
    deadline: 5n,
    v: 28,
    r: `0x${"ab".repeat(32)}`,
    s: `0x${"cd".repeat(32)}`,
  });
  assert.equal(permitOf(`0x${rs}00`, 5n)?.v, 27);
  assert.equal(permitOf(`0x${rs}1c00`, 5n), null);
});

test("what the timelock calls is written out", () => {
  const data = encodeFunctionData({ abi: ownerCalls, functionName: "setSupplyCap", args: [5] });
  assert.equal(callText(data), "setSupplyCap(wholeShares: 5)");
  assert.equal(callText("0xdeadbeef"), "unknown call 0xdeadbeef");
});

test("logs are asked for in ranges where a node refuses the whole", async () => {
  const asked: [bigint, bigint][] = [];
  const ask = async (from: bigint, to: bigint) => {
    if (to - from >= 10_000n) throw new Error("too wide");
    asked.push([from, to]);
    return [from];
  };
  assert.deepEqual(await allLogs(5n, 60_007n, ask), [5n, 10_005n, 20_005n, 30_005n, 40_005n, 50_005n, 60_005n]);
  assert.ok(asked.every(([from, to], i) => from === (i ? asked[i - 1]![1] + 1n : 5n) && to <= 60_007n));
  assert.equal(asked.at(-1)![1], 60_007n);
});

test("no cell is a formula", () => {
  assert.equal(cell("=1+1"), "'=1+1");
  assert.equal(cell('a"b,c'), '"a""b,c"');
});
