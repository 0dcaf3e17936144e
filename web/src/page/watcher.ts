/** Looks at the chain as long as somebody looks at the page. */

import { readFixed, readSnapshot } from "../chain.js";
import { readNav } from "../history.js";
import { readMonths } from "../months.js";
import { readerOf } from "../reader.js";
import { inWords } from "../send.js";
import { readPending } from "../timelock.js";
import type { App } from "../view/app.js";
import type { Wallet } from "../wallet.js";

/** Blocks after which the past is read again though nothing has happened. */
const STALE = 50n;

export interface Watcher {
  /** Reads again, or waits for the look that is under way. */
  refresh(): Promise<void>;
  /** From now on the chain is read through a wallet, or null: the page's own endpoints. */
  readThrough(wallet: Wallet | null): Promise<void>;
  /** The first look, and from then on one after the other. */
  start(): void;
}

/** @param draw Called after each look. */
export function watcherOf(app: App, draw: () => void): Watcher {
  const { book } = app;
  let looking: Promise<void> | null = null;
  let timer = 0;
  /** Where the past was read last: its block, phase of the month and progress of trading. */
  let [past, phase, tat] = [0n, -1, -1n];

  async function refresh(): Promise<void> {
    const mine = (looking ??= look().finally(() => {
      if (looking === mine) looking = null;
    }));
    return mine;
  }

  async function look(): Promise<void> {
    const { client } = app;
    try {
      const reads = [readSnapshot(client, book), app.fixed ?? readFixed(client, book)] as const;
      const [snapshot, fixed] = await Promise.all(reads);
      await app.tokens.learn([...snapshot.fund.holdings, ...snapshot.constituents]);
      if (client !== app.client) return;
      if (app.offline) app.answers += 1;
      [app.snapshot, app.fixed, app.offline] = [snapshot, fixed, false];
    } catch (error) {
      if (client !== app.client) return;
      if (!app.offline) console.info(inWords(error));
      app.offline = true;
    }
    draw();
    if (app.snapshot && !app.offline) void later();
  }

  /** What takes the chain longer: after the first figures, and when something has happened. */
  async function later(): Promise<void> {
    const { fund } = app.snapshot!;
    const known = app.months !== null && app.pending !== null;
    if (fund.blockNumber < past + STALE && known && fund.month.phase === phase && fund.progress.tat === tat) return;
    [past, phase, tat] = [fund.blockNumber, fund.month.phase, fund.progress.tat];
    const to = fund.blockNumber;
    app.months = await readMonths(app.client, book, to).catch(() => app.months);
    app.pending = await readPending(app.client, book, to).catch(() => app.pending);
    app.unread = app.months === null || app.pending === null;
    draw();
    const nav = await readNav(app.client, book, to, app.months ?? []).catch(() => null);
    app.nav = nav ?? app.nav;
    app.unread ||= app.nav === null;
    draw();
  }

  async function readThrough(wallet: Wallet | null): Promise<void> {
    app.through = wallet;
    app.client = readerOf(book, wallet?.provider);
    app.answers += 1;
    looking = null; // what the other was asked is of no use any more
    await refresh();
  }

  function poll(): void {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (document.hidden) return;
      void refresh().then(poll);
    }, book.chain.poll_ms);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh().then(poll);
  });
  const start = () =>
    void refresh().then(() => {
      performance.mark("first-figures");
      poll();
    });
  return { refresh, readThrough, start };
}
