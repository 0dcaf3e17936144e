/** What each month traded and what it cost, from events alone. */

import { type Address, erc20Abi, type Hex, parseEventLogs } from "viem";
import { rebalancer } from "./abi.js";
import { exact } from "./amounts.js";
import type { Book } from "./books.js";
import { periodName, type Timetables, withTimetable } from "./calendar.js";
import { allLogs, getLogs, timeOf, type Tokens } from "./chain.js";
import type { Reader } from "./reader.js";
import { same } from "./fund.js";

export interface Batch {
  block: bigint;
  transaction: Hex;
  /** USD with 18 decimals: what left the fund and what came in, at the batch's prices. */
  out: bigint;
  in: bigint;
}

export interface Month {
  period: bigint;
  name: string;
  determined: bigint | null;
  /** Blocks. */
  started: bigint | null;
  ended: bigint | null;
  how: "open" | "closed" | "ended early" | "vetoed" | "skipped" | "not started";
  /** NAV a share at start, USD with 18 decimals. */
  nav: bigint | null;
  batches: Batch[];
  /** Losses as a share of NAV, 18 decimals; null while the month is open. */
  spent: bigint | null;
  tokens: Address[];
}

export function sum(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n);
}

export type RebalancerLog = ReturnType<typeof parseEventLogs<typeof rebalancer, true>>[number];

/** Months in the order in which they came, the newest first. Pure. */
export function monthsOf(logs: readonly RebalancerLog[]): Month[] {
  const months = new Map<bigint, Month>();
  let tables: Timetables = [];
  for (const log of logs) {
    if (log.eventName === "TimetableSet") {
      tables = withTimetable(tables, log.args.timetable);
      continue;
    }
    const { period } = log.args;
    const found: Month = months.get(period) ?? {
      period,
      name: tables.length ? periodName(period, tables) : `period ${period}`,
      determined: null,
      started: null,
      ended: null,
      how: "not started",
      nav: null,
      batches: [],
      spent: null,
      tokens: [],
    };
    months.set(period, found);
    switch (log.eventName) {
      case "Determined":
        found.determined = log.blockNumber;
        found.tokens = log.args.constituents.map((c) => c.token);
        break;
      case "Started":
        [found.started, found.nav, found.how] = [log.blockNumber, log.args.nav, "open"];
        break;
      case "Traded":
        found.batches.push({
          block: log.blockNumber,
          transaction: log.transactionHash,
          out: log.args.result.valueOut,
          in: log.args.result.valueIn,
        });
        break;
      case "Closed":
        [found.ended, found.how, found.spent] = [log.blockNumber, "closed", log.args.spent];
        break;
      case "MonthEnded":
        [found.ended, found.how] = [log.blockNumber, "ended early"];
        break;
      case "Skipped":
        [found.ended, found.how] = [log.blockNumber, "skipped"];
        break;
      case "Vetoed":
        [found.ended, found.how] = [log.blockNumber, "vetoed"];
        break;
    }
  }
  return [...months.values()].reverse();
}

export async function readMonths(client: Reader, book: Book, to: bigint): Promise<Month[]> {
  const logs = await allLogs(BigInt(book.deployed_block), to, (fromBlock, toBlock) =>
    getLogs(client, { address: book.contracts.rebalancer, fromBlock, toBlock }),
  );
  return monthsOf(parseEventLogs({ abi: rebalancer, logs }));
}

export interface Movement {
  batch: Batch;
  time: bigint;
  token: Address;
  /** Token wei: above zero into the fund. */
  change: bigint;
}

/** What the batches of a month moved of each token, from the tokens' Transfer events. */
export async function readMovements(client: Reader, book: Book, month: Month): Promise<Movement[]> {
  const first = month.batches[0],
    last = month.batches.at(-1);
  if (!first || !last) return [];
  const index = book.contracts.index_token;
  const event = erc20Abi[1];
  const ask = (args: { from: Address } | { to: Address }) =>
    allLogs(first.block, last.block, (fromBlock, toBlock) =>
      getLogs(client, { address: month.tokens, event, args, fromBlock, toBlock, strict: true }),
    );
  const logs = (await Promise.all([ask({ from: index }), ask({ to: index })])).flat();
  const found: Movement[] = [];
  for (const batch of month.batches) {
    const time = await timeOf(client, batch.block);
    for (const token of month.tokens) {
      const change = sum(
        logs
          .filter((log) => log.transactionHash === batch.transaction && same(log.address, token))
          .map(
            (log) =>
              (same(log.args.to, index) ? log.args.value : 0n) - (same(log.args.from, index) ? log.args.value : 0n),
          ),
      );
      if (change !== 0n) found.push({ batch, time, token, change });
    }
  }
  return found;
}

/** One line for each token of each batch. Amounts are exact, USD has 18 decimals. */
export function csv(month: Month, movements: readonly Movement[], naming: Tokens["get"]): string {
  const head = "month,block,time_utc,transaction,token,symbol,change,batch_sold_usd,batch_bought_usd";
  const lines = movements.map(({ batch, time, token, change }) => {
    const { symbol, decimals } = naming(token);
    return [
      month.name,
      batch.block,
      new Date(Number(time) * 1000).toISOString(),
      batch.transaction,
      token,
      cell(symbol),
      exact(change, decimals),
      exact(batch.out, 18),
      exact(batch.in, 18),
    ].join(",");
  });
  return [head, ...lines, ""].join("\r\n");
}

/** A text as a cell that no spreadsheet takes for a formula. */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
