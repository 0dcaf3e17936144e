/** The signing of a permit in place of an approval. */

import type { Hex, TypedDataDomain } from "viem";
import { type Permit, permitOf, permitQuestion } from "../../permit.js";
import { inWords } from "../../send.js";
import { rejected } from "../../wallet.js";
import type { App } from "../app.js";
import type { StatusLine } from "../parts.js";
import type { Taken } from "./terms.js";

/** A permit for what the zap takes; null where the holder declined or the wallet cannot sign one, which is said. */
export async function signPermit(
  app: App,
  status: StatusLine,
  { token, size, given }: Taken,
  domain: TypedDataDomain,
  deadline: bigint,
): Promise<Permit | null> {
  const on = app.connection!;
  status.tell("busy", `Sign in your wallet: the zap may take ${given}.`, "This costs nothing and sends nothing.");
  try {
    const asked = { owner: on.account, spender: app.book.contracts.zap!, value: size, deadline };
    const question = await permitQuestion(app.client, token, domain, asked);
    const signature: Hex = await on.wallet.provider.request({
      method: "eth_signTypedData_v4",
      params: [on.account, JSON.stringify(question)],
    });
    const found = permitOf(signature, deadline);
    if (!found)
      status.tell("bad", "This wallet’s signatures cannot be used here.", "Approve with a transaction instead.");
    return found;
  } catch (error) {
    if (rejected(error)) status.turn({ is: "rejected" }, "");
    else status.tell("bad", `The wallet did not sign: ${inWords(error)}`, "Approve with a transaction instead.");
    return null;
  }
}
