/** A wallet for a local chain alone: it announces itself, and has the chain's own node sign with a test account whose key
 * everybody knows. `window.testWallet` lets a test decline, or be on another chain. Never part of a page for a real one. */

declare const TEST_WALLET: { url: string; account: string; chain_id: number };

interface Question {
  method: string;
  params?: any;
}

const state = {
  chainId: TEST_WALLET.chain_id,
  account: TEST_WALLET.account,
  connected: false,
  declines: false,
  asked: [] as string[],
};
const listeners = new Map<string, Set<(value: unknown) => void>>();
const tell = (event: string, value: unknown): void => listeners.get(event)?.forEach((listener) => listener(value));

class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

let number = 0;
async function forward(method: string, params: unknown = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: ++number, method, params });
  const answer = await (
    await fetch(TEST_WALLET.url, { method: "POST", headers: { "content-type": "application/json" }, body })
  ).json();
  if (answer.error) throw new Refusal(answer.error.code, answer.error.message, answer.error.data);
  return answer.result;
}

const provider = {
  async request({ method, params }: Question): Promise<unknown> {
    state.asked.push(method);
    const asks = [
      "eth_requestAccounts",
      "eth_sendTransaction",
      "eth_signTypedData_v4",
      "wallet_switchEthereumChain",
    ].includes(method);
    if (asks && state.declines) throw new Refusal(4001, "User rejected the request.");
    switch (method) {
      case "eth_requestAccounts":
        state.connected = true;
        return [state.account];
      case "eth_accounts":
        return state.connected ? [state.account] : [];
      case "eth_chainId":
        return `0x${state.chainId.toString(16)}`;
      case "wallet_switchEthereumChain":
        state.chainId = Number(params[0].chainId);
        tell("chainChanged", params[0].chainId);
        return null;
      default:
        if (state.chainId !== TEST_WALLET.chain_id) throw new Refusal(4901, "The wallet is on another chain.");
        return forward(method, params);
    }
  },
  on(event: string, listener: (value: unknown) => void): void {
    listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
  },
  removeListener(event: string, listener: (value: unknown) => void): void {
    listeners.get(event)?.delete(listener);
  },
};

const info = Object.freeze({
  uuid: "8c5f4f2e-5a6b-4f5c-9a51-1f7d6f2f0b11",
  name: "Test wallet",
  rdns: "local.test-wallet",
  icon: "data:image/svg+xml,",
});
const announce = (): void => {
  window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
};
window.addEventListener("eip6963:requestProvider", announce);
announce();
Object.assign(window, {
  testWallet: {
    state,
    move(chainId: number): void {
      state.chainId = chainId;
      tell("chainChanged", `0x${chainId.toString(16)}`);
    },
  },
});

export {};
