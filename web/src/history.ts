/** NAV a share over time, and what an account did with its shares. */

import { type Address, erc20Abi, type Hex, parseEventLogs, zeroAddress } from "viem";
import { indexToken } from "./abi.js";
import type { Book } from "./books.js";
import { allLogs, getLogs, readFund, timeOf } from "./chain.js";
import type { Reader } from "./reader.js";
import { navOf, same } from "./fund.js";
import type { Month } from "./months.js";

export interface Sample {
  time: bigint;
  /** USD with 18 decimals. */
  nav: bigint;
}

const SAMPLES = 32n;

/** NAV at blocks spread evenly over the fund's life. A node without the past answers for none or some of them: then the
 * months' starts, whose events say NAV, stand in. */
export async function readNav(
  client: Reader,
  book: Book,
  latest: bigint,
  months: readonly Month[],
): Promise<{ samples: Sample[]; whole: boolean }> {
  const first = BigInt(book.deployed_block);
  const count = latest - first < SAMPLES ? latest - first : SAMPLES;
  const blocks = Array.from({ length: Number(count) }, (_, i) => first + ((latest - first) * BigInt(i + 1)) / count);
  const asked = await Promise.allSettled(blocks.map((block) => readFund(client, book, block)));
  const answered = asked.flatMap((a) => (a.status === "fulfilled" ? [a.value] : []));
  const found = answered.filter((fund) => fund.supply > 0n).map((fund) => ({ time: fund.time, nav: navOf(fund) }));
  const whole = found.length * 2 > blocks.length;
  if (!whole) {
    for (const month of months) {
      if (month.started !== null && month.nav !== null)
        found.push({ time: await timeOf(client, month.started), nav: month.nav });
    }
  }
  return { samples: byTime(found.filter((sample) => sample.nav > 0n)), whole };
}

function byTime(samples: Sample[]): Sample[] {
  return samples.sort((a, b) => (a.time < b.time ? -1 : 1));
}

export interface Deed {
  what: "Minted" | "Redeemed" | "Received" | "Sent";
  shares: bigint;
  block: bigint;
  time: bigint;
  transaction: Hex;
}

/** What changed an account's shares, the newest first. */
export async function readDeeds(client: Reader, book: Book, account: Address, to: bigint): Promise<Deed[]> {
  const address = book.contracts.index_token;
  const ask = (args: { from: Address } | { to: Address }) =>
    allLogs(BigInt(book.deployed_block), to, (fromBlock, toBlock) =>
      getLogs(client, { address, event: erc20Abi[1], args, fromBlock, toBlock }),
    );
  const logs = parseEventLogs({
    abi: indexToken,
    logs: (await Promise.all([ask({ from: account }), ask({ to: account })])).flat(),
  });
  const deeds = await Promise.all(
    logs.map(async (log): Promise<Deed | null> => {
      if (log.eventName !== "Transfer" || same(log.args.from, log.args.to)) return null;
      const incoming = same(log.args.to, account);
      const what = incoming
        ? log.args.from === zeroAddress
          ? "Minted"
          : "Received"
        : log.args.to === zeroAddress
          ? "Redeemed"
          : "Sent";
      const time = await timeOf(client, log.blockNumber);
      return { what, shares: log.args.value, block: log.blockNumber, time, transaction: log.transactionHash };
    }),
  );
  return deeds.filter((deed) => deed !== null).sort((a, b) => (a.block < b.block ? 1 : -1));
}
