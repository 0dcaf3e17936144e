/** One transaction, from its simulation to its block: each turn that it can take is a state that the page shows. */

import { type Address, decodeErrorResult, type Hex, numberToHex, type TransactionReceipt } from "viem";
import { call, getTransaction, getTransactionCount, getTransactionReceipt, getBlock } from "viem/actions";
import { plain, short } from "./amounts.js";
import type { Reader } from "./reader.js";
import { same } from "./fund.js";
import { type Naming, type Refusal, refusalOf } from "./refusals.js";
import { codeOf, type Connection, rejected } from "./wallet.js";

export interface Call {
  to: Address;
  data: Hex;
  value?: bigint;
}

export type Turn =
  | { is: "checking" }
  | { is: "signing" }
  | { is: "sent"; hash: Hex; slow: boolean }
  | { is: "mined"; hash: Hex; receipt: TransactionReceipt; faster: boolean }
  | { is: "refused"; refusal: Refusal }
  | { is: "reverted"; hash: Hex; refusal: Refusal | null }
  | { is: "rejected" }
  | { is: "replaced"; hash: Hex; by: Hex | null }
  | { is: "dropped"; hash: Hex }
  | { is: "offline"; hash: Hex | null }
  | { is: "failed"; why: string };

/** Looks without a word of the transaction before it counts as dropped. */
const MOST_MISSES = 20;
/** Looks after which the page says that it takes long. */
const SLOW = 60;

/** Simulates a call; the refusal if the chain refuses it. Raises where the chain does not answer. */
export async function simulate(
  client: Reader,
  from: Address,
  asked: Call,
  naming: Naming,
  blockNumber?: bigint,
): Promise<Refusal | null> {
  try {
    await call(client, { account: from, ...asked, ...(blockNumber === undefined ? {} : { blockNumber }) });
    return null;
  } catch (error) {
    const refusal = refusalIn(error, naming);
    if (refusal === null) throw error;
    return refusal;
  }
}

/** The refusal that an error carries; null where the node has not answered at all. */
export function refusalIn(error: unknown, naming: Naming): Refusal | null {
  const data = revertData(error);
  if (data !== null && data !== "0x") {
    const known = refusalOf(data, naming);
    if (known) return known;
    try {
      // What older tokens answer: Error(string), Panic(uint256).
      const { errorName, args } = decodeErrorResult({ data, abi: [] });
      const said = plain(String((args as readonly unknown[])[0]), 120);
      return {
        name: errorName,
        what: `A token refused it: “${said}”.`,
        remedy: "Look whether you hold enough of each token and have approved it.",
      };
    } catch {
      return {
        name: "unknown",
        what: `A contract refused it with an error that this page does not know (${data.slice(0, 10)}).`,
        remedy: "It may be a token's own. Look whether you hold enough of each and have approved it.",
      };
    }
  }
  const text = messages(error);
  if (/insufficient funds|exceeds (the )?balance|OutOfFunds/i.test(text)) {
    return {
      name: "funds",
      what: "The account does not hold enough ETH for this and its gas.",
      remedy: "Add ETH to the account, or choose a smaller amount.",
    };
  }
  if (data === "0x" || /revert/i.test(text)) {
    return {
      name: "bare",
      what: "A contract refused it without saying why.",
      remedy: "Look whether you hold enough of each token and have approved it.",
    };
  }
  return null;
}

function revertData(error: unknown): Hex | null {
  for (let e = error as any, depth = 0; e && depth < 10; depth += 1) {
    const data = typeof e.data === "object" && e.data !== null ? (e.data.data ?? e.data.originalError?.data) : e.data;
    if (typeof data === "string" && /^0x([0-9a-f]{2})*$/i.test(data)) return data as Hex;
    e = e.cause;
  }
  return null;
}

function messages(error: unknown): string {
  const found: string[] = [];
  for (let e = error as any, depth = 0; e && depth < 10; depth += 1) {
    found.push(String(e.details ?? ""), String(e.shortMessage ?? e.message ?? ""));
    e = e.cause;
  }
  return found.join(" ");
}

/** Why the wallet or the chain did not do it, in words. */
export function inWords(error: unknown): string {
  if (codeOf(error) === -32002) return "The wallet has a question open already: look at it there.";
  return plain((error as any)?.shortMessage ?? (error as any)?.message ?? String(error), 160);
}

/** Gas for a call, a quarter above the estimate: what a call needs at its deepest is more than what it uses, and balances
 * move until its block. Null where the node does not say; then the wallet decides. */
async function gasOf(client: Reader, from: Address, { to, data, value }: Call): Promise<bigint | null> {
  try {
    const params = [{ from, to, data, ...(value ? { value: numberToHex(value) } : {}) }] as const;
    return (BigInt(await client.request({ method: "eth_estimateGas", params: [...params] })) * 5n) / 4n;
  } catch {
    return null;
  }
}

/** Simulates, has it signed, and watches until it is mined or never will be; says each turn, and answers the last. */
export async function carry(
  client: Reader,
  on: Connection,
  asked: Call,
  naming: Naming,
  say: (turn: Turn) => void,
  stopped: () => boolean = () => false,
): Promise<Turn> {
  const done = (turn: Turn): Turn => (say(turn), turn);
  say({ is: "checking" });
  let [nonce, gas] = [0, null as bigint | null];
  try {
    const [refusal, next, needed] = await Promise.all([
      simulate(client, on.account, asked, naming),
      getTransactionCount(client, { address: on.account, blockTag: "pending" }),
      gasOf(client, on.account, asked),
    ]);
    if (refusal) return done({ is: "refused", refusal });
    [nonce, gas] = [next, needed];
  } catch {
    return done({ is: "offline", hash: null });
  }
  say({ is: "signing" });
  let hash: Hex;
  try {
    // Asked anew: on another chain the same address may be anybody's.
    const chain = Number(await on.wallet.provider.request({ method: "eth_chainId" }));
    if (chain !== client.chain.id)
      return done({ is: "failed", why: `it is on chain ${chain}, this fund is on ${client.chain.id}.` });
    const { to, data, value } = asked;
    const sent = {
      from: on.account,
      to,
      data,
      ...(value ? { value: numberToHex(value) } : {}),
      ...(gas ? { gas: numberToHex(gas) } : {}),
    };
    hash = await on.wallet.provider.request({ method: "eth_sendTransaction", params: [sent] });
  } catch (error) {
    if (rejected(error)) return done({ is: "rejected" });
    const refusal = refusalIn(error, naming);
    return done(refusal ? { is: "refused", refusal } : { is: "failed", why: inWords(error) });
  }
  say({ is: "sent", hash, slow: false });
  return done(await watch(client, on.account, asked, hash, nonce, naming, say, stopped));
}

async function watch(
  client: Reader,
  from: Address,
  asked: Call,
  first: Hex,
  expected: number,
  naming: Naming,
  say: (turn: Turn) => void,
  stopped: () => boolean,
): Promise<Turn> {
  let [hash, nonce, misses, errors] = [first, expected, 0, 0];
  for (let looks = 0; !stopped(); looks += 1) {
    try {
      const receipt = await getTransactionReceipt(client, { hash }).catch(absent);
      if (receipt) {
        if (receipt.status === "success") return { is: "mined", hash, receipt, faster: hash !== first };
        const refusal = await simulate(client, from, asked, naming, receipt.blockNumber - 1n).catch(() => null);
        return { is: "reverted", hash, refusal };
      }
      const known = await getTransaction(client, { hash }).catch(absent);
      if (known) [nonce, misses] = [known.nonce, 0];
      else {
        misses += 1;
        if ((await getTransactionCount(client, { address: from, blockTag: "latest" })) > nonce) {
          // Its number is used. It may have been mined between the two questions; else another one was.
          if (!(await getTransactionReceipt(client, { hash }).catch(absent))) {
            const other = await replacement(client, from, nonce);
            const alike = other !== null && other.to !== null && same(other.to, asked.to) && other.input === asked.data;
            if (!alike) return { is: "replaced", hash: first, by: other?.hash ?? null };
            hash = other.hash; // the same call, sent again with a higher fee
          }
        } else if (misses >= MOST_MISSES) return { is: "dropped", hash };
      }
      errors = 0;
    } catch {
      errors += 1;
      if (errors >= 5) return { is: "offline", hash };
    }
    if (looks === SLOW) say({ is: "sent", hash, slow: true });
    await new Promise((resolve) => setTimeout(resolve, client.pollingInterval));
  }
  return { is: "sent", hash, slow: true };
}

function absent(error: unknown): null {
  if (/not be found|not found/i.test(messages(error))) return null;
  throw error;
}

/** The transaction of this number among the last blocks; null where it is not there. */
async function replacement(client: Reader, from: Address, nonce: number) {
  const latest = await getBlock(client, { includeTransactions: true });
  for (let block = latest, depth = 0; depth < 10; depth += 1) {
    const found = block.transactions.find((t) => same(t.from, from) && t.nonce === nonce);
    if (found) return found;
    if (block.number === 0n) return null;
    block = await getBlock(client, { blockNumber: block.number - 1n, includeTransactions: true });
  }
  return null;
}

/** What is to be said of a transaction that the wallet sent again, with a higher fee; else nothing. */
export function spedUp(turn: Turn): string {
  return turn.is === "mined" && turn.faster ? "It was mined as you sent it again, with a higher fee." : "";
}

/** A turn in words for a person; `what` is what the transaction does, such as "Mint 2.5 shares". */
export function describe(
  turn: Turn,
  what: string,
): { tone: "busy" | "good" | "bad" | "plain"; text: string; remedy: string } {
  switch (turn.is) {
    case "checking":
      return { tone: "busy", text: "Trying it out on the chain before you sign…", remedy: "" };
    case "signing":
      return {
        tone: "busy",
        text: `Confirm in your wallet: ${what}.`,
        remedy: "It has been tried out and goes through as things stand.",
      };
    case "sent":
      return {
        tone: "busy",
        text: `Sent, waiting for a block (${short(turn.hash)}).`,
        remedy: turn.slow ? "It takes long. Your wallet can speed it up or cancel it; this page follows." : "",
      };
    case "mined":
      return {
        tone: "good",
        text: `Done: ${what}.`,
        remedy: spedUp(turn),
      };
    case "refused":
      return { tone: "bad", text: turn.refusal.what, remedy: `${turn.refusal.remedy} Nothing was sent.` };
    case "reverted":
      return {
        tone: "bad",
        text: turn.refusal
          ? `Refused on chain: ${turn.refusal.what}`
          : "Refused on chain: something changed before its block.",
        remedy: `${turn.refusal?.remedy ?? "Look at the figures and try again."} Only gas was spent.`,
      };
    case "rejected":
      return { tone: "plain", text: "You declined it in your wallet.", remedy: "Nothing was sent." };
    case "replaced":
      return {
        tone: "bad",
        text: "Your wallet sent another transaction in its place.",
        remedy: `This one will not happen${turn.by ? `; ${short(turn.by)} did` : ""}.`,
      };
    case "dropped":
      return {
        tone: "bad",
        text: "The network has lost the transaction: it waits nowhere.",
        remedy: "Look into your wallet. If it is not listed there, try again, perhaps with a higher fee.",
      };
    case "offline":
      return {
        tone: "bad",
        text: "The chain does not answer.",
        remedy: turn.hash
          ? `The transaction ${short(turn.hash)} was sent; look in your wallet what became of it.`
          : "Nothing was sent. Try again in a moment.",
      };
    case "failed":
      return { tone: "bad", text: `The wallet did not do it: ${turn.why}`, remedy: "" };
  }
}
