/** Which part of the page is on the screen, and what stands around it: the fund's name, the block, what is amiss. */

import { plain, when } from "../amounts.js";
import { missing } from "../fund.js";
import type { App, View } from "../view/app.js";
import { type Child, find, h, put, region, say } from "../view/dom.js";

const PLACES = [
  ["fund", "Fund"],
  ["mint", "Mint"],
  ["redeem", "Redeem"],
  ["me", "My shares"],
] as const;
export type Place = (typeof PLACES)[number][0];

const TITLES: Record<Place, string> = { fund: "Fund", mint: "Mint shares", redeem: "Redeem shares", me: "My shares" };

export interface Router {
  /** Draws what has changed. */
  draw(): void;
  /** Shows the part that the page's address names, now and whenever it names another. */
  start(): void;
}

export function routerOf(app: App, views: Record<Place, View>): Router {
  const links = PLACES.map(([id, name]) => h("a", { href: `#/${id}` }, name));
  put(find("places"), ...links);
  const heading = find("heading");
  const drawTrouble = region(find("trouble"));
  let at: Place | null = null;

  function route(): void {
    // The skip link is no part of the page.
    if (at !== null && !location.hash.startsWith("#/")) return;
    const id = location.hash.slice(2).split("?")[0];
    const next = PLACES.find(([place]) => place === id)?.[0] ?? "fund";
    links.forEach((link, i) =>
      PLACES[i]![0] === next ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current"),
    );
    if (next === at) return;
    const first = at === null;
    at = next;
    put(find("view"), views[at].root);
    say(heading, TITLES[at]);
    heading.classList.toggle("unseen", at === "fund");
    // The part is announced, and the next Tab goes into it.
    if (!first) heading.focus();
    draw();
  }

  function draw(): void {
    if (at === null) return;
    drawFacts(app, TITLES[at]);
    const { offline, connection, through } = app;
    find("trouble").hidden = !offline;
    drawTrouble([offline, app.snapshot === null, connection?.wallet.id, connection?.chainId, through?.id], () =>
      offline ? troubleOf(app) : [],
    );
    views[at].update();
  }

  const start = () => {
    window.addEventListener("hashchange", route);
    route();
  };
  return { draw, start };
}

/** The fund's name, the block that is shown, and what NAV lacks. */
function drawFacts({ fixed, snapshot, through, tokens }: App, title: string): void {
  if (fixed) {
    say(find("name"), fixed.name);
    document.title = `${title}: ${fixed.name} (${fixed.symbol})`;
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
      ? `What a share is worth is shown too low: without ${out.map((x) => `${tokens.get(x.token).symbol} (${x.why})`).join(", ")}.`
      : "",
  );
}

/** That the chain does not answer, and what can be done. */
function troubleOf(app: App): Child[] {
  const { book, connection, through } = app;
  const on = connection?.chainId === book.chain_id ? connection.wallet : null;
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
    button("Try now", () => void app.refresh()),
    through
      ? button("Read through the page’s endpoints", () => void app.readThrough(null))
      : on
        ? button("Read through my wallet", () => void app.readThrough(on))
        : connection
          ? button(`Switch my wallet to ${book.chain.name}`, () => void app.switchChain())
          : button("Connect a wallet", app.connect),
  ];
}
