/** The page: wires what looks at the chain and the wallets to what draws. */

import type { Book } from "./books.js";
import { Tokens } from "./chain.js";
import { readerOf } from "./reader.js";
import { chosenBook, showChoice } from "./page/choice.js";
import { routerOf } from "./page/router.js";
import { walletsOf } from "./page/wallets.js";
import { watcherOf } from "./page/watcher.js";
import type { App } from "./view/app.js";
import { fundView } from "./view/fund/fund.js";
import { meView } from "./view/me.js";
import { mintView } from "./view/forms/mint.js";
import { redeemView } from "./view/forms/redeem.js";
import { withWays } from "./view/forms/ways.js";

function start(book: Book): void {
  const app: App = {
    book,
    client: readerOf(book),
    through: null,
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
    refresh: () => watcher.refresh(),
    readThrough: (wallet) => watcher.readThrough(wallet),
    connect: () => wallets.open(),
    switchChain: () => wallets.switchChain(),
  };
  const router = routerOf(app, {
    fund: fundView(app),
    mint: withWays(app, "mint", mintView(app)),
    redeem: withWays(app, "redeem", redeemView(app)),
    me: meView(app),
  });
  const watcher = watcherOf(app, router.draw);
  const wallets = walletsOf(app, router.draw);
  showChoice(book);
  router.start();
  wallets.start();
  watcher.start();
}

const book = chosenBook();
if (book) start(book);
