/** Mint with, and redeem for, ETH or a token: quote, worst case, impact, route; then one transaction. */

import { type Address, erc20Abi, type Hex } from "viem";
import { readContract } from "viem/actions";
import { amount, exact, percent, tidy, usd, WAD } from "../amounts.js";
import type { PayToken } from "../books.js";
import { navOf, roomBelowCap } from "../fund.js";
import { approveCall, readAccount } from "../kind.js";
import { carry, inWords } from "../send.js";
import { rejected } from "../wallet.js";
import { legName, Venue } from "../legs.js";
import {
  feesOf,
  mintCall,
  NoWay,
  permitOf,
  permitQuestion,
  type Permit,
  type Quote,
  quoteMint,
  quoteRedeem,
  redeemCall,
} from "../zap.js";
import type { App, View } from "./app.js";
import { debounce, h, region, say, table } from "./dom.js";
import { amountField, before, type Blocker, blockerOf, marginField, statusLine } from "./parts.js";

/** Seconds in which a zap may be mined. */
const LIFE_S = 1_800n;
/** A cost against NAV, 18 decimals, that is pointed out. */
const DEAR = 2n * 10n ** 16n;

/** @param way Which token now; null for ETH. */
export function zapView(app: App, side: "mint" | "redeem", way: () => PayToken | null): View {
  const minting = side === "mint",
    id = `zap-${side}`;
  const kind = new Set<Address>();
  let quote: Quote | null = null;
  let refused: Blocker | null = null;
  /** Of the account: shares, and what it pays with and lets the zap take. */
  let mine: { shares: bigint; pays: bigint; allowed: bigint } | null = null;
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
        ? `You pay at most ${m} more than quoted, in sum; what is not needed comes back. If it would cost more, nothing happens.`
        : `You get at least what is quoted less ${m}, in sum. If it would bring less, nothing happens.`,
    look,
  );
  const offer = h("div", { class: "offer", "aria-live": "polite" });
  const list = h("div", { id: `${id}-list` });
  const [drawOffer, drawList] = [region(offer), region(list)];
  const status = statusLine(`${id}-status`, app.book.chain.explorer);
  const approve = h("button", {
    type: "button",
    class: minting ? "second" : "plain",
    id: `${id}-approve`,
    click: () => void approveIt(),
  });
  const button = h("button", { type: "submit", class: "main", id: `${id}-button`, "aria-describedby": `${id}-status` });
  const form = h(
    "form",
    { class: "card", novalidate: true },
    shares.root,
    margin.root,
    offer,
    ...(minting ? [approve, button] : [button, approve]),
    status.root,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void go();
  });
  const root = h("div", { class: "split" }, form, h("div", { class: "wide" }, list));

  const account = () => (app.connection?.chainId === app.book.chain_id ? app.connection.account : null);
  const entered = () => `${shares.input.value}/${margin.value()}/${account()}/${way()?.token}/${[...kind]}`;
  const unit = () => way()?.symbol ?? app.book.chain.currency;
  const decimals = () => way()?.decimals ?? 18;
  const deadline = () => app.snapshot!.fund.time + LIFE_S;

  async function readMine(holder: Address): Promise<typeof mine> {
    const pay = way(),
      zap = app.book.contracts.zap!;
    const token = minting ? pay?.token : app.book.contracts.index_token;
    const [own, pays, allowed] = await Promise.all([
      readAccount(app.client, app.book, holder),
      token
        ? readContract(app.client, { address: token, abi: erc20Abi, functionName: "balanceOf", args: [holder] })
        : null,
      token
        ? readContract(app.client, { address: token, abi: erc20Abi, functionName: "allowance", args: [holder, zap] })
        : null,
    ]);
    return { shares: own.shares, pays: pays ?? own.eth, allowed: allowed ?? 2n ** 256n - 1n };
  }

  async function read(): Promise<void> {
    const wanted = shares.value(),
      holder = account(),
      turn = ++asked;
    try {
      const [own, found] = await Promise.all([
        holder ? readMine(holder) : null,
        !wanted.ok
          ? null
          : minting
            ? quoteMint(app.client, app.book, wanted.value, way(), margin.value(), holder)
            : quoteRedeem(app.client, app.book, wanted.value, way(), margin.value(), kind),
      ]);
      if (found) await app.tokens.learn(found.steps);
      if (turn !== asked) return;
      [mine, quote, refused] = [own, found, null];
    } catch (error) {
      if (turn !== asked) return;
      quote = null;
      refused =
        error instanceof NoWay
          ? {
              text: `No known pool has enough ${app.tokens.get(error.token).symbol} for that.`,
              remedy: "Enter fewer shares, or choose in kind.",
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
      if (mine.allowed < quote.limit)
        return {
          text: "One approval is missing.",
          remedy: `It lets the zap take at most ${amount(quote.limit, decimals(), true)} ${unit()}, once.`,
        };
    } else if (quote.shares > mine.shares) {
      return {
        text: mine.shares ? `You hold ${tidy(mine.shares)} shares, fewer than that.` : "You hold no shares.",
        remedy: mine.shares ? "Enter fewer, or choose All." : "Mint some first.",
      };
    } else if (quote.expected === 0n) return { text: "That would bring nothing.", remedy: "Choose in kind." };
    return null;
  }

  /** What is lost against NAV, 18 decimals; null where a price is missing. */
  function loss(q: Quote): { nav: bigint; cost: bigint } | null {
    const fund = app.snapshot?.fund;
    const paid = fund && dollars(q.expected);
    if (!fund || !paid) return null;
    const kept = q.steps.reduce((sum, step) => {
      const x = fund.holdings.find((holding) => holding.token === step.token);
      return step.leg.venue === Venue.InKind && x ? sum + (step.amount * x.price) / 10n ** BigInt(x.decimals) : sum;
    }, 0n);
    const nav = (q.shares * navOf(fund)) / WAD - kept;
    return nav > 0n ? { nav, cost: ((minting ? paid - nav : nav - paid) * WAD) / nav } : null;
  }

  /** Of ETH by its feed; of a dollar token by its name alone, which is good enough for a look. */
  function dollars(value: bigint): bigint | null {
    const pay = way();
    if (pay) return pay.symbol.includes("USD") ? value * 10n ** BigInt(18 - pay.decimals) : null;
    return quote?.ethPrice ? (value * quote.ethPrice) / WAD : null;
  }

  function draw(): void {
    const found = blocker(),
      q = quote;
    const name = `${side === "mint" ? "Mint" : "Redeem"}${q ? ` ${tidy(q.shares)} shares` : ""} ${minting ? "with" : "for"} ${unit()}`;
    say(button, name);
    button.disabled = busy || found !== null;
    const lacks =
      q !== null &&
      mine !== null &&
      (minting ? mine.pays >= q.limit && mine.allowed < q.limit : mine.shares >= q.shares && mine.allowed < q.shares);
    approve.hidden = !lacks;
    approve.disabled = busy;
    say(
      approve,
      minting
        ? `Approve ${q ? amount(q.limit, decimals(), true) : ""} ${unit()}`
        : "Approve with a transaction instead",
    );
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
      else if (!minting && lacks)
        status.tell(
          "ready",
          "Your wallet will ask twice.",
          "First a signature that lets the zap take these shares once and costs nothing; then the transaction.",
        );
      else
        status.tell(
          "ready",
          "Everything is in place.",
          "It is tried out on the chain once more before your wallet asks you.",
        );
    }
    drawOffer([q, unit(), app.snapshot && navOf(app.snapshot.fund)], () => {
      if (!q) return [];
      const lost = loss(q),
        worth = dollars(q.expected);
      const unsold = q.steps.filter((x) => x.leg.venue === Venue.InKind && x.amount > 0n && !kind.has(x.token));
      return [
        h("p", { class: "over" }, `${minting ? "You pay" : "You get"} ${q.run ? "" : "about "}`),
        h(
          "p",
          { class: "sum" },
          `${amount(q.expected, decimals(), minting)} ${unit()}`,
          worth ? h("small", {}, usd(worth)) : null,
        ),
        unsold.length
          ? h("p", {}, `No pool for ${unsold.map((x) => app.tokens.get(x.token).symbol).join(", ")}: given as it is.`)
          : null,
        h(
          "dl",
          { class: "terms" },
          ...(
            [
              [minting ? "At most" : "At least", `${amount(q.limit, decimals(), minting)} ${unit()}`],
              ...(lost
                ? [
                    [minting ? "Worth at NAV" : "At NAV, less what is in kind", usd(lost.nav)],
                    ["Pools' fees", percent(feesOf(q))],
                    ["Price impact", `${percent(lost.cost - feesOf(q))}${lost.cost > DEAR ? ": much" : ""}`],
                  ]
                : []),
              ["Can be mined for", `${LIFE_S / 60n} minutes`],
            ] as [string, string][]
          ).map(([term, text]) =>
            h("div", {}, h("dt", {}, term), h("dd", text.endsWith("much") ? { class: "warn" } : {}, text)),
          ),
        ),
      ];
    });
    drawList([q, busy], () =>
      q
        ? [routeOf(q)]
        : [
            h(
              "p",
              { class: "quiet" },
              `Enter how many shares: here will stand how each component is ${minting ? "bought" : "sold"}.`,
            ),
          ],
    );
  }

  function routeOf(q: Quote): HTMLElement {
    return table(
      `How the components are ${minting ? "bought" : "sold"}`,
      [
        { head: "Component" },
        { head: "Amount", figure: true },
        { head: "In" },
        { head: minting ? "Costs" : "Brings", figure: true },
        ...(minting ? [] : [{ head: "In kind" }]),
      ],
      q.steps
        .filter((step) => step.amount > 0n)
        .map((step) => {
          const { symbol, decimals: places } = app.tokens.get(step.token);
          return [
            h("span", { class: "symbol" }, symbol),
            amount(step.amount, places, minting),
            legName(step.leg),
            step.weth ? `${amount(step.weth, 18, minting)} ${app.book.chain.currency}` : "–",
            ...(minting
              ? []
              : [
                  h(
                    "label",
                    { class: "tick" },
                    h("input", {
                      type: "checkbox",
                      checked: step.leg.venue === Venue.InKind,
                      disabled: busy,
                      "data-kind": step.token,
                      "aria-label": `Give ${symbol} in kind`,
                      change: () => {
                        if (!kind.delete(step.token)) kind.add(step.token);
                        void read();
                      },
                    }),
                    "as it is",
                  ),
                ]),
          ];
        }),
      { shown: true, stacks: true },
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
        zap = app.book.contracts.zap!;
      if (!q || !app.connection || before(app, side)) return false;
      const [token, size, places, what] = minting
        ? [way()!.token, q.limit, decimals(), unit()]
        : [app.book.contracts.index_token, q.shares, 18, "shares"];
      const turn = await carry(app.client, app.connection, approveCall(token, zap, size), app.tokens.get, (t) =>
        status.turn(t, `approve ${amount(size, places, true)} ${what}`),
      );
      return turn.is !== "mined";
    });

  /** A permit for what is redeemed; null where the holder declined or the wallet cannot sign one, which is said. */
  async function permit(q: Quote): Promise<Permit | null> {
    const on = app.connection!,
      until = deadline();
    status.tell(
      "busy",
      "Sign in your wallet: the zap may take these shares, once.",
      "This costs nothing and sends nothing.",
    );
    try {
      const question = await permitQuestion(app.client, app.book, on.account, q.shares, until);
      const signature: Hex = await on.wallet.provider.request({
        method: "eth_signTypedData_v4",
        params: [on.account, JSON.stringify(question)],
      });
      const found = permitOf(signature, until);
      if (!found)
        status.tell("bad", "This wallet's signatures cannot be used here.", "Approve with a transaction instead.");
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
      const pay = way();
      let signed: Permit | null = null;
      if (!minting && mine!.allowed < q.shares) {
        signed = await permit(q);
        status.root.dataset.turn = "rejected";
        if (!signed) return true;
      }
      const asked_ = minting
        ? mintCall(app.book, q, pay, on.account, deadline())
        : redeemCall(app.book, q, pay, on.account, deadline(), signed);
      const what = `${side} ${tidy(q.shares)} shares ${minting ? `for at most ${amount(q.limit, decimals(), true)}` : `for at least ${amount(q.limit, decimals())}`} ${unit()}`;
      const turn = await carry(app.client, on, asked_, app.tokens.get, (t) => status.turn(t, what));
      if (turn.is === "mined") {
        const own = await readAccount(app.client, app.book, on.account);
        status.tell(
          "good",
          minting
            ? `Done: you minted ${tidy(q.shares)} shares and now hold ${tidy(own.shares)}.`
            : `Done: you redeemed ${tidy(q.shares)} shares and still hold ${tidy(own.shares)}.`,
          minting ? `What was not needed of the ${unit()} came back.` : "",
        );
        status.root.dataset.turn = "mined";
      }
      return true;
    });

  let seen = "";
  return {
    root,
    update: () => {
      const key = `${account()}/${app.snapshot?.fund.blockNumber}/${way()?.token}`;
      if (key !== seen && !busy && app.snapshot) {
        seen = key;
        void read();
      }
      draw();
    },
  };
}
