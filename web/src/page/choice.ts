/** Which fund: the one that the page's address names, and the choice among several. */

import { plain } from "../amounts.js";
import { type Book, books, booksFor, nameOf } from "../books.js";
import { find, h, put, say } from "../view/dom.js";

const linkTo = (book: Book) => `?fund=${encodeURIComponent(nameOf(book))}`;

/** The fund that the page's address names, the first where it names none. Null where it names no fund, or several: then
 * a list of funds stands in place of the page. */
export function chosenBook(): Book | null {
  const wanted = new URLSearchParams(location.search).get("fund");
  const found = wanted === null ? books.slice(0, 1) : booksFor(wanted, books);
  const [book] = found;
  if (book && found.length === 1) return book;
  offerFunds(wanted, found.length ? found : books);
  return null;
}

function offerFunds(wanted: string | null, among: readonly Book[]): void {
  for (const id of ["places", "wallet", "asof"]) find(id).hidden = true;
  const heading = find("heading");
  heading.classList.remove("unseen");
  say(heading, among.length ? "Which fund?" : "No fund");
  document.title = "Ballast";
  if (among.length === 0) return put(find("view"), h("p", {}, "This page was built without a fund."));
  const said = wanted === null ? "" : `“${plain(wanted, 60)}”`;
  const several = wanted !== null && booksFor(wanted, books).length > 1;
  put(
    find("view"),
    h(
      "p",
      { class: "lead" },
      several ? `Several funds here are named ${said}.` : `This page does not know a fund ${said}.`,
    ),
    several
      ? null
      : h(
          "p",
          {},
          "It shows those alone whose address books it was built with: an address in a link proves nothing about what stands there. ",
          "A fund is named by the address of its shares or by the name in its address book.",
        ),
    h(
      "ul",
      { class: "funds" },
      ...among.map((b) =>
        h(
          "li",
          {},
          h("a", { href: linkTo(b) }, `${plain(b.fund)} on ${plain(b.chain.name)}`),
          h("small", {}, b.contracts.index_token),
        ),
      ),
    ),
  );
}

/** Where the page knows several funds: a list to go to another. */
export function showChoice(book: Book): void {
  if (books.length < 2) return;
  const choice = h(
    "select",
    {
      id: "fund-choice",
      "aria-label": "Fund",
      change: () => {
        location.search = `?fund=${encodeURIComponent(choice.value)}`;
      },
    },
    ...books.map((b) => h("option", { value: nameOf(b), selected: b === book }, `${plain(b.fund)} on ${b.chain.name}`)),
  );
  put(find("choice"), choice);
}
