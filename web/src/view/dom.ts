/** Elements from text and elements alone: nothing that a chain says is ever read as HTML. */

export type Child = Node | string | null | false;
type Props = Record<string, string | number | boolean | ((event: any) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return dress(document.createElement(tag), props, children);
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function dress<E extends Element>(element: E, props: Props, children: Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  put(element, ...children);
  return element;
}

/** An element of the page's own HTML. */
export const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

/** Replaces what is inside. */
export function put(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== null && child !== false));
}

/** Changes a text only where it differs: whoever listens hears no repetition. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const nameOf = (element: Element): string => element.getAttribute("aria-label") ?? element.textContent ?? "";

/** Draws a part again only when what it shows has changed, and then gives the focus back to what has the same name. */
export function region(element: Element): (key: unknown, draw: () => Child[]) => void {
  let drawn: string | null = null;
  return (key, draw) => {
    const text = JSON.stringify(key, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
    if (text === drawn) return;
    drawn = text;
    const had = element.contains(document.activeElement) ? document.activeElement : null;
    put(element, ...draw());
    const again = had && [...element.querySelectorAll<HTMLElement>(had.tagName)].find((e) => nameOf(e) === nameOf(had));
    again?.focus({ preventScroll: true });
  };
}

export interface Column {
  head: string;
  /** Figures stand right. */
  figure?: boolean;
}

/** A table that scrolls in a frame of its own where it is too wide. `stacks`: on a phone each row is a block, its figures
 * beside their heads; the roles say that it is still a table. `shown`: its caption is seen. */
export function table(
  caption: string,
  columns: Column[],
  rows: Child[][],
  { shown = false, stacks = false } = {},
): HTMLElement {
  const role = (name: string) => (stacks ? { role: name } : {});
  const cell = (child: Child, i: number) => {
    const dress = { ...(columns[i]?.figure ? { class: "figure" } : {}), "data-head": columns[i]?.head ?? "" };
    return i === 0
      ? h("th", { scope: "row", ...role("rowheader"), ...dress }, child ?? "")
      : h("td", { ...role("cell"), ...dress }, child ?? "");
  };
  return h(
    "div",
    { class: stacks ? "scroll stacks" : "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      role("table"),
      h("caption", shown ? {} : { class: "unseen" }, caption),
      h(
        "thead",
        role("rowgroup"),
        h(
          "tr",
          role("row"),
          ...columns.map((c) =>
            h("th", { scope: "col", ...role("columnheader"), ...(c.figure ? { class: "figure" } : {}) }, c.head),
          ),
        ),
      ),
      h("tbody", role("rowgroup"), ...rows.map((row) => h("tr", role("row"), ...row.map(cell)))),
    ),
  );
}

export function section(title: string, id: string, ...children: Child[]): HTMLElement {
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

export function debounce(wait: number, act: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(act, wait);
  };
}
