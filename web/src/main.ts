/** The page: which fund, which part of it, whose wallet; looks at the chain as long as somebody looks at it. */

import { type Book, books, booksFor, nameOf } from "./books.js";
import { readerOf, readFixed, readSnapshot, Tokens } from "./chain.js";
import { missing } from "./fund.js";
import { readNav } from "./history.js";
import { readMonths } from "./months.js";
import { readPending } from "./timelock.js";
import { plain, short, when } from "./amounts.js";
import { inWords } from "./send.js";
import type { App, View } from "./view/app.js";
import { type Child, h, put, region, say } from "./view/dom.js";
import { fundView } from "./view/fund/fund.js";
import { meView } from "./view/me.js";
import { mintView } from "./view/mint.js";
import { redeemView } from "./view/redeem.js";
import { withWays } from "./view/ways.js";
import { connect, type Connection, discover, rejected, switchChain, type Wallet } from "./wallet.js";

const CHOSEN = "ballast.wallet";
const PLACES = [
  ["fund", "Fund"],
  ["mint", "Mint"],
  ["redeem", "Redeem"],
  ["me", "My shares"],
] as const;

const TITLES: Record<string, string> = { fund: "Fund", mint: "Mint shares", redeem: "Redeem shares", me: "My shares" };

const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

/** In place of the page where its address names no fund, or several. */
function choose(wanted: string | null, among: readonly Book[]): void {
  for (const id of ["places", "wallet", "asof"]) find(id).hidden = true;
  const heading = find("heading");
  heading.classList.remove("unseen");
  say(heading, among.length ? "Which fund?" : "No fund");
  document.title = "Ballast";
  const said = wanted === null ? "" : `“${plain(wanted, 60)}”`;
  const several = wanted !== null && booksFor(wanted, books).length > 1;
  put(
    find("view"),
    among.length === 0
      ? h("p", {}, "This page was built without a fund.")
      : h(
          "p",
          { class: "lead" },
          several ? `Several funds here are named ${said}.` : `This page does not know a fund ${said}.`,
        ),
    among.length === 0 || several
      ? null
      : h(
          "p",
          {},
          "It shows those alone whose address books it was built with: an address in a link proves nothing about what stands there. ",
          "A fund is named by the address of its shares or by the name in its address book.",
        ),
    among.length === 0
      ? null
      : h(
          "ul",
          { class: "funds" },
          ...among.map((b) =>
            h(
              "li",
              {},
              h("a", { href: `?fund=${encodeURIComponent(nameOf(b))}` }, `${plain(b.fund)} on ${plain(b.chain.name)}`),
              h("small", {}, b.contracts.index_token),
            ),
          ),
        ),
  );
}

function start(): void {
  const wanted = new URLSearchParams(location.search).get("fund");
  const found = wanted === null ? books.slice(0, 1) : booksFor(wanted, books);
  const [book] = found;
  if (!book || found.length > 1) return choose(wanted, found.length ? found : books);

  const app: App = {
    book,
    client: readerOf(book),
    tokens: new Tokens(() => app.client, book),
    fixed: null,
    snapshot: null,
    months: null,
    pending: null,
    nav: null,
    unread: false,
    wallets: [],
    connection: null,
    offline: false,
    answers: 0,
    refresh,
    connect: openWallets,
    switchChain: changeChain,
  };
  const views: Record<string, View> = {
    fund: fundView(app),
    mint: withWays(app, "mint", mintView(app)),
    redeem: withWays(app, "redeem", redeemView(app)),
    me: meView(app),
  };

  /* WHERE */

  const links = PLACES.map(([id, name]) => h("a", { href: `#/${id}` }, name));
  put(find("places"), ...links);
  const heading = find("heading");
  let at = "";

  function route(): void {
    // The skip link is no part of the page.
    if (at !== "" && !location.hash.startsWith("#/")) return;
    const id = location.hash.slice(2).split("?")[0] || "fund";
    const next = id in views ? id : "fund";
    links.forEach((link, i) =>
      PLACES[i]![0] === next ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current"),
    );
    if (next === at) return;
    const first = at === "";
    at = next;
    put(find("view"), views[at]!.root);
    say(heading, TITLES[at] ?? "");
    heading.classList.toggle("unseen", at === "fund");
    // The part is announced, and the next Tab goes into it.
    if (!first) heading.focus();
    views[at]!.shown?.();
    draw();
  }

  function draw(): void {
    const { fixed, snapshot } = app;
    if (fixed) {
      say(find("name"), fixed.name);
      document.title = `${TITLES[at]}: ${fixed.name} (${fixed.symbol})`;
    }
    if (snapshot)
      say(
        find("asof"),
        `As of block ${snapshot.fund.blockNumber.toLocaleString("en")}, ${when(snapshot.fund.time)}${through ? `, read through ${plain(through.name)}` : ""}.`,
      );
    const out = snapshot ? missing(snapshot.fund) : [];
    find("incomplete").hidden = out.length === 0;
    // Not only where a share's worth stands: quotes are held against it too.
    say(
      find("incomplete"),
      out.length
        ? `What a share is worth is shown too low: without ${out.map((x) => `${app.tokens.get(x.token).symbol} (${x.why})`).join(", ")}.`
        : "",
    );
    find("trouble").hidden = !app.offline;
    drawTrouble(
      [app.offline, snapshot === null, app.connection?.wallet.id, app.connection?.chainId, through?.id],
      () => (app.offline ? troubleOf() : []),
    );
    views[at]?.update();
  }

  /* THE CHAIN */

  /** The wallet that is read through, where the page's own endpoints did not answer. */
  let through: Wallet | null = null;
  const drawTrouble = region(find("trouble"));

  function troubleOf(): Child[] {
    const on = app.connection?.chainId === book!.chain_id ? app.connection.wallet : null;
    const button = (text: string, act: () => void) => h("button", { type: "button", class: "plain", click: act }, text);
    return [
      h(
        "p",
        {},
        h("b", {}, through ? "Your wallet does not answer for the chain. " : "The chain does not answer. "),
        app.snapshot ? "What you see may be old." : "There is nothing to show yet.",
        " The page tries again by itself.",
        on || through ? "" : " With a wallet on this chain it could read through that.",
      ),
      button("Try now", () => void refresh()),
      through
        ? button("Read through the page’s endpoints", () => void readThrough(null))
        : on
          ? button("Read through my wallet", () => void readThrough(on))
          : app.connection
            ? button(`Switch my wallet to ${app.book.chain.name}`, () => void changeChain())
            : button("Connect a wallet", openWallets),
    ];
  }

  /** From now on the chain is read through a wallet, or null: the page's own endpoints. */
  async function readThrough(wallet: Wallet | null): Promise<void> {
    through = wallet;
    app.client = readerOf(book!, wallet?.provider);
    app.answers += 1;
    looking = null; // what the other was asked is of no use any more
    await refresh();
  }

  let [looking, waits, past] = [null as Promise<void> | null, 0, 0n];

  async function refresh(): Promise<void> {
    const mine = (looking ??= look().finally(() => {
      if (looking === mine) looking = null;
    }));
    return mine;
  }

  async function look(): Promise<void> {
    const { client } = app;
    try {
      const reads = [readSnapshot(client, book!), app.fixed ?? readFixed(client, book!)] as const;
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
    if (fund.blockNumber < past + 50n && known && fund.month.phase === phase && fund.progress.tat === tat) return;
    [past, phase, tat] = [fund.blockNumber, fund.month.phase, fund.progress.tat];
    const to = fund.blockNumber;
    app.months = await readMonths(app.client, book!, to).catch(() => app.months);
    app.pending = await readPending(app.client, book!, to).catch(() => app.pending);
    app.unread = app.months === null || app.pending === null;
    draw();
    const nav = await readNav(app.client, book!, to, app.months ?? []).catch(() => null);
    app.nav = nav ?? app.nav;
    app.unread ||= app.nav === null;
    draw();
  }
  let [phase, tat] = [-1, -1n];

  function poll(): void {
    clearTimeout(waits);
    waits = window.setTimeout(() => {
      if (document.hidden) return;
      void refresh().then(poll);
    }, book!.chain.poll_ms);
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh().then(poll);
  });

  /* THE WALLET */

  const dialog = find<HTMLDialogElement>("wallets");
  const walletButton = find<HTMLButtonElement>("wallet");
  walletButton.addEventListener("click", openWallets);

  function openWallets(): void {
    drawWallets("");
    if (!dialog.open) dialog.showModal();
  }

  function drawWallets(said: string): void {
    const on = app.connection;
    put(
      find("wallet-list"),
      on ? h("p", {}, `Connected: ${plain(on.wallet.name)}, `, h("code", {}, on.account)) : null,
      on ? h("button", { type: "button", class: "second", click: disconnect }, "Disconnect") : null,
      ...app.wallets
        .filter((w) => w.id !== on?.wallet.id)
        .map((w) => h("button", { type: "button", class: "second", click: () => void take(w) }, plain(w.name))),
      app.wallets.length === 0
        ? h(
            "p",
            {},
            "No wallet was found in this browser. Install one as an extension, or open this page in your wallet's own browser.",
          )
        : null,
      h("p", { class: "error", role: "alert" }, said),
    );
  }

  async function take(wallet: Wallet, quiet = false): Promise<void> {
    try {
      const on = await connect(wallet, quiet);
      if (on === null) return;
      listen(wallet);
      setConnection(on);
      try {
        localStorage.setItem(CHOSEN, wallet.id);
      } catch {
        /* not allowed to remember */
      }
      dialog.close();
    } catch (error) {
      if (!quiet) drawWallets(rejected(error) ? "You declined it in your wallet." : inWords(error));
    }
  }

  function disconnect(): void {
    try {
      localStorage.removeItem(CHOSEN);
    } catch {
      /* nothing was remembered */
    }
    setConnection(null);
    dialog.close();
  }

  function setConnection(on: Connection | null): void {
    app.connection = on;
    // A wallet that left, or went to another chain, does not say how this one stands.
    if (through && (on?.wallet.id !== through.id || on.chainId !== book!.chain_id)) void readThrough(null);
    say(walletButton, on ? short(on.account) : "Connect wallet");
    walletButton.setAttribute(
      "aria-label",
      on ? `Wallet ${short(on.account)}: change or disconnect` : "Connect wallet",
    );
    draw();
  }

  const heard = new Set<string>();
  function listen(wallet: Wallet): void {
    if (heard.has(wallet.id)) return;
    heard.add(wallet.id);
    const mine = () => app.connection?.wallet.id === wallet.id;
    wallet.provider.on?.("accountsChanged", (accounts: `0x${string}`[]) => {
      if (mine()) setConnection(accounts[0] ? { ...app.connection!, account: accounts[0] } : null);
    });
    wallet.provider.on?.("chainChanged", (id: string) => {
      if (mine()) setConnection({ ...app.connection!, chainId: Number(id) });
    });
  }

  async function changeChain(): Promise<void> {
    const on = app.connection;
    if (!on) return;
    try {
      await switchChain(on.wallet.provider, { id: book!.chain_id, ...book!.chain });
      setConnection({ ...on, chainId: Number(await on.wallet.provider.request({ method: "eth_chainId" })) });
    } catch (error) {
      openWallets();
      drawWallets(rejected(error) ? "You declined to switch." : `The wallet did not switch: ${inWords(error)}`);
    }
  }

  find("close-wallets").addEventListener("click", () => dialog.close());

  if (books.length > 1) {
    const choice = h(
      "select",
      {
        id: "fund-choice",
        "aria-label": "Fund",
        change: () => {
          location.search = `?fund=${encodeURIComponent(choice.value)}`;
        },
      },
      ...books.map((b) =>
        h("option", { value: nameOf(b), selected: b === book }, `${plain(b.fund)} on ${b.chain.name}`),
      ),
    );
    put(find("choice"), choice);
  }
  window.addEventListener("hashchange", route);
  route();
  discover((wallet) => {
    app.wallets.push(wallet);
    let chosen: string | null = null;
    try {
      chosen = localStorage.getItem(CHOSEN);
    } catch {
      /* not allowed to remember */
    }
    if (wallet.id === chosen) void take(wallet, true);
    if (dialog.open) drawWallets("");
  });
  void refresh().then(() => {
    performance.mark("first-figures");
    poll();
  });
}

start();
