/** What stands between a holder and a transaction, the first thing first, in words and with a remedy. Pure. */

import type { Address } from "viem";
import { amount, tidy, when } from "../../amounts.js";
import type { Snapshot } from "../../chain.js";
import { type Fund, roomBelowCap, suspended, UNTIL_ENDED } from "../../fund.js";
import type { MintPlan, RedeemPlan } from "../../kind.js";
import type { Naming } from "../../refusals.js";
import { refusalIn } from "../../send.js";
import { NoWay, type Quote } from "../../zap.js";
import type { App } from "../app.js";
import { lacks, type Purse, takenOf, type Terms, unsoldOf } from "./terms.js";

export interface Blocker {
  text: string;
  remedy: string;
  action?: { label: string; act: () => void };
  /** Approvals that are missing, where nothing else is. */
  approvals?: number;
}

/** Nothing is entered, or it has not been read yet: nothing can be sent, and there is nothing to say. */
export const NOTHING_YET: Blocker = { text: "", remedy: "" };

export function symbolsOf(tokens: readonly Address[], naming: Naming): string {
  return tokens.map((token) => naming(token).symbol).join(", ");
}

/** The tokens whose bits are set. */
export function tokensAt(tokens: readonly Address[], bits: bigint): Address[] {
  return tokens.filter((_, i) => (bits >> BigInt(i)) & 1n);
}

/** What a question to the chain that failed says of it: no pool, a refusal, or that nothing was answered. */
export function blockerOf(error: unknown, naming: Naming): Blocker {
  if (error instanceof NoWay)
    return {
      text: `No pool that this fund’s zap knows has enough ${symbolsOf(error.tokens, naming)} for that.`,
      remedy: "Enter fewer shares, or choose another way.",
    };
  const refusal = refusalIn(error, naming);
  return refusal
    ? { text: refusal.what, remedy: refusal.remedy }
    : { text: "The chain does not answer.", remedy: "Try again in a moment." };
}

/** What stands between an account and any transaction: no wallet, another chain, no answer. */
export function before(app: App, what: string): Blocker | null {
  if (app.offline)
    return {
      text: "The chain does not answer.",
      remedy: "What you see may be old; nothing can be sent until it answers again.",
    };
  if (app.connection === null)
    return {
      text: `Connect a wallet to ${what}.`,
      remedy: "Nothing is signed by connecting.",
      action: { label: "Connect a wallet", act: app.connect },
    };
  const { chain, chain_id } = app.book;
  if (app.connection.chainId !== chain_id) {
    return {
      text: `Your wallet is on another chain (number ${app.connection.chainId}).`,
      remedy: `This fund is on ${chain.name} (number ${chain_id}).`,
      action: { label: `Switch to ${chain.name}`, act: () => void app.switchChain() },
    };
  }
  return null;
}

/* WHAT SEVERAL FORMS ASK */

function aboveCap(shares: bigint, { fund, cap }: Snapshot): Blocker | null {
  const room = roomBelowCap(fund, cap);
  if (shares <= room) return null;
  return {
    text: room ? `The fund's cap leaves room for ${tidy(room)} shares.` : "The fund's cap is reached.",
    remedy: "Mint fewer shares, or wait until others redeem or the cap is raised.",
  };
}

/** @param end A sentence on when it ends. */
function stoppedBy(tokens: readonly Address[], naming: Naming, end = ""): Blocker | null {
  if (tokens.length === 0) return null;
  return {
    text: `Nobody can mint now: ${symbolsOf(tokens, naming)} ${tokens.length === 1 ? "is" : "are"} suspended or cannot be read.`,
    remedy: `Wait until that has ended.${end} You can redeem at any time.`,
  };
}

function moreThanHeld(shares: bigint, held: bigint): Blocker | null {
  if (shares <= held) return null;
  return held
    ? { text: `You hold ${tidy(held)} shares, fewer than that.`, remedy: "Enter fewer, or choose All." }
    : { text: "You hold no shares.", remedy: "Mint some first." };
}

/* IN KIND */

/** The places of the components that the fund may not take enough of yet. */
export function unapproved({ tokens, allowed, limits }: MintPlan): number[] {
  return tokens.flatMap((_, i) => ((allowed[i] ?? 0n) < limits[i]! ? [i] : []));
}

function endOfSuspension(fund: Fund): string {
  const until = fund.holdings.filter((x) => suspended(fund, x)).map((x) => x.suspendedUntil);
  const last = Math.max(...until);
  return until.length && last < UNTIL_ENDED ? ` It ends on ${when(last)} if nobody lengthens it.` : "";
}

export function mintBlocker(plan: MintPlan, snapshot: Snapshot, naming: Naming): Blocker | null {
  const stopping = tokensAt(plan.tokens, plan.blocked);
  const found = stoppedBy(stopping, naming, endOfSuspension(snapshot.fund)) ?? aboveCap(plan.shares, snapshot);
  if (found) return found;
  const short = plan.tokens.filter((_, i) => plan.held[i]! < plan.amounts[i]!);
  if (short.length)
    return {
      text: `You hold too little of ${symbolsOf(short, naming)}.`,
      remedy: "The list says how much is missing. Mint fewer shares, or get more of it first.",
    };
  const approvals = unapproved(plan).length;
  if (approvals)
    return {
      text: `${approvals} approval${approvals === 1 ? " is" : "s are"} missing.`,
      remedy: "Each lets the fund take what this mint may take of that token, and no more.",
      approvals,
    };
  return null;
}

/** @param held Shares of the account; null where they have not been read.
 * @param open Bit i: component i cannot be paid, and the holder does not leave it behind. */
export function redeemBlocker(plan: RedeemPlan, held: bigint | null, open: bigint, naming: Naming): Blocker | null {
  const found = held === null ? null : moreThanHeld(plan.shares, held);
  if (found || !open) return found;
  return {
    text: `${symbolsOf(tokensAt(plan.tokens, open), naming)} cannot be paid now.`,
    remedy:
      "Wait until it moves again; or tick in the list that you leave it behind, which gives it up to the other holders for good.",
  };
}

/* BY THE ZAP */

/** A zap as it stands on the screen. */
export interface Zapping {
  quote: Quote;
  purse: Purse;
  terms: Terms;
  snapshot: Snapshot;
  /** The holder takes as it is what no pool takes. */
  takesUnsold: boolean;
}

export function zapBlocker(zap: Zapping, naming: Naming): Blocker | null {
  const found = zap.terms.minting ? zapMintBlocker(zap, naming) : zapRedeemBlocker(zap, naming);
  return found ?? feeBlocker(zap) ?? approvalBlocker(zap);
}

function zapMintBlocker({ quote, purse, terms, snapshot }: Zapping, naming: Naming): Blocker | null {
  const { fund } = snapshot;
  const stopping = fund.holdings.filter((x) => suspended(fund, x) || (!x.writtenOff && !x.sound)).map((x) => x.token);
  const found = aboveCap(quote.shares, snapshot) ?? stoppedBy(stopping, naming);
  if (found || purse.pays >= quote.limit) return found;
  return {
    text: `You hold ${amount(purse.pays, terms.decimals)} ${terms.unit}, less than the most that it may cost.`,
    remedy: `Add ${terms.unit}, or mint fewer shares.`,
  };
}

function zapRedeemBlocker({ quote, purse, takesUnsold }: Zapping, naming: Naming): Blocker | null {
  const found = moreThanHeld(quote.shares, purse.shares);
  if (found) return found;
  const unsold = unsoldOf(quote);
  if (unsold.length && !takesUnsold)
    return {
      text: `No pool takes ${symbolsOf(unsold, naming)} in that amount.`,
      remedy: "Tick that you take as it is what no pool takes; or enter fewer shares.",
    };
  return quote.expected === 0n ? { text: "That would bring nothing.", remedy: "Choose in kind." } : null;
}

/** The network's fee, beside what is paid in ETH. */
function feeBlocker({ quote, purse, terms }: Zapping): Blocker | null {
  const { minting, pay, currency } = terms;
  const fee = quote.gas * quote.gasPrice;
  const paysEth = minting && !pay;
  if (purse.eth >= fee + (paysEth ? quote.limit : 0n)) return null;
  return {
    text: `You hold ${amount(purse.eth, 18)} ${currency}, too little for the network’s fee${paysEth ? " beside that" : ""}.`,
    remedy: `About ${amount(fee, 18, true)} ${currency} goes to the network. Add some${minting ? ", or mint fewer shares" : ""}.`,
  };
}

function approvalBlocker({ quote, purse, terms }: Zapping): Blocker | null {
  const taken = takenOf(quote, terms);
  if (!taken || !lacks(purse, taken) || purse.domain) return null;
  return { text: "One approval is missing.", remedy: `It lets the zap take at most ${taken.text}.` };
}
