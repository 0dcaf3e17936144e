/** What all parts of the page know. */

import type { Address } from "viem";
import type { Book } from "../books.js";
import type { Fixed, Snapshot, Tokens } from "../chain.js";
import type { Reader } from "../reader.js";
import type { Sample } from "../history.js";
import type { Month } from "../months.js";
import type { Pending } from "../timelock.js";
import type { Connection, Wallet } from "../wallet.js";

export interface App {
  book: Book;
  client: Reader;
  /** The wallet that is read through, where the page's own endpoints did not answer. */
  through: Wallet | null;
  tokens: Tokens;
  fixed: Fixed | null;
  snapshot: Snapshot | null;
  months: Month[] | null;
  pending: Pending[] | null;
  nav: { samples: Sample[]; whole: boolean } | null;
  /** Something of the past was asked for and not answered. */
  unread: boolean;
  wallets: Wallet[];
  connection: Connection | null;
  /** The chain does not answer: what is shown is old. */
  offline: boolean;
  /** How often the chain answered again, or somebody else was asked: what failed before is to be read anew. */
  answers: number;
  /** Reads again, and draws. */
  refresh(): Promise<void>;
  /** From now on the chain is read through a wallet, or null: the page's own endpoints. */
  readThrough(wallet: Wallet | null): Promise<void>;
  connect(): void;
  switchChain(): Promise<void>;
}

export interface View {
  root: HTMLElement;
  /** Draws what has changed. */
  update(): void;
}

/** The account that can send: its wallet is on the fund's chain. */
export function accountOf({ connection, book }: App): Address | null {
  return connection?.chainId === book.chain_id ? connection.account : null;
}
