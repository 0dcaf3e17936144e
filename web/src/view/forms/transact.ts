/** What a zap's form does once its button is pressed: an approval, or a permit and the transaction. */

import { amount, tidy } from "../../amounts.js";
import { approve } from "../../approve.js";
import { readAccount } from "../../kind.js";
import type { Permit } from "../../permit.js";
import type { Naming } from "../../refusals.js";
import { carry, spedUp, type Turn } from "../../send.js";
import type { Connection } from "../../wallet.js";
import { mintCall, type Quote, redeemCall } from "../../zap.js";
import type { App } from "../app.js";
import { approving, type StatusLine } from "../parts.js";
import { symbolsOf } from "./blockers.js";
import { tellDone } from "./form.js";
import { signPermit } from "./sign.js";
import { lacks, LIFE_S, type Purse, type Taken, takenOf, type Terms, unsoldOf } from "./terms.js";

/** Refusals that a token makes, not the fund or its zap. */
const BY_A_TOKEN = new Set(["ERC20InsufficientAllowance", "SafeERC20FailedOperation", "Error", "unknown", "bare"]);

/** Lets the zap take what it takes. @param old What it may take so far. */
export function approveZap(app: App, on: Connection, taken: Taken, old: bigint, status: StatusLine): Promise<Turn> {
  const { token, size, what, places } = taken;
  const asked = { token, spender: app.book.contracts.zap!, size, old };
  return approve(app.client, on, asked, app.tokens.get, (turn, of) => status.turn(turn, approving(of, places, what)));
}

/** Mints or redeems as quoted; where the zap may not take enough, by a permit. Says each turn.
 * @param unfit Gets the token whose permit was refused. */
export async function sendZap(
  app: App,
  on: Connection,
  [q, purse, t]: readonly [Quote, Purse, Terms],
  status: StatusLine,
  unfit: Set<string>,
): Promise<void> {
  const deadline = () => app.snapshot!.fund.time + LIFE_S;
  const [taken, naming] = [takenOf(q, t), app.tokens.get];
  let signed: Permit | null = null;
  if (taken && lacks(purse, taken)) {
    signed = await signPermit(app, status, taken, purse.domain!, deadline());
    status.root.dataset.turn = "rejected";
    if (!signed) return;
  }
  const call = (t.minting ? mintCall : redeemCall)(app.book, q, t.pay, on.account, deadline(), signed);
  const turn = await carry(app.client, on, call, naming, (now) => status.turn(now, deedWords(q, t)));
  if (turn.is === "mined") {
    const { shares } = await readAccount(app.client, app.book, on.account);
    tellDone(status, t.minting, q.shares, shares, `${restWords(q, t, naming)} ${spedUp(turn)}`);
  } else if (turn.is === "refused" && signed && BY_A_TOKEN.has(turn.refusal.name)) {
    // The token did not take the signature after all: from now on an approval is offered for it.
    unfit.add(taken!.token);
  }
}

/** What the transaction does. */
function deedWords({ shares, limit }: Quote, { minting, decimals, unit }: Terms): string {
  return minting
    ? `mint ${tidy(shares)} shares for at most ${amount(limit, decimals, true)} ${unit}`
    : `redeem ${tidy(shares)} shares for at least ${amount(limit, decimals)} ${unit}`;
}

/** What became of the rest, once it is done. */
function restWords(q: Quote, { minting, pay, unit }: Terms, naming: Naming): string {
  if (minting) return `What was not needed of the ${unit} ${pay ? "was not taken" : "came back"}.`;
  const unsold = unsoldOf(q);
  return unsold.length ? `${symbolsOf(unsold, naming)} came as it is.` : "";
}
