/** The page's pure functions; run by tests/unit/web on Node. */

import { encodeErrorResult, encodeFunctionData } from "viem";
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
import { intoFor, outOf, packed, packedAll, Venue, wethFor } from "../src/legs.js";
import { permitOf } from "../src/zap.js";

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
  // docs/contracts.md: three at 60, 24 and 16 % become 25, 45 and 30 %.
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
  const leg = (venue: number, fee = 0) => ({ venue, fee, pool: null });
  assert.equal(packed(leg(Venue.UniswapV2, 3000)), 1 << 24); // V2 asks for no fee
  assert.equal(packed(leg(Venue.UniswapV3, 500)), (3 << 24) + 500);
  assert.equal(
    packedAll([leg(Venue.SushiSwapV2), leg(Venue.UniswapV3, 3000), leg(Venue.InKind)]),
    "0x0200000003000bb804000000",
  );
});

test("pools are quoted as they swap", () => {
  const r = { token: 10n ** 21n, weth: 10n ** 20n };
  const cost = wethFor(10n ** 18n, r)!;
  assert.equal(cost, intoFor(10n ** 18n, r.weth, r.token));
  // So much in brings it, and one wei less does not.
  assert.ok(outOf(cost, r.weth, r.token) >= 10n ** 18n);
  assert.ok(outOf(cost - 1n, r.weth, r.token) < 10n ** 18n);
  assert.equal(wethFor(10n ** 21n, r), null);
  assert.equal(outOf(1n, 0n, 0n), 0n);
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
