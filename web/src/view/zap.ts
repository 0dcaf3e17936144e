/** Mint with, and redeem for, ETH or a token: quote, worst case, impact, route; then one transaction. */

import { type Address, erc20Abi, type Hex, type TypedDataDomain } from "viem";
import { readContract } from "viem/actions";
import { amount, exact, most, tidy, usd } from "../amounts.js";
import { approve } from "../approve.js";
import type { PayToken } from "../books.js";
import { navOf, roomBelowCap } from "../fund.js";
import { readAccount } from "../kind.js";
import { type Permit, permitOf, permitQuestion, readDomain } from "../permit.js";
import { carry, inWords, spedUp } from "../send.js";
import { rejected } from "../wallet.js";
import { mintCall, NoWay, type Quote, quoteOf, redeemCall } from "../zap.js";
import type { App, View } from "./app.js";
import { debounce, h, region, say } from "./dom.js";
import { offerOf, routeOf, type Terms } from "./offer.js";
import { amountField, approving, before, type Blocker, blockerOf, marginField, statusLine } from "./parts.js";

/** Seconds in which a zap may be mined. */
const LIFE_S = 1_800n;
/** Refusals that a token makes, not the fund or its zap. */
const BY_A_TOKEN = new Set(["ERC20InsufficientAllowance", "SafeERC20FailedOperation", "Error", "unknown", "bare"]);
const FOREVER = 2n ** 256n - 1n;

interface Taken {
  token: Address;
  size: bigint;
  what: string;
  places: number;
}

/** @param way Which token now; null for ETH. */
export function zapView(app: App, side: "mint" | "redeem", way: () => PayToken | null): View {
  const minting = side === "mint",
    id = `zap-${side}`;
  const kind = new Set<Address>();
  let quote: Quote | null = null;
  let refused: Blocker | null = null;
  /** Of the account: shares, ETH, what it pays with and lets the zap take, and how it signs a permit in place of that. */
  let mine: { shares: bigint; eth: bigint; pays: bigint; allowed: bigint; domain: TypedDataDomain | null } | null =
    null;
  /** Tokens whose permits were refused. */
  const unfit = new Set<Address>();
  let [busy, asked, doneWith] = [false, 0, ""];

  const look = debounce(300, () => void read());
  const shares = amountField(
    minting ? "Shares to mint" : "Shares to redeem",
    `${id}-shares`,
    18,
    "shares",
    look,
    minting
      ? undefined
      : {
          label: "All",
          act: () => (mine?.shares ? shares.set(exact(mine.shares, 18)) : status.tell("plain", "You hold no shares.")),
        },
  );
  const margin = marginField(
    `${id}-margin`,
    5n * 10n ** 15n,
    (m) =>
      minting
        ? `You pay at most ${m} more than quoted, in sum; what is not needed stays yours. If it would cost more, nothing happens.`
        : `You get at least what is quoted less ${m}, in sum. If it would bring less, nothing happens.`,
    look,
  );
  const unsoldBox = h("input", { type: "checkbox", id: `${id}-unsold`, change: () => draw() });
  const unsoldField = h(
    "label",
    { class: "tick wraps", hidden: minting },
    unsoldBox,
    "What no pool takes, I take as it is",
  );
  const offer = h("div", { class: "offer", "aria-live": "polite" });
  const list = h("div", { id: `${id}-list` });
  const [drawOffer, drawList] = [region(offer), region(list)];
  const status = statusLine(`${id}-status`, app.book.chain.explorer);
  const approveButton = h("button", {
    type: "button",
    class: "plain",
    id: `${id}-approve`,
    click: () => void approveIt(),
  });
  const button = h("button", { type: "submit", class: "main", id: `${id}-button`, "aria-describedby": `${id}-status` });
  const form = h(
    "form",
    { class: "card", novalidate: true },
    shares.root,
    margin.root,
    unsoldField,
    offer,
    button,
    approveButton,
    status.root,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void go();
  });
  const root = h("div", { class: "split" }, form, h("div", { class: "wide" }, list));

  const account = () => (app.connection?.chainId === app.book.chain_id ? app.connection.account : null);
  const entered = () =>
    `${shares.input.value}/${margin.value()}/${account()}/${way()?.token}/${[...kind]}/${unsoldBox.checked}`;
  const unit = () => way()?.symbol ?? app.book.chain.currency;
  const decimals = () => way()?.decimals ?? 18;
  const deadline = () => app.snapshot!.fund.time + LIFE_S;
  const terms = (): Terms => ({ minting, pay: way(), unit: unit(), decimals: decimals(), life: LIFE_S });
  /** What the zap takes of the account, by allowance or permit; null for ETH. */
  const taken = (q: Quote): Taken | null => {
    const pay = way();
    if (!minting) return { token: app.book.contracts.index_token, size: q.shares, what: "shares", places: 18 };
    return pay && { token: pay.token, size: q.limit, what: pay.symbol, places: pay.decimals };
  };
  const lacks = (q: Quote) => mine !== null && mine.allowed < (taken(q)?.size ?? 0n);
  const unsold = (q: Quote) => q.steps.filter((step) => step.unsold);
  const symbolsOf = (tokens: readonly Address[]) => tokens.map((token) => app.tokens.get(token).symbol).join(", ");

  async function readMine(holder: Address): Promise<typeof mine> {
    const pay = way(),
      zap = app.book.contracts.zap!;
    const token = minting ? pay?.token : app.book.contracts.index_token;
    const of = token && ({ address: token, abi: erc20Abi } as const);
    const [own, pays, allowed, domain] = await Promise.all([
      readAccount(app.client, app.book, holder),
      of ? readContract(app.client, { ...of, functionName: "balanceOf", args: [holder] }) : null,
      of ? readContract(app.client, { ...of, functionName: "allowance", args: [holder, zap] }) : null,
      of && !unfit.has(of.address) ? readDomain(app.client, of.address) : null,
    ]);
    return { ...own, pays: pays ?? own.eth, allowed: allowed ?? FOREVER, domain };
  }

  async function read(): Promise<void> {
    const wanted = shares.value(),
      holder = account(),
      turn = ++asked;
    try {
      const [own, found] = await Promise.all([
        holder ? readMine(holder) : null,
        !wanted.ok ? null : quoteOf(app.client, app.book, side, wanted.value, way(), margin.value(), kind),
      ]);
      if (found) await app.tokens.learn(found.steps);
      if (turn !== asked || busy) return;
      // What was approved some blocks ago is still the most, where it leaves room: nobody is asked for a little more.
      if (minting && way() && own && found && own.allowed < found.limit) {
        if (own.allowed >= most(found.expected, margin.value() / 2n)) found.limit = own.allowed;
      }
      [mine, quote, refused] = [own, found, null];
    } catch (error) {
      if (turn !== asked || busy) return;
      quote = null;
      refused =
        error instanceof NoWay
          ? {
              text: `No pool that this fund’s zap knows has enough ${symbolsOf(error.tokens)} for that.`,
              remedy: "Enter fewer shares, or choose another way.",
            }
          : blockerOf(error, app);
    }
    draw();
  }

  function blocker(): Blocker | null {
    const first = before(app, side);
    if (first) return first;
    if (refused) return refused;
    if (!quote || !mine || !app.snapshot) return { text: "", remedy: "" };
    if (minting) {
      const { fund, cap } = app.snapshot;
      const room = roomBelowCap(fund, cap);
      if (quote.shares > room)
        return {
          text: room ? `The fund's cap leaves room for ${tidy(room)} shares.` : "The fund's cap is reached.",
          remedy: "Mint fewer shares, or wait until others redeem or the cap is raised.",
        };
      const stopped = fund.holdings.filter((x) => !x.writtenOff && (fund.time < BigInt(x.suspendedUntil) || !x.sound));
      if (stopped.length)
        return {
          text: `Nobody can mint now: ${stopped.map((x) => app.tokens.get(x.token).symbol).join(", ")} ${stopped.length === 1 ? "is" : "are"} suspended or cannot be read.`,
          remedy: "Wait until that has ended. You can redeem at any time.",
        };
      if (mine.pays < quote.limit)
        return {
          text: `You hold ${amount(mine.pays, decimals())} ${unit()}, less than the most that it may cost.`,
          remedy: `Add ${unit()}, or mint fewer shares.`,
        };
    } else if (quote.shares > mine.shares) {
      return {
        text: mine.shares ? `You hold ${tidy(mine.shares)} shares, fewer than that.` : "You hold no shares.",
        remedy: mine.shares ? "Enter fewer, or choose All." : "Mint some first.",
      };
    } else if (unsold(quote).length && !unsoldBox.checked) {
      return {
        text: `No pool takes ${symbolsOf(unsold(quote).map((step) => step.token))} in that amount.`,
        remedy: "Tick that you take as it is what no pool takes; or enter fewer shares.",
      };
    } else if (quote.expected === 0n) return { text: "That would bring nothing.", remedy: "Choose in kind." };
    const fee = quote.gas * quote.gasPrice;
    if (mine.eth < fee + (minting && !way() ? quote.limit : 0n)) {
      const { currency } = app.book.chain;
      return {
        text: `You hold ${amount(mine.eth, 18)} ${currency}, too little for the network’s fee${minting && !way() ? " beside that" : ""}.`,
        remedy: `About ${amount(fee, 18, true)} ${currency} goes to the network. Add some${minting ? ", or mint fewer shares" : ""}.`,
      };
    }
    if (lacks(quote) && !mine.domain) {
      const { size, what, places } = taken(quote)!;
      return {
        text: "One approval is missing.",
        remedy: `It lets the zap take at most ${amount(size, places, minting)} ${what}.`,
      };
    }
    return null;
  }

  function draw(): void {
    const found = blocker(),
      q = quote;
    const name = `${side === "mint" ? "Mint" : "Redeem"}${q ? ` ${tidy(q.shares)} shares` : ""} ${minting ? "with" : "for"} ${unit()}`;
    say(button, name);
    button.disabled = busy || found !== null;
    const open = q !== null && mine !== null && (minting ? mine.pays >= q.limit : mine.shares >= q.shares) && lacks(q);
    const signs = open && mine!.domain !== null;
    approveButton.hidden = !open;
    approveButton.disabled = busy;
    const asks = q && taken(q);
    const size = asks ? ` ${amount(asks.size, asks.places, minting)} ${asks.what}` : "";
    say(approveButton, signs ? "Approve with a transaction instead" : `Approve${size}`);
    say(
      shares.hint,
      minting
        ? app.snapshot
          ? `One share is worth ${usd(navOf(app.snapshot.fund))}.`
          : ""
        : mine
          ? `You hold ${tidy(mine.shares)} shares.`
          : "",
    );
    if (!busy && !(status.root.dataset.turn && doneWith === entered())) {
      if (found) status.tell(found.text ? "plain" : "none", found.text, found.remedy, found.action);
      else if (signs)
        status.tell(
          "ready",
          "Your wallet will ask twice.",
          `First a signature that lets the zap take${minting ? " at most" : ""}${size} and costs nothing; then the transaction.`,
        );
      else
        status.tell(
          "ready",
          "Everything is in place.",
          "It is tried out on the chain once more before your wallet asks you.",
        );
    }
    drawOffer([q, unit(), app.snapshot && navOf(app.snapshot.fund)], () => (q ? offerOf(app, q, terms()) : []));
    drawList([q, busy, unit()], () =>
      q
        ? [
            routeOf(app, q, terms(), busy, (token) => {
              if (!kind.delete(token)) kind.add(token);
              void read();
            }),
          ]
        : [
            h(
              "p",
              { class: "quiet" },
              `Enter how many shares: here will stand how each component is ${minting ? "bought" : "sold"}.`,
            ),
          ],
    );
  }

  async function run(act: () => Promise<boolean>): Promise<void> {
    if (busy) return;
    busy = true;
    draw();
    let stands = true;
    try {
      stands = await act();
    } finally {
      busy = false;
      doneWith = stands ? entered() : "";
      await read();
      await app.refresh();
    }
  }

  const approveIt = () =>
    run(async () => {
      const q = quote,
        asks = q && taken(q);
      if (!asks || !app.connection || before(app, side)) return false;
      const { token, size, what, places } = asks;
      const asked = { token, spender: app.book.contracts.zap!, size, old: mine!.allowed };
      const turn = await approve(app.client, app.connection, asked, app.tokens.get, (t, of) =>
        status.turn(t, approving(of, places, what)),
      );
      return turn.is !== "mined";
    });

  /** A permit for what the zap takes; null where the holder declined or the wallet cannot sign one, which is said. */
  async function permit({ token, size, what, places }: Taken, domain: TypedDataDomain): Promise<Permit | null> {
    const on = app.connection!,
      until = deadline();
    const given = `${minting ? "at most " : ""}${amount(size, places, minting)} ${what}`;
    status.tell("busy", `Sign in your wallet: the zap may take ${given}.`, "This costs nothing and sends nothing.");
    try {
      const asked = { owner: on.account, spender: app.book.contracts.zap!, value: size, deadline: until };
      const question = await permitQuestion(app.client, token, domain, asked);
      const signature: Hex = await on.wallet.provider.request({
        method: "eth_signTypedData_v4",
        params: [on.account, JSON.stringify(question)],
      });
      const found = permitOf(signature, until);
      if (!found)
        status.tell("bad", "This wallet’s signatures cannot be used here.", "Approve with a transaction instead.");
      return found;
    } catch (error) {
      if (rejected(error)) status.turn({ is: "rejected" }, "");
      else status.tell("bad", `The wallet did not sign: ${inWords(error)}`, "Approve with a transaction instead.");
      return null;
    }
  }

  const go = () =>
    run(async () => {
      const q = quote,
        on = app.connection;
      if (!q || !on || blocker()) return false;
      // What is on the screen now is what is done, whatever is chosen meanwhile.
      const [pay, { unit: symbol, decimals: places }, asks] = [way(), terms(), taken(q)];
      let signed: Permit | null = null;
      if (asks && lacks(q)) {
        signed = await permit(asks, mine!.domain!);
        status.root.dataset.turn = "rejected";
        if (!signed) return true;
      }
      const call = (minting ? mintCall : redeemCall)(app.book, q, pay, on.account, deadline(), signed);
      const what = `${side} ${tidy(q.shares)} shares ${minting ? `for at most ${amount(q.limit, places, true)}` : `for at least ${amount(q.limit, places)}`} ${symbol}`;
      const turn = await carry(app.client, on, call, app.tokens.get, (t) => status.turn(t, what));
      if (turn.is === "mined") {
        const own = await readAccount(app.client, app.book, on.account);
        const inKind = unsold(q).map((step) => step.token);
        const rest = minting
          ? `What was not needed of the ${symbol} ${pay ? "was not taken" : "came back"}.`
          : inKind.length
            ? `${symbolsOf(inKind)} came as it is.`
            : "";
        status.tell(
          "good",
          minting
            ? `Done: you minted ${tidy(q.shares)} shares and now hold ${tidy(own.shares)}.`
            : `Done: you redeemed ${tidy(q.shares)} shares and still hold ${tidy(own.shares)}.`,
          `${rest} ${spedUp(turn)}`.trim(),
        );
        status.root.dataset.turn = "mined";
      } else if (turn.is === "refused" && signed && BY_A_TOKEN.has(turn.refusal.name)) {
        // The token did not take the signature after all: from now on an approval is offered for it.
        unfit.add(asks!.token);
      }
      return true;
    });

  let [seen, payOf] = ["", way()];
  return {
    root,
    update: () => {
      // A quote in another token says nothing in this one.
      if (payOf !== way()) [payOf, quote, mine] = [way(), null, null];
      const key = `${account()}/${app.snapshot?.fund.blockNumber}/${app.answers}/${way()?.token}`;
      if (key !== seen && !busy && app.snapshot) {
        seen = key;
        void read();
      }
      draw();
    },
  };
}
