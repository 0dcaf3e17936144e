/** The wallets: the dialog in which one is chosen, and what is heard of the one that is connected. */

import { plain, short } from "../amounts.js";
import { inWords } from "../send.js";
import type { App } from "../view/app.js";
import { find, h, put, say } from "../view/dom.js";
import { connect, type Connection, discover, rejected, switchChain, type Wallet } from "../wallet.js";

const CHOSEN = "ballast.wallet";

/** The wallet that was chosen last; null where none was, or the browser may not say. */
function remembered(): string | null {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

function remember(id: string | null): void {
  try {
    if (id === null) localStorage.removeItem(CHOSEN);
    else localStorage.setItem(CHOSEN, id);
  } catch {
    /* not allowed to remember */
  }
}

export interface Wallets {
  open(): void;
  /** Asks the wallet that is connected to go to the fund's chain. */
  switchChain(): Promise<void>;
  /** Looks for wallets, and connects the one that was chosen last. */
  start(): void;
}

/** @param draw Called when another account, or none, is connected. */
export function walletsOf(app: App, draw: () => void): Wallets {
  const { book } = app;
  const dialog = find<HTMLDialogElement>("wallets");
  const walletButton = find<HTMLButtonElement>("wallet");
  const heard = new Set<string>();

  function open(): void {
    drawWallets("");
    if (!dialog.open) dialog.showModal();
  }

  function drawWallets(said: string): void {
    const on = app.connection;
    const choice = (text: string, act: () => void) =>
      h("button", { type: "button", class: "second", click: act }, text);
    put(
      find("wallet-list"),
      on ? h("p", {}, `Connected: ${plain(on.wallet.name)}, `, h("code", {}, on.account)) : null,
      on ? choice("Disconnect", disconnect) : null,
      ...app.wallets.filter((w) => w.id !== on?.wallet.id).map((w) => choice(plain(w.name), () => void take(w))),
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
      remember(wallet.id);
      dialog.close();
    } catch (error) {
      if (!quiet) drawWallets(rejected(error) ? "You declined it in your wallet." : inWords(error));
    }
  }

  function disconnect(): void {
    remember(null);
    setConnection(null);
    dialog.close();
  }

  function setConnection(on: Connection | null): void {
    app.connection = on;
    const { through } = app;
    // A wallet that left, or went to another chain, does not say how this one stands.
    if (through && (on?.wallet.id !== through.id || on.chainId !== book.chain_id)) void app.readThrough(null);
    say(walletButton, on ? short(on.account) : "Connect wallet");
    walletButton.setAttribute(
      "aria-label",
      on ? `Wallet ${short(on.account)}: change or disconnect` : "Connect wallet",
    );
    draw();
  }

  function listen({ id, provider }: Wallet): void {
    if (heard.has(id)) return;
    heard.add(id);
    const mine = () => app.connection?.wallet.id === id;
    provider.on?.("accountsChanged", (accounts: `0x${string}`[]) => {
      if (mine()) setConnection(accounts[0] ? { ...app.connection!, account: accounts[0] } : null);
    });
    provider.on?.("chainChanged", (chain: string) => {
      if (mine()) setConnection({ ...app.connection!, chainId: Number(chain) });
    });
  }

  async function change(): Promise<void> {
    const on = app.connection;
    if (!on) return;
    try {
      await switchChain(on.wallet.provider, { id: book.chain_id, ...book.chain });
      setConnection({ ...on, chainId: Number(await on.wallet.provider.request({ method: "eth_chainId" })) });
    } catch (error) {
      open();
      drawWallets(rejected(error) ? "You declined to switch." : `The wallet did not switch: ${inWords(error)}`);
    }
  }

  walletButton.addEventListener("click", open);
  find("close-wallets").addEventListener("click", () => dialog.close());
  const start = () =>
    discover((wallet) => {
      app.wallets.push(wallet);
      if (wallet.id === remembered()) void take(wallet, true);
      if (dialog.open) drawWallets("");
    });
  return { open, switchChain: change, start };
}
