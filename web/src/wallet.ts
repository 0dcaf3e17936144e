/** Wallets that announce themselves (EIP-6963), and the one that older ones leave in the window (EIP-1193). */

import type { Address, Hex } from "viem";

export interface Provider {
  request(question: { method: string; params?: unknown }): Promise<any>;
  on?(event: string, listener: (value: any) => void): void;
  removeListener?(event: string, listener: (value: any) => void): void;
}

export interface Wallet {
  id: string;
  name: string;
  provider: Provider;
}

export interface Connection {
  wallet: Wallet;
  account: Address;
  chainId: number;
}

/** Tells of each wallet once; those that come later are told of later. */
export function discover(found: (wallet: Wallet) => void): void {
  const seen = new Set<string>();
  const tell = (id: string, name: string, provider: Provider): void => {
    if (seen.has(id)) return;
    seen.add(id);
    found({ id, name, provider });
  };
  window.addEventListener("eip6963:announceProvider", (event) => {
    const detail = (event as CustomEvent).detail as {
      info?: { uuid?: unknown; name?: unknown; rdns?: unknown };
      provider?: Provider;
    };
    if (typeof detail?.provider?.request !== "function") return;
    tell(String(detail.info?.rdns ?? detail.info?.uuid), String(detail.info?.name ?? "A wallet"), detail.provider);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  // Only where nobody has announced itself: else the same wallet would stand there twice.
  setTimeout(() => {
    const old = (window as { ethereum?: Provider }).ethereum;
    if (seen.size === 0 && typeof old?.request === "function") tell("window.ethereum", "Browser wallet", old);
  }, 300);
}

/** Asks the wallet for an account. Raises what the wallet raises. */
export async function connect(wallet: Wallet, quiet = false): Promise<Connection | null> {
  const method = quiet ? "eth_accounts" : "eth_requestAccounts";
  const accounts: Address[] = await wallet.provider.request({ method });
  const account = accounts[0];
  if (account === undefined) return null;
  const chainId = Number(await wallet.provider.request({ method: "eth_chainId" }));
  return { wallet, account, chainId };
}

/** Asks the wallet to go to a chain; where it does not know it, to add it. */
export async function switchChain(
  provider: Provider,
  chain: { id: number; name: string; currency: string; endpoints: string[]; explorer: string | null },
): Promise<void> {
  const chainId: Hex = `0x${chain.id.toString(16)}`;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if (codeOf(error) !== 4902) throw error;
    const { name, currency, endpoints, explorer } = chain;
    const added = {
      chainId,
      chainName: name,
      nativeCurrency: { name: currency, symbol: currency, decimals: 18 },
      rpcUrls: endpoints,
      ...(explorer ? { blockExplorerUrls: [explorer] } : {}),
    };
    await provider.request({ method: "wallet_addEthereumChain", params: [added] });
  }
}

/** EIP-1193's number of an error, however deep it lies. */
export function codeOf(error: unknown): number | null {
  for (let e = error as { code?: unknown; cause?: unknown } | undefined, depth = 0; e && depth < 6; depth += 1) {
    if (typeof e.code === "number") return e.code;
    e = e.cause as typeof e;
  }
  return null;
}

export function rejected(error: unknown): boolean {
  return codeOf(error) === 4001;
}
