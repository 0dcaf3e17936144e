// Asks the keeper every few seconds and shows what it says. The page stays as it is when the keeper does not answer, and
// says how old it is.

const ASK_MS = 4000;
const SILENT_S = 15;
const VERDICTS = { ok: "All is well", warn: "Worth a look", bad: "Needs attention" };
const RANGES = [["2 days", 2 * DAY], ["Month", 31 * DAY], ["All", Infinity]];

let told = null; // the keeper's last answer
let at = 0; // when it came, by this browser's monotonic clock
let refused = null; // why the last question failed
let past = []; // the samples, one entry a fund
let pastVersion = null;
let range = Infinity;
let explorer = null; // of the shown fund's chain
const drawn = new Map(); // what each part was last drawn from

const since = () => (performance.now() - at) / 1000;
const keeperNow = () => told.now + since();
const fund = () => told.funds.find((one) => one.rebalancer === $("choose").value) || told.funds[0];
// The chain's clock goes on from the block of the last look: it need not be this machine's.
const chainNow = (one) => one.data.time + Math.max(0, keeperNow() - one.looked_at);

// Draws a part again if what it shows has changed.
function part(name, from, draw) {
  const key = JSON.stringify(from);
  if (drawn.get(name) === key) return;
  drawn.set(name, key);
  draw();
}

function widthOf(node) {
  return Math.max(240, Math.floor(node.clientWidth));
}

// How much can be trusted: the keeper's own notes, and how long ago it answered and looked.
function standing(one) {
  const silent = since(), notes = [...one.notes];
  let level = one.level;
  const add = (worse, text) => {
    notes.unshift({ level: worse, text });
    if (level !== "bad") level = worse;
  };
  const age = one.looked_at === null ? null : keeperNow() - one.looked_at;
  if (age !== null && age > told.stale_after_s) {
    add(age > 4 * told.stale_after_s ? "bad" : "warn", `The keeper last looked ${lasting(age)} ago. All below is as it was then.`);
  }
  if (silent > SILENT_S) add("bad", `The keeper does not answer (${refused || "no answer"}). All below is as it was then.`);
  return { level, notes, age, silent };
}

function glance(one) {
  const { level, notes, age, silent } = standing(one);
  $("glance").dataset.level = level;
  $("beat").dataset.level = silent > SILENT_S ? "bad" : age !== null && age > told.stale_after_s ? "warn" : "ok";
  say($("verdict"), VERDICTS[level]);
  const sold = one.data && one.data.trading && one.data.trading.sold;
  say($("standing"), !one.data ? "" : sold === null ? one.data.standing : `${one.data.standing}, ${percent(whole(sold), 0)} sold`);
  const looked = age === null ? "has not looked yet" : `last look ${lasting(age)} ago`;
  say($("look"), silent > SILENT_S ? `no answer for ${lasting(silent)}` : looked);
  part("notes", notes, () => $("notes").replaceChildren(...notes.map((note) =>
    el("li", { "data-level": note.level }, el("b", {}, note.level === "bad" ? "Alarm" : "Note"), note.text))));
  const title = `${VERDICTS[level]} · ${one.fund}`;
  if (document.title !== title) document.title = title;
}

function head(one) {
  explorer = one.explorer;
  say($("fund"), one.fund);
  const next = one.data && one.data.next;
  part("next", [one.rebalancer, next], () => {
    say($("next-what"), next ? next.what : "The keeper's first look");
    const why = next && next.why && !next.why.startsWith("due") ? next.why : "";
    $("next-when").replaceChildren(...(next && next.at !== null ? [moment(next.at, "next")] : []),
      why && next.at !== null ? `, ${why}` : why);
  });
  say($("foot"), `Chain ${one.chain_id}, rebalancer ${one.rebalancer}${one.data ? `, block ${format(one.data.block, 0, 0)}` : ""}.`);
}

function tiles(data) {
  const tile = (id, name, value, more) =>
    el("div", { id }, el("dt", {}, name), el("dd", {}, value), el("dd", {}, more));
  const fee = data.fee;
  // What the last finished month cost stays until the next one has cost something.
  const spent = data.spent.count || !data.months.length ? { month: data.month, ...data.spent } : data.months[0];
  const lacking = data.left_out.length ? `${data.incomplete ? "Incomplete: " : ""}without ${data.left_out.join("; ")}` : "";
  $("tiles").replaceChildren(
    tile("tile-nav", "NAV per share", usd(whole(data.nav)), lacking || `one share, block ${format(data.block, 0, 0)}`),
    tile("tile-total", "Net assets", usd(whole(data.total), 0), lacking || `${format(whole(data.supply), 0, 2)} shares`),
    tile("tile-fee", "Streaming fee", fee ? `${percent(whole(fee.yearly))} a year` : "not read yet",
      fee ? `${format(whole(fee.pending), 0, 4)} shares (${usd(whole(fee.pending_usd))}) not minted yet` : ""),
    tile("tile-gas", `Gas in ${monthName(spent.month)}`, dollars(spent.cost_usd),
      `${amount(whole(spent.cost_eth))} ETH in ${plural(spent.count, "transaction", "transactions")}`),
    data.trading
      ? tile("tile-lost", "Lost in trading", usd(whole(data.trading.spent_usd)), `${percent(whole(data.trading.spent), 3)} of NAV this month`)
      : tile("tile-eth", "Ether", data.eth_price === "0" ? "no price" : usd(whole(data.eth_price)), `base fee ${format(Number(data.base_fee) / 1e9, 0, 2)} gwei`),
    tile("tile-account", "Keeper's account", told.balance === null ? "not read yet" : `${amount(whole(told.balance))} ETH`,
      told.balance === null ? "" : data.eth_price === "0" ? "for gas" : `${usd(whole(told.balance) * whole(data.eth_price), 0)} for gas`));
  for (const id of ["tile-nav", "tile-total"]) $(id).dataset.level = data.incomplete ? "bad" : "none";
}

function month(one) {
  const line = one.data.timeline;
  say($("month-title"), monthName(one.data.month));
  $("timeline").replaceChildren(timelinePlot(widthOf($("timeline")), line, chainNow(one), one.data.trading));
  const steps = stepsOf(line, one.data.trading);
  const rows = steps.map((step, i) => [step, String(i + 1)]);
  // What somebody did to the month, in words: it is past.
  for (const event of one.data.events) rows.push([{ what: event.text, at: event.time, past: true }, "!"]);
  rows.push([{ what: "First start of the next period", at: line.next_start, past: false }, "→"]);
  $("dates").replaceChildren(...rows.map(([step, sign]) => el("li", {},
    el("span", { class: step.past ? "badge past" : "badge", "aria-hidden": "true" }, sign),
    el("b", {}, step.what), el("span", {}, moment(step.at)))));
}

function weights(data) {
  const known = data.target_is !== "unknown";
  say($("weights-hint"), {
    month: "Bars: weights now. Upright marks: the month's targets at prices of now. Light: still to buy or to sell.",
    determination: "Bars: weights now. Upright marks: what the determination asks for at its prices.",
    unknown: "Bars: weights now. No targets are known before a determination.",
  }[data.target_is]);
  $("weights").replaceChildren(weightsPlot(widthOf($("weights")), data.components, known));
  $("weights-table").replaceChildren(table("Each component, largest first",
    ["Component", "Side", "#Price", "#Value", "#Weight", "#Target", "#To go"],
    data.components.map((c) => {
      const off = c.target === null ? null : whole(c.target) - whole(c.weight);
      return [el("span", { title: c.token }, c.symbol), c.condition || c.side,
        c.price === "0" ? "none" : money(whole(c.price)), c.value === null ? "-" : usd(whole(c.value), 0), percent(whole(c.weight)),
        off === null ? "-" : percent(whole(c.target)), off === null ? "-" : `${off > 0 ? "+" : ""}${percent(off)}`];
    })));
}

function trading(one) {
  const t = one.data.trading, line = one.data.timeline, now = chainNow(one);
  if (!t) {
    say($("trading-hint"), "Trading is not open. What a month's trading needs and costs is shown here while it is.");
    $("meters").replaceChildren();
    $("trading-pairs").replaceChildren();
    return;
  }
  const lost = whole(t.spent) / whole(t.loss_budget), wait = whole(t.capacity) / whole(t.batch_cap);
  say($("trading-hint"), t.batches === null ? "" : `${plural(t.batches, "batch", "batches")} to go, as planned`);
  const meters = [
    t.sold === null ? null
      : meter("Surplus sold", `${percent(whole(t.sold), 1)}; ${percent(whole(t.surplus))} of NAV is left`, whole(t.sold), "fill-sell"),
    t.bought === null ? null
      : meter("Lack bought", `${percent(whole(t.bought), 1)}; ${percent(whole(t.lack))} of NAV is left`, whole(t.bought), "fill-buy"),
    meter("Loss budget", `${percent(lost, 1)} used of ${percent(whole(t.loss_budget))} of NAV`, lost,
      lost < 0.5 ? "fill-ok" : lost < 0.8 ? "fill-warn" : "fill-bad", 0.5),
    meter("Bucket", `a batch may be ${percent(whole(t.capacity))} of NAV and cost ${percent(whole(t.tolerance))}`, wait, "fill"),
  ];
  if (line.started_at !== null) {
    const end = t.finish === null ? line.end : Math.max(t.finish, now), gone = now - line.started_at;
    meters.push(meter("Time", `${lasting(gone)} of ${lasting(end - line.started_at)}${t.finish === null ? "" : " planned"}`,
      gone / Math.max(1, end - line.started_at), "fill"));
  }
  const used = (now - line.opens) / (line.end - line.opens);
  meters.push(meter("Period", `${lasting(line.end - now)} left until it ends`, used, used < 0.9 ? "fill-held" : "fill-bad"));
  $("meters").replaceChildren(...meters.filter((one) => one));
  const pairs = [
    ["Next batch sells", t.value_out === null ? "-" : usd(whole(t.value_out), 0)],
    ["Expected cost of all that is left", t.cost_left === null ? "-" : usd(whole(t.cost_left))],
    ["Expected gas of all that is left", t.gas_left === null ? "-" : usd(whole(t.gas_left))],
    ["Tolerance of a batch, from and to", `${percent(whole(t.first_tolerance))} to ${percent(whole(t.last_tolerance))}`],
  ];
  $("trading-pairs").replaceChildren(...pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function level(row) {
  if (row.open) return "warn";
  return { reverted: "bad", mined: "ok", confirmed: "ok" }[row.status] || "none";
}

function sent(data) {
  const rows = data.sent, spent = data.spent;
  say($("sent-hint"), rows.length
    ? `${monthName(data.month)}: ${plural(spent.count, "transaction", "transactions")} paid for, ${format(spent.gas, 0, 0)} gas, ` +
      `${amount(whole(spent.cost_eth))} ETH, ${dollars(spent.cost_usd)}. The newest ${rows.length} are listed.`
    : "This keeper has sent nothing for this fund yet.");
  const costs = costsPlot(widthOf($("costs")), rows);
  $("costs").replaceChildren(...(costs ? [costs] : []));
  $("sent").replaceChildren(...(rows.length ? [table("What this keeper signed, newest first",
    ["Action", "Month", "Status", "#Cost", "#ETH", "#Gas", "#Gwei", "Signed", "#Block", "#Nonce", "Hash"],
    rows.map((row) => [row.action, row.month,
      el("span", { class: "state", "data-level": level(row) }, row.status),
      row.cost_eth === null ? "-" : dollars(row.cost_usd), row.cost_eth === null ? "-" : amount(whole(row.cost_eth)),
      row.gas_used === null ? "-" : format(row.gas_used, 0, 0),
      `${row.open ? "≤ " : ""}${format(Number(row.gas_price) / 1e9, 0, 2)}`,
      row.signed_at === null ? "-" : moment(row.signed_at, "keeper", true), format(row.block, 0, 0), String(row.nonce),
      inExplorer("tx", row.hash)]))] : []));
}

// A hash or an address, short, as a link where the chain's explorer is known.
function inExplorer(kind, text) {
  const shown = el("code", { title: text }, short(text));
  return explorer === null ? shown
    : el("a", { href: `${explorer}/${kind}/${text}`, rel: "noreferrer noopener", target: "_blank" }, shown);
}

// What each month cost: it stays when the next one has begun.
function months(data) {
  $("months").replaceChildren(...(data.months.length ? [table("What each month cost, newest first",
    ["Month", "#Transactions", "#Gas", "#ETH", "#Cost"],
    data.months.map((m) => [monthName(m.month), format(m.count, 0, 0), format(m.gas, 0, 0), amount(whole(m.cost_eth)),
      dollars(m.cost_usd)]))] : []));
}

function addresses(one) {
  $("addresses").replaceChildren(...one.addresses.map((a) => el("div", {}, el("dt", {}, a.name), el("dd", {}, addressed(a)))));
}

// What the owner has announced, and when it may be done.
function pending(data) {
  const rows = data.pending;
  say($("pending-hint"), rows === null ? "What the owner has announced is not known yet."
    : rows.length ? "What the owner has announced. Once its time has come, anyone who may execute can do it at any moment."
      : "Nothing: the owner has announced no change.");
  $("pending").replaceChildren(...(rows && rows.length ? [table("Operations, the first to be ready first",
    ["What", "Warnings", "State", "Executable from", "Proposed by", "Operation"],
    rows.map((row) => [el("td", { class: "wide" }, row.calls.join("; ")),
      el("td", { class: "wide" }, row.warnings.join("; ") || "-"),
      el("span", { class: "state", "data-level": row.warnings.length ? "bad" : row.state === "ready" ? "warn" : "none" }, row.state),
      moment(row.from), el("code", { title: row.by }, short(row.by)), el("code", { title: row.id }, short(row.id))]))] : []));
}

function nodes() {
  part("nodes", [told.endpoints], () => $("nodes").replaceChildren(told.endpoints.length
    ? table("Nodes that the keeper asks", ["Endpoint", "State", "#Head", "#Head's age", "Why"], told.endpoints.map((e) => [
      e.name, el("span", { class: "state", "data-level": e.healthy ? "ok" : "bad" }, e.healthy ? "in use" : "put aside"),
      e.head === null ? "-" : format(e.head, 0, 0), e.head_age_s === null ? "-" : lasting(e.head_age_s),
      el("td", { class: "wide" }, e.reason || "-")]))
    : el("p", { class: "hint" }, "The health of the endpoints is not known.")));
}

function shownPast() {
  const found = past.find((entry) => entry.rebalancer === fund().rebalancer);
  if (!found || !found.time.length) return null;
  const last = found.time[found.time.length - 1];
  const first = found.time.findIndex((time) => time >= last - range);
  return {
    time: found.time.slice(first), nav: found.nav.slice(first).map(whole), phase: found.phase.slice(first),
    weights: found.weights_ppm.map((w) => ({ symbol: w.symbol, values: w.values.slice(first) })),
  };
}

function history() {
  const samples = shownPast(), few = !samples || samples.time.length < 2;
  for (const id of ["nav", "mix", "mix-title", "mix-legend"]) $(id).hidden = few;
  if (few) {
    say($("nav-reading"), "There are too few samples yet. One is kept every ten minutes.");
    $("nav-table").replaceChildren();
    return;
  }
  const last = samples.time.length - 1;
  const read = (i) => say($("nav-reading"), i === null
    ? `${usd(samples.nav[0])} on ${date(samples.time[0])}, ${usd(samples.nav[last])} on ${date(samples.time[last])}: ` +
      `${percent(samples.nav[last] / samples.nav[0] - 1)}`
    : `${usd(samples.nav[i])} on ${date(samples.time[i])}${samples.phase[i] === "trading" ? ", trading" : ""}`);
  read(null);
  $("nav").replaceChildren(navPlot(widthOf($("nav")), samples, read));
  const mix = mixOf(samples);
  $("mix").replaceChildren(mixPlot(widthOf($("mix")), samples, mix));
  $("mix-legend").replaceChildren(...mix.map((w, k) => el("li", {},
    svg("svg", { viewBox: "0 0 11 11", "aria-hidden": "true" }, svg("rect", { width: 11, height: 11, rx: 2, class: `k${k}` })),
    `${w.symbol} ${percent(w.values[last] / 1e6, 1)}`)));
  const every = Math.ceil(samples.time.length / 60), rows = [];
  for (let i = last; i >= 0; i -= every) rows.push([date(samples.time[i]), samples.phase[i], usd(samples.nav[i])]);
  $("nav-table").replaceChildren(table(every > 1 ? `One of ${every} samples, newest first` : "All samples, newest first",
    ["Time", "Phase", "#NAV per share"], rows));
}

// What goes on by itself: times told as so far off, and the mark of now.
function tick() {
  if (!told) return;
  const one = fund();
  glance(one);
  for (const node of document.querySelectorAll("time[data-at]")) {
    const time = Number(node.dataset.at);
    const now = node.dataset.clock === "keeper" || !one.data ? keeperNow() : chainNow(one);
    const far = node.dataset.clock === "next" && time <= now ? "due now" : relative(time, now);
    say(node, node.dataset.bare === undefined ? `${date(time)} (${far})` : far);
  }
}

function draw() {
  const one = fund(), data = one.data, id = one.rebalancer;
  $("figures").hidden = !data;
  head(one);
  part("addresses", one.addresses, () => addresses(one));
  nodes();
  if (data) {
    const width = document.documentElement.clientWidth;
    part("tiles", [id, data.left_out, data.incomplete, data.nav, data.total, data.supply, data.fee, data.spent, data.months, data.trading, data.eth_price, data.base_fee, data.block, told.balance],
      () => tiles(data));
    part("month", [id, data.timeline, data.events, data.trading, data.block, width], () => month(one));
    part("weights", [id, data.components, data.target_is, width], () => weights(data));
    part("months", [id, data.months], () => months(data));
    part("trading", [id, data.trading, data.timeline, data.block], () => trading(one));
    part("pending", [id, data.pending], () => pending(data));
    part("sent", [id, data.sent, data.spent, width], () => sent(data));
    part("past", [id, pastVersion, range, width], history);
  }
  tick();
}

function choices() {
  part("choices", told.funds.map((one) => [one.rebalancer, one.fund, one.chain_id]), () => {
    const chosen = $("choose").value;
    $("choose").replaceChildren(...told.funds.map((one) => el("option", { value: one.rebalancer }, one.fund)));
    if (told.funds.some((one) => one.rebalancer === chosen)) $("choose").value = chosen;
    $("choice").hidden = told.funds.length < 2;
  });
}

async function answer(path) {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function ask() {
  try {
    const found = await answer("state.json");
    told = found;
    at = performance.now();
    refused = null;
    $("beat").classList.remove("fresh");
    requestAnimationFrame(() => $("beat").classList.add("fresh"));
    choices();
    draw();
    if (found.history_version !== pastVersion) {
      past = (await answer("history.json")).funds;
      pastVersion = found.history_version;
      draw();
    }
  } catch (error) {
    refused = error instanceof TypeError ? "unreachable" : error.name === "TimeoutError" ? "too slow" : error.message;
    if (told) tick();
    else {
      $("glance").dataset.level = "bad";
      say($("verdict"), "The keeper does not answer");
      say($("look"), refused);
    }
  }
}

async function run() {
  for (;;) {
    // Nobody sees a hidden page: it asks again when it is looked at.
    if (!document.hidden) await ask();
    await new Promise((again) => {
      const timer = setTimeout(again, ASK_MS);
      document.addEventListener("visibilitychange", () => { clearTimeout(timer); again(); }, { once: true });
    });
  }
}

for (const [name, seconds] of RANGES) {
  const button = el("button", { type: "button", "aria-pressed": String(seconds === range) }, name);
  button.addEventListener("click", () => {
    range = seconds;
    for (const other of $("ranges").children) other.setAttribute("aria-pressed", String(other === button));
    if (told) draw();
  });
  $("ranges").append(button);
}
$("choose").addEventListener("change", () => { draw(); });
addEventListener("resize", () => { if (told) draw(); });
setInterval(tick, 1000);
run();
