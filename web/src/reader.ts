/** The client that the page reads a chain with. */

import { type Client, createClient, custom, defineChain, fallback, http, type Transport } from "viem";
import type { Book } from "./books.js";
import type { Provider } from "./wallet.js";

export type Reader = Client<Transport, ReturnType<typeof chainOf>>;

export function chainOf(book: Book) {
  const { name, currency, endpoints } = book.chain;
  const nativeCurrency = { name: currency, symbol: currency, decimals: 18 };
  return defineChain({ id: book.chain_id, name, nativeCurrency, rpcUrls: { default: { http: endpoints } } });
}

/** A client of the endpoints in the order given, or of a wallet's own. */
export function readerOf(book: Book, through?: Provider): Reader {
  const own = book.chain.endpoints.map((url) => http(url, { batch: true, retryCount: 1, timeout: 15_000 }));
  const transport = through ? custom(through, { retryCount: 0 }) : fallback(own, { retryCount: 0 });
  return createClient({
    chain: chainOf(book),
    transport,
    cacheTime: 0,
    pollingInterval: Math.min(1_000, book.chain.poll_ms),
  });
}
