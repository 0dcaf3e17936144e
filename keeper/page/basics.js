// Elements, and figures for people. Whatever comes from the keeper is written as text, never as HTML.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const DAY = 86400;

function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// Only what changed is written, so that a screen reader is not told the same again.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A plot with a title and a description; `width` and `height` are pixels, so that text keeps its size.
function canvas(id, width, height, title, description, ...children) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-labelledby": `${id}-t ${id}-d` },
    svg("title", { id: `${id}-t` }, title), svg("desc", { id: `${id}-d` }, description), ...children);
}

function table(caption, heads, rows) {
  const numeric = heads.map((head) => head.startsWith("#"));
  return el("table", {}, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, heads.map((head, i) =>
      el("th", { scope: "col", class: numeric[i] ? "n" : null }, head.replace("#", ""))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, i) =>
      cell instanceof Node && cell.tagName === "TD" ? cell : el("td", { class: numeric[i] ? "n" : null }, cell))))));
}

// A decimal string of 18 decimals as a number: good to fifteen digits, which is more than is shown.
const whole = (text) => Number(text) / 1e18;

const formats = new Map();
function format(value, least, most) {
  const key = `${least}/${most}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }));
  }
  return formats.get(key).format(value);
}

function usd(value, digits = 2) {
  return `${value < 0 ? "−" : ""}$${format(Math.abs(value), digits, digits)}`;
}

// USD of 18 decimals, where it may be that ether has no price.
const dollars = (text, digits = 2) => (text === null ? "no price" : usd(whole(text), digits));

// Money in few characters: whole dollars where there are many.
const money = (value) => usd(value, Math.abs(value) >= 10000 ? 0 : 2);
const percent = (fraction, digits = 2) => `${format(100 * fraction, digits, digits).replace("-", "−")} %`;
function amount(value) {
  const size = Math.abs(value);
  return format(value, 0, size >= 100 ? 2 : size === 0 || size >= 0.0001 ? 4 : 8);
}

const plural = (count, one, many) => `${format(count, 0, 0)} ${count === 1 ? one : many}`;
const short = (text) => (text.length > 16 ? `${text.slice(0, 8)}…${text.slice(-4)}` : text);

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const NAMES = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
  "December"];
const two = (number) => String(number).padStart(2, "0");

function day(time) {
  const d = new Date(1000 * time);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
}

// A month told as 2021-04; a period of another kind as it is told.
function monthName(text) {
  const month = /^(\d{4})-(\d{2})$/.exec(text);
  return month ? `${NAMES[Number(month[2]) - 1]} ${month[1]}` : text;
}

// An address: its explorer, where one is known, and a button that copies it.
function addressed(one) {
  const code = el("code", {}, one.address);
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy the address: ${one.name}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(one.address);
      say(button, "Copied");
    } catch {
      getSelection().selectAllChildren(code); // over plain http from elsewhere a page may not copy
      say(button, "Selected");
    }
    setTimeout(() => say(button, "Copy"), 2000);
  });
  return [one.url ? el("a", { href: one.url, target: "_blank", rel: "noreferrer noopener" }, code) : code, button];
}

function clock(time) {
  const d = new Date(1000 * time);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

const date = (time) => `${day(time)} ${new Date(1000 * time).getUTCFullYear()}, ${clock(time)} UTC`;

function lasting(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 2 * DAY) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.round(s / DAY)} days`;
}

function relative(time, now) {
  const off = time - now;
  if (Math.abs(off) < 1) return "now";
  return off > 0 ? `in ${lasting(off)}` : `${lasting(-off)} ago`;
}

// A time that tells by itself how far off it is; `kind`: "chain", "keeper" for the keeper's own clock, or "next" for a time
// of the chain at which something is due.
function moment(time, kind = "chain", bare = false) {
  return el("time", { datetime: new Date(1000 * time).toISOString(), "data-at": time, "data-clock": kind,
    "data-bare": bare, title: date(time) }, date(time));
}

// Figures for an axis: about `count` round steps from `low` to `high`.
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  return found;
}
